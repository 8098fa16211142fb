// Asks the server for keys and has its answers checked: many in one GetAll, of a size that fits; one by one where the user may
// not call that.
import { ServerError } from '../../errors.js';
import type { ClaimOutcome, Context, Verifier } from '../../verify/verifier.js';
import type { Deadline } from '../flow/deadline.js';
import type { Rpc } from '../net/rpc.js';
import { isKeyNotFound, isNotAllowed } from '../net/server-errors.js';
import { AdaptiveSize } from './adaptive-size.js';
import { answerParts } from './answer-parts.js';

/** Told the outcomes of some of the keys that were asked for: of those from place `from` on. */
export type TellPart = (outcomes: readonly ClaimOutcome[], from: number) => void;

export interface KeyAskerOptions {
  readonly rpc: Rpc;
  readonly verifier: Verifier;
  readonly context: () => Context;
}

const MAX_KEYS = 1024;
/** What one answer should have at most, by what answers had lately. */
const MAX_ANSWER_BYTES = 1024 * 1024;

export class KeyAsker {
  readonly #options: KeyAskerOptions;
  readonly #size = new AdaptiveSize(MAX_KEYS, MAX_ANSWER_BYTES);
  #onlySingly = false;
  #onOnlySingly: () => void = () => undefined;

  constructor(options: KeyAskerOptions) {
    this.#options = options;
  }

  /** Most keys to ask for together now. */
  get limit(): number {
    return this.#size.limit;
  }

  /** The user may not call GetAll: keys are asked for one by one, whatever comes. */
  get onlySingly(): boolean {
    return this.#onlySingly;
  }

  /** `then` is called at the moment when that is found out. */
  whenOnlySingly(then: () => void): void {
    this.#onOnlySingly = then;
  }

  /** A key that somebody else asked for had so many bytes. */
  learn(bytes: number): void {
    this.#size.learn(bytes, 1);
  }

  async ask(keys: readonly Uint8Array[], deadline: Deadline, tell: TellPart): Promise<void> {
    if (this.#onlySingly || keys.length === 1) {
      await this.#askSingly(keys, deadline, tell);
      return;
    }
    const { rpc, context } = this.#options;
    const asked = context();
    let answer: Uint8Array;
    try {
      answer = await rpc.raw('GetAll', { keys }, timeLeft(deadline));
    } catch (error) {
      if (!isNotAllowed(error)) {
        if (isOfSomeKeys(error)) this.#size.tooLarge(keys.length);
        throw error;
      }
      this.#onlySingly = true;
      this.#onOnlySingly();
      await this.#askSingly(keys, deadline, tell);
      return;
    }
    this.#size.learn(answer.length, keys.length);
    await Promise.all(
      answerParts(keys, answer).map(async (part) => {
        tell(await this.#claims(part.keys, part.answer, { asked, until: deadline.endsAt }), part.from);
      }),
    );
  }

  async #askSingly(keys: readonly Uint8Array[], deadline: Deadline, tell: TellPart): Promise<void> {
    tell((await Promise.all(keys.map((key) => this.askOne(key, deadline)))).flat(), 0);
  }

  async askOne(key: Uint8Array, deadline: Deadline): Promise<ClaimOutcome[]> {
    const asked = this.#options.context();
    let answer: Uint8Array;
    try {
      answer = await this.#options.rpc.raw('Get', { key }, timeLeft(deadline));
    } catch (error) {
      if (!isKeyNotFound(error)) throw error;
      this.#size.learn(key.length, 1);
      return [{ kind: 'missing' }];
    }
    this.#size.learn(answer.length, 1);
    return this.#claims([key], answer, { asked, until: deadline.endsAt }, true);
  }

  /** `asked`: context of the question, when it was sent. `until`: when the last reader is gone. */
  async #claims(
    keys: readonly Uint8Array[],
    answer: Uint8Array,
    { asked: context, until }: { readonly asked: Context; readonly until: number },
    single = false,
  ): Promise<ClaimOutcome[]> {
    const question = { kind: 'claims', keys, ...(single && { single }) } as const;
    const job = { question, context, answer };
    const verdict = await this.#options.verifier.verify(job, { until });
    if (verdict.ok && verdict.proven.kind === 'claims') {
      const { outcomes } = verdict.proven;
      if (!outcomes.some(isAboutWhole)) return [...outcomes];
      return outcomes.map((outcome) => (isAboutWhole(outcome) ? { ...outcome, job } : outcome));
    }
    // Not even an answer: every key of it is refuted.
    const refuted = verdict.ok ? { check: 'claims', detail: 'no claims' } : verdict.refuted;
    return keys.map(() => ({ kind: 'refuted', refuted, shown: answer, job }));
  }
}

/** Codes of what a server may say of one of the keys that it was asked for. */
const OF_SOME_KEYS: ReadonlySet<string> = new Set(['SERVER_REFUSED', 'TRUNCATED']);

/** Some of the keys may have met with it alone: others, or fewer at a time, may do better. */
export function isOfSomeKeys(error: unknown): boolean {
  return isTooLarge(error) || (error instanceof ServerError && OF_SOME_KEYS.has(error.code));
}

/** The answer was larger than the server sends, or than this client takes. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof ServerError && error.code === 'LIMIT_EXCEEDED';
}

/** What fails only beside the other entries: its evidence is the whole answer. */
function isAboutWhole(outcome: ClaimOutcome): outcome is Extract<ClaimOutcome, { kind: 'refuted' }> {
  return outcome.kind === 'refuted' && outcome.refuted.check.startsWith('claims.');
}

function timeLeft(deadline: Deadline): { readonly timeoutMs: number } {
  return { timeoutMs: deadline.left.timeoutMs };
}
