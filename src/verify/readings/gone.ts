// What is checked before a key that was proven to have a value may read as null: an entry of the key that is a deletion, or
// that has expired, in a transaction of the one history that is not older than the version proven before.
import { equalBytes } from '../../proof/bytes.js';
import { plainKey, referenceValue } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { sha256 } from '../../proof/hash.js';
import type { TxEntry } from '../../proof/types.js';
import { assertBytes, assertKey, assertTx } from '../asserts.js';
import { signedTarget } from '../chain/signature.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';
import type { Kind } from '../kind.js';
import { readEnds, writeEnds } from '../pack/ends-packet.js';
import type { PacketReader } from '../pack/packet-cursor.js';
import type { BoundEnds, Context } from '../terms.js';
import { readEntries, readVerifiableTx } from '../wire/answers.js';
import type { Entry } from '../wire/entries.js';
import { bytesWords } from '../words.js';

/**
 * Answer: VerifiableTx of `tx` with all its entries: proves that the key's entry there is no value (deleted, expired), or a
 * reference. `floor`: the newest version that was proven before; `shown`: the raw answer to History that names `tx`, absent
 * where a proven reference does.
 */
export interface GoneQuestion {
  readonly kind: 'gone';
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly floor: bigint;
  readonly shown?: Uint8Array;
}

/** `subject`: header of the tx that holds the entry. */
export interface GoneProven extends BoundEnds, HowGone {
  readonly kind: 'gone';
}

interface HowGone {
  readonly how: 'deleted' | 'expired' | 'reference';
  /** Of an expired entry. */
  readonly expiresAt?: bigint;
  /** Where a reference leads: gone only if that is. `atTx` 0 = unbound. */
  readonly reference?: { readonly key: Uint8Array; readonly atTx: bigint };
}

/** Newest entries of a key that are asked for: among them must be the one that ended it. */
export const GONE_ENTRIES = 16;

/** Bytes of a reference as History shows it: the tx that it is bound to, and the raw key's prefix. */
const REFERENCE_PREFIX = 9;

/**
 * Proves that `question.tx` holds an entry of the key that is no value any more, or a reference: then what it leads to has to
 * be gone. That no newer version exists is not proven, here as little as of a value.
 */
function checkGone(question: GoneQuestion, context: Context, answer: Uint8Array): GoneProven {
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
function endOf({ metadata, hValue }: TxEntry, shown: Entry | undefined, now: bigint): HowGone {
  const expiresAt = metadata?.expiresAt;
  if (metadata?.deleted === true) return { how: 'deleted' };
  if (expiresAt !== undefined && expiresAt <= now) return { how: 'expired', expiresAt };
  const reference = shown && referenceIn(shown.value, hValue);
  if (reference) return { how: 'reference', reference };
  throw new ProofFailure('gone.alive', 'the entry is neither deleted nor expired', undefined, expiresAt);
}

/** What History shows of a reference is its raw value without the first byte: taken only where it hashes to the proven one. */
function referenceIn(shown: Uint8Array, hValue: Uint8Array): HowGone['reference'] {
  if (shown.length <= REFERENCE_PREFIX) return undefined;
  const atTx = new DataView(shown.buffer, shown.byteOffset, 8).getBigInt64(0);
  const key = shown.subarray(REFERENCE_PREFIX);
  return atTx >= 0n && equalBytes(sha256(referenceValue(atTx, key)), hValue) ? { key, atTx } : undefined;
}

const TAG = 13;
const SHOWN = 1;
const PROVEN_TAG = 15;
const ENDS = ['deleted', 'expired', 'reference'] as const;

export const gone: Kind<GoneQuestion, GoneProven> = {
  kind: 'gone',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ key, tx, floor, shown }) {
    assertKey(key, 'question.key');
    assertTx(tx, 1n, 'question.tx');
    assertTx(floor, 0n, 'question.floor');
    if (shown) assertBytes(shown, 'question.shown');
  },

  size: ({ key, shown }) => 18 + 4 + key.length + (shown ? 4 + shown.length : 0),
  write(writer, { key, tx, floor, shown }) {
    writer.u8(TAG);
    writer.u64(tx);
    writer.u64(floor);
    writer.u8(shown ? SHOWN : 0);
    writer.bytes(key);
    if (shown) writer.bytes(shown);
  },
  read(reader) {
    const tx = reader.u64();
    const floor = reader.u64();
    const isShown = (reader.u8() & SHOWN) !== 0;
    return { kind: 'gone', tx, floor, key: reader.bytes(), ...(isShown && { shown: reader.bytes() }) };
  },

  check: checkGone,

  writeProven(writer, proven, before) {
    writer.u8(PROVEN_TAG);
    writeEnds(writer, proven, before);
    writer.u8(ENDS.indexOf(proven.how));
    if (proven.expiresAt !== undefined) writer.i64(proven.expiresAt);
    if (proven.reference) {
      writer.u64(proven.reference.atTx);
      writer.bytes(proven.reference.key);
    }
  },
  readProven: (reader, _tag, _question, before) => ({
    kind: 'gone',
    ...readEnds(reader, before),
    ...readEnd(reader),
  }),

  words: ({ key, tx }) => `why key ${bytesWords(key)} has no value any more, by tx ${tx.toString()}`,

  signed: (_question, { database }, answer) => signedTarget(database, readVerifiableTx(answer)),
};

function readEnd(reader: PacketReader): HowGone {
  const how = ENDS[reader.u8()];
  if (how === 'expired') return { how, expiresAt: reader.i64() };
  if (how === 'reference') {
    const atTx = reader.u64();
    return { how, reference: { atTx, key: reader.bytes() } };
  }
  if (how === undefined) throw new RangeError('an end that is not known');
  return { how };
}
