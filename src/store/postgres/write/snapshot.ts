// What decisions rest on, loaded under the lock of the log: all that these requests may ask for.
import type { AuditRow, StoredRoot, TrustKey } from '../../audit-types.js';
import type { DecidedRequest } from '../../log/decide.js';
import { LogIndex } from '../../log/log-index.js';
import { nameOf } from '../../log/log-state.js';
import { numberArray } from '../link/values.js';
import type { Link } from '../link/link.js';
import { headOf, identityOf, keyValues, LEDGER } from '../read/held.js';
import { newestOfKind } from '../sql/of-kind.js';
import { ROW_COLUMNS, ROW_NAMES, rowsOf, toRow } from '../read/rows.js';

/** Rows of one tx: many only where trust was forgotten many times. */
const MAX_ROWS = 100_000;

/** Rows that moved a head, and `fork` rows, of the txs asked about; the newest `forget` and `fork` row. */
const ROWS = `
  WITH kinds AS (SELECT id, outcome FROM kind WHERE ledger = ${LEDGER} AND outcome IN (1, 2, 3, 4, 7)),
    found AS (
      SELECT a.seq FROM kinds k CROSS JOIN unnest($3::int8[]) t (tx) JOIN audit a ON a.kind = k.id AND a.tx = t.tx
        WHERE k.outcome <> 4
      UNION SELECT n.seq FROM kinds k, LATERAL ${newestOfKind('k.id')} n WHERE k.outcome IN (4, 7))
  SELECT ${ROW_COLUMNS} FROM found f ${rowsOf('f.seq')}
  ${ROW_NAMES} WHERE a.seq > (SELECT base_seq FROM store) ORDER BY a.seq LIMIT ${MAX_ROWS}`;

export async function loadSnapshot(link: Link, requests: readonly DecidedRequest[]): Promise<LogIndex> {
  const keys = new Map<string, { readonly key: TrustKey; readonly txs: Set<bigint> }>();
  const addresses = new Set<string>();
  for (const request of requests) {
    if (!('entry' in request)) {
      addresses.add(request.address);
      continue;
    }
    const { server, database, tx } = request.entry;
    const name = nameOf(request.entry);
    const asked = keys.get(name) ?? { key: { server, database }, txs: new Set() };
    keys.set(name, asked);
    asked.txs.add(tx);
    if (request.kind === 'advance' && request.expected) asked.txs.add(request.expected.tx);
  }
  const heads: (TrustKey & StoredRoot)[] = [];
  const rows: AuditRow[] = [];
  const loaded = [...keys.values()].map(async ({ key, txs }) => {
    const asked = [...keyValues(key), numberArray([...txs])];
    const [head, records] = await Promise.all([headOf(link, key), link.query(ROWS, asked, 'immu_snapshot')]);
    if (head) heads.push({ ...key, ...head });
    for (const record of records) rows.push(toRow(record).row);
  });
  await Promise.all(loaded);
  const identities = [];
  for (const address of addresses) {
    const server = await identityOf(link, address);
    if (server !== null) identities.push({ address, server });
  }
  const index = new LogIndex({ heads, identities });
  // In the order of the log: what is newest counts.
  for (const row of rows.sort((a, b) => (a.seq < b.seq ? -1 : 1))) index.recall(row);
  return index;
}
