// `immu-ts audit export`: all rows that match, to standard output or to a file that is there only when it is whole.
import { extname } from 'node:path';
import type { AuditRow, RootsQuery } from '../../index.js';
import { UsageError, command } from '../command.js';
import { formatName, formatNamed, print } from '../format/formats.js';
import type { FormatName } from '../format/formats.js';
import { rowColumns } from '../format/row-columns.js';
import { QUERY_OPTIONS, orderOf, queryOf } from '../query-options.js';
import { LOG_OPTIONS, openLog } from '../store-option.js';
import type { OpenLog } from '../store-option.js';
import { visible } from '../../visible.js';
import { writeWholeFile } from '../whole-file.js';

export const exportCommand = command({
  name: 'audit export',
  summary: 'Writes every row that matches, oldest first.',
  options: {
    ...LOG_OPTIONS,
    ...QUERY_OPTIONS,
    order: { type: 'string', value: 'asc|desc', says: 'by row number', default: 'asc' },
    out: { type: 'string', value: 'FILE', says: 'a new file; without it standard output' },
    format: {
      type: 'string',
      value: 'NAME',
      says: 'json, ndjson, csv or table; default: by the name of FILE, or ndjson',
    },
    jobs: { type: 'boolean', says: 'with the packed job of evidence in base64' },
  },
  more: `With --out it says how many rows the file holds and its SHA-256, for the report.
In CSV a text that a spreadsheet would run as a formula has an apostrophe in front; JSON has every text as it is.`,
  async run(options, _operand, { out, err, signal }) {
    const query: RootsQuery = { ...queryOf(options, Date.now()), order: orderOf(options.order) };
    const format = formatNamed(formatFor(options.format, options.out), rowColumns({ jobs: options.jobs }));
    await using log = await openLog(options, { err });
    if (options.out === undefined) {
      await print(rowsOf(log, query, signal), format, out);
      return 0;
    }
    const { value: rows, sha256 } = await writeWholeFile(options.out, (file) =>
      print(rowsOf(log, query, signal), format, file),
    );
    await err.write(`${rows} rows in ${visible(options.out)}, SHA-256 ${sha256}\n`);
    return 0;
  },
});

/** Throws when it is interrupted: half an export must not look like a whole one. */
async function* rowsOf(log: OpenLog, query: RootsQuery, signal: AbortSignal): AsyncGenerator<AuditRow> {
  for await (const row of log.audit.roots(query)) {
    signal.throwIfAborted();
    yield row;
  }
}

function formatFor(named: string | undefined, file: string | undefined): FormatName {
  if (named !== undefined) return formatName(named);
  if (file === undefined) return 'ndjson';
  const extension = extname(file).slice(1);
  if (extension === 'csv' || extension === 'json' || extension === 'ndjson') return extension;
  throw new UsageError(`--format is needed: the name ${JSON.stringify(file)} does not say which`);
}
