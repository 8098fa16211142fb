// Asks for a stretch of transactions and has it checked. What does not hold is narrowed down to the smallest part that fails
// when it is asked for again, and that part's answer is the evidence.
import { ServerError } from '../../errors.js';
import { serverWords } from '../../visible.js';
import type { Job, Question, Refuted, Root, StretchCounts } from '../../verify/verifier.js';
import type { CallOptions } from '../input/call-options.js';
import type { Rpc } from '../net/rpc.js';
import type { DatabaseTrust } from '../trust/database-trust.js';
import { askDigests, askHeaderUnder } from '../trust/trust-wire.js';
import type { AskedUnder, AuditAsker } from './access.js';
import { askValues } from './audit-wire.js';
import { halves } from './stretch-plan.js';
import type { Stretch } from './stretch-plan.js';

/** A part of the database that holds, or that does not. In order, parts make up the stretch that was asked for. */
export type Part = HeldPart | FailedPart;
export type HeldPart = Stretch & Held;
export type FailedPart = Stretch & Failed;

interface Held {
  readonly kind: 'held';
  /** Alh of the tx before the part, as its first header names it, and of its last tx. */
  readonly prevAlh: Uint8Array;
  readonly alh: Uint8Array;
  readonly counts: StretchCounts;
  /** Bytes of the answer. */
  readonly bytes: number;
  /** See `Proven`. */
  readonly truncatedUpTo: bigint;
  /** The server would not show the values of all of it. */
  readonly refusal?: ValuesRefusal;
}

/**
 * Why, as far as its words tell. `corrupted`: it has other bytes than those that were hashed. `gone`: what a truncation leaves,
 * if there was one. Else no reason that would make the rest complete.
 */
export interface ValuesRefusal {
  readonly kind: 'corrupted' | 'gone' | 'other';
  /** Its words. */
  readonly reason: string;
}

interface Failed {
  readonly kind: 'failed';
  readonly refuted: Refuted;
  /** Absent where the server did not answer at all. */
  readonly job?: Job;
}

/** The answer cannot be had in one piece. */
interface TooLarge {
  readonly kind: 'too-large';
}

export interface StretchCheckerOptions {
  readonly asker: AuditAsker;
  readonly trust: DatabaseTrust;
  readonly state: AskedUnder;
  readonly values: boolean;
  /** Whether another finding is worth narrowing down. */
  readonly narrows: () => boolean;
}

/** Where the server will not show the values of a stretch, at most this many txs are left unread with it. */
const VALUES_REFUSED_TXS = 16;

export class StretchChecker {
  readonly #options: StretchCheckerOptions;
  /** The last answer with values left some out: the next will too, so the digests are asked for along with it. */
  #leavesOut = false;

  constructor(options: StretchCheckerOptions) {
    this.#options = options;
  }

  /** `after`: the alh that the first tx must follow, when it is known and in doubt. */
  async check(stretch: Stretch, after?: Uint8Array): Promise<Part[]> {
    const outcome = await this.#attempt(stretch, after);
    if (outcome.kind === 'held') return [{ ...stretch, ...outcome }];
    const isOne = stretch.first === stretch.last;
    if (outcome.kind === 'too-large') return this.#checkHalves(stretch, after);
    if (isOne || !this.#options.narrows()) return [{ ...stretch, ...outcome }];
    const parts = await this.#checkHalves(stretch, after);
    // Asked again in parts the server says something else: what it said at first stands, with those bytes.
    if (parts.every(({ kind }) => kind === 'held')) return [{ ...stretch, ...outcome }];
    return parts;
  }

  async #checkHalves(stretch: Stretch, after?: Uint8Array): Promise<Part[]> {
    const [first, second] = halves(stretch);
    return [...(await this.check(first, after)), ...(await this.check(second))];
  }

  async #attempt(stretch: Stretch, after?: Uint8Array): Promise<Held | Failed | TooLarge> {
    const { values } = this.#options;
    if (!values) return this.#attemptWith(stretch, after, false);
    try {
      return await this.#attemptWith(stretch, after, true);
    } catch (error) {
      if (!(error instanceof ServerError) || !isRefusal(error)) throw error;
      const refusal = refusalOf(error);
      // What is corrupted is found, what is gone is not worth a question for each.
      const isNarrowed = refusal.kind === 'corrupted' && this.#options.narrows();
      const unread = isNarrowed ? 1 : VALUES_REFUSED_TXS;
      if (stretch.last - stretch.first >= BigInt(unread)) return { kind: 'too-large' };
      // A truncation ends somewhere: what comes behind it is shown.
      if (refusal.kind === 'gone' && (await this.#endIsShown(stretch))) return { kind: 'too-large' };
      const outcome = await this.#attemptWith(stretch, after, false);
      if (outcome.kind !== 'held') return outcome;
      const { entries, expired, document } = outcome.counts;
      const notShown = { valuesNotShown: entries, valuesExpired: expired, valuesOfDocuments: document };
      return { ...outcome, counts: { ...outcome.counts, ...notShown }, refusal };
    }
  }

  async #endIsShown({ first, last }: Stretch): Promise<boolean> {
    if (first === last) return false;
    try {
      await this.#attemptWith({ first: last, last }, undefined, true);
      return true;
    } catch (error) {
      if (error instanceof ServerError && isRefusal(error)) return false;
      throw error;
    }
  }

  async #attemptWith(
    stretch: Stretch,
    after: Uint8Array | undefined,
    values: boolean,
  ): Promise<Held | Failed | TooLarge> {
    const { first, last } = stretch;
    const { state, asker } = this.#options;
    const count = Number(last - first) + 1;
    const ask = (send: (rpc: Rpc, options: CallOptions) => Promise<Uint8Array>) => {
      const asked = asker.ask(state, send);
      asked.catch(() => undefined);
      return asked;
    };
    const wanted = values ? askValues : askDigests;
    const askedDigests =
      values && this.#leavesOut ? ask((rpc, options) => askDigests(rpc, first, count, options)) : undefined;
    const asked = ask((rpc, options) => wanted(rpc, first, count, options));
    try {
      // First the one that names the head: if it fails, it says why.
      const proof = await ask((rpc, options) => askHeaderUnder(rpc, last, state, options));
      const answer = await asked;
      const question = { kind: 'stretch', first, last, proof, ...(after && { after }) } as const;
      if (!values) return await this.#verifyWhole(question, answer);
      const digests = await askedDigests;
      const withValues = { ...question, values } as const;
      const outcome = await this.#verify(digests ? { ...withValues, digests } : withValues, answer);
      this.#leavesOut =
        outcome.kind === 'short' || (outcome.kind === 'held' && outcome.counts.valuesNotShown > 0);
      if (outcome.kind !== 'short') return outcome;
      const missing = await ask((rpc, options) => askDigests(rpc, first, count, options));
      return await this.#verifyWhole({ ...withValues, digests: missing }, answer);
    } catch (error) {
      return this.#unanswered(error, stretch, values);
    }
  }

  async #verifyWhole(question: StretchQuestion, answer: Uint8Array): Promise<Held | Failed> {
    const outcome = await this.#verify(question, answer);
    if (outcome.kind === 'short') throw new Error('nothing is short where all entries were asked for');
    return outcome;
  }

  async #verify(
    question: StretchQuestion,
    answer: Uint8Array,
  ): Promise<Held | Failed | { readonly kind: 'short' }> {
    const { trust, state, asker } = this.#options;
    const job = trust.job(question, rootOf(state), answer);
    const verdict = await asker.verify(job);
    if (!verdict.ok) return { kind: 'failed', refuted: verdict.refuted, job };
    const { proven } = verdict;
    if (proven.kind === 'short-stretch') return { kind: 'short' };
    if (proven.kind !== 'stretch') throw new Error(`a ${proven.kind} proves no stretch`);
    const { prevAlh, alh, counts, truncatedUpTo } = proven;
    // Copies: they may be views of a message that holds much else.
    const ends = { prevAlh: new Uint8Array(prevAlh), alh: new Uint8Array(alh) };
    return { kind: 'held', ...ends, counts, truncatedUpTo, bytes: answer.length };
  }

  /** Transactions that must be there and that the server will not show are a finding; other errors are none. */
  #unanswered(error: unknown, stretch: Stretch, values: boolean): Failed | TooLarge {
    if (!(error instanceof ServerError)) throw error;
    const isOne = stretch.first === stretch.last;
    if (error.code === 'LIMIT_EXCEEDED' && !isOne) return { kind: 'too-large' };
    if (values || error.code !== 'SERVER_REFUSED') throw error;
    return { kind: 'failed', refuted: { check: 'server.refused', detail: serverWords(error.message) } };
  }
}

type StretchQuestion = Extract<Question, { kind: 'stretch' }>;

function isRefusal({ code }: ServerError): boolean {
  return code === 'SERVER_REFUSED' || code === 'LIMIT_EXCEEDED' || code === 'TRUNCATED';
}

/** immudb's words where what it finds on its disk is not what it hashed. */
function refusalOf({ code, serverMessage, message }: ServerError): ValuesRefusal {
  const reason = serverWords(message);
  if (code === 'TRUNCATED') return { kind: 'gone', reason };
  return { kind: /corrupt/i.test(serverMessage) ? 'corrupted' : 'other', reason };
}

function rootOf({ tx, alh }: Root): Root {
  return { tx, alh };
}
