// Goes through all transactions for what they change in a catalog, where nobody follows the database: page by page, each of them once for
// all calls of a trust.
import type { Deadline } from '../../flow/deadline.js';
import { PageSize } from './pages.js';

/** Takes these transactions; gives the bytes that were answered. */
export type TakePage = (first: bigint, count: number) => Promise<number>;

export class CatalogWalk {
  readonly #size = new PageSize();
  #reached = 0n;
  /** The page that is under way. Never rejects. */
  #page: Promise<unknown> | undefined;

  /** Until `isEnough` says so, or all up to `to` are taken; true when `isEnough` did. A page at a time, whoever asks for it. */
  async upTo(deadline: Deadline, to: bigint, take: TakePage, isEnough = () => false): Promise<boolean> {
    while (!isEnough()) {
      if (this.#reached >= to) return false;
      if (this.#page) {
        await deadline.race(this.#page, `tx ${to.toString()} to be followed`);
        continue;
      }
      const page = this.#next(to, take);
      const over = () => (this.#page = undefined);
      this.#page = page.then(over, over);
      await page;
    }
    return true;
  }

  async #next(to: bigint, take: TakePage): Promise<void> {
    const count = this.#size.next(to - this.#reached);
    const last = this.#reached + BigInt(count);
    try {
      const bytes = await take(this.#reached + 1n, count);
      this.#reached = last;
      this.#size.learn(count, bytes);
    } catch (error) {
      if (!this.#size.shrink(error, count)) throw error;
    }
  }
}
