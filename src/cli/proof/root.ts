// The root that a proof is held against, as the command line names it.
import { ArgumentError } from '../../index.js';
import type { PortableProof } from '../../index.js';
import type { ProofRoot } from '../../audit.js';
import { readFile } from 'node:fs/promises';
import { JsonFields } from '../json-fields.js';

const WORDS = /^(\d{1,19}):([0-9a-fA-F]{64})$/;

/**
 * `tx:alh`, or a file: a root or a row of the log in JSON, or a checkpoint, of which the head of the proof's own server and
 * database is meant. Throws an error that says what is wrong.
 */
export async function rootFrom(given: string, proof: PortableProof): Promise<ProofRoot> {
  const words = WORDS.exec(given);
  if (words?.[1] !== undefined && words[2] !== undefined)
    return { tx: BigInt(words[1]), alh: new Uint8Array(Buffer.from(words[2], 'hex')) };
  const fields = JsonFields.parse(await readFile(given, 'utf8'), given);
  if (!fields.has('heads')) return rootOf(fields);
  const isOurs = (head: JsonFields) =>
    head.text('server') === proof.server && head.text('database') === proof.database;
  const head = fields.objects('heads').find(isOurs);
  if (!head) throw new Error(`${given} has no head of the server and database that the proof names`);
  return rootOf(head);
}

function rootOf(fields: JsonFields): ProofRoot {
  return {
    tx: fields.id('tx'),
    alh: fields.hex('alh', 32),
    ...(fields.has('server') && { server: fields.text('server') }),
    ...(fields.has('database') && { database: fields.text('database') }),
  };
}

/** The root that the proof names itself: a trusted one has still to be held against it. */
export function ownRoot(proof: PortableProof, name: string): ProofRoot {
  const root = JsonFields.parse(JSON.stringify(proof), name).object('root');
  return { tx: root.id('tx'), alh: root.hex('alh', 32) };
}

/** Says of a file what an argument error says of its content. */
export function inFile(name: string, error: unknown): unknown {
  return error instanceof ArgumentError ? new Error(`${name}: ${error.message}`, { cause: error }) : error;
}
