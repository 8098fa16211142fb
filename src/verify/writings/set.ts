// What is checked of the answer to a verified write of one transaction (VerifiableSet, docs/protocol.md §16).
import { equalBytes } from '../../proof/bytes.js';
import { plainKey, plainValue } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { sha256 } from '../../proof/hash.js';
import { encodeKVMetadata } from '../../proof/metadata.js';
import type { TxEntry } from '../../proof/types.js';
import type { Context, Proven, Question, WrittenEntry } from '../verifier.js';
import { readVerifiableTx } from '../wire/answers.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';

/**
 * Proves that a transaction newer than the head holds exactly the entries that were sent, in their order, with
 * their values and metadata, and that it lies on the head's history.
 */
export function checkSet(
  question: Extract<Question, { kind: 'set' }>,
  context: Context,
  answer: Uint8Array,
): Extract<Proven, { kind: 'set' }> {
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

function requireEqual(check: string, detail: string, sent: Uint8Array, stored: Uint8Array): void {
  if (!equalBytes(sent, stored)) throw new ProofFailure(check, detail, sent, stored);
}
