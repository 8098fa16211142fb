// All that a mirror is made of, as of one transaction that was followed: by both catalogs, and by what its user has named.
import { ProofFailure } from '../../../proof/failure.js';
import type { Latest } from '../../trust/latest/latest.js';
import { collectionsAt } from '../documents/verified/collections-at.js';
import { catalogOf } from '../documents/verified/follow.js';
import type { Verified } from '../documents/verified/verified.js';
import { FollowedCatalog } from '../sql/followed/catalog.js';
import type { FollowedTables } from '../sql/followed/catalog.js';
import { collectionSource } from './collection-source.js';
import type { ResolvedMirrorOptions } from './options.js';
import { namelessSource, sourceId, tableSource, withoutClashes } from './source.js';
import type { MirrorSource } from './source.js';

export class Sources {
  readonly #catalog: FollowedCatalog;
  readonly #options: Pick<ResolvedMirrorOptions, 'tables' | 'collections'>;
  /** `of`: says as of which entries of the catalogs. */
  #last: { readonly of: string; readonly sources: readonly MirrorSource[] } | undefined;

  constructor(latest: Latest, options: Pick<ResolvedMirrorOptions, 'tables' | 'collections'>) {
    this.#catalog = FollowedCatalog.of(latest);
    this.#options = options;
  }

  async at(verified: Verified, tx: bigint): Promise<readonly MirrorSource[]> {
    const { session, trust, call } = verified;
    const changedAt = catalogOf(verified).changedAt(tx);
    const of = `${this.#catalog.entriesAt(tx)} ${changedAt.toString()}`;
    if (this.#last?.of === of) return this.#last.sources;
    const { tables, collections } = this.#options;
    const sources: MirrorSource[] = [];
    const found = await this.#catalog.at({ rpc: session, trust, call }, tx);
    for (const name of found.names) {
      if (tables && !tables.has(name)) continue;
      const source = sourceOf(found, name);
      if (source) sources.push(source);
    }
    if (changedAt > 0n && collections?.size !== 0)
      for (const collection of await collectionsAt(verified, tx))
        if (!collections || collections.has(collection.name))
          sources.push(collectionSource(collection, changedAt));
    this.#last = { of, sources: withoutClashes(sources) };
    return this.#last.sources;
  }
}

/** Undefined: there is none. */
function sourceOf(tables: FollowedTables, name: string): MirrorSource | undefined {
  try {
    const table = tables.named(name);
    return table && tableSource(table.schema, table.tx);
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    const table = tables.idOf(name);
    if (table === undefined) return undefined;
    const { tx } = tables;
    return namelessSource({ id: sourceId('sql', table), kind: 'table', name, tx }, 'unreadable');
  }
}
