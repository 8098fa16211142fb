// All entries of a transaction hashed to the root in its header, without an object per entry. It must say what
// `verifyEntries` says, for every answer.
import { entriesRootOf } from '../../proof/tree/entries-tree.js';
import { MAX_RAW_KEY } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertSame } from '../../proof/guard.js';
import { EMPTY_HASH, HASH_SIZE, sha256 } from '../../proof/hash.js';
import { leafHash } from '../../proof/tree/merkle.js';
import type { TxHeader } from '../../proof/types.js';
import type { MutableCounts } from '../stretch-counts.js';
import type { EntryColumns } from '../wire/entry-columns.js';
import { assertUniqueKeys, sameKeys } from '../claims/unique-keys.js';

const KIND_NAMES = ['keyValue', 'sortedSet', 'sql', 'document'] as const;

// A preimage of metadata (13 with its length), a key of the usual limit and its length, and a hash; a longer one gets a
// buffer of its own. Views are kept: making one costs a tenth of a hash.
const scratch = new Uint8Array(2048);
const views: (Uint8Array | undefined)[] = [];

/** Entries of a transaction, and the answer that they are places in. */
export interface EntriesIn {
  readonly bytes: Uint8Array;
  readonly entries: EntryColumns;
}

/** Proves that these are all entries of the proven header, in order, and no key twice; counts them. */
export function checkWholeEntries(
  header: TxHeader,
  { bytes, entries }: EntriesIn,
  counts: MutableCounts,
  now: bigint,
): void {
  const leaves = provenLeaves(header, { bytes, entries });
  for (let entry = 0; entry < leaves.length; entry++) countEntry(bytes, entries, entry, counts, now);
  counts.entries += leaves.length;
}

/** {@link checkWholeEntries} without counting; returns the leaves of the entries tree, in order. */
export function provenLeaves(
  header: Pick<TxHeader, 'version' | 'nentries' | 'eH'>,
  { bytes, entries }: EntriesIn,
): Uint8Array[] {
  const { count } = entries;
  if (header.version !== 0 && header.version !== 1) {
    throw new ProofFailure('entry.version', 'unknown header version', '0 or 1', header.version);
  }
  if (count !== header.nentries) {
    throw new ProofFailure('entries.count', 'not as many as the header says', header.nentries, count);
  }
  const leaves: Uint8Array[] = [];
  for (let entry = 0; entry < count; entry++) {
    leaves.push(leafHash(digestAt(header.version, bytes, entries, entry)));
  }
  assertUniqueKeys(bytes, entries);
  assertSame(entriesRootOf(leaves), header.eH, 'entries.root', 'the entries hash to another root');
  return leaves;
}

/** The same digest as `entryDigest` makes. */
function digestAt(version: number, bytes: Uint8Array, entries: EntryColumns, entry: number): Uint8Array {
  const key = entries.key(entry);
  const keyLength = entries.keyEnd(entry) - key;
  // A longer key would wrap its 16-bit length and could then share a preimage with a shorter one.
  if (keyLength < 1 || keyLength > MAX_RAW_KEY) {
    throw new ProofFailure('entry.key', 'bad length of raw key', `1..${MAX_RAW_KEY}`);
  }
  const attributes = entries.attributes(entry)?.bytes;
  if (version === 0 && attributes) throw new ProofFailure('entry.metadata', 'version 0 carries no metadata');
  const length = (version === 0 ? 0 : 4 + (attributes?.length ?? 0)) + keyLength + HASH_SIZE;
  const out = length <= scratch.length ? scratch : new Uint8Array(length);
  let at = 0;
  if (version === 1) {
    out[0] = 0;
    out[1] = attributes?.length ?? 0;
    if (attributes) out.set(attributes, 2);
    at = 2 + (attributes?.length ?? 0);
    out[at++] = keyLength >>> 8;
    out[at++] = keyLength & 0xff;
  }
  at = copy(out, at, bytes, key, keyLength);
  copy(out, at, bytes, entries.hValue(entry), HASH_SIZE);
  return sha256(out === scratch ? (views[length] ??= scratch.subarray(0, length)) : out);
}

/** Short runs are copied faster one by one than through a view (measured). */
function copy(out: Uint8Array, at: number, bytes: Uint8Array, from: number, length: number): number {
  if (length > 64) out.set(bytes.subarray(from, from + length), at);
  else for (let i = 0; i < length; i++) out[at + i] = bytes[from + i] as number;
  return at + length;
}

function countEntry(
  bytes: Uint8Array,
  entries: EntryColumns,
  entry: number,
  counts: MutableCounts,
  now: bigint,
): void {
  const kind = kindOf(bytes, entries, entry);
  counts[kind] += 1;
  const metadata = entries.attributes(entry)?.metadata;
  if (!metadata) return;
  if (metadata.deleted === true) counts.deleted += 1;
  if (metadata.expiresAt === undefined) return;
  counts.expiring += 1;
  if (kind !== 'document' && metadata.expiresAt <= now) counts.expired += 1;
}

function kindOf(bytes: Uint8Array, entries: EntryColumns, entry: number) {
  return KIND_NAMES[bytes[entries.key(entry)] as number] ?? 'otherKind';
}

/** What is not shown, and whether an honest server would not either: the entry's own proven key and metadata say so. */
function countNotShown(
  { bytes, entries }: EntriesIn,
  entry: number,
  counts: MutableCounts,
  now: bigint,
): void {
  counts.valuesNotShown += 1;
  if (kindOf(bytes, entries, entry) === 'document') {
    counts.valuesOfDocuments += 1;
    return;
  }
  const expiresAt = entries.attributes(entry)?.metadata.expiresAt;
  if (expiresAt !== undefined && expiresAt <= now) counts.valuesExpired += 1;
}

/**
 * Holds shown values against the hashes in proven entries. Entries whose value is not shown are passed over and counted:
 * servers leave out those of documents and of what has expired. Requires the order of the proven entries.
 */
export function checkValues(
  { bytes, entries }: EntriesIn,
  shown: EntriesIn,
  counts: MutableCounts,
  tx: bigint,
  now: bigint,
): void {
  let next = 0;
  for (let entry = 0; entry < entries.count; entry++) {
    const isNext =
      next < shown.entries.count &&
      sameKeys(
        bytes,
        entries.key(entry),
        entries.keyEnd(entry),
        shown.bytes,
        shown.entries.key(next),
        shown.entries.keyEnd(next),
      );
    if (!isNext || !checkValue(bytes, entries.hValue(entry), shown, next++, counts))
      countNotShown({ bytes, entries }, entry, counts, now);
  }
  if (next < shown.entries.count) {
    const key = shown.bytes.subarray(shown.entries.key(next), shown.entries.keyEnd(next));
    const detail = `a value is shown for an entry that tx ${tx.toString()} does not have there`;
    throw new ProofFailure('stretch.value-entry', detail, undefined, key);
  }
}

/** False when there is no value where one must be: it was not shown. */
function checkValue(
  bytes: Uint8Array,
  hValue: number,
  shown: EntriesIn,
  entry: number,
  counts: MutableCounts,
): boolean {
  const start = shown.entries.value(entry);
  const end = shown.entries.valueEnd(entry);
  const expected = bytes.subarray(hValue, hValue + HASH_SIZE);
  const computed = end === start ? EMPTY_HASH : sha256(shown.bytes.subarray(start, end));
  for (let i = 0; i < HASH_SIZE; i++) {
    if (expected[i] === computed[i]) continue;
    if (end === start) return false;
    throw new ProofFailure('stretch.value', 'the value is not the one that was hashed', expected, computed);
  }
  counts.values += 1;
  counts.valueBytes += end - start;
  return true;
}
