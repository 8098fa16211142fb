// What is checked of a page of a sorted set before the entries behind its members can be proven: members of this set, within the
// scores that were asked for, in strict order of the server's index. Which transaction made a key a member is not in the answer,
// and so the membership and the score are the server's word.
import { equalBytes } from '../../proof/bytes.js';
import { sortedSetKey } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertBytes, assertKey } from '../asserts.js';
import { claimsOf } from '../claims/claim.js';
import type { ShownClaim } from '../claims/claim.js';
import type { Kind } from '../kind.js';
import { readKeyedClaim, writeKeyedClaim } from '../pack/claims-packet.js';
import type { Context } from '../terms.js';
import { readMembers } from '../wire/z-entries.js';
import type { ShownMember } from '../wire/z-entries.js';
import { bytesWords } from '../words.js';
import { assertMax, follows } from './scan.js';

/** Answer: ZEntries (ZScan), at most `max` of them. */
export interface ZScanQuestion {
  readonly kind: 'z-scan';
  readonly set: Uint8Array;
  readonly minScore?: number;
  readonly maxScore?: number;
  readonly desc: boolean;
  /** Raw key of the member where it starts; empty: none was named. */
  readonly seek: Uint8Array;
  readonly inclusiveSeek: boolean;
  readonly max: number;
}

/** In the order of the answer. Nothing but the set's order is proven yet. */
export interface ZScanProven {
  readonly kind: 'z-scan';
  readonly members: readonly ClaimedMember[];
}

/** A member by the server's word, and what is claimed of the entry behind it. */
export interface ClaimedMember {
  readonly score: number;
  /** 0 = unbound. */
  readonly atTx: bigint;
  readonly claim: ShownClaim;
}

function checkZScan(question: ZScanQuestion, { now }: Context, answer: Uint8Array): ZScanProven {
  const { desc, inclusiveSeek, max } = question;
  let before = question.seek;
  let orSame = inclusiveSeek;
  const members = readMembers(answer, max).map((member) => {
    assertMember(question, member);
    const raw = sortedSetKey(member.set, member.score, member.key, member.atTx);
    if (before.length > 0 && !follows(before, raw, desc, orSame))
      throw new ProofFailure('z-scan.order', 'members are out of order, or one is there twice', before, raw);
    before = raw;
    orSame = false;
    const { score, atTx } = member;
    return { score, atTx, claim: entryOf(member, now) };
  });
  return { kind: 'z-scan', members };
}

function assertMember({ set, minScore, maxScore }: ZScanQuestion, member: ShownMember): void {
  if (!equalBytes(member.set, set))
    throw new ProofFailure('z-scan.set', 'a member of another set', set, member.set);
  const { score } = member;
  const isWithin =
    !Number.isNaN(score) &&
    (minScore === undefined || score >= minScore) &&
    (maxScore === undefined || score <= maxScore);
  if (!isWithin)
    throw new ProofFailure('z-scan.score', 'a score that was not asked for', undefined, String(score));
}

/** What the entry behind a member claims. */
function entryOf({ key, atTx, shown }: ShownMember, now: bigint): ShownClaim {
  const { referencedBy, tx } = shown.entry;
  if (referencedBy) throw new ProofFailure('z-scan.entry', 'a member leads to its key, not to a reference');
  if (atTx !== 0n && tx !== atTx)
    throw new ProofFailure('z-scan.at-tx', 'not the version that the member is bound to', atTx, tx);
  const claim = claimsOf(key, shown, now);
  if (atTx === 0n && claim.claim.metadata?.nonIndexable === true)
    throw new ProofFailure('z-scan.non-indexable', 'an entry that is not indexed is no value of its key');
  return claim;
}

const TAG = 52;
const PROVEN_TAG = 52;
const INCLUSIVE_SEEK = 1;
const DESC = 2;
const MIN = 4;
const MAX = 8;

export const zScan: Kind<ZScanQuestion, ZScanProven> = {
  kind: 'z-scan',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ set, seek, max }) {
    assertKey(set, 'question.set');
    assertBytes(seek, 'question.seek');
    assertMax(max);
  },

  size: ({ set, seek, minScore, maxScore }) =>
    6 + 8 + set.length + seek.length + (minScore === undefined ? 0 : 8) + (maxScore === undefined ? 0 : 8),
  write(writer, { set, minScore, maxScore, desc, seek, inclusiveSeek, max }) {
    writer.u8(TAG);
    writer.u8(
      (inclusiveSeek ? INCLUSIVE_SEEK : 0) |
        (desc ? DESC : 0) |
        (minScore === undefined ? 0 : MIN) |
        (maxScore === undefined ? 0 : MAX),
    );
    writer.u32(max);
    writer.bytes(set);
    writer.bytes(seek);
    if (minScore !== undefined) writer.f64(minScore);
    if (maxScore !== undefined) writer.f64(maxScore);
  },
  read(reader) {
    const flags = reader.u8();
    return {
      kind: 'z-scan',
      max: reader.u32(),
      set: reader.bytes(),
      seek: reader.bytes(),
      ...((flags & MIN) !== 0 && { minScore: reader.f64() }),
      ...((flags & MAX) !== 0 && { maxScore: reader.f64() }),
      inclusiveSeek: (flags & INCLUSIVE_SEEK) !== 0,
      desc: (flags & DESC) !== 0,
    };
  },

  check: checkZScan,

  writeProven(writer, { members }) {
    writer.u8(PROVEN_TAG);
    writer.u32(members.length);
    for (const { score, atTx, claim } of members) {
      writer.f64(score);
      writer.u64(atTx);
      writeKeyedClaim(writer, claim);
    }
  },
  readProven(reader) {
    const members: ClaimedMember[] = [];
    for (let left = reader.u32(); left > 0; left--)
      members.push({ score: reader.f64(), atTx: reader.u64(), claim: readKeyedClaim(reader) });
    return { kind: 'z-scan', members };
  },

  words: ({ set, desc, max }) =>
    `${max} members of the sorted set ${bytesWords(set)}${desc ? ', the last ones first' : ''}`,
};
