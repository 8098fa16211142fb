// What is checked of the answer to a verified read of one key (VerifiableGet, docs/protocol.md §15).
import { ArgumentError } from '../../errors.js';
import { verifyEntryInclusion } from '../../proof/tree/entries-tree.js';
import { digestOf, plainKey, plainValue, referenceValue } from '../../proof/entry.js';
import { sortedLeaves } from '../../proof/entry-leaves.js';
import { ProofFailure } from '../../proof/failure.js';
import { sha256 } from '../../proof/hash.js';
import type { KVMetadata } from '../../proof/types.js';
import { assertKey, assertTx } from '../asserts.js';
import { signedTarget } from '../chain/signature.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';
import type { Kind } from '../kind.js';
import { readEnds, readLeaves, writeEnds, writeLeaves } from '../pack/ends-packet.js';
import type { BoundEnds, Context } from '../terms.js';
import { readVerifiableEntry } from '../wire/answers.js';
import type { Entry, Reference } from '../wire/entries.js';
import { bytesWords } from '../words.js';
import { readReference, readValue, writeFound } from './found.js';
import { assertAlive, assertAsked, assertBinding, indexIn } from './asked.js';
import type { Found } from './found.js';

/**
 * Answer: VerifiableEntry. `atTx` given = the entry must be from that tx; `atRevision` > 0 = the answer must claim that
 * revision. `noReference` = a reference is a lie.
 */
export interface GetQuestion {
  readonly kind: 'get';
  readonly key: Uint8Array;
  readonly atTx?: bigint;
  readonly atRevision?: bigint;
  readonly noReference?: boolean;
}

/** `subject`: header of the tx that holds the requested key's entry. */
export interface GetProven extends BoundEnds {
  readonly kind: 'get';
  readonly found: Found;
  /** Sorted leaves of the subject (`proof/entry-leaves`), when it has more entries than this one. */
  readonly leaves?: Uint8Array;
}

/** The entry of the requested key as the answer claims it: of `tx`, with this metadata and raw value. */
interface Claim {
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly metadata: KVMetadata | undefined;
  readonly rawValue: Uint8Array;
  /** Covered by no proof: held against the question only. */
  readonly revision: bigint;
}

/**
 * Proves that the entry of the requested key, with its metadata and its value (or the reference it is), is in the
 * transaction it is said to be in, and that this transaction lies on the head's history.
 * It is not proven that no newer version exists, nor what lies behind a reference.
 */
function checkGet(question: GetQuestion, context: Context, answer: Uint8Array): GetProven {
  const { entry, verifiableTx, inclusionProof } = readVerifiableEntry(answer);

  // 1. The answer is about what was asked: this key, this version, no detour when none was wanted.
  const reference = entry.referencedBy;
  if (reference && question.noReference === true) {
    throw new ProofFailure('get.reference', 'a value was asked for, the answer is a reference');
  }
  const claim = reference ? claimOfReference(entry, reference) : claimOfValue(entry);
  assertAsked(question, claim);
  if (
    question.atRevision !== undefined &&
    question.atRevision > 0n &&
    claim.revision !== question.atRevision
  ) {
    throw new ProofFailure(
      'get.at-revision',
      'the entry is of another revision than asked',
      question.atRevision,
      claim.revision,
    );
  }

  // 2. It is a value at all: neither a tombstone nor past its time.
  assertAlive(claim.metadata, entry.expired, context);

  // 3. Its transaction lies on the head's history, and the answer holds all entries of that transaction.
  const { header, subject, target } = bindTx(claim.tx, verifiableTx, context);
  const { entries, leaves } = checkEntries(verifiableTx.tx, header);

  // 4. The requested key is one of them, and with this metadata and value it has the proven digest there.
  const rawKey = plainKey(question.key);
  indexIn(entries, rawKey, inclusionProof);
  const digest = digestOf(header.version, rawKey, claim.metadata, sha256(claim.rawValue));
  verifyEntryInclusion(inclusionProof, digest, header);

  const found = foundIn(question, entry, reference);
  return {
    kind: 'get',
    subject,
    target,
    found,
    ...(leaves.length > 1 && { leaves: sortedLeaves(leaves) }),
  };
}

function claimOfValue(entry: Entry): Claim {
  return {
    key: entry.key,
    tx: entry.tx,
    metadata: entry.metadata,
    rawValue: plainValue(entry.value),
    revision: entry.revision,
  };
}

/** The requested key's own entry is the reference: that is what can be proven here. */
function claimOfReference(entry: Entry, reference: Reference): Claim {
  assertBinding(entry, reference);
  return {
    key: reference.key,
    tx: reference.tx,
    metadata: reference.metadata,
    rawValue: referenceValue(reference.atTx, entry.key),
    revision: reference.revision,
  };
}

function foundIn(question: GetQuestion, entry: Entry, reference: Reference | undefined): Found {
  const { value, metadata } = entry;
  const shown = { value, ...(metadata && { metadata }), unprovenRevision: entry.revision };
  if (!reference) return { kind: 'value', entry: { key: question.key, ...shown } };
  return {
    kind: 'reference',
    key: entry.key,
    atTx: reference.atTx,
    ...(reference.metadata && { metadata: reference.metadata }),
    claimed: { key: entry.key, ...shown, tx: entry.tx },
  };
}

const TAG = 1;
const AT_TX = 1;
const NO_REFERENCE = 2;
const AT_REVISION = 4;
const VALUE = 2;
const REFERENCE = 3;

export const get: Kind<GetQuestion, GetProven> = {
  kind: 'get',
  tags: [TAG],
  provenTags: [VALUE, REFERENCE],

  assert({ key, atTx, atRevision }) {
    assertKey(key, 'question.key');
    if (atTx !== undefined) assertTx(atTx, 1n, 'question.atTx');
    if (atRevision !== undefined && BigInt.asIntN(64, atRevision) !== atRevision) {
      throw new ArgumentError('question.atRevision', 'not a revision in 64 bits');
    }
  },

  size({ key, atTx, atRevision }) {
    return 2 + 8 * Number(atTx !== undefined) + 8 * Number(atRevision !== undefined) + 4 + key.length;
  },
  write(writer, { key, atTx, atRevision, noReference }) {
    writer.u8(TAG);
    writer.u8(
      (atTx === undefined ? 0 : AT_TX) |
        (noReference === true ? NO_REFERENCE : 0) |
        (atRevision === undefined ? 0 : AT_REVISION),
    );
    if (atTx !== undefined) writer.u64(atTx);
    if (atRevision !== undefined) writer.i64(atRevision);
    writer.bytes(key);
  },
  read(reader) {
    const flags = reader.u8();
    const atTx = (flags & AT_TX) !== 0 ? reader.u64() : undefined;
    const atRevision = (flags & AT_REVISION) !== 0 ? reader.i64() : undefined;
    const key = reader.bytes();
    return {
      kind: 'get',
      key,
      ...(atTx !== undefined && { atTx }),
      ...(atRevision !== undefined && { atRevision }),
      ...((flags & NO_REFERENCE) !== 0 && { noReference: true }),
    };
  },

  check: checkGet,

  writeProven(writer, proven, before) {
    writer.u8(proven.found.kind === 'value' ? VALUE : REFERENCE);
    writeEnds(writer, proven, before);
    writeFound(writer, proven.found);
    writeLeaves(writer, proven.leaves);
  },
  readProven(reader, tag, { key }, before) {
    const ends = readEnds(reader, before);
    const found = tag === VALUE ? readValue(reader, key) : readReference(reader);
    return { kind: 'get', ...ends, found, ...readLeaves(reader) };
  },

  words({ key, atTx, atRevision, noReference }) {
    const at = atTx === undefined ? '' : ` at tx ${atTx.toString()}`;
    const revision = atRevision === undefined ? '' : ` at revision ${atRevision.toString()}`;
    return `key ${bytesWords(key)}${at}${revision}${noReference === true ? ', not through a reference' : ''}`;
  },

  signed: (_question, { database }, answer) =>
    signedTarget(database, readVerifiableEntry(answer).verifiableTx),
};
