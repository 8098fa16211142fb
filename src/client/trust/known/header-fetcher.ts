// Fetches and proves headers that claims need: from the root store where it has them; from the server one by one, or the
// whole block of 1024 when enough of it was asked for.
import type { HeaderPack, Root } from '../../../verify/verifier.js';
import type { ClaimTask } from './proven-facts.js';
import type { EntryLeaves } from './entry-leaves.js';
import type { KeptHeaders } from './kept-headers.js';
import type { ProofCosts } from './proof-costs.js';
import type { ProofSource } from './proof-source.js';
import { blockOf, blockStart, factsIn } from './proven-headers.js';
import type { Contradiction, ProvenHeaders } from './proven-headers.js';
import type { ProvenFacts } from './proven-facts.js';
import { askHeaders, askHeaderUnder, askTxUnder } from '../trust-wire.js';
import { BLOCK_TXS } from '../../../verify/verifier.js';

/**
 * A block is fetched as soon as what was asked for of it one by one (or would be now) would have cost this part of it.
 * Lower: the first reads of a large database fetch much that nobody asks for; higher: more single proofs before it pays.
 */
const EARLY = 1 / 4;
/** Blocks whose debts are remembered. */
const MAX_DEBTS = 65_536;

/** Told for each task: the proven header of its tx, and the tx's leaves when they came along. */
export type HeaderSettle = (task: ClaimTask, facts: ProvenFacts, leaves?: Uint8Array) => void;

interface BlockFetch {
  readonly last: bigint;
  readonly pack: Promise<HeaderPack>;
}

interface SingleProof {
  readonly facts: ProvenFacts;
  readonly leaves: Uint8Array;
}

export class HeaderFetcher {
  /** How often each way was chosen. */
  readonly counts = { blocks: 0, singles: 0 };
  readonly #source: ProofSource;
  readonly #headers: ProvenHeaders;
  readonly #leaves: EntryLeaves;
  readonly #costs: ProofCosts;
  readonly #kept: KeptHeaders | undefined;
  readonly #blocks = new Map<number, BlockFetch>();
  readonly #singles = new Map<bigint, Promise<SingleProof>>();
  readonly #debts = new Map<number, number>();

  constructor(
    source: ProofSource,
    headers: ProvenHeaders,
    leaves: EntryLeaves,
    costs: ProofCosts,
    kept?: KeptHeaders,
  ) {
    this.#source = source;
    this.#headers = headers;
    this.#leaves = leaves;
    this.#costs = costs;
    this.#kept = kept;
  }

  /** Whether the root store has the header of `tx`, or is thought to: to get it from there is nearly free. */
  stores(tx: bigint): boolean {
    return this.#kept?.has(tx) === true;
  }

  /** Requires that every tx is at or below the head. Each task ends in `settle` or in its `failed`. */
  fetch(tasks: readonly ClaimTask[], settle: HeaderSettle): void {
    const byBlock = new Map<number, ClaimTask[]>();
    for (const task of tasks) {
      const block = blockOf(task.claim.tx);
      const known = byBlock.get(block);
      if (known) known.push(task);
      else byBlock.set(block, [task]);
    }
    for (const [block, wanted] of byBlock) {
      this.#fetchOf(block, wanted, settle).catch((error: unknown) => {
        for (const task of wanted) task.failed(error);
      });
    }
  }

  /** Proves and keeps all headers of a block up to the head. */
  async prefetch(block: number, operation: string): Promise<number> {
    const last = lastOf(block, this.#source.head());
    const stored = this.#kept?.has(last) ? await this.#kept.load(block) : undefined;
    if (stored) return stored.count;
    const pack = await (this.#blocks.get(block) ?? this.#startBlock(block, last, operation)).pack;
    // So many blocks come this way that the store could not keep up.
    await this.#kept?.room();
    return pack.count;
  }

  /** A header was proven on its own: when that happens often enough in a block, the block is fetched for later reads. */
  owe(tx: bigint, operation: string): void {
    const block = blockOf(tx);
    if (this.#blocks.has(block) || tx > this.#source.head().tx) return;
    if (this.#kept?.has(tx)) {
      this.#kept.load(block).catch(() => undefined);
      return;
    }
    // What goes wrong is recorded, and met again by whoever needs the block.
    this.#blockFor(block, new Set([tx]), operation)?.catch(() => undefined);
  }

  async #fetchOf(block: number, wanted: ClaimTask[], settle: HeaderSettle): Promise<void> {
    const kept = this.#kept;
    // What is stored is nearly free: it is used before anything is asked of the server.
    const pack = kept && wanted.some(({ claim }) => kept.has(claim.tx)) ? await kept.load(block) : undefined;
    const end = pack ? pack.first + BigInt(pack.count) : 0n;
    const left: ClaimTask[] = [];
    for (const task of wanted) {
      if (pack && task.claim.tx < end) settle(task, factsIn(pack, task.claim.tx));
      else left.push(task);
    }
    if (left.length > 0) await this.#askFor(block, left, settle);
  }

  async #askFor(block: number, wanted: ClaimTask[], settle: HeaderSettle): Promise<void> {
    const distinct = new Set(wanted.map(({ claim }) => claim.tx));
    const fetch = this.#blockFor(block, distinct, (wanted[0] as ClaimTask).operation);
    if (!fetch) {
      for (const task of wanted) void this.#fetchSingle(task, settle);
      return;
    }
    try {
      const pack = await fetch;
      for (const task of wanted) settle(task, factsIn(pack, task.claim.tx));
    } catch (error) {
      for (const task of wanted) task.failed(error);
    }
  }

  /** The block, when one that reaches far enough is on its way or is worth fetching now. */
  #blockFor(block: number, txs: ReadonlySet<bigint>, operation: string): Promise<HeaderPack> | undefined {
    const flying = this.#blocks.get(block);
    if (flying && [...txs].every((tx) => tx <= flying.last)) return flying.pack;
    const last = lastOf(block, this.#source.head());
    const debt = (this.#debts.get(block) ?? 0) + txs.size * this.#costs.single;
    if (debt < EARLY * this.#costs.block(Number(last - blockStart(block)) + 1)) {
      if (this.#debts.size >= MAX_DEBTS) this.#debts.clear();
      this.#debts.set(block, debt);
      return undefined;
    }
    this.#debts.delete(block);
    return this.#startBlock(block, last, operation).pack;
  }

  #startBlock(block: number, last: bigint, operation: string): BlockFetch {
    const fetch: BlockFetch = { last, pack: this.#fetchBlock(blockStart(block), last, operation) };
    this.#blocks.set(block, fetch);
    void fetch.pack
      .catch(() => undefined)
      .finally(() => {
        if (this.#blocks.get(block) === fetch) this.#blocks.delete(block);
      });
    return fetch;
  }

  async #fetchBlock(first: bigint, last: bigint, operation: string): Promise<HeaderPack> {
    this.counts.blocks += 1;
    const head = this.#source.head();
    const count = Number(last - first) + 1;
    const asked = this.#source.ask(operation, head, (rpc) => askHeaders(rpc, first, count, {}));
    asked.catch(() => undefined);
    // First the one that names the head: if it fails, it says why.
    const proof = await this.#source.ask(operation, head, (rpc) => askHeaderUnder(rpc, last, head, {}));
    const answer = await asked;
    this.#costs.learnBlock(answer.length, count);
    this.#costs.learnProof(proof.length);
    const question = { kind: 'block', first, last, proof } as const;
    const { headers } = await this.#source.check(operation, question, head, answer);
    if (!this.#headers.addPack(headers)) {
      const other = this.#headers.contradictedBy(headers) as Contradiction;
      throw await this.#source.fork(operation, question, head, answer, other);
    }
    this.#kept?.keep({ first, last, head, proof, headers: answer }, headers);
    return headers;
  }

  async #fetchSingle(task: ClaimTask, settle: HeaderSettle): Promise<void> {
    const { tx } = task.claim;
    let proof = this.#singles.get(tx);
    if (!proof) {
      proof = this.#proveSingle(tx, task.operation);
      this.#singles.set(tx, proof);
      void proof.catch(() => undefined).finally(() => this.#singles.delete(tx));
    }
    try {
      const { facts, leaves } = await proof;
      settle(task, facts, leaves);
    } catch (error) {
      task.failed(error);
    }
  }

  async #proveSingle(tx: bigint, operation: string): Promise<SingleProof> {
    this.counts.singles += 1;
    const head = this.#source.head();
    const answer = await this.#source.ask(operation, head, (rpc) => askTxUnder(rpc, tx, head, {}));
    this.#costs.learnProof(answer.length);
    const question = { kind: 'tx', tx, leaves: true } as const;
    const { subject, leaves = new Uint8Array(0) } = await this.#source.check(
      operation,
      question,
      head,
      answer,
    );
    this.#headers.add(subject);
    if (subject.nentries > 1) this.#leaves.add(tx, leaves);
    return { facts: subject, leaves };
  }
}

function lastOf(block: number, head: Root): bigint {
  const end = blockStart(block) + BigInt(BLOCK_TXS) - 1n;
  return end < head.tx ? end : head.tx;
}
