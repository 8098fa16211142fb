// Exports of `immu-ts/kysely`: Kysely on a database of immudb, with answers that are proven where they are asked to be. Needs the package
// `kysely`, which is not installed along.
import { Kysely } from 'kysely';
import type {
  DatabaseIntrospector,
  Dialect,
  DialectAdapter,
  Driver,
  KyselyConfig,
  QueryCompiler,
} from 'kysely';
import { ArgumentError } from './errors.js';
import type { DatabaseHandle } from './index.js';
import { ImmuAdapter } from './kysely/adapter.js';
import { ImmuQueryCompiler } from './kysely/compiler.js';
import { ImmuDriver } from './kysely/driver.js';
import { ImmuIntrospector } from './kysely/introspector.js';
import { checkOptions } from './kysely/options.js';

export interface ImmuDialectOptions {
  /** Deadline of each statement. @default the client's `timeoutMs` */
  readonly timeoutMs?: number;
  /** Deadline of each transaction, from its beginning to its commit. @default the client's `timeoutMs` */
  readonly transactionTimeoutMs?: number;
  /** Every answer is proven, or refused with NOT_PROVABLE. See {@link ImmuKysely.verified}. @default false */
  readonly verified?: boolean;
}

/** What {@link ImmuKysely} is given beside a database. */
export interface ImmuKyselyOptions extends Omit<ImmuDialectOptions, 'verified'> {
  readonly plugins?: KyselyConfig['plugins'];
  readonly log?: KyselyConfig['log'];
}

/**
 * immudb as a dialect of Kysely, on a client or a handle of one of its databases, which stays its owner's to close.
 *
 * @example
 * const db = new Kysely<Tables>({ dialect: new ImmuDialect(client) });
 */
export class ImmuDialect implements Dialect {
  readonly #database: DatabaseHandle;
  readonly #options: ImmuDialectOptions;

  /** @throws ArgumentError naming the option that is wrong */
  constructor(database: DatabaseHandle, options: ImmuDialectOptions = {}) {
    if (typeof (database as Partial<DatabaseHandle> | null)?.sql?.query !== 'function')
      throw new ArgumentError('database', 'database must be an ImmuClient, or a handle of a database');
    checkOptions(options, 'dialect');
    this.#database = database;
    this.#options = options;
  }

  createDriver(): Driver {
    const { verified = false } = this.#options;
    return new ImmuDriver(this.#database, this.#options, verified ? this.createQueryCompiler() : undefined);
  }

  createQueryCompiler(): QueryCompiler {
    return new ImmuQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new ImmuAdapter();
  }

  createIntrospector(): DatabaseIntrospector {
    return new ImmuIntrospector(this.#database);
  }
}

/**
 * Kysely on a database of immudb.
 *
 * @example
 * const db = new ImmuKysely<Tables>(client);
 * await db.verified().insertInto('orders').values({ id: 1n, total: 450n }).execute();
 * const rows = await db.selectFrom('orders').select(['id', 'total']).where('total', '>', 100n).execute();
 */
export class ImmuKysely<DB> extends Kysely<DB> {
  readonly #database: DatabaseHandle;
  readonly #options: ImmuKyselyOptions;

  /** @throws ArgumentError naming the option that is wrong */
  constructor(database: DatabaseHandle, options: ImmuKyselyOptions = {}) {
    super(configOf(database, options, false));
    this.#database = database;
    this.#options = options;
  }

  /**
   * The same database with answers that are proven. What is written, alone or in a transaction, is proven by its transaction, which holds
   * exactly these rows. Rows of one table that are selected are proven by their primary keys, no older than what was proven of them before, and
   * meet WHERE, ORDER BY and LIMIT; that none is left out is the server's word. Everything else is refused.
   *
   * @throws ImmuError NOT_PROVABLE, from a query, for what there is no proof of
   * @throws VerificationError, from a query, for an answer that is not proven
   */
  verified(): Kysely<DB> {
    return new Kysely<DB>(configOf(this.#database, this.#options, true));
  }
}

function configOf(database: DatabaseHandle, options: ImmuKyselyOptions, verified: boolean): KyselyConfig {
  checkOptions(options, 'kysely');
  const { plugins, log, ...own } = options;
  return {
    dialect: new ImmuDialect(database, { ...own, verified }),
    ...(plugins && { plugins }),
    ...(log && { log }),
  };
}
