// The token that an ingestion goes on from: how many records of the source lie behind it, and the root under which they do.
import { ArgumentError } from '../../../errors.js';
import { fromHex, toHex } from '../../../proof/bytes.js';
import type { Root } from '../../../verify/verifier.js';

const TOKEN = /^immu-ingest-1\.(\d{1,15})\.(\d{1,19})\.([0-9a-f]{64})$/;
/** Goes on from the first record, whatever the history: the empty database is on each. */
export const FROM_START =
  'immu-ingest-1.0.0.e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Tokens that go on behind so many records, under this root. */
export function tokensOf({ tx, alh }: Root): (count: number) => string {
  const end = `${tx.toString()}.${toHex(alh)}`;
  return (count) => `immu-ingest-1.${count}.${end}`;
}

/** @throws ArgumentError naming `resume` */
export function parseToken(text: string): { readonly count: number; readonly root: Root } {
  const [, count, tx, alh] = (typeof text === 'string' && TOKEN.exec(text)) || [];
  if (count === undefined || tx === undefined || alh === undefined)
    throw new ArgumentError('resume', 'resume is no token of an ingestion');
  return { count: Number(count), root: { tx: BigInt(tx), alh: fromHex(alh) } };
}
