// What is checked of the answer to plain reads (GetAll, Get) before their entries can be proven: every entry is bound to
// a key that was asked for, and hashed to the leaf that the proven header of its transaction must have.
import { equalBytes } from '../../proof/bytes.js';
import { entryLeaf, plainKey, plainLeaf, referenceValue } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertId } from '../../proof/guard.js';
import type { KVMetadata } from '../../proof/types.js';
import { keyName } from '../key-name.js';
import { refutedBy } from '../refuted.js';
import type { Claim, ClaimOutcome, Context, Proven, Question } from '../verifier.js';
import { readEntries, type ShownEntry } from '../wire/answers.js';
import type { Entry, Reference } from '../wire/entries.js';

type ClaimsQuestion = Extract<Question, { kind: 'claims' }>;

/** Leaves are those of this header version; whoever finds another in the proven header hashes again. */
export const CLAIM_VERSION = 1;

/**
 * One outcome per key. An entry that fails a check takes nobody else with it. An entry that no key asked for, or a second
 * one of a key, may stand in place of one that was: then keys without an entry are refuted instead of missing.
 */
export function checkClaims(
  question: ClaimsQuestion,
  context: Context,
  answer: Uint8Array,
): Extract<Proven, { kind: 'claims' }> {
  const { keys, single = false } = question;
  const shown = readEntries(answer, keys.length, single);
  const index = new KeyIndex(keys);
  const outcomes: (ClaimOutcome | undefined)[] = keys.map(() => undefined);
  let stray: ShownEntry | undefined;
  for (const item of shown) {
    const at = index.find(item.entry.referencedBy?.key ?? item.entry.key);
    const again = outcomes[at] !== undefined;
    if (at < 0 || again) stray ??= item;
    if (at >= 0) outcomes[at] = again ? twice(item) : outcomeOf(keys[at] as Uint8Array, item, context);
  }
  const none: ClaimOutcome = stray ? misplaced(stray) : { kind: 'missing' };
  return { kind: 'claims', outcomes: outcomes.map((outcome) => outcome ?? none) };
}

/** {@link checkClaims} for one entry whose key is known: throws where it does not hold. */
export function claimsOf(key: Uint8Array, { entry, raw }: ShownEntry, now: bigint): ClaimOutcome {
  const reference = entry.referencedBy;
  const claimedKey = reference ? reference.key : entry.key;
  if (!equalBytes(claimedKey, key)) {
    throw new ProofFailure('claim.key', 'the entry is that of another key', key, claimedKey);
  }
  const { tx, value, metadata, revision } = entry;
  if (entry.expired) throw new ProofFailure('claim.expired', 'the entry has expired');
  const target = claim(tx, entry.key, value, false, metadata, revision, now);
  if (!reference) return { kind: 'value', claim: target, shown: raw };
  return {
    kind: 'reference',
    claim: referenceClaim(reference, entry, now),
    atTx: reference.atTx,
    target,
    shown: raw,
  };
}

function referenceClaim(reference: Reference, entry: Entry, now: bigint): Claim {
  const { atTx, tx, key, metadata, revision } = reference;
  if (atTx !== 0n && entry.tx !== atTx) {
    throw new ProofFailure('claim.reference-tx', 'not the version the reference is bound to', atTx, entry.tx);
  }
  const value = referenceValue(atTx, entry.key);
  return claim(tx, key, value, true, metadata, revision, now);
}

/** Written out: this is made for every entry that is read. */
function claim(
  tx: bigint,
  key: Uint8Array,
  value: Uint8Array,
  isReference: boolean,
  metadata: KVMetadata | undefined,
  unprovenRevision: bigint,
  now: bigint,
): Claim {
  assertId(tx, 'claim.tx');
  if (metadata === undefined) {
    const leaf = isReference
      ? entryLeaf(CLAIM_VERSION, plainKey(key), undefined, value)
      : plainLeaf(CLAIM_VERSION, key, undefined, value);
    return { tx, leaf, key, value, isReference, unprovenRevision };
  }
  const { deleted, expiresAt } = metadata;
  if (deleted === true) throw new ProofFailure('claim.deleted', 'the entry is a deletion');
  if (expiresAt !== undefined && expiresAt <= now) {
    throw new ProofFailure('claim.expired', 'the entry has expired', `later than ${String(now)}`, expiresAt);
  }
  const leaf = isReference
    ? entryLeaf(CLAIM_VERSION, plainKey(key), metadata, value)
    : plainLeaf(CLAIM_VERSION, key, metadata, value);
  return { tx, leaf, key, value, isReference, metadata, unprovenRevision };
}

function outcomeOf(key: Uint8Array, item: ShownEntry, { now }: Context): ClaimOutcome {
  try {
    return claimsOf(key, item, now);
  } catch (error) {
    if (error instanceof ProofFailure) return refuted(error, item);
    throw error;
  }
}

function twice(item: ShownEntry): ClaimOutcome {
  return refuted(new ProofFailure('claims.twice', 'the answer has two entries of this key'), item);
}

function misplaced(item: ShownEntry): ClaimOutcome {
  const { key, referencedBy } = item.entry;
  const what = 'the answer has no entry of this key, but one too many of another';
  return refuted(new ProofFailure('claims.key', what, undefined, referencedBy?.key ?? key), item);
}

function refuted(failure: ProofFailure, { raw }: ShownEntry): ClaimOutcome {
  return { kind: 'refuted', refuted: refutedBy(failure), shown: raw };
}

/** Finds asked keys. Answers keep the order of the keys, so mostly the next one is the one. */
class KeyIndex {
  readonly #keys: readonly Uint8Array[];
  #next = 0;
  #places: Map<string, number> | undefined;

  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys;
  }

  /** -1: nobody asked for it. */
  find(key: Uint8Array): number {
    const expected = this.#keys[this.#next];
    if (expected && equalBytes(expected, key)) return this.#next++;
    this.#places ??= new Map(this.#keys.map((asked, i) => [keyName(asked), i]));
    const at = this.#places.get(keyName(key));
    if (at === undefined) return -1;
    this.#next = at + 1;
    return at;
  }
}
