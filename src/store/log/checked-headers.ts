// Blocks of headers as every store keeps them: arguments are checked here, once.
import { checkedId, checkedKey } from './audit-entry.js';
import { checkedFilter } from './audit-query.js';
import type { TrustKey } from '../audit-types.js';
import { checkedBlock, checkedMaxBytes } from '../header-store.js';
import type { HeaderBlock, HeaderBlockInfo, HeaderStore } from '../header-store.js';
import type { AnsweringLog } from './requests.js';

export class CheckedHeaders implements HeaderStore {
  readonly #store: AnsweringLog;

  constructor(store: AnsweringLog) {
    this.#store = store;
  }

  async load(key: TrustKey, first: bigint): Promise<HeaderBlock | null> {
    return this.#store.ask({ kind: 'headers', key: checkedKey(key), first: checkedId('first', first) });
  }

  async save(key: TrustKey, block: HeaderBlock, maxBytes: number): Promise<void> {
    await this.#store.ask({
      kind: 'keepHeaders',
      key: checkedKey(key),
      block: checkedBlock(block),
      maxBytes: checkedMaxBytes(maxBytes),
    });
  }

  async drop(key: TrustKey, first: bigint): Promise<void> {
    await this.#store.ask({ kind: 'dropHeaders', key: checkedKey(key), first: checkedId('first', first) });
  }

  async list(filter?: Partial<TrustKey>): Promise<readonly HeaderBlockInfo[]> {
    return this.#store.ask({ kind: 'headerList', filter: checkedFilter(filter) });
  }
}
