// Remembers, per key (by its `keyName`), the newest tx in which an entry of it was proven, so that a later read that shows an
// older one, or none, is caught. Bounded: forgetting a key only means that these extra checks are not made for it.
import { RecentMap } from './recent-map.js';

/** About 150 bytes an entry with short keys. */
const DEFAULT_MAX_KEYS = 32_768;

/** The key has no value by the proven entry: it is a deletion. */
export const DELETED = 'deleted';

/** What ends the key by the entry that was proven: its deletion, or the time (unix seconds) from which on it has expired. */
export type End = typeof DELETED | bigint;

interface Ending {
  readonly tx: bigint;
  readonly end: End;
}

/** Keys whose entries were proven in one tx, all of them values that stay. */
export interface NotedKeys {
  readonly count: number;
  /** By `keyName`. */
  names(): Iterable<string>;
}

/** The newest version of a key of a database whose transactions are followed. */
export interface FollowedVersion {
  readonly tx: bigint;
  readonly deleted: boolean;
  /** Unix seconds. */
  readonly expiresAt?: bigint | undefined;
}

/** That of every key, by the key's name. */
export type FollowedVersions = (name: string) => FollowedVersion | undefined;

export class NewestVersions {
  readonly #max: number;
  readonly #newest: RecentMap<string, bigint | Ending>;
  /** What was noted and not looked at yet, oldest first. */
  #later: { readonly keys: NotedKeys; readonly tx: bigint }[] = [];
  #countLater = 0;
  #followed: FollowedVersions | undefined;

  constructor(max: number = DEFAULT_MAX_KEYS) {
    this.#max = max;
    this.#newest = new RecentMap(max);
  }

  /** From here on every key has the floor that following it gives. */
  follow(followed: FollowedVersions | undefined): void {
    this.#followed = followed;
  }

  /** Tx that a read of the key sent now must not fall behind; 0 when nothing is known. */
  floor(name: string): bigint {
    const seen = this.#seen(name);
    if (this.#followed === undefined) return seen;
    const followed = this.#followed(name)?.tx ?? 0n;
    return seen > followed ? seen : followed;
  }

  /** How the newest proven entry ends the key; undefined while it does not. */
  end(name: string): End | undefined {
    const seen = this.#seen(name);
    const followed = this.#followed?.(name);
    if (followed && followed.tx >= seen) return followed.deleted ? DELETED : followed.expiresAt;
    const known = this.#newest.get(name);
    return typeof known === 'object' ? known.end : undefined;
  }

  #seen(name: string): bigint {
    if (this.#countLater > 0) this.#noteNow();
    const known = this.#newest.get(name);
    return typeof known === 'object' ? known.tx : (known ?? 0n);
  }

  /** `end`: of the entry that was proven. */
  note(name: string, tx: bigint, end?: End): void {
    const known = this.#newest.get(name);
    const before = typeof known === 'object' ? known.tx : known;
    if (before === undefined || before < tx) this.#newest.set(name, end === undefined ? tx : { tx, end });
  }

  /**
   * The same of many keys at once, which are looked at when a key is next asked for: a client that only writes never does that.
   * As with single ones the oldest are forgotten, where there are more than are kept.
   */
  noteAll(keys: NotedKeys, tx: bigint): void {
    this.#later.push({ keys, tx });
    this.#countLater += keys.count;
    while (this.#later.length > 1 && this.#countLater - (this.#later[0]?.keys.count ?? 0) >= this.#max)
      this.#countLater -= this.#later.shift()?.keys.count ?? 0;
  }

  #noteNow(): void {
    const later = this.#later;
    this.#later = [];
    this.#countLater = 0;
    for (const { keys, tx } of later) for (const name of keys.names()) this.note(name, tx);
  }

  clear(): void {
    this.#later = [];
    this.#countLater = 0;
    this.#newest.clear();
  }
}
