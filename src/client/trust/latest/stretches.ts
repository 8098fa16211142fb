// Transactions of a database, in order, each proven under the trusted head: the rows that their entries are, asked for in stretches.
import { ImmuError } from '../../../errors.js';
import type { VerificationError } from '../../../errors.js';
import type { Question, Root } from '../../../verify/verifier.js';
import { equalBytes } from '../../../proof/bytes.js';
import { Deadline } from '../../flow/deadline.js';
import { inOrder } from '../../flow/in-order.js';
import { StretchPlan, halves } from './stretch-plan.js';
import type { Stretch } from './stretch-plan.js';
import type { Rpc } from '../../net/rpc.js';
import { isServerBehind, isTxNotFound } from '../../net/server-errors.js';
import type { Call } from '../call.js';
import type { ProofSource } from '../known/proof-source.js';
import { askDigests, askHeaderUnder, askTxUnder, listOfTx } from '../trust-wire.js';

/** What following needs of the trust that it goes on under. */
export interface FollowedTrust {
  readonly root: Root;
  /** Its tx. */
  readonly headTx: bigint;
  /** Moves the head to where the server is when it is asked now. Rejects when the server stands elsewhere than where it is trusted. */
  assureNow(operation: string): Promise<void>;
  ask<T>(call: Call, head: Root, send: () => Promise<T>): Promise<T>;
  readonly check: ProofSource['check'];
  /** Proves an answer, and moves the head to what it proves. */
  prove(
    call: Call,
    question: Extract<Question, { kind: 'tx' }>,
    head: Root,
    answer: Uint8Array,
  ): Promise<unknown>;
  refuse(
    operation: string,
    detail: { check: string; detail: string; tx?: bigint },
  ): Promise<VerificationError>;
}

export interface StretchesOptions {
  readonly trust: FollowedTrust;
  readonly rpc: Rpc;
  readonly operation: string;
  /** Of one question. */
  readonly timeoutMs: number;
  readonly maxMessageBytes: number;
  /** Stretches on their way at a time. */
  readonly lanes: number;
}

/** A stretch that was proven. */
interface Shown extends Stretch {
  /** Alh of the tx before its first, and of its last. */
  readonly prevAlh: Uint8Array;
  readonly alh: Uint8Array;
  readonly rows: Uint8Array;
  /** Of the answer. */
  readonly bytes: number;
}

export class Stretches {
  readonly #options: StretchesOptions;
  /** Bytes of an answer, per tx; undefined while nothing is known. */
  #bytesPerTx: number | undefined;

  constructor(options: StretchesOptions) {
    this.#options = options;
  }

  /**
   * Proves all transactions after `from` up to the trusted head, and hands their rows to `take`, in order. One stretch is asked for
   * at a time where little is left.
   *
   * @throws VerificationError where the server does not show them, recorded with the answer
   */
  async followTo(
    from: Root,
    head: Root,
    take: (rows: Uint8Array, first: bigint) => Promise<void>,
  ): Promise<void> {
    const { maxMessageBytes, lanes } = this.#options;
    const range = { first: from.tx + 1n, last: head.tx };
    const plan = new StretchPlan(range, maxMessageBytes, this.#bytesPerTx);
    let at = from;
    await inOrder({
      lanes,
      next: () => plan.next(),
      work: async (stretch: Stretch) => {
        const shown = await this.#ask(stretch, head);
        plan.learn(
          stretch,
          shown.reduce((sum, { bytes }) => sum + bytes, 0),
        );
        this.#bytesPerTx = plan.bytesPerTx;
        return shown;
      },
      commit: async (shown) => {
        for (const { first, last, prevAlh, alh, rows } of shown) {
          if (!equalBytes(prevAlh, at.alh)) await this.#refuseUnlinked(first, head, at);
          await take(rows, first);
          at = { tx: last, alh };
        }
        return true;
      },
    });
  }

  /**
   * Proves the transaction after the trusted head, which the server has said to have, and moves the head to it: by one question,
   * whose answer holds the transaction and its proof. Undefined: it does not show it, or not yet, or not so.
   *
   * @throws VerificationError where what it shows is not proven, recorded with the answer
   */
  async followNext(head: Root): Promise<Uint8Array | undefined> {
    const { trust, rpc, operation, timeoutMs } = this.#options;
    const call = { ...callOf(operation, timeoutMs), counted: true };
    const tx = head.tx + 1n;
    let proof: Uint8Array;
    try {
      // Past the trust: what is not there yet is no lie of a server that says that it comes.
      proof = await askTxUnder(rpc, tx, head, call.deadline.left);
    } catch (error) {
      if (isServerBehind(error) || isTxNotFound(error) || isTooLarge(error)) return undefined;
      throw error;
    }
    const answer = listOfTx(proof);
    if (!answer) return undefined;
    const question = { kind: 'stretch', first: tx, last: tx, proof, rows: true, after: head.alh } as const;
    const moved = trust.prove(call, { kind: 'tx', tx }, head, proof);
    moved.catch(() => undefined);
    // Two checks of one turn go to a thread: there and back takes longer than both, where they are small (measured).
    await new Promise((resume) => setImmediate(resume));
    const [, { rows }] = await Promise.all([moved, trust.check(operation, question, head, answer)]);
    return rows;
  }

  /** In parts where an answer would be too large. */
  async #ask(stretch: Stretch, head: Root): Promise<Shown[]> {
    try {
      return [await this.#askOnce(stretch, head)];
    } catch (error) {
      if (stretch.first === stretch.last || !isTooLarge(error)) throw error;
      const [first, second] = halves(stretch);
      return [...(await this.#ask(first, head)), ...(await this.#ask(second, head))];
    }
  }

  async #askOnce({ first, last }: Stretch, head: Root, after?: Uint8Array): Promise<Shown> {
    const { trust, rpc, operation, timeoutMs } = this.#options;
    const call = callOf(operation, timeoutMs);
    const count = Number(last - first) + 1;
    const [answer, proof] = await Promise.all([
      trust.ask(call, head, () => askDigests(rpc, first, count, call.deadline.left)),
      trust.ask(call, head, () => askHeaderUnder(rpc, last, head, call.deadline.left)),
    ]);
    const question = { kind: 'stretch', first, last, proof, rows: true, ...(after && { after }) } as const;
    const proven = await trust.check(operation, question, head, answer);
    if (!proven.rows) throw new Error('a stretch of digests has rows');
    const { prevAlh, alh, rows } = proven;
    // Copies: they may be views of a message that holds much else.
    const ends = { prevAlh: new Uint8Array(prevAlh), alh: new Uint8Array(alh) };
    return { first, last, ...ends, rows, bytes: answer.length };
  }

  /** Both stretches hold and do not follow each other: asked for again with what it must follow, the answer shows it. */
  async #refuseUnlinked(first: bigint, head: Root, { alh }: Root): Promise<never> {
    await this.#askOnce({ first, last: first }, head, alh);
    const detail = `tx ${first.toString()} was shown not to follow the one before it, and asked for again it does`;
    throw await this.#options.trust.refuse(this.#options.operation, {
      ...{ check: 'stretch.after', detail, tx: first },
    });
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof ImmuError && error.code === 'LIMIT_EXCEEDED';
}

function callOf(operation: string, timeoutMs: number): Call {
  const deadline = new Deadline({}, timeoutMs);
  return { operation, startedAt: deadline.startedAt, deadline };
}
