// `immu-ts audit list`: a page of the log, or its growing end.
import type { AuditRow, RootsQuery } from '../../index.js';
import { UsageError, command } from '../command.js';
import { HOLDS, INTERRUPTED } from '../exit-code.js';
import { follow, newestSeq } from '../follow.js';
import { formatName, formatNamed, print } from '../format/formats.js';
import { rowColumns } from '../format/row-columns.js';
import type { Output } from '../output.js';
import { DATABASE_COLUMNS } from './databases.js';
import { QUERY_OPTIONS, countOf, idOf, orderOf, queryOf } from '../query-options.js';
import { LOG_OPTIONS, openLog } from '../store-option.js';
import type { OpenLog } from '../store-option.js';

const PAGE_ROWS = 50;
/** Shown before `--follow` waits for more. */
const FOLLOW_ROWS = 10;

export const listCommand = command({
  name: 'audit list',
  summary: 'Shows rows of the audit log, newest first.',
  options: {
    ...LOG_OPTIONS,
    ...QUERY_OPTIONS,
    order: { type: 'string', value: 'asc|desc', says: 'by row number; default: desc' },
    limit: { type: 'string', value: 'N', says: `at most so many rows; default: ${PAGE_ROWS}` },
    after: { type: 'string', value: 'SEQ', says: 'the page behind this row, in the order asked for' },
    all: { type: 'boolean', says: 'every row, however many' },
    follow: {
      type: 'boolean',
      says: `the newest ${FOLLOW_ROWS} (or --limit), then new rows as they come, until Ctrl-C`,
    },
    format: { type: 'string', value: 'NAME', says: 'table, json, ndjson or csv', default: 'table' },
    jobs: { type: 'boolean', says: 'with the packed job of evidence in base64 (not in a table)' },
    databases: {
      type: 'boolean',
      says: 'in place of rows: every database, its rows, its roots and its trusted head',
    },
  },
  async run(options, _operand, { out, err, signal }) {
    const format = formatName(options.format);
    if (options.databases) {
      assertAlone(options);
      await using log = await openLog(options, { err });
      await print(await log.audit.databases(), formatNamed(format, DATABASE_COLUMNS), out);
      return 0;
    }
    const printed = formatNamed(format, rowColumns({ jobs: options.jobs }));
    const filter = queryOf(options, Date.now());
    const limit = countOf('limit', options.limit ?? String(options.follow ? FOLLOW_ROWS : PAGE_ROWS));
    if (options.follow) {
      if (format === 'json') throw new UsageError('--follow has no end, json has: take --format ndjson');
      for (const name of ['order', 'after', 'all'] as const) {
        if (options[name]) throw new UsageError(`--follow goes with --limit, not with --${name}`);
      }
      await using log = await openLog(options, { err });
      await print(tail(log, { ...filter, limit }, out, signal), printed, out);
      return signal.aborted ? INTERRUPTED : HOLDS;
    }
    const query: RootsQuery = {
      ...filter,
      order: orderOf(options.order ?? 'desc'),
      ...(!options.all && { limit }),
      ...(options.after !== undefined && { after: idOf('--after', options.after) }),
    };
    await using log = await openLog(options, { err });
    let last: AuditRow | undefined;
    const rows = async function* () {
      for await (const row of log.audit.roots(query)) {
        signal.throwIfAborted();
        last = row;
        yield row;
      }
    };
    const count = await print(rows(), printed, out);
    // On standard error: what is on standard output may be read by a program.
    if (count === query.limit && last) await err.write(`there may be more: --after ${last.seq.toString()}\n`);
    return 0;
  },
});

/** @throws UsageError */
function assertAlone(options: Readonly<Record<string, unknown>>): void {
  const rows = [...Object.keys(QUERY_OPTIONS), 'order', 'limit', 'after', 'all', 'follow', 'jobs'];
  const given = rows.find((name) => options[name] !== undefined && options[name] !== false);
  if (given !== undefined) throw new UsageError(`--databases lists no rows: --${given} does not go with it`);
}

/** The newest rows that match, oldest of them first, then those to come. */
async function* tail(
  { audit }: OpenLog,
  { limit, ...filter }: Omit<RootsQuery, 'order' | 'after'>,
  out: Output,
  signal: AbortSignal,
): AsyncGenerator<AuditRow> {
  let from = await newestSeq(audit);
  const newest: AuditRow[] = [];
  for await (const row of audit.roots({ ...filter, ...(limit !== undefined && { limit }), order: 'desc' })) {
    newest.unshift(row);
  }
  yield* newest;
  const last = newest.at(-1)?.seq ?? 0n;
  if (last > from) from = last;
  // What is printed is seen before the next wait, and a reader who is gone ends it.
  const stop = new AbortController();
  const idle = async () => {
    await out.flush();
    if (out.gone) stop.abort();
  };
  yield* follow(audit, filter, from, { signal: AbortSignal.any([signal, stop.signal]), idle });
}
