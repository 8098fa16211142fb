// The index of a follower from one process to the next: the file is held against the audit log, which has its SHA-256. What is not
// as it was written is dropped, and the database followed again.
import { StoreError } from '../../../errors.js';
import type { TrustKey } from '../../../store/root-store.js';
import type { Root } from '../../../verify/verifier.js';
import { dropIndexFile, ownerOf, readIndexFile, unpackIndexFile, writeIndexFile } from './index-file.js';
import type { IndexState } from './index-file.js';
import { Seals } from './seals.js';
import type { SealsOptions } from './seals.js';

export interface KeptIndexOptions extends SealsOptions {
  readonly path: string;
}

const OPERATION = 'follow';

export class KeptIndex {
  readonly #options: KeptIndexOptions;
  readonly #seals: Seals;
  #saved: Root | undefined;

  constructor(options: KeptIndexOptions) {
    this.#options = options;
    this.#seals = new Seals(options, OPERATION);
  }

  /**
   * What was kept; undefined: nothing that is to be used.
   *
   * @throws StoreError STORE_FOREIGN when the file is another database's, or none of a follower
   */
  async load(): Promise<IndexState | undefined> {
    const { path, trustLog, head } = this.#options;
    const file = await readIndexFile(path);
    if (!file) return undefined;
    const seals = await this.#seals.all();
    if (!seals.has(file.seal)) {
      const owner = ownerOf(file);
      // What is not ours is never written over.
      if (owner === 'none' || (owner !== 'unreadable' && !isOwner(owner, trustLog.key)))
        throw new StoreError('STORE_FOREIGN', `the file at ${path} is none of a follower of this database`);
      return seals.size === 0 ? undefined : this.#refuse(file.seal);
    }
    const state = await unpackIndexFile(path, file).catch(() => undefined);
    if (!state) return this.#refuse(file.seal);
    // Another process is ahead of us: its head is to come.
    if (state.at.tx > head().tx) return undefined;
    this.#saved = state.at;
    return state;
  }

  /** Keeps the index, unless nothing was followed since it was kept last. Nothing may be put into it meanwhile. */
  async save(state: IndexState): Promise<void> {
    const { path, trustLog } = this.#options;
    const { at, index } = state;
    if (this.#saved?.tx === at.tx) return;
    const { server, database } = trustLog.key;
    const seal = await writeIndexFile(path, { server, database }, state);
    await this.#seals.note(`index of ${index.keys} keys as of tx ${at.tx.toString()}`, seal);
    this.#saved = at;
  }

  async #refuse(seal: string): Promise<undefined> {
    const detail =
      'the index that was kept of what was followed is not what was written, and is dropped: the database is followed again';
    await this.#seals.refuse('latest.kept', detail, seal);
    await dropIndexFile(this.#options.path);
    return undefined;
  }
}

function isOwner(owner: TrustKey, key: TrustKey): boolean {
  return owner.server === key.server && owner.database === key.database;
}
