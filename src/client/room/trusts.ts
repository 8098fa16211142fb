// What a client trusts, per database: made at the first verified call, ended when another server is accepted in its place.
import type { DatabaseTrust } from '../trust/database-trust.js';
import { ReservedTxs } from '../trust/reserved-txs.js';

export interface TrustsOptions {
  /** Finds out who answers, and makes trust in its database. */
  readonly make: (database: string, writes: ReservedTxs) => Promise<DatabaseTrust>;
  /** Another number after another connection was made. */
  readonly connection: () => number;
}

interface Made {
  making: Promise<DatabaseTrust>;
  trust?: DatabaseTrust;
}

export class Trusts {
  readonly #options: TrustsOptions;
  #made = new Map<string, Made>();
  /** Txs of writes, whatever the session and the trust they were made under. */
  readonly #writes = new Map<string, ReservedTxs>();
  #ending: Promise<unknown> = Promise.resolve();

  constructor(options: TrustsOptions) {
    this.#options = options;
  }

  /** Trust in a database, when it was made already. */
  now(database: string): DatabaseTrust | undefined {
    return this.#made.get(database)?.trust;
  }

  /** Trust in a database: made at its first verified call. */
  of(database: string): Promise<DatabaseTrust> {
    const known = this.#made.get(database);
    if (known) return known.making;
    const made = {} as Made;
    made.making = this.#make(database, made).catch((error: unknown) => {
      if (this.#made.get(database) === made) this.#made.delete(database);
      throw error;
    });
    this.#made.set(database, made);
    return made.making;
  }

  /** Of a server that another was accepted in place of meanwhile nothing is handed out. */
  async #make(database: string, made: Made): Promise<DatabaseTrust> {
    const trust = await this.#options.make(database, this.writesOn(database));
    if (this.#made.get(database) !== made) return this.of(database);
    made.trust = trust;
    return trust;
  }

  writesOn(database: string): ReservedTxs {
    const known = this.#writes.get(database);
    if (known) return known;
    const made = new ReservedTxs(this.#options.connection);
    this.#writes.set(database, made);
    return made;
  }

  /** Ends all there is, at once; resolves when what was counted under it is written. */
  async end(): Promise<void> {
    const ending = [...this.#made.values()].flatMap(({ trust }) => (trust ? [trust.end()] : []));
    this.#made = new Map();
    this.#ending = Promise.allSettled([this.#ending, ...ending]);
    await Promise.all(ending);
  }

  /** What is trusted now and that which has ended, by what is waited for: each is closed on its own. */
  *closing(): Iterable<readonly [what: string, close: () => Promise<unknown>]> {
    for (const [database, { making }] of this.#made)
      yield [
        `what is due on ${database} to be written`,
        // One that could not be made has told so whoever needed it, and has nothing to write.
        async () => (await making.catch(() => undefined))?.close(),
      ];
    yield ['trust that has ended to be written', () => this.#ending];
  }

  *[Symbol.iterator](): Iterator<readonly [database: string, trust: DatabaseTrust]> {
    for (const [database, { trust }] of this.#made) if (trust) yield [database, trust];
  }
}
