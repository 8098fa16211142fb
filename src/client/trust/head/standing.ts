// Whether the server still stands where it was trusted: its newest state is proven to extend the head, over the connection
// that is used now, a moment ago. Without that an answer that names no head (nothing there; a write taken) may come from a
// server that was rolled back, restored from a backup, or exchanged for another history.
import { VerificationError } from '../../../errors.js';

export interface StandingOptions {
  /** Asks for the newest state and has it proven that it extends the head, which is moved there. Rejects with the refusal. */
  readonly prove: (operation: string) => Promise<void>;
  /** Another number after another connection was made. */
  readonly connection: () => number;
  /** The server is known to stand elsewhere, or likely to. */
  readonly onDoubt: () => void;
  /** The server that answered over this connection was refused. */
  readonly onRefused?: (connection: number) => void;
  /** The same refusal for another call: recorded, and returned to be thrown. */
  readonly again: (refusal: VerificationError, operation: string) => Promise<VerificationError>;
}

/** What was proven counts for this long, in milliseconds: so there is at most one such proof a second. */
const FRESH_MS = 1000;

/** Refusals that say where the server stands, whatever else it answers. */
const STANDS_ELSEWHERE: ReadonlySet<string> = new Set(['SERVER_BEHIND_TRUST', 'FORK_DETECTED']);

export function standsElsewhere(error: unknown): error is VerificationError {
  return error instanceof VerificationError && STANDS_ELSEWHERE.has(error.code);
}

interface Proving {
  readonly from: number;
  readonly done: Promise<void>;
}

export class Standing {
  readonly #options: StandingOptions;
  /** When the question was sent whose answer was proven to extend the head, and over which connection. */
  #provenFrom = -Infinity;
  #connection: number | undefined;
  #proving: Proving | undefined;
  #doubted = false;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** No verified call may pass before {@link assure}: the server was refused, or an answer of its made that likely. */
  get holdsBack(): boolean {
    return this.#doubted;
  }

  /** Proven from a question on that was sent at this time or later. */
  isProven(since: number): boolean {
    return !this.#doubted && this.#provenFrom >= since && this.#connection === this.#options.connection();
  }

  /** An answer contradicts the head: the next call finds out whether the server does, or the answer was a lie of its own. */
  doubt(): void {
    this.#doubted = true;
    this.#options.onDoubt();
  }

  /** The head is the server's own newest state, asked for at this time: writes go by that, a null is asked for anew. */
  note(from: number): void {
    this.#provenFrom = from - FRESH_MS;
    this.#connection = this.#options.connection();
  }

  /**
   * Resolves when it is proven; undefined when it is at once. `since`: the time from which on it must have been asked for.
   * Whoever comes while it is being proven shares the outcome; a server that was refused is asked again by the next.
   *
   * @throws VerificationError when the server does not extend the head
   */
  assure(operation: string, since = performance.now() - FRESH_MS): Promise<void> | undefined {
    return this.isProven(since) ? undefined : this.#assure(operation, since);
  }

  async #assure(operation: string, since: number): Promise<void> {
    for (;;) {
      const shared = this.#proving;
      const { from, done } = (this.#proving ??= this.#begin(operation));
      try {
        await done;
      } catch (error) {
        const isOurs = !shared || !(error instanceof VerificationError);
        throw isOurs ? error : await this.#options.again(error, operation);
      }
      if (from >= since) return;
    }
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
          // Whoever answers by now, if that is another, has proven nothing yet.
          if (this.#options.connection() === connection) this.#doubted = false;
        },
        (error: unknown) => {
          // A proof that does not hold may be a lie of its own, or the server's way to answer: it holds back who needs it.
          if (standsElsewhere(error)) this.doubt();
          if (error instanceof VerificationError) this.#options.onRefused?.(connection);
          throw error;
        },
      )
      .finally(() => (this.#proving = undefined));
    done.catch(() => undefined);
    return { from, done };
  }
}
