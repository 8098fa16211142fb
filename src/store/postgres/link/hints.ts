// Hints that there are new rows: sent apart from the transactions that write them, for a notification in one of these would hold a
// lock of the whole server at its commit. They are hints: whoever gets one looks.
import { ClosedError } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import type { Link } from './link.js';
import type { Session } from './session.js';

const EVERY_MS = 50;

export class Hints {
  readonly #make: () => Session;
  readonly #sender: Session;
  readonly #channel: string;
  readonly #listeners = new Set<() => void>();
  #session: Session | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;
  #closed = false;

  /** `make`: a connection to listen on, for whoever wants hints; `sender`: no transaction is ever open on it. */
  constructor(make: () => Session, sender: Session, storeId: Uint8Array) {
    this.#make = make;
    this.#sender = sender;
    this.#channel = `immu_ts_${toHex(storeId)}`;
  }

  /** Rows were written here. */
  send(): void {
    this.#isDue = true;
    if (this.#timer || this.#closed) return;
    this.#tell();
    this.#timer = setInterval(() => this.#tell(), EVERY_MS).unref();
  }

  async listen(hint: () => void): Promise<() => void> {
    if (this.#closed) throw new ClosedError('the root store');
    this.#listeners.add(hint);
    try {
      await this.#connected().link();
    } catch (error) {
      this.#listeners.delete(hint);
      throw error;
    }
    return () => this.#listeners.delete(hint);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    clearInterval(this.#timer);
    await this.#session?.end();
  }

  #tell(): void {
    if (!this.#isDue) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#isDue = false;
    const told = this.#sender.link();
    // Nobody waits for a hint, and one that is lost does no harm.
    told
      .then((link) => link.query('SELECT pg_notify($1, $2)::text', [this.#channel, '']))
      .catch(() => undefined);
  }

  #connected(): Session {
    if (this.#session) return this.#session;
    this.#session = this.#make();
    this.#session.onLink = (link) => this.#hear(link);
    return this.#session;
  }

  #hear(link: Link): void {
    link.onNotification((channel) => {
      if (channel === this.#channel) for (const hint of this.#listeners) hint();
    });
    link.query(`LISTEN ${this.#channel}`).catch(() => undefined);
    link.whenLost(() => {
      // Hints of the time without a connection are made up for by one.
      if (this.#closed || this.#listeners.size === 0) return;
      const again = this.#session?.link();
      again?.then(() => this.#listeners.forEach((hint) => hint())).catch(() => undefined);
    });
  }
}
