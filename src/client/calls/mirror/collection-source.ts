// A collection of documents in a mirror: the id, the fields that searches know, and each document whole, as JSON.
import { equalBytes, toHex } from '../../../proof/bytes.js';
import { assertColumn, decodeDocument, documentKey } from '../../../proof/documents/document.js';
import { ProofFailure } from '../../../proof/failure.js';
import { decodeValue } from '../../../proof/sql/values.js';
import type { FollowedCollection } from '../documents/verified/collections-at.js';
import { documentValues } from '../documents/verified/values.js';
import { affinityOf, sourceId, storedValue, tableOf } from './source.js';
import type { MirrorSource, ReadColumns } from './source.js';

/** Its name is taken for no field. */
const DOCUMENT = '_doc';

export function collectionSource(collection: FollowedCollection, tx: bigint): MirrorSource {
  const { id, name, idField } = collection;
  // SQLite takes two names that differ by case for one: the second field is in the document only.
  const taken = new Set([idField, DOCUMENT].map((each) => each.toLowerCase()));
  const fields = collection.columns.filter((column) => {
    const lower = column.name.toLowerCase();
    return !taken.has(lower) && taken.add(lower);
  });
  const columns = [
    { name: idField, affinity: 'TEXT' },
    ...fields.map((field) => ({ name: field.name, affinity: affinityOf(field.type) })),
    { name: DOCUMENT, affinity: 'TEXT' },
  ];
  const none = columns.map(() => null);
  const read = (key: Uint8Array, value: Uint8Array): ReadColumns => {
    try {
      const stored = decodeDocument(value);
      let anomaly: ReadColumns['anomaly'] = equalBytes(documentKey(id, stored.id), key) ? undefined : 'key';
      const values = fields.map((field) => {
        const cell = stored.columns.find(({ column }) => column === field.id);
        // A document that was written before its collection had the field has it in itself only.
        if (!cell) return null;
        anomaly ??= agrees(() => assertColumn(stored, { ...field, column: field.id }));
        return storedValue(field.type, decodeValue(field.type, cell.bytes));
      });
      return { values: [toHex(stored.id), ...values, JSON.stringify(stored.fields)], anomaly };
    } catch (error) {
      if (!(error instanceof ProofFailure)) throw error;
      return { values: none, anomaly: 'unreadable' };
    }
  };
  return {
    ...{ id: sourceId('document', id), kind: 'collection', name, table: tableOf('collection', name), tx },
    shape: JSON.stringify([name, idField, fields.map((field) => [field.id, field.name, field.type])]),
    ...{ columns, indexes: [{ id: 0, columns: [idField] }] },
    ask: (verified, versions) => documentValues(verified, name, versions),
    read,
  };
}

function agrees(check: () => void): 'columns' | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    return 'columns';
  }
}
