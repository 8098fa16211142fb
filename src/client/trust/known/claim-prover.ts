// Proves claims of plain reads under the head, by the cheapest means at hand (docs/protocol.md §20.2): what is
// known already, else headers one by one or in blocks, and the entries of transactions that have more than one.
import { equalBytes } from '../../../proof/bytes.js';
import { VerificationError } from '../../../errors.js';
import { hasLeaf } from '../../../proof/entry-leaves.js';
import { leafOf } from '../../../verify/claims/claim.js';
import type { ProvenTx, Root } from '../../../verify/verifier.js';
import type { EntryLeaves } from './entry-leaves.js';
import type { HeaderFetcher } from './header-fetcher.js';
import type { LeavesFetcher } from './leaves-fetcher.js';
import type { Contradiction, ProvenHeaders } from './proven-headers.js';
import type { ClaimTask, ProvenFacts } from './proven-facts.js';

export interface ClaimProverOptions {
  readonly headers: ProvenHeaders;
  readonly leaves: EntryLeaves;
  readonly headerFetcher: HeaderFetcher;
  readonly leavesFetcher: LeavesFetcher;
  readonly head: () => Root;
  /** Moves the head to a tx that an answer named, or past it. */
  readonly reach: (tx: bigint, task: ClaimTask) => Promise<void>;
  /** Asks for the whole transaction and proves the claim from scratch; throws when that fails. */
  readonly proveAlone: (task: ClaimTask) => Promise<ProvenAlone>;
  readonly refuse: (task: ClaimTask, check: string, detail: string) => Promise<Error>;
}

export interface ProvenAlone {
  readonly subject: ProvenTx;
  /** Records that the answer which proves the subject contradicts what was proven before. */
  readonly fork: (other: Contradiction) => Promise<Error>;
}

/** Over about how many claims the share of known ones is averaged. */
const WARMTH_CLAIMS = 64;

/** Counts for diagnostics: by which means claims were proven. */
export interface ClaimCounts {
  /** Proven by what was known already. */
  known: number;
  /** Had to wait for headers, for the entries of their transaction, for the head. */
  headers: number;
  leaves: number;
  head: number;
}

export class ClaimProver {
  readonly counts: ClaimCounts = { known: 0, headers: 0, leaves: 0, head: 0 };
  readonly #options: ClaimProverOptions;
  #warmth = 0;
  #waitingForLeaves: [ClaimTask, ProvenFacts][] = [];

  constructor(options: ClaimProverOptions) {
    this.#options = options;
  }

  /** Share of recent claims that were known already, or nearly so: their headers were in the root store. */
  get warmth(): number {
    return this.#warmth;
  }

  /** About this share of claims is known, or nearly so, before there was any. */
  expect(share: number): void {
    this.#warmth = Math.max(this.#warmth, share);
  }

  /** A lone read was proven by its own answer: would its claim have been known? */
  noteLone(known: boolean): void {
    this.#warmth += (Number(known) - this.#warmth) / WARMTH_CLAIMS;
  }

  /** Settles every task, each on its own: by `proven` or by `failed`. */
  prove(tasks: readonly ClaimTask[]): void {
    const headless: ClaimTask[] = [];
    const ahead: ClaimTask[] = [];
    const several: [ClaimTask, ProvenFacts][] = [];
    const head = this.#options.head();
    for (const task of tasks) {
      const { tx } = task.claim;
      if (tx > head.tx) {
        ahead.push(task);
        continue;
      }
      const facts = this.#options.headers.facts(tx);
      if (!facts) headless.push(task);
      else if (!this.#settleBy(task, facts)) several.push([task, facts]);
    }
    const known = tasks.length - headless.length - several.length - ahead.length;
    const stored = headless.filter(({ claim }) => this.#options.headerFetcher.stores(claim.tx)).length;
    const share = (known + stored) / tasks.length;
    this.#warmth += (share - this.#warmth) * Math.min(1, tasks.length / WARMTH_CLAIMS);
    this.counts.known += known;
    this.counts.headers += headless.length;
    this.counts.head += ahead.length;
    for (const task of ahead) void this.#reach(task);
    this.#byHeaders(headless);
    this.#byLeaves(several);
  }

  /** False when the entries of the tx are needed first. */
  #settleBy(task: ClaimTask, facts: ProvenFacts, leaves?: Uint8Array): boolean {
    const { claim } = task;
    if (facts.nentries > 1) {
      const known = leaves ?? this.#options.leaves.get(claim.tx);
      if (!known) return false;
      this.#settle(task, facts, (leaf) => hasLeaf(known, leaf));
    } else {
      this.#settle(task, facts, (leaf) => equalBytes(leaf, facts.eH));
    }
    return true;
  }

  #settle(task: ClaimTask, facts: ProvenFacts, holds: (leaf: Uint8Array) => boolean): void {
    let leaf: Uint8Array;
    try {
      leaf = leafOf(task.claim, facts.version);
    } catch {
      // Metadata in a transaction whose version has none.
      this.#refute(task).catch((error: unknown) => task.failed(error));
      return;
    }
    if (holds(leaf)) task.proven(facts);
    else if (task.readOtherwise?.() === true) this.#settle(task, facts, holds);
    else this.#refute(task).catch((error: unknown) => task.failed(error));
  }

  async #reach(task: ClaimTask): Promise<void> {
    try {
      await this.#options.reach(task.claim.tx, task);
      this.prove([task]);
    } catch (error) {
      task.failed(error);
    }
  }

  #byHeaders(tasks: readonly ClaimTask[]): void {
    if (tasks.length === 0) return;
    this.#options.headerFetcher.fetch(tasks, (task, facts, leaves) => {
      if (!this.#settleBy(task, facts, leaves)) this.#byLeaves([[task, facts]]);
    });
  }

  /** What comes together in a turn is fetched together. */
  #byLeaves(tasks: readonly [ClaimTask, ProvenFacts][]): void {
    if (tasks.length === 0) return;
    this.counts.leaves += tasks.length;
    if (this.#waitingForLeaves.length === 0) {
      queueMicrotask(() => {
        const due = this.#waitingForLeaves;
        this.#waitingForLeaves = [];
        try {
          this.#options.leavesFetcher.fetch(due, (task, facts, leaves) => {
            this.#settleBy(task, facts, leaves);
          });
        } catch (error) {
          // A defect ends the calls concerned, not the process.
          for (const [task] of due) task.failed(error);
        }
      });
    }
    for (const task of tasks) this.#waitingForLeaves.push(task);
  }

  /**
   * A claim that contradicts what is proven: the transaction is asked for whole, so that the refusal stands on bytes
   * that anyone can check again. Should that not refute it, something that was proven before is contradicted.
   */
  async #refute(task: ClaimTask): Promise<void> {
    if (task.contradicted) {
      task.contradicted();
      return;
    }
    const { headers, proveAlone, refuse } = this.#options;
    try {
      const { subject, fork } = await proveAlone(task);
      const other = headers.contradiction(subject);
      const detail = `tx ${subject.tx.toString()} is now proven to hold what it was proven not to hold before`;
      task.failed(await (other ? fork(other) : refuse(task, 'claim.contradiction', detail)));
    } catch (error) {
      if (error instanceof VerificationError) task.failed(error);
      else task.failed(await refuse(task, 'claim.entry', CONTRADICTS));
    }
  }
}

const CONTRADICTS =
  'the entry is not in the transaction that it is said to be in (which could not be asked for whole)';
