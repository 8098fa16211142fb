// The index of a follower: in memory as long as there is room, in a file beyond, and in a file from the start where keys are kept
// in order.
import type { Row } from '../../../verify/chain/rows.js';
import type { Root } from '../../../verify/verifier.js';
import { CompactIndex } from './compact-index.js';
import type { IndexState } from './index-file.js';
import type { KeyIndex, LatestVersion, VersionFacts } from './key-index.js';
import type { RangeView } from './ranges.js';
import { SqliteIndex } from './sqlite-index.js';

export interface GrowingIndexOptions {
  /** Most memory that it takes. */
  readonly maxBytes: number;
  readonly ordered: boolean;
  /** What it goes on from. */
  readonly restored?: IndexState;
}

/** Rows that are moved before others have their turn. */
const ROWS_A_TURN = 1000;

export class GrowingIndex implements KeyIndex {
  readonly #options: GrowingIndexOptions;
  #index: CompactIndex | SqliteIndex;
  /** Of the names of keys in a file. */
  #salt: Uint8Array | undefined;
  #closed = false;

  constructor(options: GrowingIndexOptions) {
    const { restored, ordered } = options;
    this.#options = options;
    this.#index = restored?.index ?? (ordered ? new SqliteIndex() : new CompactIndex());
    this.#salt = restored?.salt;
  }

  /** What there is to be kept of it. */
  get kept(): Pick<IndexState, 'index' | 'salt'> {
    return { index: this.#index, ...(this.#salt && { salt: this.#salt }) };
  }

  get keys(): number {
    return this.#index.keys;
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  get isInFile(): boolean {
    return this.#index instanceof SqliteIndex;
  }

  /** It takes more memory than it may. */
  get isFull(): boolean {
    return this.#index instanceof CompactIndex && this.#index.bytes > this.#options.maxBytes;
  }

  put(row: Row): void {
    this.#index.put(row);
  }

  reached(at: Root): void {
    this.#index.reached(at);
  }

  get(key: Uint8Array): LatestVersion | undefined {
    return this.#index.get(key);
  }

  peek(key: Uint8Array): VersionFacts | undefined {
    return this.#index.peek(key);
  }

  /** Undefined where keys are not kept in order. */
  view(): RangeView | undefined {
    return this.#options.ordered && this.#index instanceof SqliteIndex ? this.#index.view() : undefined;
  }

  /** Goes on in a file, where keys are known by the same names. Nothing may be put meanwhile. */
  async moveToFile(at: Root): Promise<void> {
    const compact = this.#index;
    if (!(compact instanceof CompactIndex)) return;
    const file = new SqliteIndex((key) => compact.nameOf(key));
    let left = ROWS_A_TURN;
    for (const [name, version] of compact.rows()) {
      file.take(name, version);
      if (--left > 0) continue;
      left = ROWS_A_TURN;
      await new Promise((resume) => setImmediate(resume));
      if (this.#closed) break;
    }
    if (this.#closed) {
      file.close();
      return;
    }
    file.reached(at);
    this.#salt = compact.salt;
    compact.empty();
    this.#index = file;
  }

  close(): void {
    this.#closed = true;
    this.#index.close();
  }
}
