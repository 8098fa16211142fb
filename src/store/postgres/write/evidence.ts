// Evidence as it is kept: bytes that another row has too, once; beyond the budget, none. Everything here requires a transaction
// that holds the log.
import { sha256 } from '../../../proof/hash.js';
import type { AuditEntry, Evidence } from '../../audit-types.js';
import { evidenceHash } from '../../log/audit-row.js';
import { budgetHour, isWithinBudget, withoutBytes } from '../../log/evidence-budget.js';
import type { Link } from '../link/link.js';
import { asBytes } from '../link/values.js';
import { bigint } from '../read/rows.js';

export interface KeptEvidence {
  readonly evidence: Evidence;
  /** By which its row covers it. */
  readonly covered: Uint8Array;
  readonly blob: bigint | null;
}

export async function keepBytes(
  link: Link,
  ledger: number,
  entry: AuditEntry,
  evidence: Evidence,
): Promise<KeptEvidence> {
  const { job } = evidence;
  if (job.length === 0) return { evidence, covered: evidenceHash(evidence), blob: null };
  const jobHash = sha256(job);
  const [known] = await link.query('SELECT id FROM evidence_blob WHERE sha256 = $1', [jobHash]);
  if (known) return { evidence, covered: evidenceHash(evidence, jobHash), blob: bigint(known['id']) };
  if (!(await takes(link, ledger, budgetHour(entry), job.length))) {
    const without = withoutBytes(evidence, jobHash);
    return { evidence: without, covered: evidenceHash(without), blob: null };
  }
  const [made] = await link.query(
    `INSERT INTO evidence_blob SELECT coalesce(max(id), 0) + 1, $1, $2 FROM evidence_blob RETURNING id`,
    [jobHash, job],
  );
  return { evidence, covered: evidenceHash(evidence, jobHash), blob: bigint(made?.['id']) };
}

export async function addEvidence(link: Link, seq: bigint, { evidence, blob }: KeptEvidence): Promise<void> {
  const { check, expected, computed, omitted } = evidence;
  const given = (words: string | undefined) => (words === undefined ? null : asBytes(words));
  await link.query('INSERT INTO evidence VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
    ...[
      seq,
      asBytes(check),
      given(expected),
      given(computed),
      omitted?.part ?? null,
      omitted?.reason ?? null,
    ],
    ...[omitted?.sha256 ?? null, omitted?.length ?? null, blob],
  ]);
}

/** Takes from the budget of the hour; false when that is too little. */
async function takes(link: Link, ledger: number, hour: number, bytes: number): Promise<boolean> {
  const sql = 'SELECT bytes FROM evidence_use WHERE ledger = $1 AND hour = $2';
  const [used] = await link.query(sql, [ledger, hour]);
  if (!isWithinBudget(used ? Number(bigint(used['bytes'])) : 0, bytes)) return false;
  await link.query(
    `INSERT INTO evidence_use AS u VALUES ($1, $2, $3) ON CONFLICT (ledger, hour) DO UPDATE SET bytes = u.bytes + excluded.bytes`,
    [ledger, hour, bytes],
  );
  return true;
}
