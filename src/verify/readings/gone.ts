// What is checked before a key that was proven to have a value may read as null: an entry of the key that is a deletion, or
// that has expired, in a transaction of the one history that is not older than the version proven before.
import { equalBytes } from '../../proof/bytes.js';
import { plainKey, referenceValue } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { sha256 } from '../../proof/hash.js';
import type { TxEntry } from '../../proof/types.js';
import type { Context, Proven, Question } from '../verifier.js';
import { readEntries, readVerifiableTx } from '../wire/answers.js';
import type { Entry } from '../wire/entries.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';

type GoneQuestion = Extract<Question, { kind: 'gone' }>;
type GoneProven = Extract<Proven, { kind: 'gone' }>;

/** Newest entries of a key that are asked for: among them must be the one that ended it. */
export const GONE_ENTRIES = 16;

/** Bytes of a reference as History shows it: the tx that it is bound to, and the raw key's prefix. */
const REFERENCE_PREFIX = 9;

/**
 * Proves that `question.tx` holds an entry of the key that is no value any more, or a reference: then what it leads to has to
 * be gone. That no newer version exists is not proven, here as little as of a value.
 */
export function checkGone(question: GoneQuestion, context: Context, answer: Uint8Array): GoneProven {
  const { key, tx, floor } = question;

  // 1. What the server shows is an entry of this key, not older than what was proven of it.
  const shown = shownEntry(question);
  if (tx < floor) {
    throw new ProofFailure('gone.stale', 'the entry shown is older than a proven version', floor, tx);
  }

  // 2. Its transaction lies on the head's history, and the answer holds all entries of that transaction.
  const verifiableTx = readVerifiableTx(answer);
  const { header, subject, target } = bindTx(tx, verifiableTx, context, { sinceGenesis: true });
  const { entries } = checkEntries(verifiableTx.tx, header);

  // 3. The key's entry there is no value: a deletion, past its time, or a reference.
  const rawKey = plainKey(key);
  const entry = entries.find((candidate) => equalBytes(candidate.key, rawKey));
  if (!entry) throw new ProofFailure('gone.entry', 'the transaction has no entry of this key');
  return { kind: 'gone', subject, target, ...endOf(entry, shown, context.now) };
}

/** Checks what History showed; absent where the entry is known from elsewhere. */
function shownEntry({ key, tx, shown }: GoneQuestion): Entry | undefined {
  if (!shown) return undefined;
  const entry = readEntries(shown, GONE_ENTRIES, false).find((one) => one.entry.tx === tx)?.entry;
  if (!entry) {
    throw new ProofFailure(
      'gone.history',
      'the key is said to be missing, and nothing is shown that ended it',
    );
  }
  if (!equalBytes(entry.key, key))
    throw new ProofFailure('gone.key', 'an entry of another key', key, entry.key);
  return entry;
}

/** How the proven entry ends the key. */
function endOf(
  { metadata, hValue }: TxEntry,
  shown: Entry | undefined,
  now: bigint,
): Pick<GoneProven, 'how' | 'expiresAt' | 'reference'> {
  const expiresAt = metadata?.expiresAt;
  if (metadata?.deleted === true) return { how: 'deleted' };
  if (expiresAt !== undefined && expiresAt <= now) return { how: 'expired', expiresAt };
  const reference = shown && referenceIn(shown.value, hValue);
  if (reference) return { how: 'reference', reference };
  throw new ProofFailure('gone.alive', 'the entry is neither deleted nor expired', undefined, expiresAt);
}

/** What History shows of a reference is its raw value without the first byte: taken only where it hashes to the proven one. */
function referenceIn(shown: Uint8Array, hValue: Uint8Array): GoneProven['reference'] {
  if (shown.length <= REFERENCE_PREFIX) return undefined;
  const atTx = new DataView(shown.buffer, shown.byteOffset, 8).getBigInt64(0);
  const key = shown.subarray(REFERENCE_PREFIX);
  return atTx >= 0n && equalBytes(sha256(referenceValue(atTx, key)), hValue) ? { key, atTx } : undefined;
}
