// Blocks of headers in memory: found again by the next client of the same process.
import { checkedKey, checkedId } from '../log/audit-entry.js';
import { checkedFilter } from '../log/audit-query.js';
import type { StoredRoot, TrustKey } from '../audit-types.js';
import { bytesOf, checkedBlock, checkedMaxBytes } from '../header-store.js';
import type { HeaderBlock, HeaderBlockInfo, HeaderStore } from '../header-store.js';
import { nameOf } from '../log/log-state.js';

interface Kept {
  readonly key: TrustKey;
  readonly block: HeaderBlock;
}

export class MemoryHeaders implements HeaderStore {
  /** In the order of use. */
  readonly #blocks = new Map<string, Kept>();
  readonly #head: (key: TrustKey) => StoredRoot | null;
  #bytes = 0;

  /** @param head throws when the store is closed */
  constructor(head: (key: TrustKey) => StoredRoot | null) {
    this.#head = head;
  }

  async load(key: TrustKey, first: bigint): Promise<HeaderBlock | null> {
    const known = checkedKey(key);
    const name = placeOf(known, checkedId('first', first));
    await this.#opened(known);
    const kept = this.#blocks.get(name);
    if (!kept) return null;
    this.#blocks.delete(name);
    this.#blocks.set(name, kept);
    return checkedBlock(kept.block);
  }

  async save(key: TrustKey, block: HeaderBlock, maxBytes: number): Promise<void> {
    const known = checkedKey(key);
    const own = checkedBlock(block);
    const bound = checkedMaxBytes(maxBytes);
    const head = await this.#opened(known);
    if (!head || head.tx < own.head.tx) return;
    const name = placeOf(known, own.first);
    const before = this.#blocks.get(name);
    if (before && before.block.last > own.last) return;
    this.#remove(name);
    this.#blocks.set(name, { key: known, block: own });
    this.#bytes += bytesOf(own);
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= bound) break;
      this.#remove(oldest);
    }
  }

  async drop(key: TrustKey, first: bigint): Promise<void> {
    const known = checkedKey(key);
    const name = placeOf(known, checkedId('first', first));
    await this.#opened(known);
    this.#remove(name);
  }

  async list(filter?: Partial<TrustKey>): Promise<readonly HeaderBlockInfo[]> {
    const { server, database } = checkedFilter(filter);
    await Promise.resolve();
    this.#head({ server: '', database: '' });
    return [...this.#blocks.values()]
      .filter(
        ({ key }) => (server ?? key.server) === key.server && (database ?? key.database) === key.database,
      )
      .map(({ key, block }) => ({ ...key, first: block.first, last: block.last, bytes: bytesOf(block) }));
  }

  /** Trust in a database was forgotten. */
  forget(key: TrustKey): void {
    for (const [name, kept] of this.#blocks) if (nameOf(kept.key) === nameOf(key)) this.#remove(name);
  }

  async #opened(key: TrustKey): Promise<StoredRoot | null> {
    await Promise.resolve();
    return this.#head(key);
  }

  #remove(name: string): void {
    const kept = this.#blocks.get(name);
    if (!kept) return;
    this.#blocks.delete(name);
    this.#bytes -= bytesOf(kept.block);
  }
}

function placeOf(key: TrustKey, first: bigint): string {
  return `${first.toString()} ${nameOf(key)}`;
}
