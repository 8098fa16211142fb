// Walks the keys of a database in byte order: seek and end keys, prefix, direction, offset, as immudb's readers do.
import { compareBytes } from '../../proof/bytes.js';
import { refuse } from '../errors.js';
import type { KeyIndex, Latest } from '../engine/key-index.js';

export interface KeyRange {
  /** Raw keys; an empty one is not given. */
  readonly seekKey: Uint8Array;
  readonly endKey: Uint8Array;
  readonly prefix: Uint8Array;
  readonly descending: boolean;
  readonly inclusiveSeek: boolean;
  readonly inclusiveEnd: boolean;
}

/** Newest version of every key in the range, in order. Throws when a key of the range is too long. */
export function* readKeys(index: KeyIndex, range: KeyRange, maxKeyLength: number): Generator<Latest> {
  const { prefix, descending } = range;
  if (range.seekKey.length > maxKeyLength || prefix.length > maxKeyLength) throw refuse.readerArguments();
  let { seekKey, endKey, inclusiveSeek, inclusiveEnd } = range;
  const greatest = new Uint8Array(maxKeyLength).fill(0xff);
  greatest.set(prefix);
  if (descending) {
    if (seekKey.length === 0 || compareBytes(seekKey, greatest) > 0)
      [seekKey, inclusiveSeek] = [greatest, true];
    if (compareBytes(endKey, prefix) < 0) [endKey, inclusiveEnd] = [prefix, true];
  } else {
    if (compareBytes(seekKey, prefix) < 0) [seekKey, inclusiveSeek] = [prefix, true];
    if (endKey.length === 0 || compareBytes(endKey, greatest) > 0) [endKey, inclusiveEnd] = [greatest, true];
  }
  const order = index.inOrder();
  const start = index.lowerBound(order, seekKey);
  const step = descending ? -1 : 1;
  for (
    let at = descending ? firstNotAfter(index, order, start, seekKey) : start;
    at >= 0 && at < order.length;
    at += step
  ) {
    const number = order[at] as number;
    const key = index.keyOf(number);
    if (!inclusiveSeek && compareBytes(key, seekKey) === 0) continue;
    if (endKey.length > 0) {
      const beyond = compareBytes(key, endKey) * step;
      if (beyond > 0 || (beyond === 0 && !inclusiveEnd)) return;
    }
    if (!startsWith(key, prefix)) {
      // Keys before the prefix may precede those with it; behind them there are none.
      if (compareBytes(key, prefix) * step > 0) return;
      continue;
    }
    const latest = index.latestOf(number);
    if (latest.revisions > 0) yield latest;
  }
}

function firstNotAfter(index: KeyIndex, order: Uint32Array, lowerBound: number, key: Uint8Array): number {
  const number = order[lowerBound];
  return number !== undefined && compareBytes(index.keyOf(number), key) === 0 ? lowerBound : lowerBound - 1;
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  if (key.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (key[i] !== prefix[i]) return false;
  return true;
}
