// What the checks of whole transactions, writes, states and the bytes of answers compare, and what it means when they fail.
import type { ElsewhereCheck } from './answers.js';
import type { CheckWords } from './check-words.js';

export const TRANSACTIONS: Readonly<Record<ElsewhereCheck, CheckWords>> = {
  'block.count': ['how many headers are shown with how many were asked for', 'headers are missing'],
  'block.first': ['the first header with the one that was asked for', 'the block begins elsewhere'],
  'block.lag': [
    'the tree that is proven with the headers that are to be in it',
    'the tree ends before the block does: some of its headers would not be proven by it',
  ],
  'document.collection': [
    'the collection of a document with the one that was asked for',
    'a document of another collection is shown',
  ],
  'document.database': [
    'the database that the answer names with the one that was asked',
    'a document of another database is shown',
  ],
  'document.deleted': [
    'the metadata of the document with those of one that is there',
    'a document that was deleted is shown as the latest',
  ],
  'document.entry': [
    'the raw key of the document with the entries of its transaction',
    'the transaction is not shown to hold this document',
  ],
  'document.tx': [
    'the transaction of the document with the one that was asked for',
    'another version is shown than was asked for',
  ],
  'document.value': [
    'the SHA-256 of the stored document with the hash that its transaction commits to',
    'the document is not the one that was written',
  ],
  'export.end': [
    'the length of an exported transaction with what its entries say',
    'the export is cut off, or goes on behind its last entry',
  ],
  'export.flag': [
    'the mark that says whether values are truncated with the two that there are',
    'the export is not of the form that replicas take',
  ],
  'export.header': [
    'the header in the export with the header that is proven to be in the history',
    'another transaction was exported than the one in the history',
  ],
  'export.value-hash': [
    'the length of what stands for a truncated value with that of a SHA-256',
    'neither the value nor its hash is there',
  ],
  'leaves.count': [
    'how many transactions are shown with how many were asked for',
    'transactions are missing',
  ],
  'leaves.tx': ['the id of each transaction with the one that was asked for', 'another one is shown'],
  'proof.database': [
    'the database in a proof document with the one that the reader gives',
    'the proof is about another database',
  ],
  'proof.entries': [
    'the entries of a proof document with their places in their transaction',
    'entries are out of order, doubled, or only some of them have a place',
  ],
  'proof.form': [
    'a proof document with what such a document consists of',
    'it is damaged, or no proof document',
  ],
  'proof.header': [
    "the hash of the document's header with the root that it is under",
    'the header is not that of the root: its entries prove nothing under it',
  ],
  'proof.root': [
    'the root in a proof document with the one that the reader trusts',
    'the proof is under another root than the one that is trusted',
  ],
  'proof.server': [
    'the server in a proof document with the one that the reader gives',
    'the proof is about another server',
  ],
  'row.at-tx': ['the transaction of the row with the one that was asked for', 'another version is shown'],
  'row.deleted': ['the metadata of the row with those of one that is there', 'a deletion is shown as a row'],
  'segment.count': ['how many headers are shown with how many were asked for', 'headers are missing'],
  'set.count': [
    'how many entries the transaction has with how many were sent',
    'the server wrote more or less than it was told',
  ],
  'set.key': ['the key in the transaction with the key that was sent', 'the server wrote another key'],
  'set.metadata': [
    'the metadata in the transaction with those that were sent',
    'the server wrote other metadata: another expiry, or a deletion',
  ],
  'set.truncation': [
    'the metadata of the transaction with those that a write has',
    'a transaction is shown that gives up old values: it is no write of ours',
  ],
  'set.tx': [
    'the transaction that answers a write with the head that was trusted before',
    'the server answers with an older transaction: it replays an earlier write, or has gone back',
  ],
  'set.value': [
    'the SHA-256 of the value that was sent with the hash that the transaction commits to',
    'the server wrote another value',
  ],
  'signature.invalid': [
    "the signature of a state with the configured key, over our database's name, the tx and its hash",
    'the state is not signed by the key that must sign it: another server, or one without the key, answers',
  ],
  'signature.missing': [
    'a state with the demand that it is signed, since a key is configured',
    'the server signs nothing, or somebody has taken the signature off',
  ],
  'state.database': [
    'the database in a state with the one that was asked',
    'the state is of another database',
  ],
  'state.empty': ['the hash of an empty database with that of nothing', 'an empty database has a hash'],
  'streamed.value': [
    'the SHA-256 of the bytes that came by a stream with the hash that the transaction commits to',
    'the value that came is not the one that was written',
  ],
  'stretch.after': [
    'the header of the first transaction with the last one before it, proven already',
    'a transaction does not follow the one before it: something lies between, or there are two histories',
  ],
  'stretch.count': [
    'how many transactions are shown with how many were asked for',
    'transactions are missing',
  ],
  'stretch.first': [
    'the first transaction with the one that was asked for',
    'others are shown in their place',
  ],
  'stretch.tree': [
    'the root that the transactions give with the tree that the history proves',
    'chain and tree are two histories: what one proof shows, another denies',
  ],
  'stretch.tree-root': [
    'the root in each header with the tree over all transactions before it, recomputed',
    'a header commits to another history than the one that it stands in',
  ],
  'stretch.value': [
    'the SHA-256 of a value with the hash that its entry commits to',
    'the value that the server holds is not the one that was written',
  ],
  'stretch.value-entry': [
    'each value with the entries of its transaction',
    'a value is shown that belongs to no entry',
  ],
  'stretch.values.count': [
    'how many transactions are shown with their values with how many were asked for',
    'transactions are missing among those with values',
  ],
  'stretch.values.first': [
    'the first transaction that is shown with its values with the one that was asked for',
    'values of other transactions are shown in their place',
  ],
  'stretch.values.tx': [
    'the transaction whose values are shown with the one whose entries are proven',
    'values of another transaction are shown',
  ],
  'trust.fork': [
    'the hash of a transaction as it is proven now with the hash that it was proven to have before',
    'the server has two histories of one database, and has shown you both; or it was restored or made anew',
  ],
  'trust.rollback': [
    "the server's newest transaction with the newest one that was trusted",
    'the server has lost transactions that it had proven, or hides them: it was restored, lags behind, or went back',
  ],
  'tx.id': ['the id of the transaction with the one that was asked for', 'another transaction is shown'],
  'wire.bool': ['a truth value on the wire with 0 and 1', 'the answer is malformed'],
  'wire.bound': [
    'how many parts a list has with how many there can be',
    'the answer holds more than was asked for, or than its header says',
  ],
  'wire.count': ['a number on the wire with the range of its field', 'the answer is malformed'],
  'wire.digest': [
    'the length of a hash on the wire with 32 bytes',
    'the answer is malformed, or a hash is missing',
  ],
  'wire.field': ['the number of a field on the wire with those that can be', 'the answer is malformed'],
  'wire.group': ['the kind of a field on the wire with those of this protocol', 'the answer is malformed'],
  'wire.id': ['a transaction id on the wire with 0 to 2^63-1', 'the answer is malformed'],
  'wire.missing': [
    'the parts of an answer with those that it must have',
    'a part without which nothing is proven is missing',
  ],
  'wire.repeated': [
    'the parts of an answer with those that may occur once',
    'a part occurs twice: two readers of it could see two answers',
  ],
  'wire.request': [
    'the fields of a request that is to be proven with those that are checked',
    'the request holds something that no check would look at; nothing was refused of the server',
  ],
  'wire.truncated': ['the end of a field with the end of the answer', 'the answer is cut off'],
  'wire.type': ['the type of a field on the wire with the one that it has', 'the answer is malformed'],
  'wire.varint': ['the length of a number on the wire with 64 bits', 'the answer is malformed'],
  'written.count': [
    'how many entries the transaction has with how many the request must have become',
    'the server wrote more or less than it was told',
  ],
  'written.entries': [
    'the entries root of the transaction with that over exactly the entries that were sent',
    'the server wrote other entries than it was told: another key, value or metadata, or in another order',
  ],
  'written.truncation': [
    'the metadata of the transaction with those that a write has',
    'a transaction is shown that gives up old values: it is no write of ours',
  ],
  'written.tx': [
    'the transaction that answers a write with the head that was trusted before',
    'the server answers with an older transaction: it replays an earlier write, or has gone back',
  ],
};
