// What is latest of every key, as it was followed: what an index of it has to say.
import type { Row } from '../../../verify/chain/rows.js';
import type { Root } from '../../../verify/verifier.js';

/** What reads are held against. */
export interface VersionFacts {
  readonly tx: bigint;
  readonly deleted: boolean;
  /** Unix seconds. */
  readonly expiresAt?: bigint | undefined;
  /** How many versions there were with this one since following began, deletions counted. */
  readonly revision: bigint;
}

/** The newest version of a key, as its transaction proves it. */
export interface LatestVersion extends VersionFacts {
  /** Of the raw value. */
  readonly hValue: Uint8Array;
  /** Tx of the version before; 0 = there was none, or it was not followed. */
  readonly previousTx: bigint;
}

export interface KeyIndex {
  /** Keys with at least one version. */
  readonly keys: number;
  /** Memory that it holds, or bytes of its file. */
  readonly bytes: number;
  /** A version newer than all that were put before. */
  put(row: Row): void;
  /** All of this transaction was put, and nothing of a later one. */
  reached(at: Root): void;
  /** `key`: raw. Undefined: no version of it was put. */
  get(key: Uint8Array): LatestVersion | undefined;
  /** The same, quicker. */
  peek(key: Uint8Array): VersionFacts | undefined;
  close(): void;
}
