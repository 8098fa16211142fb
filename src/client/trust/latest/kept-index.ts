// The index of a follower from one process to the next: the file is held against the audit log, which has its SHA-256. What is not
// as it was written is dropped, and the database followed again.
import { StoreError } from '../../../errors.js';
import type { RootStore, StoredRoot, TrustKey } from '../../../store/root-store.js';
import type { Root } from '../../../verify/verifier.js';
import type { TrustLog } from '../log/trust-log.js';
import { dropIndexFile, ownerOf, readIndexFile, unpackIndexFile, writeIndexFile } from './index-file.js';
import type { IndexState } from './index-file.js';

export interface KeptIndexOptions {
  readonly path: string;
  readonly audit: RootStore['audit'];
  readonly trustLog: TrustLog;
  /** The trusted head. */
  readonly head: () => StoredRoot;
}

const OPERATION = 'follow';
const SEAL = ' is kept: SHA-256 ';
/** Rows of the log that are looked at for the file's hash: the newest. */
const MAX_ROWS = 1000;

export class KeptIndex {
  readonly #options: KeptIndexOptions;
  #saved: Root | undefined;

  constructor(options: KeptIndexOptions) {
    this.#options = options;
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
    const seals = await this.#seals();
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
    const { path, trustLog, head } = this.#options;
    const { at, index } = state;
    if (this.#saved?.tx === at.tx) return;
    const { server, database } = trustLog.key;
    const seal = await writeIndexFile(path, { server, database }, state);
    const detail = `index of ${index.keys} keys as of tx ${at.tx.toString()}${SEAL}${seal}`;
    await trustLog.note(head(), OPERATION, detail);
    this.#saved = at;
  }

  /** All that the log has since trust was last forgotten. */
  async #seals(): Promise<ReadonlySet<string>> {
    const { audit, trustLog } = this.#options;
    const { server, database } = trustLog.key;
    const key: TrustKey = { server, database };
    let forgotten = -1n;
    for await (const { seq } of audit.roots({ ...key, outcome: 'forget', order: 'desc', limit: 1 }))
      forgotten = seq;
    const seals = new Set<string>();
    const query = { ...key, operation: OPERATION, outcome: 'calls', order: 'desc', limit: MAX_ROWS } as const;
    for await (const { seq, detail = '' } of audit.roots(query)) {
      if (seq < forgotten) break;
      const at = detail.indexOf(SEAL);
      if (at >= 0) seals.add(detail.slice(at + SEAL.length));
    }
    return seals;
  }

  async #refuse(seal: string): Promise<undefined> {
    const { path, trustLog, head } = this.#options;
    const detail =
      'the index that was kept of what was followed is not what was written, and is dropped: the database is followed again';
    const refuted = { check: 'latest.kept', detail, computed: seal };
    const { cause } = await trustLog.refuse('failure', OPERATION, head(), refuted, undefined, 0);
    if (cause instanceof Error) throw cause;
    await dropIndexFile(path);
    return undefined;
  }
}

function isOwner(owner: TrustKey, key: TrustKey): boolean {
  return owner.server === key.server && owner.database === key.database;
}
