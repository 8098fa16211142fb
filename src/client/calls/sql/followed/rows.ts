// The rows of a table as of a root that was followed to: which there are is known, their values are asked for, and each is proven.
import { keyBytes } from '../../../../proof/sql/key-values.js';
import type { Row } from '../../../../proof/sql/row.js';
import { after, narrowed } from '../../../trust/latest/ranges.js';
import type { BriefVersion, KeyRange, RangeView } from '../../../trust/latest/ranges.js';
import { readRow } from '../read-row.js';
import type { ReadingSchema } from '../schema.js';
import type { SqlAsking } from '../catalog.js';
import { followedValues } from './values.js';

/** A row that lives. */
export interface FollowedRow {
  /** Raw. */
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly value: Uint8Array;
}

/** Of a raw key, before its values: kind, `R.`, and the ids of database, table and index. */
const PREFIX_BYTES = 15;

/** Rows whose values are asked for, and held, together: many, for those of one transaction come in one answer. */
export const PAGE_ROWS = 4096;

/**
 * All rows of a range, in the order of their keys, page by page.
 *
 * @throws VerificationError where a value is not shown as it was written
 */
export async function* followedRows(
  asking: SqlAsking,
  view: RangeView,
  range: KeyRange,
): AsyncGenerator<FollowedRow[], void, undefined> {
  const load = (from: KeyRange) => {
    const page = view.brief({ ...from, limit: PAGE_ROWS });
    const rows = withValues(asking, page);
    // What goes wrong is told when it is waited for.
    rows.catch(() => undefined);
    return { page, rows };
  };
  for (let next = load(range), left = range; ;) {
    const { page, rows } = next;
    const found = await rows;
    const last = page.at(-1);
    if (!last || page.length < PAGE_ROWS) {
      yield found;
      return;
    }
    // The next page is on its way while this one is worked on.
    left = narrowed(left, { from: after(Buffer.from(last.key, 'hex')) });
    next = load(left);
    yield found;
  }
}

/** The rows of these versions. */
export async function withValues(
  asking: SqlAsking,
  versions: readonly BriefVersion[],
): Promise<FollowedRow[]> {
  const values = await followedValues(asking, versions);
  return versions.map(({ key, tx }, i) => ({
    ...{ key: Buffer.from(key, 'hex'), tx: BigInt(tx) },
    value: values[i] as Uint8Array,
  }));
}

/** By the columns of its table. @throws ImmuError DECODE_FAILED */
export function cellsOf(schema: ReadingSchema, { tx, value }: FollowedRow, table: string): Row {
  return readRow(schema, value, `a row of table ${table} in tx ${tx.toString()}`);
}

/** Whether the row's columns say the key that it is stored under. An honest server may have written another (ON CONFLICT … SET). */
export function isUnderItsKey(schema: ReadingSchema, { key }: FollowedRow, { cells }: Row): boolean {
  return saysKey(schema, key, (id) => cells.get(id)?.bytes);
}

/** The same of columns as their bytes. */
export function saysKey(
  schema: ReadingSchema,
  key: Uint8Array,
  bytesOf: (column: number) => Uint8Array | undefined,
): boolean {
  let at = PREFIX_BYTES;
  for (const id of schema.primaryKey) {
    const column = schema.types.get(id);
    const bytes = bytesOf(id);
    if (!column || !bytes) return false;
    const part = keyBytes(column, bytes);
    if (at + part.length > key.length) return false;
    for (let i = 0; i < part.length; i++) if (part[i] !== key[at + i]) return false;
    at += part.length;
  }
  return at === key.length;
}
