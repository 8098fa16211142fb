// A database whose values are of a user's own type: the calls of a handle that write or read values, with a codec between.
import { types } from 'node:util';
import type { Entry } from '../calls/kv/entries.js';
import type { Write } from '../calls/kv/kv.js';
import type { VerifiedEntry } from '../calls/kv/verified-entry.js';
import type { HistoryEntry, HistoryOptions } from '../calls/scans/history.js';
import type { ScanOptions } from '../calls/scans/scan.js';
import type { VerifiedVersion } from '../calls/scans/verified-history.js';
import type { DatabaseHandle } from '../database-handle.js';
import type { BytesInput } from '../input/bytes-input.js';
import type { CallOptions } from '../input/call-options.js';
import { isLatest } from '../input/get-options.js';
import type { GetOptions, LatestOptions } from '../input/get-options.js';
import type { LatestEntry } from '../calls/latest/latest-get.js';
import type { ProvenAbsence } from '../calls/latest/proven.js';
import { knownNames, optionsObject, wrongType } from '../input/option-checks.js';
import { encoded, withDecoded } from '../results/codec.js';
import type { Codec, Decoded } from '../results/codec.js';
import type { EntryBase } from '../results/entry-base.js';
import type { VerifiedWrite } from '../trust/write.js';

/** Values to write by their keys: a Map, a plain object, or anything that yields [key, value]. */
export type TypedPairs<T> = Iterable<readonly [BytesInput, T]> | Readonly<Record<string, T>>;

type SetOptions = Parameters<DatabaseHandle['set']>[2];
type DeleteOptions = Parameters<DatabaseHandle['delete']>[1];
type VerifiedDeleteOptions = Parameters<DatabaseHandle['verifiedDelete']>[1];
type VerifiedSetOptions = Parameters<DatabaseHandle['verifiedSet']>[2];

/**
 * A database through a codec: writes take values of type `T`, entries have theirs as `decoded`. Everything else is as it is with
 * the handle of the bytes, {@link bytes}, which has all other calls.
 *
 * @example
 * const orders = client.database<Order>('shop', { codec: 'json' });
 * await orders.verifiedSet('order/17', { item: 'lamp', count: 2 });
 * const count = (await orders.verifiedGet('order/17'))?.decoded.count;
 */
export class TypedDatabase<T> {
  /** The same database without the codec. */
  readonly bytes: DatabaseHandle;
  readonly #codec: Codec<T>;

  /** @internal */
  constructor(bytes: DatabaseHandle, codec: Codec<T>) {
    this.bytes = bytes;
    this.#codec = codec;
  }

  /** Name of the database that calls go to. */
  get databaseName(): string {
    return this.bytes.databaseName;
  }

  /** {@link DatabaseHandle.set}. */
  async set(key: BytesInput, value: T, options?: SetOptions): Promise<Write> {
    return this.bytes.set(key, encoded(this.#codec, value), options);
  }

  /** {@link DatabaseHandle.setAll}. */
  async setAll(entries: TypedPairs<T>, options?: SetOptions): Promise<Write> {
    return this.bytes.setAll(encodedPairs(this.#codec, entries), options);
  }

  /** {@link DatabaseHandle.get}. */
  async get(key: BytesInput, options?: GetOptions): Promise<Decoded<Entry, T> | null> {
    return this.#decoded(await this.bytes.get(key, options));
  }

  /** {@link DatabaseHandle.getAll}. */
  async getAll(keys: Iterable<BytesInput>, options?: CallOptions): Promise<(Decoded<Entry, T> | null)[]> {
    return (await this.bytes.getAll(keys, options)).map((entry) => this.#decoded(entry));
  }

  /** {@link DatabaseHandle.scan}. */
  scan(options?: ScanOptions): AsyncGenerator<Decoded<Entry, T>, void, undefined> {
    return this.#each(this.bytes.scan(options));
  }

  /** {@link DatabaseHandle.history}: of a version without a value, `decoded` is an error. */
  history(
    key: BytesInput,
    options?: HistoryOptions,
  ): AsyncGenerator<Decoded<HistoryEntry, T>, void, undefined> {
    return this.#each(this.bytes.history(key, options));
  }

  /** {@link DatabaseHandle.delete}. */
  delete(keys: BytesInput | Iterable<BytesInput>, options?: DeleteOptions): Promise<Write> {
    return this.bytes.delete(keys, options);
  }

  /** {@link DatabaseHandle.verifiedSet}: what is proven are the bytes that the codec gave. */
  async verifiedSet(key: BytesInput, value: T, options?: VerifiedSetOptions): Promise<VerifiedWrite> {
    return this.bytes.verifiedSet(key, encoded(this.#codec, value), options);
  }

  /** {@link DatabaseHandle.verifiedSetAll}. */
  async verifiedSetAll(entries: TypedPairs<T>, options?: VerifiedSetOptions): Promise<VerifiedWrite> {
    return this.bytes.verifiedSetAll(encodedPairs(this.#codec, entries), options);
  }

  /** {@link DatabaseHandle.verifiedGet}: what is proven are the bytes that the codec decodes. */
  async verifiedGet(
    key: BytesInput,
    options: LatestOptions,
  ): Promise<Decoded<LatestEntry, T> | ProvenAbsence>;
  async verifiedGet(key: BytesInput, options?: GetOptions): Promise<Decoded<VerifiedEntry, T> | null>;
  async verifiedGet(
    key: BytesInput,
    options?: GetOptions | LatestOptions,
  ): Promise<Decoded<VerifiedEntry, T> | ProvenAbsence | null> {
    if (options === undefined || !isLatest(options))
      return this.#decoded(await this.bytes.verifiedGet(key, options));
    const told = await this.bytes.verifiedGet(key, options);
    return 'absent' in told ? told : withDecoded(this.#codec, told);
  }

  /** {@link DatabaseHandle.verifiedGetAll}. */
  async verifiedGetAll(
    keys: Iterable<BytesInput>,
    options?: CallOptions,
  ): Promise<(Decoded<VerifiedEntry, T> | null)[]> {
    return (await this.bytes.verifiedGetAll(keys, options)).map((entry) => this.#decoded(entry));
  }

  /** {@link DatabaseHandle.verifiedScan}. */
  verifiedScan(options?: ScanOptions): AsyncGenerator<Decoded<VerifiedEntry, T>, void, undefined> {
    return this.#each(this.bytes.verifiedScan(options));
  }

  /** {@link DatabaseHandle.verifiedHistory}: of a version without a value, `decoded` is an error. */
  verifiedHistory(
    key: BytesInput,
    options?: HistoryOptions,
  ): AsyncGenerator<Decoded<VerifiedVersion, T>, void, undefined> {
    return this.#each(this.bytes.verifiedHistory(key, options));
  }

  /** {@link DatabaseHandle.verifiedDelete}. */
  verifiedDelete(
    keys: BytesInput | Iterable<BytesInput>,
    options?: VerifiedDeleteOptions,
  ): Promise<VerifiedWrite> {
    return this.bytes.verifiedDelete(keys, options);
  }

  async *#each<E extends EntryBase>(
    entries: AsyncGenerator<E, void, undefined>,
  ): AsyncGenerator<Decoded<E, T>, void, undefined> {
    for await (const entry of entries) yield withDecoded(this.#codec, entry);
  }

  #decoded<E extends EntryBase>(entry: E | null): Decoded<E, T> | null {
    return entry && withDecoded(this.#codec, entry);
  }
}

/** How a database is to be seen. */
export interface HandleOptions<C> {
  /** `json`, `text`, or how values are made of bytes and bytes of them. */
  readonly codec: C;
}

const JSON_CODEC: Codec<unknown> = {
  encode: (value) => JSON.stringify(value),
  decode: (bytes) => JSON.parse(UTF8.decode(bytes)) as unknown,
};
const TEXT_CODEC: Codec<string> = {
  encode: (value) => value,
  decode: (bytes) => UTF8.decode(bytes),
};
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @internal The codec that options name; undefined for bytes. Throws ArgumentError. */
export function codecOf(options: unknown): Codec<unknown> | undefined {
  optionsObject('options', options);
  knownNames('options', options, ['codec']);
  const { codec } = options as { readonly codec?: unknown };
  if (codec === undefined) return undefined;
  if (codec === 'json') return JSON_CODEC;
  if (codec === 'text') return TEXT_CODEC;
  const { encode, decode } = Object(codec) as Partial<Codec<unknown>>;
  if (typeof encode !== 'function' || typeof decode !== 'function')
    wrongType('codec', "'json', 'text' or an object with encode and decode", codec);
  return codec as Codec<unknown>;
}

/** What is no pair stays what it is: the handle says so. Read as it is asked for: the source may be endless. */
function encodedPairs<T>(
  codec: Codec<T>,
  pairs: TypedPairs<T>,
): Iterable<readonly [BytesInput, Uint8Array | string]> {
  if (typeof pairs !== 'object' || (pairs as object | null) === null || types.isUint8Array(pairs)) {
    return pairs as unknown as [];
  }
  const given =
    Symbol.iterator in pairs ? (pairs as Iterable<readonly [BytesInput, T]>) : Object.entries(pairs);
  return eachEncoded(codec, given);
}

function* eachEncoded<T>(
  codec: Codec<T>,
  pairs: Iterable<readonly [BytesInput, T]>,
): Generator<readonly [BytesInput, Uint8Array | string]> {
  let i = 0;
  for (const pair of pairs as Iterable<unknown>) {
    const isPair = Array.isArray(pair) && pair.length === 2;
    const [key, value] = isPair ? (pair as unknown as readonly [BytesInput, T]) : [];
    yield (isPair ? [key, encoded(codec, value as T, `value of entry ${i}`)] : pair) as readonly [
      BytesInput,
      string,
    ];
    i += 1;
  }
}
