// Keys of a followed database in the order of their bytes, as of one root: what complete scans and counts are made of.
import { compareBytes } from '../../../proof/bytes.js';
import type { Root } from '../../../verify/verifier.js';
import type { LatestVersion } from './key-index.js';

/** Raw keys (with the byte in front that says what kind of entry it is) from `from` on and before `to`. Absent: no bound. */
export interface KeyRange {
  readonly from?: Uint8Array;
  readonly to?: Uint8Array;
}

/** A page of a range. */
export interface RangePage extends KeyRange {
  /** From the last to the first. @default false */
  readonly desc?: boolean;
  /** Most rows of the page. */
  readonly limit: number;
}

/** A key and its newest version as of the root of the view: deleted and expired ones too. Not: what is not indexable. */
export interface RangeRow extends LatestVersion {
  /** Raw; its own bytes. */
  readonly key: Uint8Array;
}

/** A version in as few words as it can be told in: for those who read very many. */
export interface BriefVersion {
  /** The raw key, in hex. */
  readonly key: string;
  /** Decimal. */
  readonly tx: string;
  /** SHA-256 of the raw value, in hex. */
  readonly hash: string;
  readonly deleted: boolean;
}

/** A part of what lives in a range, in the order of keys. */
export interface BriefPage extends KeyRange {
  /** Only what was written after this transaction, and then what was deleted too. */
  readonly since?: bigint;
  /** Most versions of the page. */
  readonly limit: number;
}

/** The index as of one root, whatever is followed meanwhile. To be closed. */
export interface RangeView {
  /** All transactions up to this root, and no later one, are in it. */
  readonly at: Root;
  /** The next rows: fewer than `limit` where there are no more. Go on behind (`desc`: before) the last key with {@link after}. */
  page(page: RangePage): readonly RangeRow[];
  /** The next versions that are not deleted (with `since`: deleted ones too): fewer than `limit` where there are no more. */
  brief(page: BriefPage): BriefVersion[];
  /** How many keys there are: deleted and expired ones too, as the server's Count has it. */
  count(range: KeyRange): bigint;
  /** The newest version of one raw key as of {@link at}. */
  get(key: Uint8Array): LatestVersion | undefined;
  close(): void;
}

export interface Ranges {
  view(): RangeView;
}

/** All keys that begin with `prefix`. */
export function prefixRange(prefix: Uint8Array): KeyRange {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return { from: prefix };
  const to = prefix.slice(0, end);
  to[end - 1] = (to[end - 1] as number) + 1;
  return { from: prefix, to };
}

/** The first key behind this one. */
export function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

/** What is in both. */
export function narrowed(a: KeyRange, b: KeyRange): KeyRange {
  const from = pick(a.from, b.from, 1);
  const to = pick(a.to, b.to, -1);
  return { ...(from && { from }), ...(to && { to }) };
}

function pick(a: Uint8Array | undefined, b: Uint8Array | undefined, sign: 1 | -1): Uint8Array | undefined {
  if (!a || !b) return a ?? b;
  return compareBytes(a, b) * sign >= 0 ? a : b;
}

/** What is left of a range behind this key. */
export function beyond(range: KeyRange, key: Uint8Array, desc: boolean): KeyRange {
  return narrowed(range, desc ? { to: key } : { from: after(key) });
}
