// `immu-ts get`: one value, on standard output as it is, or for a person to read.
import type { LatestEntry, ProvenAbsence } from '../../index.js';
import { UsageError } from '../command.js';
import type { Io } from '../command.js';
import { assertVerified, follow } from '../latest/following.js';
import { jsonText } from '../format/formats.js';
import { idOf } from '../query-options.js';
import { writeWholeFile } from '../whole-file.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { keyOf } from './input.js';
import { jsonLine, proofWords, rootWords, shownBytes } from './show.js';

export const getCommand = verifiedCommand({
  name: 'get',
  operand: 'KEY',
  summary: 'Reads a value and proves it: its bytes on standard output, what is proven on standard error.',
  options: {
    raw: { type: 'boolean', says: 'the bytes as they are, to a terminal too' },
    'at-tx': { type: 'string', value: 'TX', says: 'the version that this transaction wrote' },
    latest: {
      type: 'boolean',
      says: 'proven to be the latest: every transaction of the database is read first',
    },
    revision: { type: 'string', value: 'N', says: '1 = first version, -1 = the one before the latest' },
    proof: {
      type: 'string',
      value: 'FILE',
      says: 'with a new file that anybody can check by: immu-ts proof verify FILE',
    },
    ...KEY_OPTIONS,
  },
  more: `On a terminal a value is shown so that it can be read, elsewhere it is written byte for byte.
The proof is of the entry itself: of a reference, of what it leads to. How it is led there is in its JSON only.
Exit code 1: there is no such key, by the server's word (with --latest: proven). 3: the answer is not proven.`,
  check({ raw, 'at-tx': atTx, revision, proof, latest, ...options }, words) {
    keyOf(words[0], options);
    if (raw && (options as { json?: boolean }).json === true)
      throw new UsageError('--raw goes without --json');
    if (atTx !== undefined && revision !== undefined) throw new UsageError('--at-tx goes without --revision');
    versionOf(atTx, revision);
    if (latest && (atTx !== undefined || revision !== undefined || proof !== undefined))
      throw new UsageError('--latest goes without --at-tx, --revision and --proof');
    assertVerified('--latest', latest, options);
    if (proof !== undefined && (options as { unverified?: boolean }).unverified === true)
      throw new UsageError('--proof goes without --unverified: nothing is proven then');
  },
  async run({ client, values, words, io, call }) {
    const key = keyOf(words[0], values);
    const options = { ...call, ...versionOf(values['at-tx'], values.revision) };
    if (values.latest) {
      await follow(client, {}, io, call);
      return showLatest(io, values, await client.verifiedGet(key, { latest: true, ...call }));
    }
    const file = values.proof;
    const includeProof = file !== undefined;
    const verified = values.unverified ? null : await client.verifiedGet(key, { ...options, includeProof });
    const entry = values.unverified ? await client.get(key, options) : verified;
    if (!entry) {
      await io.err.write(`there is no key ${JSON.stringify(words[0])}, by the server's word\n`);
      if (values.json) await io.out.write('null\n');
      return 1;
    }
    if (file !== undefined)
      await writeWholeFile(file, (out) => out.write(`${jsonText(verified?.proof, 2)}\n`));
    if (values.json) {
      await io.out.write(jsonLine(!values.unverified, entry));
      return 0;
    }
    await showValue(io, values.raw, entry.value);
    await io.err.write(`${proofWords(entry)}\n`);
    return 0;
  },
});

async function showValue({ out }: Io, raw: boolean, value: Uint8Array): Promise<void> {
  if (raw || !out.isTerminal) await out.bytes(value);
  else await out.write(`${shownBytes(value)}\n`);
}

async function showLatest(
  io: Io,
  { json, raw }: { readonly json: boolean; readonly raw: boolean },
  found: LatestEntry | ProvenAbsence,
): Promise<number> {
  const isThere = found.value !== null;
  if (json) await io.out.write(jsonLine(true, found));
  else if (found.value !== null) await showValue(io, raw, found.value);
  const words = isThere ? `tx ${found.tx.toString()} is the latest` : `it has no value (${found.absent})`;
  await io.err.write(`verified: ${words}, as of ${rootWords(found.provenLatestAt)}\n`);
  return isThere ? 0 : 1;
}

/** @throws UsageError */
function versionOf(atTx: string | undefined, revision: string | undefined) {
  if (atTx !== undefined) return { atTx: idOf('--at-tx', atTx) };
  if (revision === undefined) return {};
  if (!/^-?\d{1,18}$/.test(revision))
    throw new UsageError(`--revision is a whole number, not ${JSON.stringify(revision)}`);
  return { atRevision: BigInt(revision) };
}
