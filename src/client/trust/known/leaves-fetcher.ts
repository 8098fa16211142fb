// Fetches the entries, as digests, of transactions whose headers are proven: neighbours in one go.
import type { ClaimTask } from './proven-facts.js';
import type { EntryLeaves } from './entry-leaves.js';
import type { ProofCosts } from './proof-costs.js';
import type { ProofSource } from './proof-source.js';
import type { ProvenHeaders } from './proven-headers.js';
import type { ProvenFacts } from './proven-facts.js';
import { askDigests } from '../trust-wire.js';

/** A run is closed when it costs this much: runs are checked in parallel, and an answer is held in memory whole. */
const MAX_RUN_COST = 512 * 1024;
/** More than a TxScan gives in one answer. */
const MAX_RUN_TXS = 1000;

export type LeavesSettle = (task: ClaimTask, facts: ProvenFacts, leaves: Uint8Array) => void;

interface Wanted {
  readonly facts: ProvenFacts;
  readonly tasks: ClaimTask[];
}

export class LeavesFetcher {
  readonly counts = { runs: 0, txs: 0 };
  readonly #source: ProofSource;
  readonly #headers: ProvenHeaders;
  readonly #leaves: EntryLeaves;
  readonly #costs: ProofCosts;
  readonly #flying = new Map<bigint, Promise<Uint8Array>>();

  constructor(source: ProofSource, headers: ProvenHeaders, leaves: EntryLeaves, costs: ProofCosts) {
    this.#source = source;
    this.#headers = headers;
    this.#leaves = leaves;
    this.#costs = costs;
  }

  /** Each task ends in `settle` or in its `failed`. */
  fetch(items: readonly (readonly [ClaimTask, ProvenFacts])[], settle: LeavesSettle): void {
    const wanted = new Map<bigint, Wanted>();
    for (const [task, facts] of items) {
      const of = wanted.get(facts.tx);
      if (of) of.tasks.push(task);
      else wanted.set(facts.tx, { facts, tasks: [task] });
    }
    const missing = [...wanted.values()].filter(({ facts }) => !this.#flying.has(facts.tx));
    for (const run of this.#runs(missing.map(({ facts }) => facts))) this.#start(run, missing[0] as Wanted);
    for (const each of wanted.values()) void this.#deliver(each, settle);
  }

  async #deliver({ facts, tasks }: Wanted, settle: LeavesSettle): Promise<void> {
    try {
      const leaves = await (this.#flying.get(facts.tx) as Promise<Uint8Array>);
      for (const task of tasks) settle(task, facts, leaves);
    } catch (error) {
      for (const task of tasks) task.failed(error);
    }
  }

  /** Runs of consecutive txs that hold all of these, bridging gaps that are cheaper than another round trip. */
  #runs(wanted: readonly ProvenFacts[]): ProvenFacts[][] {
    const sorted = [...wanted].sort((a, b) => (a.tx < b.tx ? -1 : 1));
    const runs: ProvenFacts[][] = [];
    let run: ProvenFacts[] = [];
    let cost = 0;
    for (const facts of sorted) {
      const own = this.#costs.digests(facts.nentries);
      const bridge = this.#bridge(run.at(-1), facts);
      if (!bridge || cost + own > MAX_RUN_COST || run.length + bridge.length >= MAX_RUN_TXS) {
        run = [facts];
        cost = own;
        runs.push(run);
      } else {
        for (const between of bridge) run.push(between);
        run.push(facts);
        cost += own + this.#cost(bridge);
      }
    }
    return runs;
  }

  /** The txs between two, when they are proven and cheap enough to be fetched along. */
  #bridge(from: ProvenFacts | undefined, to: ProvenFacts): ProvenFacts[] | undefined {
    if (!from || to.tx - from.tx > BigInt(MAX_RUN_TXS)) return undefined;
    const bridge: ProvenFacts[] = [];
    for (let tx = from.tx + 1n; tx < to.tx; tx++) {
      const facts = this.#headers.facts(tx);
      if (!facts) return undefined;
      bridge.push(facts);
      if (this.#cost(bridge) > this.#costs.roundTrip) return undefined;
    }
    return bridge;
  }

  #cost(txs: readonly ProvenFacts[]): number {
    return txs.reduce((sum, { nentries }) => sum + this.#costs.digests(nentries), 0);
  }

  #start(run: readonly ProvenFacts[], { tasks }: Wanted): void {
    const fetched = this.#fetchRun(run, (tasks[0] as ClaimTask).operation);
    run.forEach(({ tx }, i) => {
      const leaves = fetched.then((all) => all[i] as Uint8Array);
      this.#flying.set(tx, leaves);
      void leaves.catch(() => undefined).finally(() => this.#flying.delete(tx));
    });
  }

  async #fetchRun(run: readonly ProvenFacts[], operation: string): Promise<readonly Uint8Array[]> {
    this.counts.runs += 1;
    this.counts.txs += run.length;
    const head = this.#source.head();
    const first = (run[0] as ProvenFacts).tx;
    const answer = await this.#source.ask(operation, head, (rpc) => askDigests(rpc, first, run.length, {}));
    this.#costs.learnDigests(
      answer.length,
      run.reduce((sum, { nentries }) => sum + nentries, 0),
    );
    const question = { kind: 'leaves', txs: run } as const;
    const { leaves } = await this.#source.check(operation, question, head, answer);
    run.forEach(({ tx, nentries }, i) => {
      if (nentries > 1) this.#leaves.add(tx, leaves[i] as Uint8Array);
    });
    return leaves;
  }
}
