// `immu-ts audit stats`: how much was verified, and how much failed.
import type { AuditStats } from '../../index.js';
import { UsageError, command } from '../command.js';
import type { Column } from '../format/columns.js';
import { formatName, formatNamed, print } from '../format/formats.js';
import { isoTime } from '../format/row-columns.js';
import { QUERY_OPTIONS, queryOf } from '../query-options.js';
import { LOG_OPTIONS, openLog } from '../store-option.js';

const COLUMNS: readonly Column<AuditStats>[] = [
  { name: 'from', value: ({ from }) => isoTime(from), width: 24 },
  { name: 'rows', value: ({ rows }) => rows, width: 8, align: 'right' },
  { name: 'calls', value: ({ calls }) => calls, width: 9, align: 'right' },
  { name: 'roots', value: ({ roots }) => roots, width: 8, align: 'right' },
  { name: 'failure', value: ({ failures }) => failures.failure, width: 7, align: 'right' },
  { name: 'fork', value: ({ failures }) => failures.fork, width: 5, align: 'right' },
  { name: 'rollback', value: ({ failures }) => failures.rollback, width: 8, align: 'right' },
  { name: 'identityChange', value: ({ failures }) => failures['identity-change'], width: 14, align: 'right' },
  { name: 'firstTx', value: ({ tx }) => tx?.first.toString() ?? null, width: 8, align: 'right' },
  { name: 'lastTx', value: ({ tx }) => tx?.last.toString() ?? null, width: 8, align: 'right' },
  { name: 'meanMs', value: ({ durationMs }) => durationMs.mean, width: 9, align: 'right' },
  { name: 'maxMs', value: ({ durationMs }) => durationMs.max, width: 9, align: 'right' },
];

export const statsCommand = command({
  name: 'audit stats',
  summary: 'Counts rows, verified calls, roots and failures, by hour, by day or in all.',
  options: {
    ...LOG_OPTIONS,
    ...QUERY_OPTIONS,
    by: {
      type: 'string',
      value: 'minute|hour|day|all',
      says: 'one line for each (UTC); minutes of a day at most',
      default: 'all',
    },
    format: { type: 'string', value: 'NAME', says: 'table, json, ndjson or csv', default: 'table' },
  },
  async run(options, _operand, { out, err }) {
    const { by } = options;
    if (by !== 'minute' && by !== 'hour' && by !== 'day' && by !== 'all') {
      throw new UsageError(`--by is minute, hour, day or all, not ${JSON.stringify(by)}`);
    }
    const format = formatNamed(formatName(options.format), COLUMNS);
    const now = Date.now();
    const filter = queryOf(options, now);
    const { timeRange } = filter;
    const within = by === 'minute' && timeRange ? { timeRange: { to: now, ...timeRange } } : {};
    const query = { ...filter, ...within, bucket: by } as const;
    await using log = await openLog(options, { err });
    await print(await log.audit.stats(query), format, out);
    return 0;
  },
});
