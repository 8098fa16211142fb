// A document as it is stored: a row whose first column is its id, whose second is the whole document, and whose others are the
// fields that its collection knows.
import { toHex } from '../bytes.js';
import { ProofFailure } from '../failure.js';
import { encodePrimaryKey } from '../sql/key-values.js';
import { encodeSqlKey } from '../sql/raw-key.js';
import { decodeCells } from '../sql/row.js';
import type { RawCell } from '../sql/row.js';
import type { ColumnType, SqlType } from '../sql/types.js';
import { decodeValue } from '../sql/values.js';
import { decodeStruct } from './struct-reader.js';
import { fieldOf, valueAt } from './values.js';
import type { DocumentFields, DocumentValue } from './values.js';

/** Ids of documents are 1 to 32 bytes. */
export const MAX_DOCUMENT_ID_BYTES = 32;
/** The column of ids, and that of whole documents. */
export const ID_COLUMN = 1;
export const DOCUMENT_COLUMN = 2;

const ID_TYPE: ColumnType = { type: 'BLOB', maxLength: MAX_DOCUMENT_ID_BYTES };

export interface StoredDocument {
  readonly id: Uint8Array;
  readonly fields: DocumentFields;
  /** Names of the document's own fields that hold its id: one of them is where the collection has it. */
  readonly idFields: readonly string[];
  /** What queries and indexes know of it, by ids of columns. */
  readonly columns: readonly RawCell[];
}

/** Raw key of a document. Throws RangeError for an id that none has, or a collection that is none. */
export function documentKey(collection: number, id: Uint8Array): Uint8Array {
  if (id.length < 1) throw new RangeError('a document has an id');
  return encodeSqlKey({
    kind: 'row',
    prefix: 'document',
    table: collection,
    pk: encodePrimaryKey([ID_TYPE], [id]),
  });
}

/** The document that a raw value is. Throws ProofFailure for what no server stores for one. */
export function decodeDocument(row: Uint8Array): StoredDocument {
  const [first, second, ...columns] = decodeCells(row);
  if (first?.column !== ID_COLUMN || second?.column !== DOCUMENT_COLUMN)
    throw new ProofFailure('document.columns', 'no id, or no document', undefined, first?.column ?? 0);
  const id = first.bytes;
  if (id.length < 1 || id.length > MAX_DOCUMENT_ID_BYTES)
    throw new ProofFailure('document.id', 'not an id', `1..${MAX_DOCUMENT_ID_BYTES}`, id.length);
  const fields = decodeStruct(second.bytes);
  const hex = toHex(id);
  const idFields = Object.keys(fields).filter((name) => fieldOf(fields, name) === hex);
  if (idFields.length === 0)
    throw new ProofFailure('document.id-field', 'the document does not hold its id', hex);
  return { id, fields, idFields, columns };
}

/** A column of a collection, and the field that it has the value of. */
export interface FieldColumn {
  readonly column: number;
  readonly name: string;
  readonly type: SqlType;
}

/** Requires that a column has what the document has in the field. Throws ProofFailure. */
export function assertColumn({ fields, columns }: StoredDocument, { column, name, type }: FieldColumn): void {
  const value = valueAt(fields, name) ?? null;
  const cell = columns.find((each) => each.column === column);
  if (!cell) {
    if (value !== null) throw disagrees(name, 'a value', 'none');
    return;
  }
  if (value === null) throw disagrees(name, 'none', 'a value');
  const stored = decodeValue(type, cell.bytes);
  const isSame =
    type === 'INTEGER'
      ? sameInteger(value, stored as bigint)
      : type === 'UUID'
        ? typeof value === 'string' && uuidDigits(value) === uuidDigits(stored as string)
        : Object.is(value, stored);
  if (!isSame)
    throw disagrees(name, typeof value === 'object' ? 'no such value' : String(value), String(stored));
}

/** Doubles are cut towards zero; what becomes of those beyond 64 bits depends on the server's processor. */
function sameInteger(value: DocumentValue, stored: bigint): boolean {
  if (typeof value !== 'number') return false;
  return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) === stored : true;
}

/** A UUID may be written with or without dashes, in braces, as a URN, in either case. */
export function uuidDigits(text: string): string {
  return text.toLowerCase().replace(/^urn:uuid:|[{}-]/g, '');
}

function disagrees(name: string, expected: string, computed: string): ProofFailure {
  return new ProofFailure(
    'document.agree',
    `its column ${name} is not what the document has`,
    expected,
    computed,
  );
}
