// Everything that was recorded of SQL and documents: keys, rows and the catalog are read, written back the same, and fit together.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#dist/proof/bytes.js';
import {
  decodeCatalogEntry,
  encodeCatalogValue,
  isCatalogKey,
  isSqlDeletion,
} from '#dist/proof/sql/catalog-entry.js';
import { decodeKeyValues, encodePrimaryKey, keyBytes } from '#dist/proof/sql/key-values.js';
import { decodeSqlKey, encodeSqlKey, isSqlKey } from '#dist/proof/sql/raw-key.js';
import { decodeCells, decodeRow, encodeRow } from '#dist/proof/sql/row.js';
import { TableParts } from '#dist/proof/sql/schema.js';
import type { TableSchema } from '#dist/proof/sql/schema.js';
import type { CellValue, ColumnType } from '#dist/proof/sql/types.js';
import { encodeValue } from '#dist/proof/sql/values.js';
import { checkFailedBy } from '../helpers.js';
import { recordedDatabase, recordedSql, txsOf } from '../../vectors/sql/source.js';
import type { RecordedEntry, RecordedValue } from '../../vectors/sql/source.js';

const databases = Object.keys(recordedSql.databases);
const all: [string, number, RecordedEntry][] = databases.flatMap((name) =>
  txsOf(recordedDatabase(name)).flatMap(([tx, entries]) =>
    entries.map((entry): [string, number, RecordedEntry] => [name, tx, entry]),
  ),
);

/** The catalog of a database as its transactions make it, and every row with the schema of its time. */
function follow(name: string) {
  const tables = new Map<string, TableParts>();
  const rows: { tx: number; schema: TableSchema; entry: RecordedEntry; pk: Uint8Array; table: number }[] = [];
  const broken: [number, string | undefined][] = [];
  for (const [tx, entries] of txsOf(recordedDatabase(name))) {
    for (const { key, metadata, value } of entries) {
      const of = decodeSqlKey(key);
      if (!isCatalogKey(of) || !('table' in of)) continue;
      const id = `${of.prefix} ${of.table}`;
      const parts = tables.get(id) ?? new TableParts();
      tables.set(id, parts);
      parts.apply(decodeCatalogEntry(key, metadata, value));
    }
    for (const entry of entries) {
      const of = decodeSqlKey(entry.key);
      if (of.kind !== 'row') continue;
      const parts = tables.get(`${of.prefix} ${of.table}`)!;
      const failed = checkFailedBy(() => {
        const schema = parts.schema(of.prefix, of.table)!;
        decodeRow(entry.value, schema.types, schema.maxColumnId);
        rows.push({ tx, schema, entry, pk: of.pk, table: of.table });
      });
      if (failed !== undefined) broken.push([tx, failed]);
    }
  }
  return { tables, rows, broken };
}

describe('recorded entries', () => {
  it('are many, of all databases', () => {
    expect(databases).toEqual(['types', 'life', 'odd', 'v0', 'docs', 'meta']);
    expect(all.length).toBeGreaterThan(290);
  });

  it('have keys that are read and written back the same', () => {
    for (const [, , { key }] of all) {
      expect(isSqlKey(key)).toBe(true);
      expect(toHex(encodeSqlKey(decodeSqlKey(key)))).toBe(toHex(key));
    }
  });

  it('of the catalog have values that are read and written back the same, and hash to what was recorded', () => {
    let seen = 0;
    for (const [, , { key, metadata, value, hValue }] of all) {
      if (!isCatalogKey(decodeSqlKey(key))) continue;
      const entry = decodeCatalogEntry(key, metadata, value);
      expect(entry.value === undefined).toBe(metadata?.deleted === true);
      const bytes = entry.value ? encodeCatalogValue(entry.value) : new Uint8Array(0);
      expect(toHex(bytes)).toBe(toHex(value));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(toHex(hValue));
      seen++;
    }
    expect(seen).toBeGreaterThan(180);
  });

  it('of rows have values that are read and written back the same', () => {
    let seen = 0;
    for (const [, , { key, metadata, value }] of all) {
      const { kind } = decodeSqlKey(key);
      if (kind !== 'row' && kind !== 'old-index') continue;
      expect(isSqlDeletion(metadata)).toBe(metadata?.deleted === true);
      expect(toHex(encodeRow(decodeCells(value)))).toBe(toHex(value));
      seen++;
    }
    expect(seen).toBeGreaterThan(120);
  });
});

/** What an honest server wrote and nobody can read: a type altered together with an insert, or with a rename. */
const BROKEN: Record<string, [number, string][]> = {
  odd: [
    [6, 'sql-value.length'],
    [9, 'catalog.ambiguous'],
  ],
};
/** Where the key says another row than the content. */
const OTHER_KEY: Record<string, number[]> = { odd: [3] };

describe.each(databases)('rows of %s', (name) => {
  const { rows, broken } = follow(name);

  it('are read by the catalog of their time, but for those that no catalog can read', () => {
    expect(broken).toEqual(BROKEN[name] ?? []);
  });

  it('have the key that their own columns make', () => {
    const other: number[] = [];
    for (const { tx, schema, entry, pk } of rows) {
      const { cells } = decodeRow(entry.value, schema.types, schema.maxColumnId);
      const key = schema.primaryKey.map((id) => toHex(keyBytes(schema.types.get(id)!, cells.get(id)!.bytes)));
      if (key.join('') !== toHex(pk)) other.push(tx);
    }
    expect(other).toEqual(OTHER_KEY[name] ?? []);
  });

  it('have values that encode to what they were read from', () => {
    for (const { schema, entry } of rows) {
      const { cells } = decodeRow(entry.value, schema.types, schema.maxColumnId);
      for (const { column, value, bytes } of cells.values()) {
        expect(toHex(encodeValue(schema.types.get(column)!.type, value))).toBe(toHex(bytes));
      }
    }
  });

  it('have keys whose values encode to them', () => {
    for (const { tx, schema, pk } of rows) {
      const types = schema.primaryKey.map((id) => schema.types.get(id)!);
      const failed = checkFailedBy(() => {
        expect(toHex(encodePrimaryKey(types, decodeKeyValues(types, pk)))).toBe(toHex(pk));
      });
      // Years 1 and 9999 are beyond what nanoseconds reach.
      expect([tx, failed]).toEqual([
        tx,
        name === 'types' && (tx === 50 || tx === 51) ? 'sql-key.timestamp' : undefined,
      ]);
    }
  });
});

describe('tables of life', () => {
  const { tables } = follow('life');
  const schema = (id: number) => tables.get(`sql ${id}`)!.schema('sql', id);

  it('keep their ids under new names, and ids of columns are not used again', () => {
    const ledger = schema(1)!;
    expect(ledger.name).toBe('ledger');
    expect(ledger.columns.map(({ id, name, type }) => [id, name, type])).toEqual([
      [1, 'id', 'INTEGER'],
      [2, 'owner', 'VARCHAR'],
      [3, 'saldo', 'INTEGER'],
      [4, 'note', 'VARCHAR'],
      [6, 'extra', 'VARCHAR'],
    ]);
    expect(ledger.maxColumnId).toBe(6);
    expect(ledger.types.get(5)).toEqual({ type: 'INTEGER', maxLength: 8 });
  });

  it('are gone when they were dropped, and others live under their name', () => {
    expect(schema(2)).toBeUndefined();
    expect(schema(3)).toBeUndefined();
    expect(schema(4)!.name).toBe('accounts');
  });

  it('have checks, defaults and indexes', () => {
    const checked = schema(8)!;
    expect(checked.checks).toEqual([{ id: 0, name: 'chk_check1', expression: '(a > 0)' }]);
    expect(checked.columns.map(({ defaultText }) => defaultText)).toEqual([
      undefined,
      '7',
      "'dflt'",
      'now()',
    ]);
    expect(schema(7)!.indexes.map(({ id, unique, columns }) => [id, unique, columns])).toEqual([
      [2, true, [3, 2]],
      [3, false, [2]],
    ]);
  });
});

describe('questions for rows', () => {
  it('are for the keys that were answered', () => {
    let compared = 0;
    for (const name of databases.filter((each) => each !== 'docs' && each !== 'odd')) {
      const { rows } = follow(name);
      for (const asked of recordedDatabase(name).rows) {
        if (asked.tx === undefined) continue;
        const types = (schema: TableSchema) => schema.primaryKey.map((id) => schema.types.get(id)!);
        // Of that tx, the row whose key this is: there is one, whatever its table is called now.
        const found = rows.filter(
          ({ tx, schema, pk }) =>
            tx === Number(asked.tx) &&
            types(schema).length === asked.pk.length &&
            toHex(
              encodePrimaryKey(
                types(schema),
                asked.pk.map((pk, i) => valueOf(types(schema)[i]!, pk)),
              ),
            ) === toHex(pk),
        );
        expect([asked.id, found.length]).toEqual([asked.id, 1]);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(80);
  });
});

function valueOf({ type }: ColumnType, { n, b, s, bs, ts, fBits }: RecordedValue): CellValue {
  if (n !== undefined) return type === 'FLOAT' ? Number(n) : BigInt(n);
  if (ts !== undefined) return BigInt(ts);
  if (b !== undefined) return b;
  // The server takes numbers as text.
  if (s !== undefined) return type === 'INTEGER' ? BigInt(s) : s;
  if (bs !== undefined) return fromHex(bs);
  if (fBits === undefined) throw new Error('no value');
  return new DataView(Uint8Array.from(fromHex(fBits)).buffer).getFloat64(0);
}
