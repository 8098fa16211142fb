// Proves logged roots under one state of the server, a group at a time, and keeps the evidence of those it contradicts.
import { ServerError } from '../../errors.js';
import { serverWords } from '../../visible.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import { EMPTY_HASH } from '../../proof/hash.js';
import type { AuditRow } from '../../store/root-store.js';
import { blockStart } from '../../verify/chain/block.js';
import type { HeaderPack, Job, Refuted, Root } from '../../verify/verifier.js';
import { BLOCK_TXS } from '../../verify/verifier.js';
import { ProofCosts } from '../trust/known/proof-costs.js';
import { askHeaders, askHeaderUnder, askHeader } from '../trust/trust-wire.js';
import type { AuditAccess, AuditAsker } from './access.js';
import type { PresentState } from './present-state.js';
import { recordFinding } from './findings.js';
import type { AuditFinding } from './findings.js';
import type { RootFinding } from './report.js';

/** Rows that are proven together: all of one tx, or all in one block of headers. */
export interface RootGroup {
  readonly kind: 'block' | 'tx';
  readonly rows: readonly AuditRow[];
}

export type Judged =
  | { readonly row: AuditRow; readonly verdict: 'proven'; readonly refuted?: undefined }
  | { readonly row: AuditRow; readonly verdict: RootFinding['verdict']; readonly refuted: RefutedRoot };

/** Why, and the answer that shows it. */
interface RefutedRoot {
  readonly refuted: Refuted;
  readonly job?: Job;
}

type RefutedBlock = RefutedRoot & { readonly first: bigint; readonly last: bigint };

/** What came of a group of rows. */
export interface GroupOutcome {
  readonly judged: readonly Judged[];
  /** The answer for their block does not hold, whatever its roots are by themselves. */
  readonly block?: RefutedBlock;
}

export interface RootProverOptions {
  readonly access: AuditAccess;
  readonly asker: AuditAsker;
  readonly state: PresentState;
}

export class RootProver {
  /** How often each way was chosen. */
  readonly counts = { blocks: 0, singles: 0 };
  readonly #access: AuditAccess;
  readonly #asker: AuditAsker;
  readonly #state: PresentState;
  readonly #costs = new ProofCosts();

  constructor({ access, asker, state }: RootProverOptions) {
    this.#access = access;
    this.#asker = asker;
    this.#state = state;
  }

  /** Groups rows by the cheapest way to prove them, in order of their txs. */
  plan(rows: readonly AuditRow[]): RootGroup[] {
    const byBlock = new Map<bigint, AuditRow[]>();
    const sorted = [...rows].sort((a, b) => (a.tx === b.tx ? 0 : a.tx < b.tx ? -1 : 1));
    for (const row of sorted) append(byBlock, row.tx === 0n ? 0n : blockStart(row.tx), row);
    const groups: RootGroup[] = [];
    for (const [first, wanted] of byBlock) {
      const byTx = new Map<bigint, AuditRow[]>();
      for (const row of wanted) append(byTx, row.tx, row);
      const count = Number(this.#lastOf(first) - first) + 1;
      if (first > 0n && count > 0 && this.#costs.block(count) < byTx.size * this.#costs.single)
        groups.push({ kind: 'block', rows: wanted });
      else for (const of of byTx.values()) groups.push({ kind: 'tx', rows: of });
    }
    return groups;
  }

  async prove(group: RootGroup): Promise<GroupOutcome> {
    const reached = group.rows.filter(({ tx }) => tx <= this.#state.tx);
    const beyond = group.rows.filter(({ tx }) => tx > this.#state.tx).map((row) => this.#behind(row));
    const [oldest] = reached;
    if (!oldest) return { judged: beyond };
    if (group.kind === 'tx') return { judged: [...(await this.#proveTx(reached)), ...beyond] };
    const block = await this.#block(oldest);
    if (block && 'alhs' in block)
      return { judged: [...reached.map((row) => judge(row, alhIn(block, row.tx))), ...beyond] };
    // Which of its roots hold is found one by one.
    const alone: Judged[] = [];
    for (const row of reached) for (const judged of await this.#proveTx([row])) alone.push(judged);
    return { judged: [...alone, ...beyond], ...(block && { block }) };
  }

  /** Writes an answer that does not hold into the log. */
  async recordBlock({ refuted, job, first, last }: RefutedBlock): Promise<AuditFinding> {
    return recordFinding(this.#access.trustLog, {
      ...{ outcome: 'failure', operation: this.#asker.operation, head: this.#head, refuted },
      ...{ tx: first, toTx: last, ...(job && { job }) },
    });
  }

  /** Writes a root that the server does not stand by into the log; false when the store could not take it. */
  async record(
    row: AuditRow,
    verdict: RootFinding['verdict'],
    { refuted, job }: RefutedRoot,
  ): Promise<boolean> {
    const shown =
      verdict === 'other-hash' ? await this.#contradiction(row) : { refuted, ...(job && { job }) };
    const { recorded } = await recordFinding(this.#access.trustLog, {
      outcome: verdict === 'other-hash' ? 'fork' : 'failure',
      operation: this.#asker.operation,
      head: this.#head,
      tx: row.tx,
      ...(shown ?? { refuted, ...(job && { job }) }),
    });
    return recorded;
  }

  /** The trusted head, under which findings are logged. */
  get #head(): Root {
    const { before, trusted, tx, alh } = this.#state;
    return trusted ? { tx, alh } : before;
  }

  #lastOf(first: bigint): bigint {
    const end = first + BigInt(BLOCK_TXS) - 1n;
    return end < this.#state.tx ? end : this.#state.tx;
  }

  #behind(row: AuditRow): Judged {
    const refuted = {
      check: 'audit.server-behind',
      detail: `the server's newest transaction is ${this.#state.tx.toString()}`,
      expected: row.tx.toString(),
      computed: this.#state.tx.toString(),
    };
    return { row, verdict: 'server-behind', refuted: { refuted } };
  }

  /** Undefined when the server does not give it. */
  async #block({ tx }: Root): Promise<HeaderPack | RefutedBlock | undefined> {
    this.counts.blocks++;
    const first = blockStart(tx);
    const last = this.#lastOf(first);
    const count = Number(last - first) + 1;
    const state = this.#state;
    const asked = this.#asker.ask(state, (rpc, options) => askHeaders(rpc, first, count, options));
    asked.catch(() => undefined);
    let job: Job;
    try {
      const proof = await this.#asker.ask(state, (rpc, options) => askHeaderUnder(rpc, last, state, options));
      const answer = await asked;
      this.#costs.learnBlock(answer.length, count);
      this.#costs.learnProof(proof.length);
      job = this.#job({ kind: 'block', first, last, proof }, state, answer);
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
    const verdict = await this.#asker.verify(job);
    if (!verdict.ok) return { refuted: verdict.refuted, job, first, last };
    return (verdict.proven as Extract<typeof verdict.proven, { kind: 'block' }>).headers;
  }

  /** All rows are of one tx. */
  async #proveTx(rows: readonly AuditRow[]): Promise<Judged[]> {
    const { tx } = rows[0] as AuditRow;
    // Before tx 1 there is nothing, in every history.
    if (tx === 0n) return rows.map((row) => judge(row, EMPTY_HASH));
    this.counts.singles++;
    const state = this.#state;
    let job: Job;
    try {
      const answer = await this.#asker.ask(state, (rpc, options) => askHeaderUnder(rpc, tx, state, options));
      this.#costs.learnProof(answer.length);
      job = this.#job({ kind: 'tx', tx }, state, answer);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const refuted = { check: 'audit.not-there', detail: serverWords(error.message) };
      return rows.map((row) => ({ row, verdict: 'not-there', refuted: { refuted } }));
    }
    const verdict = await this.#asker.verify(job);
    if (verdict.ok && verdict.proven.kind === 'tx') {
      const { alh } = verdict.proven.subject;
      return rows.map((row) => judge(row, alh));
    }
    const refuted = (verdict as Extract<typeof verdict, { ok: false }>).refuted;
    return rows.map((row) => ({ row, verdict: 'not-proven', refuted: { refuted, job } }));
  }

  /**
   * Evidence that anyone can check again: with the logged root as the trusted one, the server's own proof from that
   * transaction to its present state fails. Undefined when the server does not give it, or now stands by the root.
   */
  async #contradiction(row: AuditRow): Promise<RefutedRoot | undefined> {
    const { tx } = this.#state;
    try {
      const answer = await this.#asker.ask(this.#state, (rpc, options) =>
        askHeader(rpc, tx, row.tx === 0n ? 1n : row.tx, options),
      );
      const job = this.#job({ kind: 'tx', tx }, row, answer);
      const verdict = await this.#asker.verify(job);
      return verdict.ok ? undefined : { refuted: verdict.refuted, job };
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  #job(question: Job['question'], head: Root, answer: Uint8Array): Job {
    return this.#access.trust.job(question, { tx: head.tx, alh: head.alh }, answer);
  }
}

function judge(row: AuditRow, alh: Uint8Array): Judged {
  if (equalBytes(row.alh, alh)) return { row, verdict: 'proven' };
  const refuted = {
    check: 'audit.other-hash',
    detail: "the server's history has another hash for this transaction than was logged",
    expected: toHex(row.alh),
    computed: toHex(alh),
  };
  return { row, verdict: 'other-hash', refuted: { refuted } };
}

function alhIn({ first, alhs }: HeaderPack, tx: bigint): Uint8Array {
  const at = 32 * Number(tx - first);
  return alhs.subarray(at, at + 32);
}

function append(groups: Map<bigint, AuditRow[]>, name: bigint, row: AuditRow): void {
  const group = groups.get(name);
  if (group) group.push(row);
  else groups.set(name, [row]);
}

function isRefusal(error: unknown): error is ServerError {
  return error instanceof ServerError && error.code === 'SERVER_REFUSED';
}
