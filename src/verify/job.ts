// What a job must be before it is checked or packed. A bad one is our caller's mistake: an argument error, at once,
// so that it can neither look like a lie of the server nor hurt the jobs it would share a message with.
import { ArgumentError } from '../errors.js';
import { MAX_ID, equalBytes } from '../proof/bytes.js';
import { EMPTY_HASH, HASH_SIZE } from '../proof/hash.js';
import { stateKey } from './chain/signature.js';
import { BLOCK_TXS, STRETCH_TXS } from './verifier.js';
import type { FrontierPeaks, Job, Question, Root, WrittenEntry } from './verifier.js';

const MAX_NAME_CHARS = 0x3fff;
const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;

/** @throws ArgumentError naming what is wrong */
export function assertJob({ question, context, answer }: Job): void {
  const { head, database, publicKey, now } = context;
  if (head !== null) assertRoot(head, 'context.head');
  if (typeof database !== 'string' || database.length > MAX_NAME_CHARS) {
    throw new ArgumentError('context.database', 'the database name must be a string of reasonable length');
  }
  if (publicKey !== undefined) stateKey(publicKey);
  if (typeof now !== 'bigint' || now < 0n || now > MAX_INT64) {
    throw new ArgumentError('context.now', 'the time must be unix seconds as a bigint');
  }
  assertBytes(answer, 'answer');
  assertQuestion(question, head);
}

function assertQuestion(question: Question, head: Root | null): void {
  switch (question.kind) {
    case 'get':
      assertKey(question.key, 'question.key');
      if (question.atTx !== undefined) assertTx(question.atTx, 1n, 'question.atTx');
      if (
        question.atRevision !== undefined &&
        BigInt.asIntN(64, question.atRevision) !== question.atRevision
      ) {
        throw new ArgumentError('question.atRevision', 'not a revision in 64 bits');
      }
      return;
    case 'set':
      if (question.entries.length === 0)
        throw new ArgumentError('question.entries', 'a write has at least one entry');
      question.entries.forEach(assertWritten);
      return;
    case 'tx':
      assertTx(question.tx, 1n, 'question.tx');
      return;
    case 'segment':
      assertRoot(question.after, 'question.after');
      assertTx(question.to, question.after.tx + 1n, 'question.to');
      if (question.frontier) assertFrontier(question.frontier, question.after.tx);
      return;
    case 'claims':
      if (question.keys.length === 0 || (question.single === true && question.keys.length !== 1))
        throw new ArgumentError(
          'question.keys',
          'claims are about at least one key, and about one if single',
        );
      question.keys.forEach(assertAskedKey);
      return;
    case 'claim':
      assertKey(question.key, 'question.key');
      assertTx(question.tx, 1n, 'question.tx');
      assertBytes(question.shown, 'question.shown');
      return;
    case 'gone':
      assertKey(question.key, 'question.key');
      assertTx(question.tx, 1n, 'question.tx');
      assertTx(question.floor, 0n, 'question.floor');
      if (question.shown) assertBytes(question.shown, 'question.shown');
      return;
    case 'written':
      assertBytes(question.request, 'question.request');
      return;
    case 'block':
      assertTx(question.first, 1n, 'question.first');
      assertTx(question.last, question.first, 'question.last');
      if (question.last - question.first >= BigInt(BLOCK_TXS))
        throw new ArgumentError('question.last', `a block has at most ${BLOCK_TXS} headers`);
      assertBytes(question.proof, 'question.proof');
      return;
    case 'leaves':
      if (question.txs.length === 0)
        throw new ArgumentError('question.txs', 'leaves are those of at least one transaction');
      for (const { tx, eH } of question.txs) {
        assertTx(tx, 1n, 'question.txs');
        assertDigest(eH, 'question.txs');
      }
      return;
    case 'stretch':
      assertStretch(question, head);
      return;
    case 'state':
      return;
    default:
      throw new ArgumentError('question', 'not a question this verifier knows');
  }
}

function assertStretch(question: Extract<Question, { kind: 'stretch' }>, head: Root | null): void {
  const { first, last, proof, after, values, digests } = question;
  assertTx(first, 1n, 'question.first');
  assertTx(last, first, 'question.last');
  if (last - first >= BigInt(STRETCH_TXS))
    throw new ArgumentError('question.last', `a stretch has at most ${STRETCH_TXS} transactions`);
  // Its last header must be proven from something: by itself it would prove nothing.
  if (head === null || head.tx < last)
    throw new ArgumentError('context.head', 'a stretch lies at or below a head');
  assertBytes(proof, 'question.proof');
  if (after) assertDigest(after, 'question.after');
  if (digests) assertBytes(digests, 'question.digests');
  if (digests && values !== true)
    throw new ArgumentError('question.digests', 'digests beside the answer are for answers with values');
}

function assertWritten({ key, value, metadata }: WrittenEntry, i: number): void {
  assertKey(key, `question.entries[${i}].key`);
  assertBytes(value, `question.entries[${i}].value`);
  const expiresAt = metadata?.expiresAt;
  if (expiresAt !== undefined && BigInt.asIntN(64, expiresAt) !== expiresAt) {
    throw new ArgumentError(`question.entries[${i}].metadata.expiresAt`, 'not unix seconds in 64 bits');
  }
}

function assertFrontier({ size, peaks }: FrontierPeaks, tx: bigint): void {
  if (size !== tx)
    throw new ArgumentError('question.frontier', 'the frontier is not the one at question.after');
  // As many peaks as the size has one bits, each of them a digest.
  let bits = 0;
  for (let rest = size; rest > 0n; rest &= rest - 1n) bits++;
  if (peaks.length !== bits)
    throw new ArgumentError('question.frontier', `a tree of this size has ${bits} peaks`);
  for (const peak of peaks) assertDigest(peak, 'question.frontier');
}

function assertRoot({ tx, alh }: Root, name: string): void {
  assertTx(tx, 0n, `${name}.tx`);
  assertDigest(alh, `${name}.alh`);
  if (tx === 0n && !equalBytes(alh, EMPTY_HASH)) {
    throw new ArgumentError(`${name}.alh`, 'tx 0 is the empty database: its hash is the hash of nothing');
  }
}

function assertTx(tx: bigint, min: bigint, name: string): void {
  if (typeof tx !== 'bigint' || tx < min || tx > MAX_ID) {
    throw new ArgumentError(name, `must be a bigint from ${min.toString()} to 2^63-1`);
  }
}

function assertKey(key: Uint8Array, name: string): void {
  assertBytes(key, name);
  if (key.length === 0) throw new ArgumentError(name, 'a key has at least one byte');
}

/** The name is made when it is needed only: every read passes here. */
function assertAskedKey(key: Uint8Array, i: number): void {
  if (!(key instanceof Uint8Array) || key.length === 0) assertKey(key, `question.keys[${i}]`);
}

function assertDigest(digest: Uint8Array, name: string): void {
  assertBytes(digest, name);
  if (digest.length !== HASH_SIZE) throw new ArgumentError(name, `must be ${HASH_SIZE} bytes`);
}

function assertBytes(bytes: Uint8Array, name: string): void {
  if (!(bytes instanceof Uint8Array)) throw new ArgumentError(name, 'must be a Uint8Array');
}
