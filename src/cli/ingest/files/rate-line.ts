// How far an ingestion is, how fast, and how long it will take: one line that is written over on a terminal, now and then one elsewhere.
import type { Output } from '../../output.js';

const ELSEWHERE_EVERY_MS = 10_000;

export class RateLine {
  readonly #err: Output;
  readonly #size: number | undefined;
  readonly #before: number;
  #shownAt = performance.now();
  #shown = false;

  /** `size`: of all files in bytes, if that is known; `before`: records of an earlier run. */
  constructor(err: Output, size: number | undefined, before: number) {
    this.#err = err;
    this.#size = size;
    this.#before = before;
  }

  async show(
    { proven, seconds }: { readonly proven: number; readonly seconds: number },
    read: number,
  ): Promise<void> {
    const now = performance.now();
    if (!this.#err.isTerminal && now - this.#shownAt < ELSEWHERE_EVERY_MS) return;
    this.#shownAt = now;
    this.#shown = true;
    const line = rateLine(
      proven,
      (proven - this.#before) / Math.max(seconds, 1e-3),
      this.#size,
      read,
      seconds,
    );
    await this.#err.write(this.#err.isTerminal ? `\r${line.padEnd(70)}` : `${line}\n`);
  }

  /** What is written next begins a line of its own. */
  async end(): Promise<void> {
    if (this.#shown && this.#err.isTerminal) await this.#err.write('\n');
  }
}

export function rateLine(
  proven: number,
  perSecond: number,
  size: number | undefined,
  read: number,
  seconds: number,
): string {
  const rate = `${proven} records proven, ${Math.round(perSecond)}/s`;
  if (size === undefined || size === 0 || read === 0) return rate;
  const share = Math.min(1, read / size);
  const left = Math.ceil((seconds * (1 - share)) / share);
  return `${rate}, ${Math.floor(share * 100)} %, ${left} s left`;
}
