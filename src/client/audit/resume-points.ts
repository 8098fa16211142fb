// What a resume token says is believed only when the audit log has its hash: each point that an audit can be resumed from is a
// row of the log, as durable and as bound to its place as any other. Whoever changes a token changes its hash.
import { ArgumentError } from '../../errors.js';
import { toHex } from '../../proof/bytes.js';
import { sha256 } from '../../proof/hash.js';
import type { Root } from '../../verify/verifier.js';
import type { AuditAccess } from './access.js';
import { readResumeToken, resumeToken } from './resume-token.js';
import type { ResumePoint } from './resume-token.js';

/** How often a point is logged: what is lost at most when a process is killed. */
const EVERY_MS = 5000;
const LABEL = 'resume token SHA-256 ';

export class ResumePoints {
  readonly #access: AuditAccess;
  readonly #operation: string;
  #token = '';
  #last: Pick<ResumePoint, 'tx' | 'findingsTotal'> | undefined;
  #loggedAt = -Infinity;

  constructor(access: AuditAccess, operation: string) {
    this.#access = access;
    this.#operation = operation;
  }

  /** The newest that was logged; '' before the first. */
  get token(): string {
    return this.#token;
  }

  /** Whether the last point is so old that the next is to be logged. */
  get isDue(): boolean {
    return performance.now() - this.#loggedAt >= EVERY_MS;
  }

  /** Logs a point, unless it is the one that was logged last. */
  async log(point: ResumePoint, { head, lastTx }: { head: Root; lastTx: bigint }): Promise<void> {
    if (point.tx === this.#last?.tx && point.findingsTotal === this.#last.findingsTotal) return;
    const token = resumeToken(point);
    const done = `checked up to tx ${point.tx.toString()} of ${lastTx.toString()}, ${point.findingsTotal} findings`;
    await this.#access.trustLog.note(head, this.#operation, `${done}; ${LABEL}${hashOf(token)}`);
    this.#token = token;
    this.#last = point;
    this.#loggedAt = performance.now();
  }
}

/**
 * The point that a token names.
 *
 * @throws ArgumentError when it is no token of an audit of this database, or not one that this store has logged
 */
export async function loggedPoint(
  { server, database, store }: AuditAccess,
  operation: string,
  token: string,
): Promise<ResumePoint> {
  const point = readResumeToken(token, { server, database });
  const wanted = `${LABEL}${hashOf(token)}`;
  const query = { server, database, operation, outcome: 'calls', order: 'desc' } as const;
  for await (const { detail } of store.audit.roots(query))
    if (detail?.endsWith(wanted) === true) return point;
  const why = 'it was changed, made with another store, or its row has been archived';
  throw new ArgumentError('resume', `resume is not in the audit log of this store: ${why}`);
}

function hashOf(token: string): string {
  return toHex(sha256(new TextEncoder().encode(token)));
}
