// What is checked of the answer to a verified read whose value comes as a stream (streamVerifiableGet, docs/protocol.md §15, §25).
import { equalBytes } from '../../proof/bytes.js';
import { digestOf, plainKey, referenceValue } from '../../proof/entry.js';
import { sortedLeaves } from '../../proof/entry-leaves.js';
import { ProofFailure } from '../../proof/failure.js';
import { sha256 } from '../../proof/hash.js';
import { verifyEntryInclusion } from '../../proof/tree/entries-tree.js';
import type { KVMetadata } from '../../proof/types.js';
import { assertDigest, assertKey, assertTx } from '../asserts.js';
import { signedTarget } from '../chain/signature.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';
import type { Kind } from '../kind.js';
import { readEnds, readLeaves, writeEnds, writeLeaves } from '../pack/ends-packet.js';
import type { BoundEnds, Context } from '../terms.js';
import { readVerifiableEntry } from '../wire/answers.js';
import { bytesWords } from '../words.js';
import { assertAlive, assertAsked, assertBinding, indexIn } from './asked.js';

/**
 * Answer: VerifiableEntry of the three messages before the value. `atTx` given = the entry must be from that tx. `noReference` = a
 * reference is a lie. `valueHash`: of the raw value that came after them; absent while it is still to come.
 */
export interface StreamedQuestion {
  readonly kind: 'streamed';
  readonly key: Uint8Array;
  readonly atTx?: bigint;
  readonly noReference?: boolean;
  readonly valueHash?: Uint8Array;
}

export type StreamedFound =
  | { readonly kind: 'value'; readonly metadata?: KVMetadata; readonly valueHash: Uint8Array }
  /** A proven reference to `key`. That the value is the one of `claimedTx` is not proven by this answer: ask with `atTx`. */
  | {
      readonly kind: 'reference';
      readonly metadata?: KVMetadata;
      readonly key: Uint8Array;
      /** 0 = unbound. */
      readonly atTx: bigint;
      readonly claimedTx: bigint;
    };

/** `subject`: header of the tx that holds the requested key's entry. */
export interface StreamedProven extends BoundEnds {
  readonly kind: 'streamed';
  readonly found: StreamedFound;
  /** Sorted leaves of the subject (`proof/entry-leaves`), when it has more entries than this one. */
  readonly leaves?: Uint8Array;
}

/**
 * Proves that the entry of the requested key, with its metadata and with a value of the hash in `found` (or the reference it is), is
 * in the transaction it is said to be in, and that this transaction lies on the head's history. The answer names no metadata: they
 * are those of the entry as the proven transaction has it. With `valueHash`: the value that came is that one.
 */
function checkStreamed(question: StreamedQuestion, context: Context, answer: Uint8Array): StreamedProven {
  const { entry, verifiableTx, inclusionProof } = readVerifiableEntry(answer);

  // 1. The answer is about what was asked.
  const reference = entry.referencedBy;
  if (reference && question.noReference === true) {
    throw new ProofFailure('get.reference', 'a value was asked for, the answer is a reference');
  }
  if (reference) assertBinding(entry, reference);
  const { tx } = reference ?? entry;
  assertAsked(question, reference ?? entry);

  // 2. Its transaction lies on the head's history, and the answer holds all entries of that transaction.
  const { header, subject, target } = bindTx(tx, verifiableTx, context);
  const { entries, leaves } = checkEntries(verifiableTx.tx, header);

  // 3. The requested key is one of them, and it is what it is said to be: a value, or this reference.
  const rawKey = plainKey(question.key);
  const stored = entries[indexIn(entries, rawKey, inclusionProof)];
  if (!stored) throw new Error('unreachable: the index is that of an entry');
  const { metadata } = stored;
  const hValue = reference ? sha256(referenceValue(reference.atTx, entry.key)) : stored.hValue;
  verifyEntryInclusion(inclusionProof, digestOf(header.version, rawKey, metadata, hValue), header);
  assertAlive(metadata, entry.expired, context);

  // 4. The value that came is the one with this hash.
  const { valueHash } = question;
  if (valueHash !== undefined && !equalBytes(valueHash, hValue)) {
    throw new ProofFailure('streamed.value', 'the value that came is not the proven one', hValue, valueHash);
  }

  const found: StreamedFound = reference
    ? {
        kind: 'reference',
        key: entry.key,
        atTx: reference.atTx,
        claimedTx: entry.tx,
        ...(metadata && { metadata }),
      }
    : { kind: 'value', valueHash: hValue, ...(metadata && { metadata }) };
  return {
    kind: 'streamed',
    subject,
    target,
    found,
    ...(leaves.length > 1 && { leaves: sortedLeaves(leaves) }),
  };
}

const TAG = 31;
const AT_TX = 1;
const NO_REFERENCE = 2;
const VALUE_HASH = 4;
const VALUE = 31;
const REFERENCE = 32;

export const streamed: Kind<StreamedQuestion, StreamedProven> = {
  kind: 'streamed',
  tags: [TAG],
  provenTags: [VALUE, REFERENCE],

  assert({ key, atTx, valueHash }) {
    assertKey(key, 'question.key');
    if (atTx !== undefined) assertTx(atTx, 1n, 'question.atTx');
    if (valueHash !== undefined) assertDigest(valueHash, 'question.valueHash');
  },

  size({ key, atTx, valueHash }) {
    return 2 + 8 * Number(atTx !== undefined) + (valueHash?.length ?? 0) + 4 + key.length;
  },
  write(writer, { key, atTx, noReference, valueHash }) {
    writer.u8(TAG);
    writer.u8(
      (atTx === undefined ? 0 : AT_TX) |
        (noReference === true ? NO_REFERENCE : 0) |
        (valueHash === undefined ? 0 : VALUE_HASH),
    );
    if (atTx !== undefined) writer.u64(atTx);
    if (valueHash !== undefined) writer.raw(valueHash);
    writer.bytes(key);
  },
  read(reader) {
    const flags = reader.u8();
    const atTx = (flags & AT_TX) !== 0 ? reader.u64() : undefined;
    const valueHash = (flags & VALUE_HASH) !== 0 ? reader.digest() : undefined;
    return {
      kind: 'streamed',
      key: reader.bytes(),
      ...(atTx !== undefined && { atTx }),
      ...((flags & NO_REFERENCE) !== 0 && { noReference: true }),
      ...(valueHash && { valueHash }),
    };
  },

  check: checkStreamed,

  writeProven(writer, proven, before) {
    const { found } = proven;
    writer.u8(found.kind === 'value' ? VALUE : REFERENCE);
    writeEnds(writer, proven, before);
    writer.kvMetadata(found.metadata);
    if (found.kind === 'value') writer.raw(found.valueHash);
    else {
      writer.u64(found.atTx);
      writer.u64(found.claimedTx);
      writer.bytes(found.key);
    }
    writeLeaves(writer, proven.leaves);
  },
  readProven(reader, tag, _question, before) {
    const ends = readEnds(reader, before);
    const metadata = reader.kvMetadata();
    const known = metadata && { metadata };
    const found: StreamedFound =
      tag === VALUE
        ? { kind: 'value', ...known, valueHash: reader.digest() }
        : {
            kind: 'reference',
            ...known,
            atTx: reader.u64(),
            claimedTx: reader.u64(),
            key: reader.bytes(),
          };
    return { kind: 'streamed', ...ends, found, ...readLeaves(reader) };
  },

  words({ key, atTx, noReference }) {
    const at = atTx === undefined ? '' : ` at tx ${atTx.toString()}`;
    return `key ${bytesWords(key)}${at}${noReference === true ? ', not through a reference' : ''}, by stream`;
  },

  signed: (_question, { database }, answer) =>
    signedTarget(database, readVerifiableEntry(answer).verifiableTx),
};
