// A connection that is made again when it is lost, to what it was to before or to nothing.
import type { Address } from './address.js';
import { LinkLost, unavailable } from './errors.js';
import { Link } from './link.js';
import type { LinkOptions } from './link.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

export interface SessionOptions extends Omit<LinkOptions, 'name'> {
  readonly addresses: readonly Address[];
  readonly label: string;
  /** How long the way to the server is looked for before who waits is told that there is none. */
  readonly unavailableAfterMs: number;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #name: string;
  readonly #check: (link: Link) => Promise<void>;
  #link: Link | undefined;
  #opening: Promise<Link> | undefined;
  #closed = false;
  #turn = 0;
  /** Told of every connection that is made. */
  onLink: ((link: Link) => void) | undefined;

  /** `check`: throws for a connection that is not to what it must be. */
  constructor(options: SessionOptions, name: string, check: (link: Link) => Promise<void>) {
    this.#options = options;
    this.#name = name;
    this.#check = check;
  }

  /** When `unavailableAfterMs` from now are over: for several attempts in a row. */
  until(): number {
    return Date.now() + this.#options.unavailableAfterMs;
  }

  /** @throws StoreError STORE_UNAVAILABLE when there is no way by then, others for what is no matter of the way */
  link(until: number = this.until()): Promise<Link> {
    if (this.#link && !this.#link.isLost) return Promise.resolve(this.#link);
    return (this.#opening ??= this.#open(until).finally(() => (this.#opening = undefined)));
  }

  /** Runs `read` until it is answered: for what may be asked again. */
  async again<T>(read: (link: Link) => Promise<T>): Promise<T> {
    const until = this.until();
    for (;;) {
      const link = await this.link(until);
      try {
        return await read(link);
      } catch (error) {
        if (!(error instanceof LinkLost)) throw error;
        if (this.#closed || Date.now() > until) throw this.#unavailable(error);
      }
    }
  }

  async end(): Promise<void> {
    this.#closed = true;
    await this.#link?.end();
  }

  /** Cuts the connection. */
  close(): void {
    this.#closed = true;
    this.#link?.close();
  }

  async #open(until: number): Promise<Link> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      let why: unknown;
      for (let left = this.#options.addresses.length; left > 0; left--) {
        try {
          const link = await this.#attempt();
          this.#link = link;
          this.onLink?.(link);
          return link;
        } catch (error) {
          if (!(error instanceof LinkLost)) throw error;
          why = error;
          // The next in line, at once.
          this.#turn += 1;
        }
      }
      if (this.#closed || Date.now() + pause > until) throw this.#unavailable(why);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #attempt(): Promise<Link> {
    const { addresses } = this.#options;
    const address = addresses[this.#turn % addresses.length];
    if (!address) throw new LinkLost('there is no address');
    const link = await Link.open(address, { ...this.#options, name: this.#name });
    try {
      if (this.#closed) throw new LinkLost('it was closed');
      await this.#check(link);
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  #unavailable(why: unknown): Error {
    return unavailable(this.#options.label, why, '', this.#options.what);
  }
}
