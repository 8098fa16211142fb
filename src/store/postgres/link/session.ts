// A connection that is made again when it is lost, to the same store or to none.
import { StoreError } from '../../../errors.js';
import { equalBytes, toHex } from '../../../proof/bytes.js';
import type { ChainPoint } from '../../audit-log.js';
import { inspect } from '../schema/inspect.js';
import type { Address } from './address.js';
import { LinkLost, unavailable } from './errors.js';
import { Link } from './link.js';
import { checkServer } from './server-check.js';
import type { Durability } from '../public-types.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

export interface SessionOptions {
  readonly addresses: readonly Address[];
  readonly label: string;
  readonly schema: string;
  readonly durability: Durability;
  readonly timeoutMs: number;
  /** What finds by itself that rows are gone, and says which. @default false */
  readonly tellsRollback?: boolean;
  /** How long the way to the server is looked for before who waits is told that there is none. */
  readonly unavailableAfterMs: number;
}

/** What every connection of a store has in common. */
export interface Same {
  /** The store that it must be; undefined until it is known. */
  storeId: Uint8Array | undefined;
  /** The newest row that this process knows to be durable. */
  known: ChainPoint;
}

export class Session {
  readonly options: SessionOptions;
  readonly same: Same;
  readonly #name: string;
  #link: Link | undefined;
  #opening: Promise<Link> | undefined;
  #closed = false;
  #turn = 0;
  /** Told of every connection that is made. */
  onLink: ((link: Link) => void) | undefined;

  constructor(options: SessionOptions, same: Same, name: string) {
    this.options = options;
    this.same = same;
    this.#name = name;
  }

  /** When `unavailableAfterMs` from now are over: for several attempts in a row. */
  until(): number {
    return Date.now() + this.options.unavailableAfterMs;
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
        if (this.#closed || Date.now() > until) throw unavailable(this.options.label, error);
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
    const { label } = this.options;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      let why: unknown;
      for (let left = this.options.addresses.length; left > 0; left--) {
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
      if (this.#closed || Date.now() + pause > until) throw unavailable(label, why);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #attempt(): Promise<Link> {
    const { addresses, schema, timeoutMs, durability } = this.options;
    const address = addresses[this.#turn % addresses.length];
    if (!address) throw new LinkLost('there is no address');
    const link = await Link.open(address, { schema, timeoutMs, name: this.#name });
    try {
      if (this.#closed) throw new LinkLost('the store is closed');
      await checkServer(link, durability);
      const { storeId } = this.same;
      if (storeId) await this.#assertSame(link, storeId);
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** The same store, and nothing of it is gone. */
  async #assertSame(link: Link, storeId: Uint8Array): Promise<void> {
    const { label, schema } = this.options;
    const found = await inspect(link, label, schema);
    if (!found) throw new StoreError('STORE_MISSING', `the root store ${label} is gone`);
    if (!equalBytes(found.storeId, storeId)) {
      const words = `it has the id ${toHex(found.storeId)}, wanted is ${toHex(storeId)}`;
      throw new StoreError('STORE_FOREIGN', `${label} is another root store: ${words}`);
    }
    if (!this.options.tellsRollback) await assertNotRolledBack(link, label, this.same.known);
  }
}

/** @throws StoreError STORE_DAMAGED when the log does not have a row that it had */
export async function assertNotRolledBack(
  link: Link,
  label: string,
  { seq, hash }: ChainPoint,
): Promise<void> {
  if (seq === 0n) return;
  const [found] = await link.query(
    `SELECT s.rows, s.base_seq >= $1 AS archived, coalesce(a.hash = $2, false) AS same
     FROM store s LEFT JOIN audit a ON a.seq = $1`,
    [seq, hash],
  );
  if (found?.['same'] === true || (found?.['archived'] === true && (found['rows'] as bigint) >= seq)) return;
  const rows = typeof found?.['rows'] === 'bigint' ? found['rows'].toString() : 'no';
  const words = `it has ${rows} rows, and not row ${seq.toString()} as it was written: an older state was put in its place`;
  throw new StoreError('STORE_DAMAGED', `the root store ${label} was rolled back: ${words}`);
}
