// What is checked of a page of a scan before its entries can be proven: keys of the range that was asked for, in strict order,
// each hashed to the leaf that the proven header of its transaction must have. That none is left out cannot be proven.
import { ArgumentError } from '../../errors.js';
import { compareBytes, equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertBytes } from '../asserts.js';
import { claimsOf } from '../claims/claim.js';
import type { ShownClaim } from '../claims/claim.js';
import type { Kind } from '../kind.js';
import { readKeyedClaims, writeKeyedClaims } from '../pack/claims-packet.js';
import type { Context } from '../terms.js';
import { readEntries } from '../wire/answers.js';
import { bytesWords } from '../words.js';

/** Keys that a scan was asked for. Empty bytes: no bound. */
export interface KeyRange {
  readonly prefix: Uint8Array;
  /** Where it starts: the smallest key, or with `desc` the greatest. */
  readonly seekKey: Uint8Array;
  readonly endKey: Uint8Array;
  readonly inclusiveSeek: boolean;
  readonly inclusiveEnd: boolean;
  readonly desc: boolean;
}

/** Answer: Entries (Scan), at most `max` of them. */
export interface ScanQuestion extends KeyRange {
  readonly kind: 'scan';
  readonly max: number;
}

/** In the order of the answer. Nothing but keys and order is proven yet. */
export interface ScanProven {
  readonly kind: 'scan';
  readonly claims: readonly ShownClaim[];
}

function checkScan(question: ScanQuestion, { now }: Context, answer: Uint8Array): ScanProven {
  const { desc, max } = question;
  let before: Uint8Array | undefined;
  const claims = readEntries(answer, max, false).map((shown) => {
    const key = shown.entry.referencedBy?.key ?? shown.entry.key;
    assertInRange(question, key);
    if (before && !follows(before, key, desc))
      throw new ProofFailure('scan.order', 'keys are out of order, or one is there twice', before, key);
    before = key;
    const claim = claimsOf(key, shown, now);
    if (isOutsideIndex(claim))
      throw new ProofFailure('scan.non-indexable', 'an entry that is not indexed is no value of its key');
    return claim;
  });
  return { kind: 'scan', claims };
}

function assertInRange(range: KeyRange, key: Uint8Array): void {
  const { prefix, seekKey, endKey, inclusiveSeek, inclusiveEnd, desc } = range;
  if (key.length < prefix.length || !equalBytes(key.subarray(0, prefix.length), prefix))
    throw new ProofFailure('scan.prefix', 'a key without the prefix that was asked for', prefix, key);
  if (seekKey.length > 0 && !follows(seekKey, key, desc, inclusiveSeek))
    throw new ProofFailure('scan.seek', 'a key of before the start', seekKey, key);
  if (endKey.length > 0 && !follows(key, endKey, desc, inclusiveEnd))
    throw new ProofFailure('scan.end', 'a key of behind the end', endKey, key);
}

/** Whether `key` comes after `before` in a scan. */
export function follows(before: Uint8Array, key: Uint8Array, desc: boolean, orSame = false): boolean {
  const order = desc ? compareBytes(before, key) : compareBytes(key, before);
  return order > 0 || (orSame && order === 0);
}

/** Readable only by its transaction: no scan, nor an unbound reference, leads to it. */
function isOutsideIndex(shown: ShownClaim): boolean {
  if (shown.claim.metadata?.nonIndexable === true) return true;
  return shown.kind === 'reference' && shown.atTx === 0n && shown.target.metadata?.nonIndexable === true;
}

const TAG = 50;
const PROVEN_TAG = 50;
const INCLUSIVE_SEEK = 1;
const INCLUSIVE_END = 2;
const DESC = 4;

export const scan: Kind<ScanQuestion, ScanProven> = {
  kind: 'scan',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ prefix, seekKey, endKey, max }) {
    assertBytes(prefix, 'question.prefix');
    assertBytes(seekKey, 'question.seekKey');
    assertBytes(endKey, 'question.endKey');
    assertMax(max);
  },

  size: ({ prefix, seekKey, endKey }) => 6 + 12 + prefix.length + seekKey.length + endKey.length,
  write(writer, { prefix, seekKey, endKey, inclusiveSeek, inclusiveEnd, desc, max }) {
    writer.u8(TAG);
    writer.u8((inclusiveSeek ? INCLUSIVE_SEEK : 0) | (inclusiveEnd ? INCLUSIVE_END : 0) | (desc ? DESC : 0));
    writer.u32(max);
    writer.bytes(prefix);
    writer.bytes(seekKey);
    writer.bytes(endKey);
  },
  read(reader) {
    const flags = reader.u8();
    return {
      kind: 'scan',
      max: reader.u32(),
      prefix: reader.bytes(),
      seekKey: reader.bytes(),
      endKey: reader.bytes(),
      inclusiveSeek: (flags & INCLUSIVE_SEEK) !== 0,
      inclusiveEnd: (flags & INCLUSIVE_END) !== 0,
      desc: (flags & DESC) !== 0,
    };
  },

  check: checkScan,

  writeProven(writer, { claims }) {
    writer.u8(PROVEN_TAG);
    writeKeyedClaims(writer, claims);
  },
  readProven: (reader) => ({ kind: 'scan', claims: readKeyedClaims(reader) }),

  words({ prefix, seekKey, desc, max }) {
    const of = prefix.length > 0 ? `keys that begin with ${bytesWords(prefix)}` : 'keys';
    const from = seekKey.length > 0 ? ` from ${bytesWords(seekKey)} on` : '';
    return `${max} ${of}${from}${desc ? ', the last ones first' : ''}`;
  },
};

/** For questions about one page of an answer. */
export function assertMax(max: number): void {
  if (!Number.isSafeInteger(max) || max < 1 || max > 0x7fff_ffff)
    throw new ArgumentError('question.max', 'must be a whole number from 1 to 2^31-1');
}
