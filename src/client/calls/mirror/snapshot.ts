// What a mirror holds as of one root: whole tables when it begins, or when tables have changed; else the rows that have.
import { ImmuError } from '../../../errors.js';
import { ProofFailure } from '../../../proof/failure.js';
import type { TableSchema } from '../../../proof/sql/schema.js';
import type { CallOptions } from '../../input/call-options.js';
import { after, narrowed } from '../../trust/latest/ranges.js';
import type { RangeRow, RangeView } from '../../trust/latest/ranges.js';
import type { SqlAsking } from '../sql/catalog.js';
import type { FollowedCatalog, FollowedTables } from '../sql/followed/catalog.js';
import { cellsOf, isUnderItsKey, withValues } from '../sql/followed/rows.js';
import type { FollowedRow } from '../sql/followed/rows.js';
import { tableRange } from '../sql/verified-query/key-range.js';
import type { MirrorFile, MirroredRow } from './mirror-file.js';

/** Makes each question a verified call of its own. */
export type Ask = <T>(work: (asking: SqlAsking) => Promise<T>, options?: CallOptions) => Promise<T>;

export interface SnapshotOptions {
  readonly ask: Ask;
  readonly file: MirrorFile;
  readonly catalog: FollowedCatalog;
  /** Undefined: all. */
  readonly tables: ReadonlySet<string> | undefined;
}

const PAGE_ROWS = 4096;

/** Tables that are mirrored, by their ids. */
export type Mirrored = ReadonlyMap<number, TableSchema>;

/** Writes all tables anew. Nothing is committed. */
export async function writeAll(
  { ask, file, catalog, tables }: SnapshotOptions,
  view: RangeView,
): Promise<Mirrored> {
  const found = await ask((asking) => catalog.at(asking, view.at.tx));
  const mirrored = new Map<number, TableSchema>();
  for (const name of found.names) {
    if (tables && !tables.has(name)) continue;
    const schema = addTable(file, found, name);
    if (!schema) continue;
    mirrored.set(schema.id, schema);
    for (let range = tableRange(schema); ;) {
      const page = view.page({ ...range, limit: PAGE_ROWS });
      for (const row of await ask((asking) => withValues(asking, page)))
        file.put(schema.id, mirroredRow(schema, row));
      const last = page.at(-1);
      if (!last || page.length < PAGE_ROWS) break;
      range = narrowed(range, { from: after(last.key) });
    }
  }
  return mirrored;
}

/** Undefined: it cannot be read, as an honest server may have made it. */
function addTable(file: MirrorFile, tables: FollowedTables, name: string): TableSchema | undefined {
  try {
    const table = tables.named(name);
    if (!table) return undefined;
    file.addTable(table.schema, table.tx);
    return table.schema;
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    const id = tables.idOf(name);
    if (id !== undefined) file.addUnreadable(id, name, tables.tx);
    return undefined;
  }
}

/** Writes the rows of these keys as they are as of the view. */
export async function writeChanged(
  { ask, file }: Pick<SnapshotOptions, 'ask' | 'file'>,
  view: RangeView,
  mirrored: Mirrored,
  keys: readonly { readonly key: Uint8Array; readonly table: number }[],
): Promise<void> {
  for (let at = 0; at < keys.length; at += PAGE_ROWS) {
    const live: RangeRow[] = [];
    const schemas = new Map<Uint8Array, TableSchema>();
    for (const { key, table } of keys.slice(at, at + PAGE_ROWS)) {
      const schema = mirrored.get(table);
      const version = schema && view.get(key);
      if (!version) continue;
      if (version.deleted) file.drop(key);
      else {
        live.push({ ...version, key });
        schemas.set(key, schema);
      }
    }
    for (const row of await ask((asking) => withValues(asking, live))) {
      const schema = schemas.get(row.key) as TableSchema;
      file.put(schema.id, mirroredRow(schema, row));
    }
  }
}

function mirroredRow(schema: TableSchema, found: FollowedRow): MirroredRow {
  const { key, tx } = found;
  try {
    const row = cellsOf(schema, found, schema.name);
    return { key, tx, row, anomaly: isUnderItsKey(schema, found, row) ? undefined : 'key' };
  } catch (error) {
    if (!(error instanceof ImmuError) || error.code !== 'DECODE_FAILED') throw error;
    return { key, tx, row: undefined, anomaly: 'unreadable' };
  }
}
