// A root store that many machines share: one schema of a PostgreSQL server, one chain in it.
import { ArgumentError } from '../../errors.js';
import { knownNames } from '../../known-names.js';
import { fromHex, toHex } from '../../proof/bytes.js';
import { HASH_SIZE } from '../../proof/hash.js';
import type { ChainPoint } from '../audit-log.js';
import { checkedBytes, checkedId, isObject } from '../log/audit-entry.js';
import { CheckedStore } from '../log/checked-store.js';
import { STORE_ID_SIZE } from '../log/checkpoint.js';
import { addressesOf, toldOf } from './link/address.js';
import type { Address } from './link/address.js';
import type { Durability, PostgresDiagnostics } from './public-types.js';
import type { StoreSessionOptions } from './link/store-session.js';
import { checkSchema, labelOf, milliseconds } from './input.js';
import { openStore } from './open.js';
import type { AnsweringPostgres } from './answering.js';

export interface PostgresRootStoreOptions {
  /** The schema that the store has for itself. @default 'immu_ts' */
  readonly schema?: string;
  /**
   * Id of the store that it must be, in hex, as {@link PostgresRootStore.storeId} gives it. With it a schema that was dropped is
   * STORE_MISSING, and no fresh start. @default any; one that is not there is made
   */
  readonly storeId?: string;
  /** `if-new`: the store is made when there is none in the schema. `never`: it must be there. @default 'if-new' */
  readonly create?: 'if-new' | 'never';
  /** `sync`: rows are durable on a synchronous standby too; refused where the server has none. @default 'local' */
  readonly durability?: Durability;
  /** A row that the log must have: kept from {@link PostgresRootStore.newest}, it finds an older state that was restored. */
  readonly notBefore?: ChainPoint;
  /** How long an answer of the server is waited for, a commit included. @default 10 000 */
  readonly answerTimeoutMs?: number;
  /** How long a lost connection is made again before who waits is told STORE_UNAVAILABLE. @default 10 000 */
  readonly unavailableAfterMs?: number;
  /** How long `close` waits for what was asked before. @default 10 000 */
  readonly closeTimeoutMs?: number;
}

const NAMES = [
  ...['schema', 'storeId', 'create', 'durability', 'notBefore'],
  ...['answerTimeoutMs', 'unavailableAfterMs', 'closeTimeoutMs'],
];

/**
 * Root store in a schema of PostgreSQL, for processes on many machines: one chain of rows, whoever writes. What SqliteRootStore
 * promises holds here too: a promise resolves when its row is durable on the server. Needs the package `pg`.
 *
 * @example
 * await using store = await PostgresRootStore.open('postgres://immu@db.example/trust', { durability: 'sync' });
 * await using client = new ImmuClient({ address: 'ledger.example:3322', store });
 */
export class PostgresRootStore extends CheckedStore {
  /** The server and the schema, without user and password. */
  readonly path: string;
  /** 16 random bytes in hex, made with the store. */
  readonly storeId: string;
  readonly #store: AnsweringPostgres;

  private constructor(path: string, store: AnsweringPostgres) {
    super(store);
    this.path = path;
    this.storeId = toHex(store.storeId);
    this.#store = store;
  }

  /**
   * Opens the store at a URL like `postgres://user:password@host:port/database`, or at the first of several that is no standby.
   * A URL may tell `schema`, `storeId` and `durability` too: `?schema=trust&durability=sync`.
   * Its tables, functions and newest rows are checked; `audit.verify()` checks all.
   *
   * @throws StoreError STORE_UNAVAILABLE (not reached within `unavailableAfterMs`, or a standby), STORE_MISSING, STORE_FOREIGN,
   * STORE_DAMAGED, or STORE_FAILED (`fsync = off`, no synchronous standby where one is asked for, a login that is refused)
   */
  static async open(
    url: string | readonly string[],
    options: PostgresRootStoreOptions = {},
  ): Promise<PostgresRootStore> {
    if (!isObject(options)) throw new ArgumentError('options', 'options must be an object');
    knownNames('options', options, NAMES);
    const addresses = addressesOf(url);
    const { create = 'if-new' } = options;
    const told = toldOf(addresses, defined(options));
    const { schema = 'immu_ts', storeId } = told;
    const durability = (told.durability ?? 'local') as Durability;
    checkSchema(schema);
    oneOf('create', create, ['if-new', 'never']);
    oneOf('durability', durability, ['local', 'sync']);
    if (storeId !== undefined && !(typeof storeId === 'string' && ID.test(storeId)))
      throw new ArgumentError('storeId', `storeId must be ${2 * STORE_ID_SIZE} hex digits`);
    const label = labelOf(addresses, schema);
    const session: StoreSessionOptions = {
      ...{ addresses, label, schema, durability },
      timeoutMs: milliseconds('answerTimeoutMs', options.answerTimeoutMs),
      unavailableAfterMs: milliseconds('unavailableAfterMs', options.unavailableAfterMs),
    };
    const closeTimeoutMs = milliseconds('closeTimeoutMs', options.closeTimeoutMs);
    const known = checkedPoint(options.notBefore);
    const id = storeId === undefined ? undefined : fromHex(storeId.toLowerCase());
    return new PostgresRootStore(
      label,
      await openStore(session, { create, closeTimeoutMs, known, storeId: id }),
    );
  }

  /** The newest row that this process knows to be durable; seq 0: none. */
  get newest(): ChainPoint {
    const { seq, hash } = this.#store.newest;
    return { seq, hash: new Uint8Array(hash) };
  }

  get diagnostics(): PostgresDiagnostics {
    return this.#store.diagnostics;
  }

  /**
   * Calls `hint` soon after rows were written, by any process: at most every 50 ms for each that writes. A hint may be lost, or come
   * for nothing: it says when to look. Ends with what it returns, or with the store.
   *
   * @throws StoreError STORE_UNAVAILABLE; ClosedError
   */
  onRows(hint: () => void): Promise<() => void> {
    if (typeof hint !== 'function') throw new ArgumentError('hint', 'hint must be a function');
    return this.#store.onRows(hint);
  }

  /** Waits for what was asked before, at most `closeTimeoutMs`; what is asked later is refused with ClosedError. Always resolves. */
  override close(): Promise<void> {
    return super.close();
  }
}

const ID = new RegExp(`^[0-9a-fA-F]{${2 * STORE_ID_SIZE}}$`);

/** Those of the options that a URL may tell too. */
function defined({ schema, storeId, durability }: PostgresRootStoreOptions): Address['told'] {
  return {
    ...(schema !== undefined && { schema }),
    ...(storeId !== undefined && { storeId }),
    ...(durability !== undefined && { durability }),
  };
}

function oneOf(name: string, value: string, known: readonly string[]): void {
  if (!known.includes(value))
    throw new ArgumentError(name, `${name} must be ${known.map((each) => `'${each}'`).join(' or ')}`);
}

function checkedPoint(point: ChainPoint | undefined): ChainPoint {
  if (point === undefined) return { seq: 0n, hash: new Uint8Array(HASH_SIZE) };
  if (!isObject(point)) throw new ArgumentError('notBefore', 'notBefore must be { seq, hash }');
  return {
    seq: checkedId('notBefore.seq', point.seq),
    hash: checkedBytes('notBefore.hash', point.hash, HASH_SIZE),
  };
}
