// Questions with their answers, as they are checked, and as evidence keeps them.
import type { Context, Job, Question, Root } from '../../worker/verifier.js';
import { unixSeconds } from '../unix-seconds.js';

/** What is needed to check a claim of a plain read once more. */
export interface Claimed {
  readonly key: Uint8Array;
  readonly claim: { readonly tx: bigint };
  readonly shown: Uint8Array;
}

export class Jobs {
  readonly #database: string;
  readonly #spki: Uint8Array | undefined;

  /** `spki`: SPKI DER of the server's state key, where one is configured. */
  constructor(database: string, spki: Uint8Array | undefined) {
    this.#database = database;
    this.#spki = spki;
  }

  /** What an answer to a question that was asked under `head`, at the time `now`, is checked under. */
  context(head: Root | null, now: bigint = unixSeconds()): Context {
    return { head, database: this.#database, now, ...(this.#spki && { publicKey: this.#spki }) };
  }

  job(question: Question, head: Root | null, answer: Uint8Array, now?: bigint): Job {
    return { question, context: this.context(head && { tx: head.tx, alh: head.alh }, now), answer };
  }

  /** The check that a claim of a plain read fails, to be run again by anyone. */
  claim({ key, claim, shown }: Claimed, head: Root | null): Job {
    return this.job({ kind: 'claim', key, tx: claim.tx, shown }, head, new Uint8Array(0));
  }
}
