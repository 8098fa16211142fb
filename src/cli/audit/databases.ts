// `immu-ts audit list --databases`: what the log is about.
import type { LoggedDatabase } from '../../index.js';
import type { Column } from '../format/columns.js';
import { hex } from '../format/row-columns.js';
import { shortened } from '../../visible.js';

export const DATABASE_COLUMNS: readonly Column<LoggedDatabase>[] = [
  { name: 'server', value: ({ server }) => server, width: 20, shown: ({ server }) => shortened(server, 32) },
  {
    name: 'database',
    value: ({ database }) => database,
    width: 12,
    shown: ({ database }) => shortened(database, 32),
  },
  { name: 'rows', value: ({ rows }) => rows, width: 8, align: 'right' },
  { name: 'firstTx', value: ({ tx }) => tx?.first.toString() ?? null, width: 8, align: 'right' },
  { name: 'lastTx', value: ({ tx }) => tx?.last.toString() ?? null, width: 8, align: 'right' },
  { name: 'headTx', value: ({ head }) => head?.tx.toString() ?? null, width: 8, align: 'right' },
  { name: 'headAlh', value: ({ head }) => head && hex(head.alh), width: 0 },
];
