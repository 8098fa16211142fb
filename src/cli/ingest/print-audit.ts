// Shows the end of an audit log and whether its chain holds.
import type { AuditRow, RootStore } from '../../index.js';
import { visible } from '../../visible.js';
import type { Output } from '../output.js';

const ROWS = 8;

/** Returns whether the chain holds. */
export async function printAudit({ audit }: RootStore, database: string, out: Output): Promise<boolean> {
  const head = await audit.latest({ database });
  if (head) {
    await out.write(`trusted root of ${visible(database)}: tx ${head.tx.toString()}, alh ${hex(head.alh)}\n`);
    await out.write(`server identity: ${visible(head.server)}\n\n`);
  }
  const newest: AuditRow[] = [];
  for await (const row of audit.roots({ database, order: 'desc', limit: ROWS })) newest.unshift(row);
  await out.write(`last ${newest.length} rows of the audit log:\n`);
  for (const row of newest) {
    const time = new Date(row.verifiedAt).toISOString();
    await out.write(
      `  #${row.seq.toString().padEnd(5)} ${time}  ${row.outcome.padEnd(9)} tx ${row.tx.toString().padEnd(6)} ` +
        `${hex(row.alh).slice(0, 16)}…  ${visible(row.operation)} × ${row.calls}\n`,
    );
  }
  const verdict = await audit.verify();
  await out.write(
    verdict.ok
      ? `audit chain: ${verdict.rows.toString()} rows, intact\n`
      : `audit chain: BROKEN at row ${verdict.seq.toString()}: ${visible(verdict.finding)}\n`,
  );
  return verdict.ok;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
