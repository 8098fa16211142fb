// Keys, rows and catalog entries of anything: written and read back the same; ordered as their values are; and any other bytes refused.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { compareBytes, concatBytes, toHex } from '#dist/proof/bytes.js';
import {
  decodeCatalogEntry,
  decodeCatalogValue,
  encodeCatalogValue,
  isSqlDeletion,
} from '#dist/proof/sql/catalog-entry.js';
import type { CatalogValue } from '#dist/proof/sql/catalog-entry.js';
import {
  MAX_PK_BYTES,
  decodeKeyValues,
  encodeKeyValue,
  encodePrimaryKey,
  hasOwnKey,
} from '#dist/proof/sql/key-values.js';
import { decodeSqlKey, encodeSqlKey } from '#dist/proof/sql/raw-key.js';
import type { CatalogKey, SqlKey } from '#dist/proof/sql/raw-key.js';
import { decodeCells, decodeRow, encodeRow } from '#dist/proof/sql/row.js';
import { TableParts, schemaOf } from '#dist/proof/sql/schema.js';
import { FIXED_LENGTH, SQL_TYPES } from '#dist/proof/sql/types.js';
import type { CellValue, ColumnType, SqlType } from '#dist/proof/sql/types.js';
import { decodeValue, encodeValue } from '#dist/proof/sql/values.js';
import { checkFailedBy } from '../helpers.js';

const text = (maxLength?: number) =>
  fc.string({ unit: 'grapheme', ...(maxLength !== undefined && { maxLength }) });
const id = fc.integer({ min: 1, max: 0xffff_ffff });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Those that have keys of their own. */
const micros = fc.bigInt({ min: -9223372036854775n, max: 9223372036854775n });

const VALUES: Record<SqlType, fc.Arbitrary<CellValue>> = {
  INTEGER: int64,
  BOOLEAN: fc.boolean(),
  VARCHAR: text(),
  BLOB: fc.uint8Array({ maxLength: 80 }),
  UUID: fc.uuid(),
  TIMESTAMP: int64,
  FLOAT: fc.double(),
  JSON: fc.json(),
};

const bytesOf = (value: CellValue) => new TextEncoder().encode(value as string).length;
const column = (type: SqlType, maxLength = FIXED_LENGTH[type] ?? 64): ColumnType => ({ type, maxLength });

describe('values of rows', () => {
  test.each(SQL_TYPES)('%s comes back the same', (type) => {
    fc.assert(
      fc.property(VALUES[type], (value) => {
        expect(decodeValue(type, encodeValue(type, value))).toEqual(value);
      }),
    );
  });

  test.each(SQL_TYPES)('%s takes nothing of another type', (type) => {
    const others = [
      null,
      undefined,
      {},
      [],
      Symbol('x'),
      () => 1,
      new Date(),
      1,
      1n,
      true,
      'text',
      new Uint8Array(1),
    ];
    const natural: Record<SqlType, (value: unknown) => boolean> = {
      INTEGER: (value) => typeof value === 'bigint',
      TIMESTAMP: (value) => typeof value === 'bigint',
      BOOLEAN: (value) => typeof value === 'boolean',
      VARCHAR: (value) => typeof value === 'string',
      JSON: (value) => typeof value === 'string',
      UUID: () => false,
      BLOB: (value) => value instanceof Uint8Array,
      FLOAT: (value) => typeof value === 'number',
    };
    for (const other of others.filter((value) => !natural[type](value))) {
      expect(() => encodeValue(type, other as never)).toThrow(RangeError);
    }
  });

  it('have 64 bits, and text that is Unicode', () => {
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n]) {
      expect(() => encodeValue('INTEGER', value)).toThrow('64 bits');
      expect(() => encodeValue('TIMESTAMP', value)).toThrow('64 bits');
    }
    expect(() => encodeValue('VARCHAR', 'half \ud83c')).toThrow('well-formed');
  });

  it('keep a mark at the beginning of text', () => {
    expect(decodeValue('VARCHAR', encodeValue('VARCHAR', '\ufeffx'))).toBe('\ufeffx');
  });

  it.each([
    ['INTEGER', 'cut', new Uint8Array(7), 'sql-value.length'],
    ['INTEGER', 'longer', new Uint8Array(9), 'sql-value.length'],
    ['TIMESTAMP', 'longer', new Uint8Array(9), 'sql-value.length'],
    ['FLOAT', 'cut', new Uint8Array(4), 'sql-value.length'],
    ['UUID', 'cut', new Uint8Array(15), 'sql-value.length'],
    ['BOOLEAN', 'empty', new Uint8Array(0), 'sql-value.length'],
    ['BOOLEAN', 'two', new Uint8Array([2]), 'sql-value.boolean'],
    ['VARCHAR', 'of no text', new Uint8Array([0xff]), 'sql-value.text'],
    ['VARCHAR', 'of a surrogate', new Uint8Array([0xed, 0xa0, 0x80]), 'sql-value.text'],
    ['JSON', 'of no text', new Uint8Array([0x22, 0xc0, 0x80, 0x22]), 'sql-value.text'],
  ] as const)('%s %s is refused', (type, _, bytes, check) => {
    expect(checkFailedBy(() => decodeValue(type, bytes))).toBe(check);
  });
});

describe('values of keys', () => {
  const KEYS: Record<Exclude<SqlType, 'JSON'>, fc.Arbitrary<CellValue>> = {
    ...VALUES,
    TIMESTAMP: micros,
    VARCHAR: text().filter((value) => bytesOf(value) <= 64),
    BLOB: fc.uint8Array({ maxLength: 64 }),
    FLOAT: fc.double({ noNaN: true }),
  };
  const types = Object.keys(KEYS) as (keyof typeof KEYS)[];
  const keyed = types.filter((type) => (type as string) !== 'JSON');

  test.each(keyed)('%s comes back the same', (type) => {
    fc.assert(
      fc.property(KEYS[type], (value) => {
        expect(decodeKeyValues([column(type)], encodeKeyValue(column(type), value))).toEqual([value]);
      }),
    );
  });

  test.each(keyed)('%s is ordered as its values are', (type) => {
    const order = (a: CellValue, b: CellValue): number => {
      if (type === 'VARCHAR' || type === 'BLOB') return 0;
      if (typeof a === 'boolean') return Number(a) - Number(b);
      if (Object.is(a, b)) return 0;
      // The two zeros are two keys.
      if (a === b) return Object.is(a, -0) ? -1 : 1;
      return a < b ? -1 : 1;
    };
    fc.assert(
      fc.property(KEYS[type], KEYS[type], (a, b) => {
        const compared = compareBytes(encodeKeyValue(column(type), a), encodeKeyValue(column(type), b));
        const expected =
          type === 'VARCHAR' || type === 'BLOB'
            ? compareBytes(padded(type, a), padded(type, b))
            : order(a, b);
        expect(Math.sign(compared)).toBe(Math.sign(expected));
      }),
    );
  });

  /** Text is ordered by its bytes, and of those that are alike up to zeros the shorter is first. */
  function padded(type: SqlType, value: CellValue): Uint8Array {
    const bytes = encodeValue(type, value);
    const out = new Uint8Array(65);
    out.set(bytes);
    out[64] = bytes.length;
    return out;
  }

  it('of several columns come back the same, in the order of the key', () => {
    const columns = [column('UUID'), column('INTEGER'), column('VARCHAR'), column('BOOLEAN')];
    const values = fc.tuple(KEYS.UUID, KEYS.INTEGER, KEYS.VARCHAR, KEYS.BOOLEAN);
    fc.assert(
      fc.property(values, (each) => {
        expect(decodeKeyValues(columns, encodePrimaryKey(columns, each))).toEqual(each);
      }),
    );
    expect(() => encodePrimaryKey(columns, [1n])).toThrow('1 values where the primary key has 4');
  });

  it('may be NULL in an index, not in a primary key', () => {
    const columns = [column('INTEGER'), column('VARCHAR')];
    const bytes = concatBytes(new Uint8Array([0x20]), encodeKeyValue(columns[1]!, 'x'));
    expect(decodeKeyValues(columns, bytes, true)).toEqual([null, 'x']);
    expect(checkFailedBy(() => decodeKeyValues(columns, bytes))).toBe('sql-key.mark');
  });

  it('that the column does not take are refused, as are columns that no key has', () => {
    expect(() => encodeKeyValue(column('VARCHAR', 4), 'ééé')).toThrow('6 bytes where VARCHAR[4] takes 4');
    expect(() => encodeKeyValue(column('BLOB', 0), new Uint8Array(1))).toThrow('without a length');
    expect(() => encodeKeyValue(column('JSON'), '{}')).toThrow('JSON is no key');
    expect(checkFailedBy(() => decodeKeyValues([column('JSON')], new Uint8Array([0x80])))).toBe(
      'sql-key.type',
    );
    expect(checkFailedBy(() => decodeKeyValues([column('BLOB', 0)], new Uint8Array([0x80])))).toBe(
      'sql-key.type',
    );
  });

  it('fit into 506 bytes: one text of 501', () => {
    expect(encodeKeyValue(column('VARCHAR', 501), 'x').length).toBe(MAX_PK_BYTES);
  });

  it('of a time are its own from 1677 to 2262', () => {
    expect(
      [9223372036854775n, 9223372036854776n, -9223372036854775n, -9223372036854776n].map(hasOwnKey),
    ).toEqual([true, false, true, false]);
  });

  it.each([
    ['cut', (key: Uint8Array) => key.slice(0, -1), 'sql-key.length'],
    ['longer', (key: Uint8Array) => concatBytes(key, new Uint8Array(1)), 'sql-key.length'],
    ['with something after the text', (key: Uint8Array) => changed(key, 4, 1), 'sql-key.padding'],
    ['longer than its column', (key: Uint8Array) => changed(key, key.length - 1, 200), 'sql-key.length'],
    ['of another mark', (key: Uint8Array) => changed(key, 0, 0x81), 'sql-key.mark'],
    ['of no text', (key: Uint8Array) => changed(key, 1, 0xff), 'sql-value.text'],
  ] as const)('%s are refused', (_, change, check) => {
    const key = encodeKeyValue(column('VARCHAR'), 'abc');
    expect(checkFailedBy(() => decodeKeyValues([column('VARCHAR')], change(key)))).toBe(check);
  });

  it('of a boolean that is none, and of a time that is no microsecond, are refused', () => {
    expect(checkFailedBy(() => decodeKeyValues([column('BOOLEAN')], new Uint8Array([0x80, 2])))).toBe(
      'sql-value.boolean',
    );
    const nanos = encodeKeyValue(column('INTEGER'), 1n);
    expect(checkFailedBy(() => decodeKeyValues([column('TIMESTAMP')], nanos))).toBe('sql-key.timestamp');
  });

  it('are one text only: other bytes that are read are another value', () => {
    fc.assert(
      fc.property(KEYS.VARCHAR, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const key = encodeKeyValue(column('VARCHAR'), value);
        const other = changed(key, at % key.length, (key[at % key.length] ?? 0) ^ change);
        const failed = checkFailedBy(() => {
          expect(decodeKeyValues([column('VARCHAR')], other)).not.toEqual([value]);
        });
        expect(failed === undefined || /^sql-(key|value)\./.test(failed)).toBe(true);
      }),
    );
  });
});

function changed(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const out = bytes.slice();
  out[at] = byte;
  return out;
}

const cells = fc
  .uniqueArray(fc.record({ column: id, bytes: fc.uint8Array({ maxLength: 30 }) }), {
    selector: (each) => each.column,
  })
  .map((each) => each.sort((a, b) => a.column - b.column));

describe('rows', () => {
  it('come back the same', () => {
    fc.assert(
      fc.property(cells, (each) => {
        expect(decodeCells(encodeRow(each)).map((cell) => ({ ...cell, bytes: cell.bytes.slice() }))).toEqual(
          each,
        );
      }),
    );
  });

  it('are one form only: whatever is read is written back as it was', () => {
    fc.assert(
      fc.property(cells, fc.nat(), fc.integer({ min: 1, max: 255 }), (each, at, change) => {
        const row = encodeRow(each);
        const other = changed(row, at % row.length, (row[at % row.length] ?? 0) ^ change);
        const failed = checkFailedBy(() => {
          expect(toHex(encodeRow(decodeCells(other)))).toBe(toHex(other));
        });
        expect(failed === undefined || failed.startsWith('sql-row.')).toBe(true);
      }),
    );
  });

  const row = encodeRow([
    { column: 1, bytes: encodeValue('INTEGER', 7n) },
    { column: 3, bytes: encodeValue('VARCHAR', 'x') },
  ]);
  const with4 = (at: number, value: number) => {
    const out = row.slice();
    new DataView(out.buffer).setUint32(at, value);
    return out;
  };
  it.each([
    ['nothing', new Uint8Array(0), 'sql-row.truncated'],
    ['cut', row.slice(0, -1), 'sql-row.truncated'],
    ['with a byte after it', concatBytes(row, new Uint8Array(1)), 'sql-row.trailing'],
    ['with a column less than it counts', with4(0, 3), 'sql-row.truncated'],
    ['with a column more than it counts', with4(0, 1), 'sql-row.trailing'],
    ['of more columns than bytes', with4(0, 0xffff_ffff), 'sql-row.truncated'],
    ['with an id twice', with4(20, 1), 'sql-row.order'],
    ['with descending ids', with4(4, 4), 'sql-row.order'],
    ['with id 0', with4(4, 0), 'sql-row.order'],
    ['with a length beyond its end', with4(24, 2), 'sql-row.truncated'],
  ] as const)('%s are refused', (_, bytes, check) => {
    expect(checkFailedBy(() => decodeCells(bytes))).toBe(check);
  });

  it('leave out what was dropped, and have no columns that the table never had', () => {
    const types = new Map([[1, column('INTEGER')]]);
    expect(decodeRow(row, types, 3)).toMatchObject({ dropped: [3] });
    expect(checkFailedBy(() => decodeRow(row, types, 2))).toBe('sql-row.column');
    expect(checkFailedBy(() => decodeRow(row, new Map([[1, column('UUID')]]), 3))).toBe('sql-value.length');
  });

  it('are not written with ids that do not ascend', () => {
    const cell = (column: number) => ({ column, bytes: new Uint8Array(0) });
    for (const each of [[cell(2), cell(1)], [cell(1), cell(1)], [cell(0)], [cell(1.5)], [cell(2 ** 32)]]) {
      expect(() => encodeRow(each)).toThrow('column ids ascend');
    }
  });
});

const prefix = fc.constantFrom('sql', 'document') as fc.Arbitrary<SqlKey['prefix']>;
const pk = fc.uint8Array({ minLength: 1, maxLength: 40 });
const name = text(40).filter((each) => each !== '' && each.isWellFormed());
const sqlKeys: fc.Arbitrary<SqlKey> = fc.oneof(
  fc.record({ kind: fc.constant('row' as const), prefix, table: id, pk }),
  fc.record({ kind: fc.constant('old-index' as const), prefix, table: id, index: id, values: pk }),
  fc.record({ kind: fc.constant('table' as const), prefix, table: id }),
  fc.record({
    kind: fc.constant('column' as const),
    prefix,
    table: id,
    column: id,
    type: fc.constantFrom(...SQL_TYPES),
  }),
  fc.record({ kind: fc.constant('index' as const), prefix, table: id, index: fc.nat() }),
  fc.record({ kind: fc.constant('check' as const), prefix, table: id, check: fc.nat() }),
  fc.record({ kind: fc.constantFrom('sequence' as const, 'view' as const), prefix, name }),
);

describe('raw keys', () => {
  it('come back the same', () => {
    fc.assert(
      fc.property(sqlKeys, (key) => {
        expect(decodeSqlKey(encodeSqlKey(key))).toEqual(key);
      }),
    );
  });

  it('are one form only: whatever is read is written back as it was', () => {
    fc.assert(
      fc.property(sqlKeys, fc.nat(), fc.integer({ min: 1, max: 255 }), (key, at, change) => {
        const bytes = encodeSqlKey(key);
        const other = changed(bytes, at % bytes.length, (bytes[at % bytes.length] ?? 0) ^ change);
        const failed = checkFailedBy(() => {
          expect(toHex(encodeSqlKey(decodeSqlKey(other)))).toBe(toHex(other));
        });
        expect(failed === undefined || /^sql-(key|value)\./.test(failed)).toBe(true);
      }),
    );
  });

  const row = encodeSqlKey({ kind: 'row', prefix: 'sql', table: 7, pk: new Uint8Array([0x80, 1]) });
  const table = encodeSqlKey({ kind: 'table', prefix: 'sql', table: 7 });
  const text8 = (value: string) => new TextEncoder().encode(value);
  it.each([
    ['nothing', new Uint8Array(0), 'sql-key.kind'],
    ['a key of KV', changed(row, 0, 0), 'sql-key.kind'],
    ['an unknown word', changed(row, 1, 0x51), 'sql-key.kind'],
    [
      'an unknown entry of the catalog',
      concatBytes(text8('\x02CTL.OTHER.'), new Uint8Array(8)),
      'sql-key.kind',
    ],
    ['another database', changed(row, 6, 2), 'sql-key.id'],
    ['another index', changed(row, 14, 1), 'sql-key.id'],
    ['table 0', changed(row, 10, 0), 'sql-key.id'],
    ['a row without a key', row.slice(0, -2), 'sql-key.length'],
    ['a table that goes on', concatBytes(table, new Uint8Array(1)), 'sql-key.length'],
    ['a table that ends early', table.slice(0, -1), 'sql-key.length'],
    [
      'a column of no type',
      concatBytes(
        text8('\x02CTL.COLUMN.'),
        new Uint8Array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]),
        text8('TEXT'),
      ),
      'sql-key.type',
    ],
  ] as const)('of %s are refused', (_, bytes, check) => {
    expect(checkFailedBy(() => decodeSqlKey(bytes))).toBe(check);
  });

  it('have ids', () => {
    for (const bad of [0, -1, 1.5, NaN, 2 ** 32]) {
      expect(() => encodeSqlKey({ kind: 'table', prefix: 'sql', table: bad })).toThrow('is no id');
    }
  });
});

const of = {
  table: { kind: 'table', prefix: 'sql', table: 1 },
  column: { kind: 'column', prefix: 'sql', table: 1, column: 2, type: 'VARCHAR' },
  index: { kind: 'index', prefix: 'sql', table: 1, index: 0 },
  check: { kind: 'check', prefix: 'sql', table: 1, check: 0 },
  sequence: { kind: 'sequence', prefix: 'sql', name: 's' },
  view: { kind: 'view', prefix: 'sql', name: 'v' },
} as const satisfies Record<CatalogKey['kind'], CatalogKey>;

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const catalogValues: fc.Arbitrary<CatalogValue> = fc.oneof(
  fc.record({ kind: fc.constant('table' as const), name }),
  fc
    .record(
      {
        kind: fc.constant('column' as const),
        name,
        maxLength: uint32,
        notNull: fc.boolean(),
        autoIncrement: fc.boolean(),
        defaultText: text(20),
      },
      { requiredKeys: ['kind', 'name', 'maxLength', 'notNull', 'autoIncrement'] },
    )
    .filter(({ defaultText }) => defaultText !== ''),
  fc.record({
    kind: fc.constant('index' as const),
    unique: fc.boolean(),
    columns: fc.uniqueArray(id, { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('check' as const), name, expression: name }),
  fc.record({ kind: fc.constant('sequence' as const), last: int64, increment: int64 }),
  fc.record({ kind: fc.constant('view' as const), text: name }),
);

describe('entries of the catalog', () => {
  it('come back the same', () => {
    fc.assert(
      fc.property(catalogValues, (value) => {
        expect(decodeCatalogValue(of[value.kind], encodeCatalogValue(value))).toEqual(value);
      }),
    );
  });

  it('are one form only: whatever is read is written back as it was', () => {
    fc.assert(
      fc.property(catalogValues, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const bytes = encodeCatalogValue(value);
        const other = changed(bytes, at % bytes.length, (bytes[at % bytes.length] ?? 0) ^ change);
        const failed = checkFailedBy(() => {
          expect(toHex(encodeCatalogValue(decodeCatalogValue(of[value.kind], other)))).toBe(toHex(other));
        });
        expect(failed === undefined || /^(catalog|sql-value)\./.test(failed)).toBe(true);
      }),
    );
  });

  const bytes = (...parts: (number[] | string)[]) =>
    concatBytes(
      ...parts.map((part) =>
        typeof part === 'string' ? new TextEncoder().encode(part) : Uint8Array.from(part),
      ),
    );
  it.each([
    ['a table without a name', of.table, bytes(), 'catalog.name'],
    ['a table whose name is no text', of.table, bytes([0xff]), 'sql-value.text'],
    ['a column cut off', of.column, bytes([0, 0, 0, 0, 9]), 'catalog.length'],
    ['a column with an unknown flag', of.column, bytes([8, 0, 0, 0, 9], 'n'), 'catalog.flags'],
    [
      'a column of another length',
      { ...of.column, type: 'INTEGER' as const },
      bytes([0, 0, 0, 0, 9], 'n'),
      'catalog.max-length',
    ],
    ['a column whose default is cut off', of.column, bytes([4, 0, 0, 0, 9, 0]), 'catalog.length'],
    ['a column without its default', of.column, bytes([4, 0, 0, 0, 9, 0, 1], 'n'), 'catalog.length'],
    ['a column with a default and no name', of.column, bytes([4, 0, 0, 0, 9, 0, 0], '7'), 'catalog.name'],
    ['an index cut off', of.index, bytes([1, 0, 0, 0, 1]), 'catalog.length'],
    ['an index of no column', of.index, bytes([1]), 'catalog.length'],
    ['an index of column 0', of.index, bytes([1, 0, 0, 0, 0, 0]), 'catalog.index-columns'],
    [
      'an index of a column twice',
      of.index,
      bytes([1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]),
      'catalog.index-columns',
    ],
    ['an index that descends', of.index, bytes([1, 0, 0, 0, 1, 1]), 'catalog.index-order'],
    ['an index that is 2', of.index, bytes([2, 0, 0, 0, 1, 0]), 'catalog.unique'],
    ['a check cut off', of.check, bytes([4], 'name'), 'catalog.length'],
    ['a check that goes on', of.check, bytes([0], 'n(a > 0)'), 'catalog.check'],
    ['a sequence cut off', of.sequence, new Uint8Array(15), 'catalog.length'],
    ['a view without text', of.view, bytes(), 'catalog.name'],
  ] as const)('%s is refused', (_, key, value, check) => {
    expect(checkFailedBy(() => decodeCatalogValue(key, value))).toBe(check);
  });

  it('that are deleted have no value', () => {
    const key = encodeSqlKey(of.table);
    expect(decodeCatalogEntry(key, { deleted: true }, bytes())).toEqual({ of: of.table });
    expect(checkFailedBy(() => decodeCatalogEntry(key, { deleted: true }, bytes('t')))).toBe(
      'catalog.deletion',
    );
    expect(checkFailedBy(() => decodeCatalogEntry(key, { expiresAt: 1n }, bytes('t')))).toBe(
      'sql-entry.metadata',
    );
    expect(checkFailedBy(() => isSqlDeletion({ nonIndexable: true }))).toBe('sql-entry.metadata');
    const row = encodeSqlKey({ kind: 'row', prefix: 'sql', table: 1, pk: new Uint8Array(1) });
    expect(checkFailedBy(() => decodeCatalogEntry(row, undefined, bytes('t')))).toBe('sql-key.kind');
  });
});

describe('tables', () => {
  const table = { of: of.table, value: { kind: 'table', name: 't' } } as const;
  const index = { of: of.index, value: { kind: 'index', unique: true, columns: [2] } } as const;
  const value = { kind: 'column', name: 'k', maxLength: 8, notNull: false, autoIncrement: false } as const;
  const key = { of: { ...of.column, type: 'INTEGER' }, value } as const;

  it('are made of their entries, whatever their order', () => {
    for (const entries of [
      [table, index, key],
      [key, index, table],
    ]) {
      expect(schemaOf('sql', 1, entries)).toMatchObject({ name: 't', primaryKey: [2], maxColumnId: 2 });
    }
    expect(schemaOf('document', 1, [table, index, key])).toBeUndefined();
    expect(schemaOf('sql', 2, [table, index, key])).toBeUndefined();
    expect(schemaOf('sql', 1, [table, index, key, { of: of.table }])).toBeUndefined();
  });

  it('without their primary key, or its column, are refused', () => {
    expect(checkFailedBy(() => schemaOf('sql', 1, [table, key]))).toBe('catalog.primary-key');
    expect(checkFailedBy(() => schemaOf('sql', 1, [table, index]))).toBe('catalog.primary-key');
  });

  it('have one primary key for ever', () => {
    const other = { of: of.index, value: { kind: 'index', unique: true, columns: [1] } } as const;
    expect(checkFailedBy(() => schemaOf('sql', 1, [table, index, key, other]))).toBe('catalog.primary-key');
  });

  it('with a column of two types, or of two lengths, cannot be read', () => {
    const twice = { of: of.column, value: { ...value, maxLength: 0 } } as const;
    const longer = { of: key.of, value: { ...value, maxLength: 9 } } as const;
    for (const second of [twice, longer]) {
      const parts = new TableParts();
      for (const entry of [table, index, key, second]) parts.apply(entry);
      expect([...parts.ambiguous]).toEqual([2]);
      expect(checkFailedBy(() => parts.schema('sql', 1))).toBe('catalog.ambiguous');
    }
  });
});
