// What is written by stream, as callers give it: entries whose values are bytes, or come in pieces. Their sizes are needed first,
// because they go first; each piece is held against them as it passes.
import { types } from 'node:util';
import { ArgumentError, ImmuError } from '../../../errors.js';
import { plainKey } from '../../../proof/entry.js';
import { keyName } from '../../../verify/key-name.js';
import { MAX_VALUE_BYTES, toKey } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import { kindOf, knownNames, optionsObject, whole } from '../../input/option-checks.js';
import { utf8Bytes } from '../../input/pooled-bytes.js';
import { MAX_TX_ENTRIES } from '../../input/bytes-input.js';

/** Where a value comes from, piece by piece: a Node `Readable`, a web `ReadableStream`, a generator. */
export type ValueSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** An entry whose value may be too large to be held at once. */
export interface StreamEntry {
  readonly key: BytesInput;
  readonly value: BytesInput | ValueSource;
  /** Bytes of the value: required where it comes in pieces, because it is told before them. 1 to 33 554 431. */
  readonly size?: number;
}

export type StreamEntries = Iterable<StreamEntry> | AsyncIterable<StreamEntry>;

/** The server's limit on all values of one stream together. */
export const MAX_STREAM_BYTES = 1 << 25;

/** An entry, checked. `pieces`: bytes as they are, which are copied on their way. */
export interface Part {
  /** What errors call its fields: `entries[3].`, or nothing where there is one. */
  readonly prefix: string;
  readonly key: Uint8Array;
  readonly size: number;
  readonly pieces: Uint8Array | ValueSource;
  /** A message before the key. */
  readonly lead?: Uint8Array;
}

/** An entry without a value, whose messages are whole. */
export interface WholePart {
  readonly messages: readonly Uint8Array[];
  readonly rawKey: Uint8Array;
}

/** Entries of one stream together: no key twice, no more and no longer than one transaction takes. */
export class Parts {
  readonly #what: string;
  readonly #names = new Set<string>();
  #bytes = 0;

  /** `what`: the argument that holds them. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Checks the next entry. Throws ArgumentError naming what is wrong. */
  next(entry: StreamEntry, name: string, prefix = `${name}.`): Part {
    this.#assertRoom();
    optionsObject(name, entry);
    knownNames(name, entry, ['key', 'value', 'size']);
    const part = partOf(entry, prefix);
    this.#add(plainKey(part.key), `${prefix}key`);
    this.#bytes += part.size;
    if (this.#bytes > MAX_STREAM_BYTES) {
      const what = `the values of one stream have ${MAX_STREAM_BYTES} bytes at most: with ${name} they have ${this.#bytes}`;
      throw tooMuch(name, what);
    }
    return part;
  }

  /** Takes an entry without a value. */
  whole(part: WholePart, name: string): WholePart {
    this.#assertRoom();
    this.#add(part.rawKey, name);
    return part;
  }

  #assertRoom(): void {
    if (this.#names.size < MAX_TX_ENTRIES) return;
    throw tooMuch(this.#what, `too many ${this.#what}: one transaction takes at most ${MAX_TX_ENTRIES}`);
  }

  #add(rawKey: Uint8Array, name: string): void {
    const raw = keyName(rawKey);
    if (this.#names.has(raw)) throw new ArgumentError(name, `${name} occurs twice`);
    this.#names.add(raw);
  }
}

function partOf({ key, value, size }: StreamEntry, prefix: string): Part {
  const checkedKey = toKey(key, `${prefix}key`);
  const sized = `${prefix}size`;
  if (size !== undefined) whole(sized, size, 0, Number.MAX_SAFE_INTEGER);
  const pieces = toPieces(value, `${prefix}value`);
  const held = pieces instanceof Uint8Array || types.isUint8Array(pieces) ? pieces.length : undefined;
  if (held !== undefined && size !== undefined && held !== size)
    throw new ArgumentError(sized, `${sized} is ${size}, but the value has ${held} bytes`);
  const length = held ?? size;
  if (length === undefined) {
    const what = `${sized} is missing: the size of a value that comes in pieces goes first, so it must be known`;
    throw new ArgumentError(sized, what);
  }
  if (length === 0) {
    const what = `${prefix}value is empty: the server would take that for the end of the stream; write it with set`;
    throw new ArgumentError(`${prefix}value`, what);
  }
  if (length > MAX_VALUE_BYTES) {
    throw tooMuch(
      `${prefix}value`,
      `${prefix}value has ${length} bytes; at most ${MAX_VALUE_BYTES} are allowed`,
    );
  }
  return { prefix, key: checkedKey, size: length, pieces };
}

function toPieces(value: unknown, name: string): Uint8Array | ValueSource {
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      throw new ArgumentError(name, `${name} holds a lone surrogate: it has no UTF-8 form`);
    return utf8Bytes(value);
  }
  // Not copied: it may be most of the memory there is. What is proven is what left.
  if (types.isUint8Array(value)) return value;
  const isSource =
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
  if (!isSource) {
    const what = 'must be a Uint8Array, a string, or something that gives its pieces (a stream, an iterable)';
    throw new ArgumentError(name, `${name} ${what}, not ${kindOf(value)}`);
  }
  return value as ValueSource;
}

/**
 * The entries, one after another: of an iterable all are checked before anything is sent. `given` is read no further than a
 * transaction goes.
 */
export async function* partsOf(given: StreamEntries | OneEntry): AsyncGenerator<Part, void, undefined> {
  if (given instanceof OneEntry) {
    yield new Parts('entries').next(given.entry, 'value', '');
    return;
  }
  const parts = new Parts('entries');
  yield* eachChecked(given, 'entries', 'entries', (entry, name) => parts.next(entry, name));
}

/** Each of what is given in turn, checked; `what` holds them, and `of` says what they are. */
export async function* eachChecked<G, P>(
  given: Iterable<G> | AsyncIterable<G>,
  what: string,
  of: string,
  check: (item: G, name: string) => P,
): AsyncGenerator<P, void, undefined> {
  const isIterable =
    typeof given === 'object' && (given as object | null) !== null && !types.isUint8Array(given);
  if (isIterable && Symbol.asyncIterator in given) {
    let i = 0;
    for await (const item of given) yield check(item, `${what}[${i++}]`);
    return;
  }
  if (!isIterable || !(Symbol.iterator in given))
    throw new ArgumentError(what, `${what} must be an iterable of ${of}, not ${kindOf(given)}`);
  const all: P[] = [];
  for (const item of given) all.push(check(item, `${what}[${all.length}]`));
  yield* all;
}

/** One entry, given as a key and a value: errors name those. */
export class OneEntry {
  readonly entry: StreamEntry;

  constructor(entry: StreamEntry) {
    this.entry = entry;
  }
}

/** What a value's source gives, as it may be sent. Throws ArgumentError for what is no piece. */
export function toPiece(piece: unknown, { prefix }: Part): Uint8Array {
  if (types.isUint8Array(piece)) return piece;
  const what = `${prefix}value gives ${kindOf(piece)} where a piece must be a Uint8Array`;
  throw new ArgumentError(`${prefix}value`, what);
}

/** What a source failed with, as a typed error; what is one of ours already stays. */
export function sourceFailure(error: unknown, name: string): unknown {
  if (error instanceof ArgumentError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new ImmuError('SOURCE_FAILED', `${name} could not be read: ${why}`, { cause: error });
}

function tooMuch(argument: string, message: string): ArgumentError {
  return new ArgumentError(argument, message, 'LIMIT_EXCEEDED');
}
