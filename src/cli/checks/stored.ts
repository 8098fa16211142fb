// What the checks of headers, entries, rows and documents as they are stored compare, and what it means when they fail.
import type { ProofCheck } from '../../audit.js';
import type { CheckWords } from './check-words.js';

/** Checks of what is stored: headers, entries, and what SQL and documents make of them. */
export type StoredCheck = Extract<
  ProofCheck,
  | `catalog.${string}`
  | `document.${string}`
  | `sql-${string}`
  | `kv-metadata.${string}`
  | `tx-metadata.${string}`
  | `entry.${string}`
  | `header.${string}`
  | `entries.${string}`
>;

export const STORED: Readonly<Record<StoredCheck, CheckWords>> = {
  'catalog.ambiguous': [
    'the entries about one column in the catalog with each other',
    'a column has two types: the catalog cannot be read in one way',
  ],
  'catalog.check': [
    'the stored form of a CHECK with the form that it has',
    'the entry of the catalog is none that a server writes',
  ],
  'catalog.deletion': [
    'the value of a deleted entry of the catalog with nothing',
    'a deletion carries a value',
  ],
  'catalog.flags': [
    'the flags of a column with those that there are',
    'the column says something of itself that this release cannot read: its rows are not shown',
  ],
  'catalog.index-columns': [
    'the columns of an index with those of its table',
    'an index names a column twice, or one that is none',
  ],
  'catalog.index-order': [
    'the order of a column in an index with ascending, the only one',
    'the entry of the catalog is none that a server writes',
  ],
  'catalog.length': [
    'the length of an entry of the catalog with that of its form',
    'the entry is cut off, or too long',
  ],
  'catalog.max-length': [
    'the length of a column with that of its type',
    'a column of fixed length says another one',
  ],
  'catalog.name': ['a name in the catalog with what names are', 'a table, column or constraint has no name'],
  'catalog.primary-key': [
    'the primary key of a table with the one that it had, and with its columns',
    'the primary key is missing, changed, or names no column: rows cannot be told apart',
  ],
  'catalog.unique': [
    'the mark of a unique index with 0 and 1',
    'the entry of the catalog is none that a server writes',
  ],
  'document.agree': [
    'each indexed column of a document with the field in the document itself',
    'column and document say different things: a search would find what is not there',
  ],
  'document.columns': ['the columns of a stored document with id and content', 'the row is no document'],
  'document.id': [
    'the id of a stored document with the id that was asked for',
    'the row of another document is shown, or no id',
  ],
  'document.id-field': [
    'the id in the content of a document with the id of its row',
    'the document does not hold its id',
  ],
  'document.struct': [
    'the stored content of a document with the form of a Struct',
    'the content cannot be read',
  ],
  'entries.count': [
    'how many entries there are with how many the header says',
    'entries are missing, or were added',
  ],
  'entries.duplicate': [
    'the keys of a transaction with each other',
    'a key occurs twice in one transaction: two readers could see two values',
  ],
  'entries.inclusion': [
    'the entries root that an inclusion proof leads to with the one in the header',
    'the entry is not in this transaction',
  ],
  'entries.index': ['the place of an entry with how many entries there are', 'there is no such place'],
  'entries.root': [
    'the root over all entries that are shown with the one in the header',
    'entries were altered, left out, added or exchanged',
  ],
  'entries.width': [
    'how many entries an inclusion proof is about with how many the header says',
    'the proof is about another transaction',
  ],
  'entry.at-tx': [
    'the transaction that a reference is bound to with what an id can be',
    'the reference is none',
  ],
  'entry.key': ['the length of a raw key with what keys have', 'no key is so long, or empty'],
  'entry.metadata': [
    'the metadata of an entry with the version of its header',
    'an entry of version 0 carries metadata, which its hash would not cover',
  ],
  'entry.reference-key': [
    'the length of the key that a reference leads to with what keys have',
    'the reference is none',
  ],
  'entry.value-hash': ['the hash of a value with 32 bytes', 'the answer is malformed'],
  'entry.version': [
    'the version of a header with 0 and 1',
    'a version that this release does not know: nothing is proven of it',
  ],
  'header.entries-root': [
    'the entries root of a header with a hash, and that of no entries with the hash of nothing',
    'the header is none that a server writes',
  ],
  'header.id': ['the id of a header with what ids can be', 'the header is none that a server writes'],
  'header.inner-hash': ['the inner hash of a header with 32 bytes', 'the answer is malformed'],
  'header.metadata': [
    'the metadata of a header with its version',
    'a header of version 0 carries metadata, which its hash would not cover',
  ],
  'header.nentries': [
    'the number of entries of a header with what its version can say',
    'the header is none that a server writes',
  ],
  'header.prev-alh': [
    'the predecessor in a header with a hash, and that of tx 1 with the hash of nothing',
    'the header is none that a server writes',
  ],
  'header.tree-root': [
    'the tree root of a header with its tree size: zero where the tree is empty, and nowhere else',
    'the header is none that a server writes',
  ],
  'header.tree-size': [
    'the size of the tree in a header with its id',
    'a header commits to itself, or to what comes later',
  ],
  'header.ts': ['the time in a header with what a time can be', 'the header is none that a server writes'],
  'header.version': [
    'the version of a header with 0 and 1',
    'a version that this release does not know: nothing is proven of it',
  ],
  'kv-metadata.attribute': [
    'the attributes of an entry with those that there are',
    'the metadata say something that this release cannot read, or are cut off',
  ],
  'kv-metadata.expires-at': [
    'the time until which an entry is valid with what a time can be',
    'the time is none',
  ],
  'kv-metadata.order': [
    'the attributes of an entry with their order',
    'attributes are out of order, or doubled: one entry could have two hashes',
  ],
  'sql-entry.metadata': [
    'the metadata of an entry of SQL with those that SQL gives',
    'the entry was not written by SQL: it is not shown as a row',
  ],
  'sql-key.id': [
    'the ids in a raw key of SQL with what ids are, and with those that were asked for',
    'the entry is of another table, index or column',
  ],
  'sql-key.kind': ['the kind of a raw key of SQL with those that there are', 'the entry is none of SQL'],
  'sql-key.length': [
    'the length of a raw key with what its columns take',
    'the key is cut off, or goes on behind its last column',
  ],
  'sql-key.mark': [
    'the mark before a value in a key with the one that there is',
    'the key is none that a server writes',
  ],
  'sql-key.padding': ['the bytes behind a value in a key with zeros', 'two keys would be read as one value'],
  'sql-key.timestamp': ['a time in a key with what times can be', 'the key is of no time'],
  'sql-key.type': ['the type of a column with those that there are', 'no column has this type'],
  'sql-row.column': [
    'the columns in a stored row with those of its table',
    'the row has a column that the table never had',
  ],
  'sql-row.order': [
    'the columns in a stored row with their order',
    'columns are out of order, or doubled: one row could be read in two ways',
  ],
  'sql-row.trailing': [
    'the end of a stored row with the end of its last column',
    'bytes come behind the row',
  ],
  'sql-row.truncated': ['the length of a stored row with what its columns take', 'the row is cut off'],
  'sql-value.boolean': ['a stored BOOLEAN with 0 and 1', 'the value is none'],
  'sql-value.length': [
    'the length of a stored value with that of its type',
    'the value is of another type than its column',
  ],
  'sql-value.text': ['a stored text with UTF-8', 'the text cannot be read in one way'],
  'tx-metadata.attribute': [
    'the attributes of a transaction with those that there are',
    'the metadata say something that this release cannot read, or are cut off',
  ],
  'tx-metadata.extra': [
    'the length of extra bytes with what there is room for',
    'the metadata are none that a server writes',
  ],
  'tx-metadata.order': [
    'the attributes of a transaction with their order',
    'attributes are out of order, or doubled',
  ],
  'tx-metadata.truncated': [
    'the transaction up to which values were given up with what ids can be',
    'the metadata are none that a server writes',
  ],
};
