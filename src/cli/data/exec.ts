// `immu-ts exec`: several writes in one transaction, described by a JSON file.
import { readFile } from 'node:fs/promises';
import type { Op, Precondition } from '../../index.js';
import { UsageError } from '../command.js';
import type { Io } from '../command.js';
import { verifiedCommand } from './connect.js';
import { STDIN, fromBase64, readInput } from './input.js';
import { showWrite } from './show.js';

/** Base64 in JSON takes more room than what it stands for. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

export const execCommand = verifiedCommand({
  name: 'exec',
  operand: 'FILE',
  summary:
    'Writes the operations in a JSON file in one transaction, all or none, and proves them. - : standard input.',
  options: {},
  more: `The file holds a list of operations, or { "ops": [...], "preconditions": [...] }:
  { "set": { "key": "invoice/17", "value": "12.50", "metadata": { "expiresAt": "1893456000" } } }
  { "reference": { "key": "latest", "to": "invoice/17", "atTx": "thisTx" } }
  { "zAdd": { "set": "by-amount", "score": 12.5, "key": "invoice/17" } }
  { "mustNotExist": "invoice/17" }, { "mustExist": ... } or { "notModifiedAfter": { "key": ..., "tx": "7" } }
Keys and values are text, or { "base64": "..." }; transactions and times are decimal text.`,
  check(_options, [file]) {
    if (file === undefined) throw new UsageError('exec takes a FILE (- reads standard input)');
  },
  async run({ client, values, words: [file = STDIN], io, call }) {
    const { ops, preconditions } = operationsOf(await textOf(file, io), file);
    const options = { ...call, ...(preconditions && { preconditions }) };
    const write = values.unverified
      ? await client.execAll(ops, options)
      : await client.verifiedExecAll(ops, options);
    await showWrite(io, values.json, write);
    return 0;
  },
});

async function textOf(file: string, io: Io): Promise<string> {
  if (file !== STDIN) return readFile(file, 'utf8');
  return (await readInput(io, 'the file', MAX_FILE_BYTES)).toString('utf8');
}

/**
 * What the file says, with bytes and ids as the client takes them, which checks the rest.
 *
 * @throws UsageError when it is no such file
 */
export function operationsOf(
  text: string,
  file: string,
): { readonly ops: readonly Op[]; readonly preconditions?: readonly Precondition[] } {
  const name = file === STDIN ? 'standard input' : file;
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${name} is not JSON`, { cause });
  }
  if (Array.isArray(given)) return { ops: meant(given, 'ops') as Op[] };
  if (typeof given !== 'object' || given === null || !('ops' in given))
    throw new UsageError(`${name} holds neither a list of operations nor { "ops": [...] }`);
  const { ops, preconditions, ...others } = given as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new UsageError(`${name} holds something unknown: ${JSON.stringify(unknown)}`);
  return {
    ops: meant(ops, 'ops') as Op[],
    ...(preconditions !== undefined && {
      preconditions: meant(preconditions, 'preconditions') as Precondition[],
    }),
  };
}

const IDS = new Set(['atTx', 'tx', 'expiresAt']);

/** JSON as it is meant: `{ base64 }` is bytes, and decimal text where a transaction or a time stands is a number. */
function meant(value: unknown, path: string, field = ''): unknown {
  if (Array.isArray(value)) return value.map((item, i) => meant(item, `${path}[${i}]`));
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value);
    const [[name, text] = []] = fields;
    if (fields.length === 1 && name === 'base64' && typeof text === 'string') return fromBase64(path, text);
    return Object.fromEntries(fields.map(([key, item]) => [key, meant(item, `${path}.${key}`, key)]));
  }
  if (!IDS.has(field)) return value;
  if (typeof value === 'string' && /^\d{1,19}$/.test(value)) return BigInt(value);
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}
