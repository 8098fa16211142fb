// Refusals that are alike: a server that was rolled back is refused by every call, and the log needs to be told once a second
// how many those were, not once for each.

/** Refusals alike within this time of a row, in milliseconds, are counted for the next. */
const WINDOW_MS = 1000;
/** Kinds that are remembered: beyond it each has its row again. */
const MAX_KINDS = 256;

interface Told<T> {
  readonly at: number;
  /** Calls that are in no row yet. */
  calls: number;
  readonly refusal: T;
}

export class AlikeRefusals<T> {
  readonly #told = new Map<string, Told<T>>();

  /** Calls that a row for this refusal has to count; undefined: there is a row that is young enough, and the next one counts. */
  due(kind: string, refusal: T, calls: number): number | undefined {
    const now = performance.now();
    const before = this.#told.get(kind);
    if (before && now - before.at < WINDOW_MS) {
      before.calls += calls;
      return undefined;
    }
    if (!before && this.#told.size >= MAX_KINDS) return calls;
    this.#told.set(kind, { at: now, calls: 0, refusal });
    return calls + (before?.calls ?? 0);
  }

  /** What no row counts yet; nothing is remembered any more. */
  take(): { readonly refusal: T; readonly calls: number }[] {
    const left = [...this.#told.values()].filter(({ calls }) => calls > 0);
    this.#told.clear();
    return left.map(({ refusal, calls }) => ({ refusal, calls }));
  }
}
