// Bytes and ids as people and JSON have them. A key or a value is its text where it is UTF-8, and only then: what is shown can be
// read back to the same bytes.
import { isUtf8 } from 'node:buffer';
import type { InspectOptionsStylized } from 'node:util';
import { types } from 'node:util';
import { toHex } from '../../proof/bytes.js';
import { shortened, visible } from '../../visible.js';

export type JsonForm =
  string | number | boolean | null | readonly JsonForm[] | { readonly [name: string]: JsonForm };

/** Fields that hold what users wrote. All other bytes of results are hashes and signatures. */
const WRITTEN = new Set(['key', 'value', 'set', 'prefix']);
/** Most bytes that are printed of something that is no text. */
const MAX_PRINTED_BYTES = 64;
const MAX_KEY_CHARS = 100;

/** Undefined when it is not UTF-8. A byte order mark is part of the text. */
export function textOf(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? bufferOf(bytes).toString('utf8') : undefined;
}

/** A key as errors name it: bounded, and harmless on a terminal. */
export function shownKey(key: Uint8Array): string {
  const text = textOf(key);
  return text === undefined
    ? `0x${shortened(toHex(key), MAX_KEY_CHARS)}`
    : visible(JSON.stringify(shortened(text, MAX_KEY_CHARS)));
}

/**
 * What JSON holds of a result: a key or a value is text, or `{ base64 }` where it is not UTF-8; a hash or a signature is hex; a
 * 64-bit number is decimal text, since a JSON number is exact only below 2^53.
 */
export function jsonForm(value: unknown, name = ''): JsonForm {
  if (typeof value === 'bigint') return value.toString();
  if (types.isUint8Array(value)) {
    if (!WRITTEN.has(name)) return toHex(value);
    return textOf(value) ?? { base64: bufferOf(value).toString('base64') };
  }
  // JSON has no such numbers; a score may be one.
  if (typeof value === 'number' && (Object.is(value, -0) || !Number.isFinite(value)))
    return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => jsonForm(item, name));
  if (typeof value !== 'object' || value === null) return value as JsonForm;
  // A value of a class that says how it is written.
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return toJSON.call(value) as JsonForm;
  return fieldsOf(value);
}

/** {@link jsonForm} of what a result holds. */
export function fieldsOf(result: object): Record<string, JsonForm> {
  const there = Object.entries(result).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there.map(([name, value]) => [name, jsonForm(value, name)]));
}

type Inspect = (value: unknown, options: InspectOptionsStylized) => string;

/** The name that Node's `console.log` looks for. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** A result as `console.log` prints it: bytes by their length, and as text or hex. */
export function printed(
  name: string,
  result: object,
  depth: number | null,
  options: InspectOptionsStylized,
  inspect: Inspect,
): string {
  if (depth !== null && depth < 0) return options.stylize(`[${name || 'Object'}]`, 'special');
  return `${name && `${name} `}${inspect(shownFields(result), { ...options, depth })}`;
}

/** What is printed in place of a field. */
function shown(value: unknown, field: string): unknown {
  if (types.isUint8Array(value)) return new PrintedBytes(value, WRITTEN.has(field));
  if (Array.isArray(value)) return value.map((item) => shown(item, field));
  // Other results print themselves.
  const isPlain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? shownFields(value) : value;
}

function shownFields(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, shown(value, field)]));
}

class PrintedBytes {
  readonly #bytes: Uint8Array;
  readonly #mayBeText: boolean;

  constructor(bytes: Uint8Array, mayBeText: boolean) {
    this.#bytes = bytes;
    this.#mayBeText = mayBeText;
  }

  [INSPECT](_depth: unknown, options: InspectOptionsStylized, inspect: Inspect): string {
    const bytes = this.#bytes;
    const text = this.#mayBeText ? textOf(bytes) : undefined;
    const what =
      text === undefined
        ? options.stylize(`<${hexOf(bytes)}>`, 'special')
        : // It escapes what moves a cursor; not what turns the direction of a line.
          visibleBut(inspect(text, { ...options, breakLength: Infinity }));
    return `Uint8Array(${bytes.length}) ${what}`;
  }
}

function hexOf(bytes: Uint8Array): string {
  const more = bytes.length > MAX_PRINTED_BYTES ? '…' : '';
  return `${toHex(bytes.subarray(0, MAX_PRINTED_BYTES))}${more}`;
}

/** Colours stay. */
function visibleBut(printedText: string): string {
  const parts = printedText.split('\u001b');
  return parts.map(visible).join('\u001b');
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
