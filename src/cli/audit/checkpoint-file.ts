// A checkpoint as a file: the commitment to a log that is kept where whoever can write the store cannot write.
import type { Checkpoint } from '../../index.js';
import { jsonText } from '../format/formats.js';
import { hex, isoTime } from '../format/row-columns.js';
import { JsonFields } from '../json-fields.js';

const FORMAT = 'immu-ts/checkpoint';
const VERSION = 1;

export function formatCheckpointFile(checkpoint: Checkpoint): string {
  const { seq, hash, storeId, time, heads, identities, signature, keyFingerprint } = checkpoint;
  const fields = {
    format: FORMAT,
    version: VERSION,
    storeId: hex(storeId),
    seq: seq.toString(),
    hash: hex(hash),
    time: isoTime(time),
    heads: heads.map(({ server, database, tx, alh }) => ({
      server,
      database,
      tx: tx.toString(),
      alh: hex(alh),
    })),
    identities: identities.map(({ address, server }) => ({ address, server })),
    signature: signature && hex(signature),
    keyFingerprint: keyFingerprint && hex(keyFingerprint),
  };
  return `${jsonText(fields, 2)}\n`;
}

/** Throws an error that says what the text lacks. */
export function parseCheckpointFile(text: string, name: string): Checkpoint {
  const fields = JsonFields.parse(text, name);
  if (fields.text('format') !== FORMAT) throw new Error(`${name} is not a checkpoint: its format is another`);
  const version = fields.number('version');
  if (version !== VERSION)
    throw new Error(`${name} has version ${version}; this release reads version ${VERSION}`);
  return {
    storeId: fields.hex('storeId', 16),
    seq: fields.id('seq'),
    hash: fields.hex('hash', 32),
    time: fields.time('time'),
    heads: fields.objects('heads').map((head) => ({
      server: head.text('server'),
      database: head.text('database'),
      tx: head.id('tx'),
      alh: head.hex('alh', 32),
    })),
    identities: fields.objects('identities').map((identity) => ({
      address: identity.text('address'),
      server: identity.text('server'),
    })),
    ...(fields.has('signature') && { signature: fields.hex('signature') }),
    ...(fields.has('keyFingerprint') && { keyFingerprint: fields.hex('keyFingerprint', 32) }),
  };
}
