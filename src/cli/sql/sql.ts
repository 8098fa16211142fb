// `immu-ts sql`: one statement; its rows by the server's word, what it wrote verified.
import type { ImmuClient, SqlParams, SqlRow, SqlValue, VerifiedSqlWrite } from '../../index.js';
import { UsageError } from '../command.js';
import type { Io } from '../command.js';
import type { Cell, Column } from '../format/columns.js';
import { formatNamed, jsonText, print } from '../format/formats.js';
import type { FormatName } from '../format/formats.js';
import { verifiedCommand } from '../data/connect.js';
import { jsonLine, rootWords } from '../data/show.js';
import { COMPLETE_OPTION, assertVerified, follow } from '../latest/following.js';

/** Rows that are looked at before the first is printed: how wide the columns of a table are to be. */
const MEASURED_ROWS = 100;
const MAX_WIDTH = 40;

/** What asks for rows rather than writes. */
const ASKS = /^(?:\s|--[^\r\n]*[\r\n]|\/\*[\s\S]*?\*\/)*(?:SELECT|SHOW)\b/i;

export const sqlCommand = verifiedCommand({
  name: 'sql',
  operand: 'STATEMENT',
  summary:
    'Executes one STATEMENT of SQL, or several that write, in one transaction: what they wrote is verified.',
  options: {
    params: {
      type: 'string',
      value: 'JSON',
      says: 'values of its parameters: an object for @name, an array for ? and $1; 64-bit integers as text',
    },
    csv: { type: 'boolean', says: 'rows as CSV' },
    ...COMPLETE_OPTION,
  },
  more:
    "Rows that are asked for are the server's word: immu-ts proves what statements write, and rows by their keys (sql.verifiedGet).\n" +
    'With --complete, for SELECT of columns, joins, groups and sums of them: each row is proven, and that none is left out. immu-ts mirror takes any SQL.',
  check(values, [statement]) {
    const { params, complete } = values;
    if (statement === undefined || statement.trim() === '') throw new UsageError('no STATEMENT');
    if (complete && !ASKS.test(statement)) throw new UsageError('--complete is for SELECT');
    assertVerified('--complete', complete, values);
    paramsOf(params);
  },
  async run({ client, values, words: [statement = ''], io, call }) {
    const params = paramsOf(values.params);
    const format = values.json ? 'ndjson' : values.csv ? 'csv' : 'table';
    if (values.complete) {
      await follow(client, { ordered: true }, io, call);
      const { rows, provenLatestAt } = await client.sql.verifiedQuery(statement, params, call);
      const counted = `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`;
      const how = `${counted}, verified: each is proven, and that none is left out, as of ${rootWords(provenLatestAt)}`;
      return printRows(io, listed(rows), format, () => how);
    }
    if (ASKS.test(statement)) return printRows(io, client.sql.stream(statement, params, call), format);
    const written = values.unverified
      ? await client.sql.exec(statement, params, call)
      : await client.sql.verifiedExec(statement, params, call);
    if (values.json) await io.out.write(jsonLine(!values.unverified, written));
    else await io.out.write(wordsOf(written, values.unverified));
    return 0;
  },
});

/** @throws UsageError */
function paramsOf(text: string | undefined): SqlParams | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError('--params is no JSON', { cause });
  }
  if (typeof value !== 'object' || value === null) throw new UsageError('--params is an object or an array');
  return value as SqlParams;
}

function wordsOf(
  written: Awaited<ReturnType<ImmuClient['sql']['exec']>> | VerifiedSqlWrite,
  unverified: boolean,
): string {
  const { txs, updatedRows } = written;
  const rows = `${updatedRows} ${updatedRows === 1 ? 'row' : 'rows'}`;
  if (txs.length === 0) return `nothing was written: ${rows}\n`;
  const named = txs.map(({ tx }) => tx.toString()).join(', ');
  const how = unverified
    ? "by the server's word: NOT VERIFIED"
    : `and verified, proven under tx ${rootOf(written)}`;
  return `tx ${named} is written ${how} (${rows})\n`;
}

function rootOf(written: object): string {
  return 'root' in written ? (written as VerifiedSqlWrite).root.tx.toString() : '';
}

// eslint-disable-next-line @typescript-eslint/require-await -- they are there
async function* listed(rows: readonly SqlRow[]): AsyncGenerator<SqlRow, void, undefined> {
  yield* rows;
}

async function printRows(
  { out, err }: Io,
  rows: AsyncIterable<SqlRow>,
  name: FormatName,
  wordsFor = (count: number) => `${count} ${count === 1 ? 'row' : 'rows'}, NOT VERIFIED, the server's word`,
): Promise<number> {
  const source = rows[Symbol.asyncIterator]();
  const first: SqlRow[] = [];
  for (let next = await source.next(); !(next.done ?? false); next = await source.next()) {
    first.push(next.value);
    if (first.length === MEASURED_ROWS) break;
  }
  async function* all(): AsyncGenerator<SqlRow, void, undefined> {
    yield* first;
    if (first.length < MEASURED_ROWS) return;
    for (let next = await source.next(); !(next.done ?? false); next = await source.next()) yield next.value;
  }
  const count =
    name === 'ndjson' || first.length === 0
      ? await print(all(), { begin: '', item: (row) => `${jsonText(row)}\n`, end: '' }, out)
      : await print(all(), formatNamed(name, columnsOf(first)), out);
  await source.return?.();
  await err.write(`${wordsFor(count)}\n`);
  return 0;
}

function columnsOf(rows: readonly SqlRow[]): Column<SqlRow>[] {
  return Object.keys(rows[0] ?? {}).map((name) => {
    const widths = rows.map((row) => String(cellOf(row[name] ?? null) ?? '-').length);
    const width = widths.reduce((most, each) => Math.max(most, each), name.length);
    return { name, value: (row) => cellOf(row[name] ?? null), width: Math.min(width, MAX_WIDTH) };
  });
}

function cellOf(value: SqlValue): Cell {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  return String(value);
}
