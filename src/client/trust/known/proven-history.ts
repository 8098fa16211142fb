// What is proven under the head of one database, and how more of it is found out: headers, entries, claims.
import { claimQuestion } from '../../../verify/readings/claim.js';
import type { Job, ProvenTx } from '../../../verify/verifier.js';
import { ClaimProver } from './claim-prover.js';
import type { ClaimCounts, ClaimProverOptions } from './claim-prover.js';
import type { ClaimTask } from './proven-facts.js';
import { EntryLeaves } from './entry-leaves.js';
import { HeaderFetcher } from './header-fetcher.js';
import { KEEPING, KeptHeaders } from './kept-headers.js';
import type { KeptDiagnostics, KeptHeadersOptions } from './kept-headers.js';
import { NewestVersions } from './newest-versions.js';
import { LeavesFetcher } from './leaves-fetcher.js';
import { ProofCosts } from './proof-costs.js';
import type { ProofSource } from './proof-source.js';
import { blockOf, ProvenHeaders } from './proven-headers.js';
import { askHeaderUnder, askTxUnder } from '../trust-wire.js';

/** Blocks that are fetched at a time: enough to keep threads busy while answers are on their way. */
const PREFETCHES = 6;

export interface ProvenHistoryOptions extends Pick<ClaimProverOptions, 'reach' | 'refuse'> {
  readonly cacheBytes: number;
  /** How headers are kept for the next process, in a store that can; absent: not at all. */
  readonly keep?: Omit<KeptHeadersOptions, 'kept' | 'headers' | 'head' | 'askProof'>;
}

/** What the planner chose so far, and what is kept. */
export interface ProvenHistoryDiagnostics {
  /** Claims by what they were proven with. */
  readonly claims: Readonly<ClaimCounts>;
  /** Headers fetched one by one (`singles`) and in blocks; entries fetched in runs of transactions. */
  readonly fetched: {
    readonly headerBlocks: number;
    readonly headerSingles: number;
    readonly entryRuns: number;
    readonly entryTxs: number;
  };
  readonly cached: {
    readonly headers: number;
    readonly headerBytes: number;
    readonly entryTxs: number;
    readonly entryBytes: number;
  };
  /** With the option `keepHeaders`: what came from the root store, and what was kept there. */
  readonly kept?: KeptDiagnostics;
}

export class ProvenHistory {
  readonly headers: ProvenHeaders;
  readonly leaves: EntryLeaves;
  /** Newest proven entry per key: a floor for later reads. */
  readonly seen = new NewestVersions();
  readonly #source: ProofSource;
  readonly #kept: KeptHeaders | undefined;
  readonly #fetcher: HeaderFetcher;
  readonly #leavesFetcher: LeavesFetcher;
  readonly #prover: ClaimProver;
  #soon: ClaimTask[] = [];

  constructor(source: ProofSource, { cacheBytes, keep, reach, refuse }: ProvenHistoryOptions) {
    const costs = new ProofCosts();
    this.#source = source;
    this.headers = new ProvenHeaders(cacheBytes / 2);
    this.leaves = new EntryLeaves(cacheBytes / 2);
    const kept = keep?.store.headers;
    this.#kept =
      kept &&
      new KeptHeaders({
        ...keep,
        kept,
        headers: this.headers,
        head: () => source.head(),
        askProof: (tx, head) => source.ask(KEEPING, head, (rpc) => askHeaderUnder(rpc, tx, head, {})),
      });
    this.#fetcher = new HeaderFetcher(source, this.headers, this.leaves, costs, this.#kept);
    this.#leavesFetcher = new LeavesFetcher(source, this.headers, this.leaves, costs);
    this.#prover = new ClaimProver({
      headers: this.headers,
      leaves: this.leaves,
      headerFetcher: this.#fetcher,
      leavesFetcher: this.#leavesFetcher,
      head: () => source.head(),
      reach,
      refuse,
      proveAlone: async (task) => {
        const { operation } = task;
        const { tx } = task.claim;
        const head = source.head();
        const question = claimQuestion(task);
        const answer = await source.ask(operation, head, (rpc) => askTxUnder(rpc, tx, head, {}));
        const { subject } = await source.check(operation, question, head, answer);
        return { subject, fork: (other) => source.fork(operation, question, head, answer, other) };
      },
    });
  }

  /** Finds out what the root store has. Requires a head. */
  async start(): Promise<void> {
    await this.#kept?.start();
    this.#prover.expect(this.#kept?.share ?? 0);
  }

  /** Waits for what is on its way into the root store. */
  async close(): Promise<void> {
    await this.#kept?.close();
  }

  /** Trust was forgotten: nothing more is kept. */
  drop(): void {
    this.#kept?.drop();
  }

  /** Proves a claim together with the others of this turn; it ends in its `proven` or its `failed`. */
  proveSoon(task: ClaimTask): void {
    if (this.#soon.length === 0) {
      queueMicrotask(() => {
        const due = this.#soon;
        this.#soon = [];
        try {
          this.#prover.prove(due);
        } catch (error) {
          // A defect ends the calls concerned, not the process.
          for (const each of due) each.failed(error);
        }
      });
    }
    this.#soon.push(task);
  }

  /** Keeps a header, and the leaves of its tx, that a lone read proved under the head. */
  learn(header: ProvenTx, operation: string, leaves?: Uint8Array): void {
    const known = this.headers.facts(header.tx) !== undefined;
    this.#prover.noteLone(known || this.#fetcher.stores(header.tx));
    if (!known) this.#fetcher.owe(header.tx, operation);
    this.headers.add(header);
    if (leaves && header.nentries > 1) this.leaves.add(header.tx, leaves);
  }

  /** The transaction of a claim, asked for whole: what proves, to anyone, that it holds. */
  async evidenceOf(task: ClaimTask): Promise<Job> {
    const { operation } = task;
    const { tx } = task.claim;
    const head = this.#source.head();
    const question = claimQuestion(task);
    const answer = await this.#source.ask(operation, head, (rpc) => askTxUnder(rpc, tx, head, {}));
    return this.#source.job(question, head, answer);
  }

  /** Share of recent claims that were known already, 0 to 1. */
  get warmth(): number {
    return this.#prover.warmth;
  }

  /** Proves and keeps the headers of all blocks that hold txs `from` to `to`, a few at a time; returns how many. */
  async prefetch(from: bigint, to: bigint, operation: string): Promise<number> {
    let next = blockOf(from);
    let count = 0;
    const lane = async () => {
      while (next <= blockOf(to)) {
        const proven = await this.#fetcher.prefetch(next++, operation);
        count += proven;
      }
    };
    await Promise.all(Array.from({ length: PREFETCHES }, lane));
    return count;
  }

  get diagnostics(): ProvenHistoryDiagnostics {
    return {
      claims: { ...this.#prover.counts },
      fetched: {
        headerBlocks: this.#fetcher.counts.blocks,
        headerSingles: this.#fetcher.counts.singles,
        entryRuns: this.#leavesFetcher.counts.runs,
        entryTxs: this.#leavesFetcher.counts.txs,
      },
      cached: {
        headers: this.headers.count,
        headerBytes: this.headers.bytes,
        entryTxs: this.leaves.count,
        entryBytes: this.leaves.bytes,
      },
      ...(this.#kept && { kept: this.#kept.diagnostics }),
    };
  }
}
