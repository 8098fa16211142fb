// Lies that answer from another history: a fork, the past, another database.
import { Database } from '../engine/database.js';
import type { EntrySpec } from '../engine/database.js';
import type { StoredEntry } from '../engine/tx-log.js';
import { ArgumentError } from '../../errors.js';
import { flipped } from './lie-answers.js';

const PLAIN = 0x00;
const MARK: EntrySpec = { key: new Uint8Array([0, ...Buffer.from('forked')]), value: new Uint8Array([0]) };

/** A copy of the first `at` transactions, with a life of its own and no directory. */
export function branchAt(trunk: Database, at: bigint, name = trunk.name): Database {
  if (at < 0n || at > BigInt(trunk.last)) {
    throw new ArgumentError('at', `${trunk.name} has transactions 1 to ${trunk.last}`);
  }
  const branch = new Database(name, trunk.limits, trunk.format);
  for (let tx = 1; tx <= Number(at); tx++) {
    const entries = trunk.log
      .entries(tx)
      .map((entry) => ({ ...entry, key: entry.key.slice(), value: entry.value.slice() }));
    branch.replay(trunk.log.header(tx), entries);
  }
  return branch;
}

/** Grows a branch to `height`: the trunk's transactions again, with other values. */
export function growDifferently(branch: Database, trunk: Database, height: bigint): void {
  while (BigInt(branch.last) < height) {
    const tx = branch.last + 1;
    const specs = tx <= trunk.last ? otherwise(trunk.log.entries(tx)) : [MARK];
    branch.commit(branch.prepare(specs));
  }
}

/** The entries with other plain values; with one more where there are none to change. */
export function otherwise(entries: readonly StoredEntry[]): EntrySpec[] {
  // Deletions and sorted-set entries have no value at all.
  const isPlain = (entry: StoredEntry): boolean => entry.value.length > 0 && entry.value[0] === PLAIN;
  if (!entries.some(isPlain)) return [...entries, MARK];
  return entries.map((entry) => (isPlain(entry) ? { ...entry, value: otherValue(entry.value) } : entry));
}

/** The first byte says what kind of value it is, and stays. */
function otherValue(raw: Uint8Array): Uint8Array {
  return new Uint8Array([PLAIN, ...flipped(raw.subarray(1))]);
}
