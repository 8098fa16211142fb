// Every single change to a structure of digests, ids, counts and lists: found by walking it, so no field is forgotten.
import { isDeepStrictEqual } from 'node:util';

export interface Mutation<T> {
  /** Where and how, e.g. `.linearProof.terms[1] flip`. */
  readonly what: string;
  readonly value: T;
}

type Change = (value: unknown) => unknown;

const BYTES: [string, (bytes: Uint8Array, bit: number) => Uint8Array][] = [
  [
    'flip',
    (bytes, bit) => {
      const out = new Uint8Array(bytes);
      const at = bit % (8 * bytes.length);
      out[at >> 3]! ^= 1 << (at & 7);
      return out;
    },
  ],
  ['zero', (bytes) => new Uint8Array(bytes.length)],
  ['cut', (bytes) => bytes.slice(0, -1)],
  ['extend', (bytes) => Uint8Array.from([...bytes, 0])],
  ['empty', () => new Uint8Array(0)],
];

const LISTS: [string, (list: readonly unknown[], spare: unknown) => unknown[]][] = [
  ['drop first', (list) => list.slice(1)],
  ['drop last', (list) => list.slice(0, -1)],
  ['double first', (list) => [list[0], ...list]],
  ['double last', (list) => [...list, list.at(-1)]],
  ['append', (list, spare) => [...list, spare]],
  ['prepend', (list, spare) => [spare, ...list]],
  ['reverse', (list) => list.toReversed()],
  ['swap', (list) => (list.length < 2 ? [...list] : [list[1], list[0], ...list.slice(2)])],
  ['empty', () => []],
];

/** All changes at one place, with `bit` choosing the flipped bit. */
function changesAt(value: unknown, bit: number): [string, Change][] {
  if (value instanceof Uint8Array) {
    if (value.length === 0) return [['extend', () => new Uint8Array(1)]];
    return BYTES.map(([how, change]) => [how, () => change(value, bit)]);
  }
  if (typeof value === 'bigint') {
    return [1n, -1n].map((d): [string, Change] => [`${d > 0n ? '+' : ''}${d}`, () => value + d]);
  }
  if (typeof value === 'number') {
    return [1, -1, 0.5].map((d): [string, Change] => [`${d > 0 ? '+' : ''}${d}`, () => value + d]);
  }
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    const spare = list.every((item) => item instanceof Uint8Array) ? new Uint8Array(32).fill(bit) : [];
    return LISTS.map(([how, change]) => [how, () => change(list, spare)]);
  }
  return [];
}

/** The mutations of `value` that differ from it, lazily. */
export function* mutationsOf<T>(value: T, bit: number, path = ''): Generator<Mutation<T>> {
  for (const [how, change] of changesAt(value, bit)) {
    const changed = change(value);
    if (!isDeepStrictEqual(changed, value)) yield { what: `${path} ${how}`, value: changed as T };
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      for (const inner of mutationsOf<unknown>(item, bit + 31 * i, `${path}[${i}]`)) {
        yield { what: inner.what, value: value.with(i, inner.value) as T };
      }
    }
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const [key, item] of Object.entries(value)) {
      for (const inner of mutationsOf<unknown>(item, bit, `${path}.${key}`)) {
        yield { what: inner.what, value: { ...value, [key]: inner.value } };
      }
    }
  }
}
