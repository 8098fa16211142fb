// Results of a page that are proven one by one and handed out together: with the last of them, or with the first failure.
import type { ReadEnd } from '../kv/grouped-get.js';

export class Together<T> implements Pick<ReadEnd, 'settled' | 'reject'> {
  readonly done: Promise<T[]>;
  readonly #values: T[];
  #left: number;
  #settled = false;
  #resolve!: (values: T[]) => void;
  #reject!: (error: unknown) => void;

  /** Of `count` results. */
  constructor(count: number) {
    this.#values = new Array<T>(count);
    this.#left = count;
    this.done = new Promise<T[]>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined);
    if (count === 0) this.#finish();
  }

  /** Nobody waits any more. */
  get settled(): boolean {
    return this.#settled;
  }

  resolve(value: T, place: number): void {
    if (this.#settled) return;
    this.#values[place] = value;
    this.#left -= 1;
    if (this.#left === 0) this.#finish();
  }

  reject(error: unknown): void {
    this.#settled = true;
    this.#reject(error);
  }

  #finish(): void {
    this.#settled = true;
    this.#resolve(this.#values);
  }
}
