// Shows the end of an audit log and whether its chain holds.
import type { AuditRow, RootStore } from '../index.js';

const ROWS = 8;

export async function printAudit(store: RootStore, out: NodeJS.WritableStream): Promise<void> {
  const newest: AuditRow[] = [];
  for await (const row of store.audit.roots({ order: 'desc', limit: ROWS })) newest.unshift(row);
  const head = await store.audit.latest();
  if (head) out.write(`trusted root of ${head.database}: tx ${head.tx.toString()}, alh ${hex(head.alh)}\n`);
  out.write(`last ${newest.length} rows of the audit log:\n`);
  for (const row of newest) {
    const time = new Date(row.verifiedAt).toISOString();
    out.write(
      `  #${row.seq.toString().padEnd(5)} ${time}  ${row.outcome.padEnd(9)} tx ${row.tx.toString().padEnd(6)} ` +
        `${hex(row.alh).slice(0, 16)}…  ${row.operation} × ${row.calls}\n`,
    );
  }
  const verdict = await store.audit.verify();
  out.write(
    verdict.ok
      ? `audit chain: ${verdict.rows.toString()} rows, intact\n`
      : `audit chain: BROKEN at row ${verdict.seq.toString()}: ${verdict.finding}\n`,
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
