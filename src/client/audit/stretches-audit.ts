// Works through the transactions of an audit, stretch by stretch, and tells a tally what came of each, in order.
import { VerificationError } from '../../errors.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import type { Root } from '../../verify/verifier.js';
import { inOrder } from '../flow/in-order.js';
import { StretchPlan } from '../trust/latest/stretch-plan.js';
import type { Stretch } from '../trust/latest/stretch-plan.js';
import type { AuditAccess, AuditAsker } from './access.js';
import type { DatabaseTally } from './database-tally.js';
import { findingOf, recordFinding } from './findings.js';
import type { Found } from './findings.js';
import type { ResolvedAuditOptions } from './options.js';
import type { PresentState } from './present-state.js';
import { StretchChecker } from './stretch-checker.js';
import type { FailedPart, HeldPart, Part } from './stretch-checker.js';

export interface StretchesAuditOptions {
  readonly access: AuditAccess;
  readonly asker: AuditAsker;
  /** Name in the audit log. */
  readonly operation: string;
  /** What everything is held against. */
  readonly state: PresentState;
  /** The trusted head, under which findings are logged. */
  readonly head: Root;
  readonly resolved: ResolvedAuditOptions;
  /** Where it begins, and where it ends. */
  readonly tally: DatabaseTally;
  readonly values: boolean;
  /** After each stretch. */
  readonly onStretch: () => Promise<void>;
}

export class StretchesAudit {
  readonly #options: StretchesAuditOptions;
  readonly #checker: StretchChecker;

  constructor(options: StretchesAuditOptions) {
    const { asker, access, state, values, tally } = options;
    this.#options = options;
    const narrows = () => !tally.findings.isFull;
    this.#checker = new StretchChecker({ asker, trust: access.trust, state, values, narrows });
  }

  /** Resolves at the end, or where a finding ends it. What does not hold is in the tally, not thrown. */
  async run(): Promise<void> {
    const { access, state, resolved, tally } = this.#options;
    const { finding } = state;
    if (finding) tally.findings.add(finding);
    if (finding && resolved.stops) return;
    const plan = new StretchPlan({ first: tally.tx + 1n, last: tally.last }, access.maxMessageBytes);
    try {
      await inOrder({
        lanes: resolved.inFlight,
        next: () => plan.next(),
        work: async (stretch: Stretch) => {
          const parts = await this.#checker.check(stretch);
          plan.learn(stretch, sizeOf(parts));
          return parts;
        },
        commit: async (parts) => this.#commit(parts),
      });
    } catch (error) {
      // The server went back or changed its history while it was audited: recorded by trust.
      if (!(error instanceof VerificationError)) throw error;
      tally.findings.add(findingOf(error));
    }
  }

  async #commit(parts: readonly Part[]): Promise<boolean> {
    for (const part of parts) {
      if (part.kind === 'held') await this.#commitHeld(part);
      else await this.#commitFailed(part);
      if (this.#options.resolved.stops && this.#options.tally.findings.total > 0) return false;
    }
    await this.#options.onStretch();
    return true;
  }

  async #commitHeld(part: HeldPart): Promise<void> {
    const { alh } = this.#options.tally;
    if (alh && !equalBytes(alh, part.prevAlh)) await this.#findUnlinked(part, alh);
    if (part.refusal?.kind === 'corrupted') await this.#findCorrupted(part, part.refusal.reason);
    this.#options.tally.addHeld(part);
  }

  async #commitFailed(part: FailedPart): Promise<void> {
    const { first, last, refuted, job } = part;
    await this.#find({ refuted, tx: first, toTx: last, ...(job && { job }) });
    this.#options.tally.addFailed(part);
  }

  /** Both stretches hold, and do not follow each other: asked for again, the first tx of the second shows it. */
  async #findUnlinked({ first, prevAlh }: HeldPart, after: Uint8Array): Promise<void> {
    const [again] = await this.#checker.check({ first, last: first }, after);
    const shown = again?.kind === 'failed' ? again : undefined;
    const refuted = shown?.refuted ?? {
      check: 'stretch.after',
      detail: 'the first tx does not follow the one before it (asked again, it did)',
      expected: toHex(after),
      computed: toHex(prevAlh),
    };
    await this.#find({ refuted, tx: first, ...(shown?.job && { job: shown.job }) });
  }

  /** A server that says itself that its values are not those that were hashed is believed. */
  async #findCorrupted({ first, last }: HeldPart, reason: string): Promise<void> {
    const detail = `the server says that values are not those that were hashed: ${reason}`;
    await this.#find({ refuted: { check: 'server.corrupted', detail }, tx: first, toTx: last });
  }

  async #find(found: Pick<Found, 'refuted' | 'tx' | 'toTx' | 'job'>): Promise<void> {
    const { operation, tally, access, head } = this.#options;
    const where = { outcome: 'failure', operation, head } as const;
    tally.findings.add(await recordFinding(access.trustLog, { ...where, ...found }));
  }
}

function sizeOf(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, part) => sum + (part.kind === 'held' ? part.bytes : (part.job?.answer.length ?? 0)),
    0,
  );
}
