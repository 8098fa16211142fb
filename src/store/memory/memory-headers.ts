// Blocks of headers in memory: found again by the next client of the same process.
import type { StoredRoot, TrustKey } from '../audit-types.js';
import { bytesOf, checkedBlock } from '../header-store.js';
import type { HeaderBlock, HeaderBlockInfo } from '../header-store.js';
import { nameOf } from '../log/log-state.js';

interface Kept {
  readonly key: TrustKey;
  readonly block: HeaderBlock;
}

export class MemoryHeaders {
  /** In the order of use. */
  readonly #blocks = new Map<string, Kept>();
  #bytes = 0;

  /** A copy. */
  load(key: TrustKey, first: bigint): HeaderBlock | null {
    const name = placeOf(key, first);
    const kept = this.#blocks.get(name);
    if (!kept) return null;
    this.#blocks.delete(name);
    this.#blocks.set(name, kept);
    return checkedBlock(kept.block);
  }

  /** @param head the trusted head of the database */
  save(key: TrustKey, block: HeaderBlock, maxBytes: number, head: StoredRoot | null): void {
    if (!head || head.tx < block.head.tx) return;
    const name = placeOf(key, block.first);
    const before = this.#blocks.get(name);
    if (before && before.block.last > block.last) return;
    this.#remove(name);
    this.#blocks.set(name, { key, block });
    this.#bytes += bytesOf(block);
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= maxBytes) break;
      this.#remove(oldest);
    }
  }

  drop(key: TrustKey, first: bigint): void {
    this.#remove(placeOf(key, first));
  }

  list({ server, database }: Partial<TrustKey>): HeaderBlockInfo[] {
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
