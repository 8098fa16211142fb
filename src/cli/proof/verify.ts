// `immu-ts proof verify`: whether a proof document holds, offline.
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { VerificationError } from '../../index.js';
import type { PortableProof, TransactionEntry } from '../../index.js';
import { verifyProof } from '../../audit.js';
import type { VerifiedProof } from '../../audit.js';
import { visible } from '../../visible.js';
import { UsageError, command } from '../command.js';
import type { Io } from '../command.js';
import { REFUTED } from '../exit-code.js';
import { jsonText } from '../format/formats.js';
import { base64, hex, isoTime } from '../format/row-columns.js';
import { inFile, ownRoot, rootFrom } from './root.js';

/** Bytes of a key or a value that are shown. */
const SHOWN = 64;

export const proofVerifyCommand = command({
  name: 'proof verify',
  operand: 'FILE',
  summary: 'Checks a proof document offline: are these entries in the history that this root ends?',
  options: {
    root: { type: 'string', value: 'ROOT', says: 'the root that is trusted: TX:ALH, or a file with it' },
    'server-key': {
      type: 'string',
      value: 'PEM',
      says: 'public key file with which the root must be signed',
    },
    json: { type: 'boolean', says: 'as JSON' },
  },
  more: `ROOT as a file: a row of the log or a root in JSON (tx, alh), or a checkpoint. Without it the proof is held against
the root that it names itself: it is worth as much as your reason to trust that root.

Exit codes: 0 it holds, 1 that could not be found out, 2 wrong command line, 3 it does not hold.`,
  async run({ root: given, 'server-key': keyPath, json }, path, io) {
    if (path === undefined) throw new UsageError('which proof? a file');
    const proof = parse(await readFile(path, 'utf8'), path);
    const publicKey = keyPath === undefined ? undefined : await serverKey(keyPath);
    try {
      const root = given === undefined ? ownRoot(proof, path) : await rootFrom(given, proof);
      const proven = verifyProof(proof, { ...root, ...(publicKey && { publicKey }) });
      await (json ? io.out.write(`${jsonText(fieldsOf(proven), 2)}\n`) : tell(proven, given, io));
      return 0;
    } catch (error) {
      if (!(error instanceof VerificationError)) throw inFile(path, error);
      const { check, expected, computed } = error.evidence;
      const refuted = { holds: false, check, expected, computed, detail: error.message };
      await io.out.write(json ? `${jsonText(refuted, 2)}\n` : `does not hold: ${visible(error.message)}\n`);
      return REFUTED;
    }
  },
});

/** Throws an error that names the file. */
function parse(text: string, name: string): PortableProof {
  try {
    return JSON.parse(text) as PortableProof;
  } catch (cause) {
    throw new Error(`${name} is not JSON`, { cause });
  }
}

async function serverKey(path: string): Promise<Uint8Array> {
  const text = await readFile(path, 'utf8');
  if (!text.includes('-----BEGIN PUBLIC KEY-----')) throw new Error(`${path} holds no public key in PEM`);
  return new Uint8Array(createPublicKey(text).export({ type: 'spki', format: 'der' }));
}

async function tell(proven: VerifiedProof, given: string | undefined, { out }: Io): Promise<void> {
  const { tx, root, entries, entryCount, signed, server, database, timestamp } = proven;
  const from =
    given === undefined ? ', which the proof names itself: compare it with one that you trust' : '';
  const lines: (readonly [string, string])[] = [
    ['holds', `under the root at tx ${root.tx.toString()}, ${hex(root.alh)}${from}`],
    ['signed', signed ? 'by the given key' : 'not checked'],
    ['database', `${database} of ${server}`],
    ['tx', `${tx.toString()} of ${timestamp === 0n ? 'no time' : isoTime(Number(timestamp) * 1000)}`],
    ['entries', `${entries.length} of ${entryCount}`],
    ...entries.map((entry) => ['', entryWords(entry)] as const),
  ];
  for (const [name, text] of lines) await out.add(`${name.padEnd(12)} ${visible(text)}\n`);
  await out.flush();
}

function entryWords(entry: TransactionEntry): string {
  const { kind, rawKey, rawValue, valueHash, metadata } = entry;
  const key = entry.kind === 'key' ? entry.key : rawKey;
  const value = entry.kind === 'key' ? entry.value : rawValue;
  const shown = value ? bytesWords(value) : `value hash ${valueHash ? hex(valueHash) : '-'}`;
  const to = entry.kind === 'key' && entry.reference ? `-> ${bytesWords(entry.reference.key)}` : shown;
  return `${kind} ${bytesWords(key)} = ${to}${metadata?.deleted === true ? ' (deleted)' : ''}`;
}

/** As text where it is text, in hex otherwise. */
function bytesWords(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  const isText = Buffer.from(text).equals(bytes);
  const words = isText ? JSON.stringify(text.slice(0, SHOWN)) : `0x${hex(bytes.subarray(0, SHOWN))}`;
  return bytes.length > SHOWN ? `${words}… (${bytes.length} bytes)` : words;
}

function fieldsOf(proven: VerifiedProof) {
  const { tx, alh, timestamp, metadata, entryCount, entries, root, server, database, signed } = proven;
  return {
    holds: true,
    ...{ tx: tx.toString(), alh: hex(alh), timestamp: timestamp.toString(), entryCount },
    ...(metadata?.extra && { extra: base64(metadata.extra) }),
    ...(metadata?.truncatedTxId !== undefined && { truncatedTxId: metadata.truncatedTxId.toString() }),
    entries: entries.map(({ kind, rawKey, rawValue, valueHash, metadata: attributes }) => ({
      ...{ kind, key: base64(rawKey) },
      ...(rawValue ? { value: base64(rawValue) } : { valueHash: valueHash && hex(valueHash) }),
      ...(attributes?.deleted === true && { deleted: true }),
      ...(attributes?.expiresAt !== undefined && { expiresAt: attributes.expiresAt.toString() }),
      ...(attributes?.nonIndexable === true && { nonIndexable: true }),
    })),
    root: { tx: root.tx.toString(), alh: hex(root.alh) },
    ...{ server, database, signed },
  };
}
