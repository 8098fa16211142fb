// Blocks of headers in a store's file: arguments are checked here, the work is done by the store's thread.
import { checkedId, checkedKey } from '../log/audit-entry.js';
import { checkedFilter } from '../log/audit-query.js';
import type { TrustKey } from '../audit-types.js';
import { checkedBlock, checkedMaxBytes } from '../header-store.js';
import type { HeaderBlock, HeaderBlockInfo, HeaderStore } from '../header-store.js';
import type { StoreAccess } from './thread/store-thread.js';

export class SqliteHeaders implements HeaderStore {
  readonly #thread: StoreAccess;

  constructor(thread: StoreAccess) {
    this.#thread = thread;
  }

  async load(key: TrustKey, first: bigint): Promise<HeaderBlock | null> {
    return this.#thread.ask({ kind: 'headers', key: checkedKey(key), first: checkedId('first', first) });
  }

  async save(key: TrustKey, block: HeaderBlock, maxBytes: number): Promise<void> {
    await this.#thread.ask({
      kind: 'keepHeaders',
      key: checkedKey(key),
      block: checkedBlock(block),
      maxBytes: checkedMaxBytes(maxBytes),
    });
  }

  async drop(key: TrustKey, first: bigint): Promise<void> {
    await this.#thread.ask({ kind: 'dropHeaders', key: checkedKey(key), first: checkedId('first', first) });
  }

  async list(filter?: Partial<TrustKey>): Promise<readonly HeaderBlockInfo[]> {
    return this.#thread.ask({ kind: 'headerList', filter: checkedFilter(filter) });
  }
}
