// How far an ingestion is, how fast, and how long it will take: one line that is written over on a terminal, now and then one elsewhere.
import type { Output } from '../../output.js';

const ELSEWHERE_EVERY_MS = 10_000;

/** How far it is. */
export interface Pace {
  /** Records proven in this run, and those passed over because an earlier run had written them. */
  readonly proven: number;
  readonly before: number;
  /** Since the first record that was not passed over. */
  readonly seconds: number;
  /** Bytes of all files, where that is known; those read so far, and how many of them were passed over. */
  readonly size: number | undefined;
  readonly read: number;
  readonly passed: number;
}

export class RateLine {
  readonly #err: Output;
  #shownAt = performance.now();
  #shown = false;

  constructor(err: Output) {
    this.#err = err;
  }

  async show(pace: Pace): Promise<void> {
    const now = performance.now();
    if (!this.#err.isTerminal && now - this.#shownAt < ELSEWHERE_EVERY_MS) return;
    this.#shownAt = now;
    this.#shown = true;
    const line = rateLine(pace);
    await this.#err.write(this.#err.isTerminal ? `\r${line.padEnd(79)}` : `${line}\n`);
  }

  /** What is written next begins a line of its own. */
  async end(): Promise<void> {
    if (this.#shown && this.#err.isTerminal) await this.#err.write('\n');
  }
}

export function rateLine({ proven, before, seconds, size, read, passed }: Pace): string {
  const apart = before > 0 ? `${before} passed over, ` : '';
  const rate = `${apart}${proven} records proven, ${Math.round(proven / Math.max(seconds, 1e-3))}/s`;
  if (size === undefined || size === 0 || read <= passed) return rate;
  const left = Math.max(0, Math.ceil((seconds * (size - read)) / (read - passed)));
  return `${rate}, ${Math.floor(100 * Math.min(1, read / size))} %, ${timeLeft(left)} left`;
}

function timeLeft(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60] as const;
  if (parts[0] > 0) return `${parts[0]} h ${parts[1]} min`;
  return parts[1] > 0 ? `${parts[1]} min ${parts[2]} s` : `${seconds} s`;
}
