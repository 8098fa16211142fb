// No key twice in one transaction, told without a string or a view per key.
import { compareBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import type { EntryColumns } from '../wire/entry-columns.js';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Looks per entry after which the keys are sorted instead: somebody chose them to fall into the same places. */
const MAX_LOOKS = 16;

// Entry numbers + 1 by the hash of their key; 0 = free.
let table = new Int32Array(2048);

/** Requires every raw key at most once: a tx cannot write one key twice. */
export function assertUniqueKeys(bytes: Uint8Array, entries: EntryColumns): void {
  const { count } = entries;
  if (count < 2) return;
  let size = table.length;
  while (size < 2 * count) size *= 2;
  if (size > table.length) table = new Int32Array(size);
  else table.fill(0);
  const mask = table.length - 1;
  let looks = MAX_LOOKS * count;
  for (let entry = 0; entry < count; entry++) {
    const start = entries.key(entry);
    const end = entries.keyEnd(entry);
    let hash = FNV_OFFSET;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
    let place = (hash ^ (hash >>> 15)) & mask;
    for (let other = table[place] as number; other !== 0; other = table[place] as number) {
      if (sameKey(bytes, start, end, entries.key(other - 1), entries.keyEnd(other - 1))) {
        throw duplicate(bytes.subarray(start, end));
      }
      if (--looks < 0) {
        assertUniqueSorted(bytes, entries);
        return;
      }
      place = (place + 1) & mask;
    }
    table[place] = entry + 1;
  }
}

function assertUniqueSorted(bytes: Uint8Array, entries: EntryColumns): void {
  const keys = Array.from({ length: entries.count }, (_, i) =>
    bytes.subarray(entries.key(i), entries.keyEnd(i)),
  ).sort(compareBytes);
  keys.forEach((key, i) => {
    const next = keys[i + 1];
    if (next && compareBytes(key, next) === 0) throw duplicate(key);
  });
}

export function sameKey(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  return sameKeys(bytes, a, aEnd, bytes, b, bEnd);
}

export function sameKeys(
  bytes: Uint8Array,
  start: number,
  end: number,
  others: Uint8Array,
  otherStart: number,
  otherEnd: number,
): boolean {
  if (end - start !== otherEnd - otherStart) return false;
  for (let i = start, j = otherStart; i < end; i++, j++) if (bytes[i] !== others[j]) return false;
  return true;
}

function duplicate(key: Uint8Array): ProofFailure {
  return new ProofFailure('entries.duplicate', 'a key occurs twice in one tx', undefined, key);
}
