// `immu-ts audit gaps`: where the log's continuity is broken.
import type { AuditGap } from '../../index.js';
import { command } from '../command.js';
import type { Column } from '../format/columns.js';
import { formatName, formatNamed, print } from '../format/formats.js';
import { countOf, idOf } from '../query-options.js';
import { LOG_OPTIONS, openLog } from '../store-option.js';

const COLUMNS: readonly Column<AuditGap>[] = [
  { name: 'seq', value: ({ seq }) => seq.toString(), width: 8, align: 'right' },
  { name: 'kind', value: ({ kind }) => kind, width: 9 },
  { name: 'server', value: ({ server }) => server, width: 22 },
  { name: 'database', value: ({ database }) => database, width: 12 },
  { name: 'what', value: gapWords, width: 0 },
];

export const gapsCommand = command({
  name: 'audit gaps',
  summary: 'Shows where the log is not continuous. Exit code 1 when there is such a place.',
  options: {
    ...LOG_OPTIONS,
    server: { type: 'string', value: 'ID', says: 'only this server identity' },
    database: { type: 'string', value: 'NAME', says: 'only this database' },
    after: { type: 'string', value: 'SEQ', says: 'only behind this row' },
    limit: { type: 'string', value: 'N', says: 'at most so many', default: '1000' },
    silence: { type: 'string', value: 'MINUTES', says: 'also where nothing was logged for longer than this' },
    format: { type: 'string', value: 'NAME', says: 'table, json, ndjson or csv', default: 'table' },
  },
  more: `forgotten: trust was dropped on somebody's word. break: a root moved from another tx than the one logged before it.
clock: the clock of the client went back. silence: nothing was logged for longer than --silence.`,
  async run(options, _operand, { out, err }) {
    const { server, database, after, silence } = options;
    const format = formatNamed(formatName(options.format), COLUMNS);
    const query = {
      ...(server !== undefined && { server }),
      ...(database !== undefined && { database }),
      ...(after !== undefined && { after: idOf('--after', after) }),
      limit: countOf('limit', options.limit),
      ...(silence !== undefined && { silenceMs: countOf('silence', silence) * 60_000 }),
    };
    await using log = await openLog(options, { err });
    const gaps = await log.audit.gaps(query);
    await print(gaps, format, out);
    return gaps.length === 0 ? 0 : 1;
  },
});

export function gapWords(gap: AuditGap): string {
  switch (gap.kind) {
    case 'forgotten':
      return gap.resumedAt === null
        ? 'trust was forgotten, and there is none since'
        : `trust was forgotten; it began anew with row ${gap.resumedAt.toString()}`;
    case 'break':
      return `a root moved from tx ${txWords(gap.previousTx)}, the one logged before it is tx ${txWords(gap.loggedTx)}`;
    case 'clock':
      return `the clock went back by ${gap.backMs} ms`;
    case 'silence':
      return `nothing was logged for ${Math.round(gap.silentMs / 60_000)} minutes`;
  }
}

function txWords(tx: bigint | null): string {
  return tx === null ? 'none' : tx.toString();
}
