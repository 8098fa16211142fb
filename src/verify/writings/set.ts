// What is checked of the answer to a verified write of one transaction (VerifiableSet, docs/protocol.md §16).
import { ArgumentError } from '../../errors.js';
import { equalBytes } from '../../proof/bytes.js';
import { plainKey, plainValue } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { sha256 } from '../../proof/hash.js';
import { encodeKVMetadata } from '../../proof/metadata.js';
import type { KVMetadata, TxEntry } from '../../proof/types.js';
import { assertBytes, assertKey } from '../asserts.js';
import { signedTarget } from '../chain/signature.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';
import type { AnswerCheck } from '../check-names.js';
import type { Kind } from '../kind.js';
import { readEnds, writeEnds } from '../pack/ends-packet.js';
import { kvMetadataSize } from '../pack/packet-cursor.js';
import type { BoundEnds, Context } from '../terms.js';
import { readVerifiableTx } from '../wire/answers.js';
import { bytesWords } from '../words.js';

/** Answer: VerifiableTx. Exactly these entries, in this order; a tx newer than the head. */
export interface SetQuestion {
  readonly kind: 'set';
  readonly entries: readonly WrittenEntry[];
}

/** One entry a write must have stored: user key and value as they were sent. */
export interface WrittenEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly metadata?: KVMetadata;
}

export interface SetProven extends BoundEnds {
  readonly kind: 'set';
}

/**
 * Proves that a transaction newer than the head holds exactly the entries that were sent, in their order, with
 * their values and metadata, and that it lies on the head's history.
 */
function checkSet(question: SetQuestion, context: Context, answer: Uint8Array): SetProven {
  const verifiableTx = readVerifiableTx(answer);
  const { tx } = verifiableTx;

  // 1. It is a new transaction: not an older one that happens to hold the same.
  const headTx = context.head?.tx ?? 0n;
  const n = tx.header.id;
  if (n <= headTx) throw new ProofFailure('set.tx', 'not newer than the head', `above ${String(headTx)}`, n);

  // 2. It lies on the head's history, and the answer holds all entries of it.
  const { header, subject, target } = bindTx(n, verifiableTx, context);
  const { entries } = checkEntries(tx, header);

  // 3. They are what was sent, one by one.
  if (entries.length !== question.entries.length) {
    throw new ProofFailure(
      'set.count',
      'another number of entries than was sent',
      question.entries.length,
      entries.length,
    );
  }
  question.entries.forEach((written, i) => {
    requireWritten(written, entries[i] as TxEntry);
  });

  // 4. It is a write and nothing else: the only attribute a server may add says who asked for it.
  if (header.metadata?.truncatedTxId !== undefined) {
    throw new ProofFailure(
      'set.truncation',
      'the transaction is a truncation',
      undefined,
      header.metadata.truncatedTxId,
    );
  }
  return { kind: 'set', subject, target };
}

function requireWritten(written: WrittenEntry, stored: TxEntry): void {
  requireEqual('set.key', 'another key than was sent', plainKey(written.key), stored.key);
  requireEqual('set.value', 'another value than was sent', sha256(plainValue(written.value)), stored.hValue);
  requireEqual(
    'set.metadata',
    'other metadata than was sent',
    encodeKVMetadata(written.metadata),
    encodeKVMetadata(stored.metadata),
  );
}

function requireEqual(check: AnswerCheck, detail: string, sent: Uint8Array, stored: Uint8Array): void {
  if (!equalBytes(sent, stored)) throw new ProofFailure(check, detail, sent, stored);
}

const TAG = 2;
const PROVEN_TAG = 4;

export const set: Kind<SetQuestion, SetProven> = {
  kind: 'set',
  tags: [TAG],
  provenTags: [PROVEN_TAG],
  isWrite: true,

  assert({ entries }) {
    if (entries.length === 0) throw new ArgumentError('question.entries', 'a write has at least one entry');
    entries.forEach(assertWritten);
  },

  size({ entries }) {
    let size = 5;
    for (const { key, value, metadata } of entries) {
      size += kvMetadataSize(metadata) + 8 + key.length + value.length;
    }
    return size;
  },
  write(writer, { entries }) {
    writer.u8(TAG);
    writer.u32(entries.length);
    for (const { key, value, metadata } of entries) {
      writer.kvMetadata(metadata);
      writer.bytes(key);
      writer.bytes(value);
    }
  },
  read(reader) {
    const count = reader.u32();
    const entries: WrittenEntry[] = [];
    for (let i = 0; i < count; i++) {
      const metadata = reader.kvMetadata();
      entries.push({ key: reader.bytes(), value: reader.bytes(), ...(metadata && { metadata }) });
    }
    return { kind: 'set', entries };
  },

  check: checkSet,

  writeProven(writer, proven, before) {
    writer.u8(PROVEN_TAG);
    writeEnds(writer, proven, before);
  },
  readProven: (reader, _tag, _question, before) => ({ kind: 'set', ...readEnds(reader, before) }),

  words({ entries }) {
    const [first] = entries;
    const more = entries.length - 1;
    const written = first ? `${bytesWords(first.key)} = ${bytesWords(first.value)}` : 'nothing';
    return `to write ${written}${more > 0 ? ` and ${more} more` : ''}`;
  },

  signed: (_question, { database }, answer) => signedTarget(database, readVerifiableTx(answer)),
};

function assertWritten({ key, value, metadata }: WrittenEntry, i: number): void {
  assertKey(key, `question.entries[${i}].key`);
  assertBytes(value, `question.entries[${i}].value`);
  const expiresAt = metadata?.expiresAt;
  if (expiresAt !== undefined && BigInt.asIntN(64, expiresAt) !== expiresAt) {
    throw new ArgumentError(`question.entries[${i}].metadata.expiresAt`, 'not unix seconds in 64 bits');
  }
}
