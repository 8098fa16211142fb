// What is checked of the answer to plain reads (GetAll, Get) before their entries can be proven: every entry is bound to
// a key that was asked for, and hashed to the leaf that the proven header of its transaction must have.
import { ArgumentError } from '../../errors.js';
import { equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertKey } from '../asserts.js';
import { claimsOf } from '../claims/claim.js';
import type { CheckedClaim } from '../claims/claim.js';
import { keyName } from '../key-name.js';
import type { Kind } from '../kind.js';
import { readClaims, writeClaims } from '../pack/claims-packet.js';
import { refutedBy } from '../refuted.js';
import type { Context } from '../terms.js';
import { readEntries, type ShownEntry } from '../wire/answers.js';
import { bytesWords } from '../words.js';

/**
 * Answer: Entries (GetAll) or, with `single`, one Entry (Get). What it claims about these distinct keys, each bound to
 * its key.
 * A claim is proven by holding its leaf against the proven header of its tx (and the leaves of that tx).
 */
export interface ClaimsQuestion {
  readonly kind: 'claims';
  readonly keys: readonly Uint8Array[];
  readonly single?: boolean;
}

/** One outcome per key, in order. Nothing but the binding to the key is proven yet. */
export interface ClaimsProven {
  readonly kind: 'claims';
  readonly outcomes: readonly CheckedClaim[];
}

/**
 * One outcome per key. An entry that fails a check takes nobody else with it. An entry that no key asked for, or a second
 * one of a key, may stand in place of one that was: then keys without an entry are refuted instead of missing.
 */
export function checkClaims(question: ClaimsQuestion, context: Context, answer: Uint8Array): ClaimsProven {
  const { keys, single = false } = question;
  const shown = readEntries(answer, keys.length, single);
  const index = new KeyIndex(keys);
  const outcomes: (CheckedClaim | undefined)[] = keys.map(() => undefined);
  let stray: ShownEntry | undefined;
  for (const item of shown) {
    const at = index.find(item.entry.referencedBy?.key ?? item.entry.key);
    const again = outcomes[at] !== undefined;
    if (at < 0 || again) stray ??= item;
    if (at >= 0) outcomes[at] = again ? twice(item) : outcomeOf(keys[at] as Uint8Array, item, context);
  }
  const none: CheckedClaim = stray ? misplaced(stray) : { kind: 'missing' };
  return { kind: 'claims', outcomes: outcomes.map((outcome) => outcome ?? none) };
}

function outcomeOf(key: Uint8Array, item: ShownEntry, { now }: Context): CheckedClaim {
  try {
    return claimsOf(key, item, now);
  } catch (error) {
    if (error instanceof ProofFailure) return refuted(error, item);
    throw error;
  }
}

function twice(item: ShownEntry): CheckedClaim {
  return refuted(new ProofFailure('claims.twice', 'the answer has two entries of this key'), item);
}

function misplaced(item: ShownEntry): CheckedClaim {
  const { key, referencedBy } = item.entry;
  const what = 'the answer has no entry of this key, but one too many of another';
  return refuted(new ProofFailure('claims.key', what, undefined, referencedBy?.key ?? key), item);
}

function refuted(failure: ProofFailure, { raw }: ShownEntry): CheckedClaim {
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

const TAG = 5;
const PROVEN_TAG = 7;
const SINGLE = 1;

export const claims: Kind<ClaimsQuestion, ClaimsProven> = {
  kind: 'claims',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ keys, single }) {
    if (keys.length === 0 || (single === true && keys.length !== 1))
      throw new ArgumentError('question.keys', 'claims are about at least one key, and about one if single');
    keys.forEach(assertAskedKey);
  },

  size({ keys }) {
    let size = 6;
    for (const key of keys) size += 4 + key.length;
    return size;
  },
  write(writer, { keys, single }) {
    writer.u8(TAG);
    writer.u8(single === true ? SINGLE : 0);
    writer.u32(keys.length);
    for (const key of keys) writer.bytes(key);
  },
  read(reader) {
    const single = (reader.u8() & SINGLE) !== 0;
    const keys: Uint8Array[] = [];
    for (let left = reader.u32(); left > 0; left--) keys.push(reader.bytes());
    return { kind: 'claims', keys, ...(single && { single }) };
  },

  check: checkClaims,

  writeProven(writer, { outcomes }) {
    writer.u8(PROVEN_TAG);
    writeClaims(writer, outcomes);
  },
  readProven: (reader, _tag, { keys }) => ({ kind: 'claims', outcomes: readClaims(reader, keys) }),

  words({ keys }) {
    const [first] = keys;
    const more = keys.length - 1;
    return `key ${first ? bytesWords(first) : ''}${more > 0 ? ` and ${more} more` : ''}, in a plain read`;
  },

  refusedParts: ({ outcomes }) =>
    outcomes.flatMap((outcome) => (outcome.kind === 'refuted' ? outcome.refuted : [])),
};

/** The name is made when it is needed only: every read passes here. */
function assertAskedKey(key: Uint8Array, i: number): void {
  if (!(key instanceof Uint8Array) || key.length === 0) assertKey(key, `question.keys[${i}]`);
}
