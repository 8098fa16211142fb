// Whether the server still stands where it was trusted: its newest state is proven to extend the head, over the connection
// that is used now, a moment ago. Without that an answer that names no head (nothing there; a write taken) may come from a
// server that was rolled back, restored from a backup, or exchanged for another history.
import { VerificationError } from '../../errors.js';

export interface StandingOptions {
  /** Asks for the newest state and has it proven that it extends the head, which is moved there. Rejects with the refusal. */
  readonly prove: (operation: string) => Promise<void>;
  /** Another number after another connection was made. */
  readonly connection: () => number;
  /** The same refusal for `calls` further calls of an operation: recorded, and returned to be thrown. */
  readonly again: (
    refusal: VerificationError,
    operation: string,
    calls: number,
  ) => Promise<VerificationError>;
}

/** What was proven counts for this long, in milliseconds: so there is at most one such proof a second. */
const FRESH_MS = 1000;
/**
 * A refused server is asked again this long after, in milliseconds, or once there is another connection: until then calls are
 * refused without being sent.
 */
const RETRY_MS = 1000;

interface Proving {
  readonly from: number;
  readonly done: Promise<void>;
}

interface Refusal {
  readonly error: VerificationError;
  readonly at: number;
  readonly connection: number;
  /** Calls that were refused by it and are in no row yet, by operation; an operation that is here has a row. */
  readonly told: Map<string, number>;
}

export class Standing {
  readonly #options: StandingOptions;
  /** When the question was sent whose answer was proven to extend the head, and over which connection. */
  #provenFrom = -Infinity;
  #connection: number | undefined;
  #proving: Proving | undefined;
  #refusal: Refusal | undefined;
  #doubted = false;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** No verified call may pass before {@link assure}: the server was refused, or an answer of its made that likely. */
  get holdsBack(): boolean {
    return this.#doubted || this.#refusal !== undefined;
  }

  /** Proven from a question on that was sent at this time or later. */
  isProven(since: number): boolean {
    return !this.holdsBack && this.#provenFrom >= since && this.#connection === this.#options.connection();
  }

  /** An answer contradicts the head: the next call finds out whether the server does, or the answer was a lie of its own. */
  doubt(): void {
    this.#doubted = true;
  }

  /** The head is the server's own newest state, asked for at this time: writes go by that, a null is asked for anew. */
  note(from: number): void {
    this.#provenFrom = from - FRESH_MS;
    this.#connection = this.#options.connection();
  }

  /**
   * Resolves when it is proven; undefined when it is at once. `since`: the time from which on it must have been asked for.
   *
   * @throws VerificationError when the server does not extend the head: the same for all who call within a second
   */
  assure(operation: string, since = performance.now() - FRESH_MS): Promise<void> | undefined {
    return this.isProven(since) ? undefined : this.#assure(operation, since);
  }

  async #assure(operation: string, since: number): Promise<void> {
    const known = this.#refusal;
    if (known && this.#isKept(known)) throw await this.#tell(known, operation);
    for (;;) {
      this.#proving ??= this.#begin(operation);
      const { from, done } = this.#proving;
      try {
        await done;
      } catch (error) {
        const refusal = this.#refusal;
        throw refusal && refusal.error === error ? await this.#tell(refusal, operation) : error;
      }
      if (from >= since) return;
    }
  }

  #isKept({ at, connection }: Refusal): boolean {
    return performance.now() - at < RETRY_MS && connection === this.#options.connection();
  }

  #begin(operation: string): Proving {
    const from = performance.now();
    const connection = this.#options.connection();
    const done = this.#options
      .prove(operation)
      .then(
        () => {
          this.#provenFrom = from;
          this.#connection = connection;
          this.#doubted = false;
          return this.#replace(undefined);
        },
        async (error: unknown) => {
          if (error instanceof VerificationError) {
            const told = new Map([[operation, 0]]);
            await this.#replace({ error, at: performance.now(), connection, told });
          }
          throw error;
        },
      )
      .finally(() => (this.#proving = undefined));
    done.catch(() => undefined);
    return { from, done };
  }

  /** The first call of an operation that is refused has a row of its own; the others are counted. */
  async #tell(refusal: Refusal, operation: string): Promise<VerificationError> {
    const told = refusal.told.get(operation);
    refusal.told.set(operation, told === undefined ? 0 : told + 1);
    return told === undefined ? this.#options.again(refusal.error, operation, 1) : refusal.error;
  }

  async #replace(next: Refusal | undefined): Promise<void> {
    const before = this.#refusal;
    this.#refusal = next;
    if (before) await this.#writeCounts(before);
  }

  async #writeCounts({ error, told }: Refusal): Promise<void> {
    const due = [...told].filter(([, calls]) => calls > 0);
    told.clear();
    await Promise.all(due.map(([operation, calls]) => this.#options.again(error, operation, calls)));
  }

  /** Writes what was counted and is in no row yet. */
  async close(): Promise<void> {
    if (this.#refusal) await this.#writeCounts(this.#refusal);
  }
}
