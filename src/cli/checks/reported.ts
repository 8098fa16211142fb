// What the checks compare that hold an answer, or a server, against what its client knew, kept or asked for.
import type { ReportedCheck } from '../../audit.js';
import type { CheckWords } from './check-words.js';

export const REPORTED: Readonly<Record<ReportedCheck, CheckWords>> = {
  'audit.not-there': [
    'a logged root with the transactions that the server has today',
    'a transaction that was proven once is not shown any more',
  ],
  'audit.other-hash': [
    'the hash of a logged root with the hash that the history has today',
    'the server has rewritten its history since it was logged, or shows another one',
  ],
  'audit.server-behind': [
    "a logged root with the server's newest transaction",
    'the server has lost transactions that it had proven, or hides them',
  ],
  'claim.contradiction': [
    'the transaction that a plain answer names with what is proven of that transaction',
    'two things that the server said contradict each other',
  ],
  claims: [
    'an answer to several questions as a whole with its form',
    'the answer cannot be taken apart: none of its parts is used',
  ],
  'document.audit': [
    'the versions of a document that the server lists with those that are proven',
    'a version is missing, doubled, out of order, or was never written',
  ],
  'document.catalog': [
    'the collection that the server describes with the catalog that is made of proven transactions',
    'the server describes a collection, an id or a field that its own history does not have',
  ],
  'document.column': [
    'the fields that the server describes with those in the proven catalog',
    'the server says that a field has another name, type or number than it was given',
  ],
  'document.gone': [
    'a document that is said to be missing with what is proven of it',
    'a document that was proven before is said to be missing, and no deletion of it is shown',
  ],
  'document.header': [
    'the transaction of a document with the transaction that is proven',
    'a document is shown with a transaction that is not the one in the history',
  ],
  'document.id-name': [
    "the name of a collection's id field with the proven catalog",
    'the server says that the id has another name than it was given',
  ],
  'document.inserted': [
    'the documents in the transaction with those that were sent',
    'the server wrote other documents than it was told',
  ],
  'document.kept': [
    'what a deletion left with what it was to delete',
    'documents that were to be deleted are not shown to be deleted',
  ],
  'document.match': [
    'each document with the conditions of the search',
    'a document is shown that is not what was asked for',
  ],
  'document.order': [
    'each document with the one before it, by the order that was asked for',
    'documents are out of order, or one is shown twice',
  ],
  'document.replaced': [
    'the documents in the transaction with those that were to replace others',
    'the server wrote other documents than it was told, or under other ids',
  ],
  'document.shown': [
    'a page of a search with its form',
    'the page cannot be read, or a document on it has no id',
  ],
  'document.stale': [
    'the transaction of a document with the newest one in which it was proven before',
    'an older version is shown as the latest: the server hides the newer one',
  ],
  'get.non-indexable': [
    'the metadata of the entry with those of one that reads can find',
    'an entry that is outside the index is shown as the value of its key',
  ],
  'get.reference-target': [
    'a reference with the entry that it is said to lead to',
    'the entry that it is bound to is not shown, or is not there',
  ],
  'get.reference-value': [
    'the value that was answered through a reference with that of the entry it points to',
    'another value is shown than the one that the reference leads to',
  ],
  'get.stale': [
    'the transaction of the entry with the newest one in which its key was proven or followed before',
    'an older version is shown as the latest: the server hides the newer one',
  ],
  'gone.reference': [
    'what a reference is said to lead to with what it can: a key with a value',
    'a reference is said to lead to another reference',
  ],
  'history.incomplete': [
    'the versions in a history with all that were followed up to its root',
    'the history leaves versions out',
  ],
  'history.stale': [
    'the newest version in a history with the newest one that was proven before',
    'the history ends too early: the server hides newer versions',
  ],
  'history.time': [
    'the times of a version in its history with those in its transaction',
    'a version is shown with another expiry than it was written with',
  ],
  identity: [
    'what a server calls itself with the identity that the address was bound to',
    'another server answers at this address, or the server was made anew',
  ],
  'identity.address': [
    'the address with the one that the identity is known by',
    'a server is asked by an address that belongs to another identity',
  ],
  'identity.missing': [
    'whether a server says who it is',
    'the server does not: it cannot be told from another one',
  ],
  'kept.form': [
    'the headers that were kept in the store with their form',
    'the store is damaged, or was changed',
  ],
  'kept.known': [
    'a kept header with the header that is proven',
    'what was kept is of another history: the store was changed, or there are two histories',
  ],
  'kept.log': ['kept headers with the roots in the audit log', 'what was kept contradicts what was logged'],
  'kept.root': [
    'the root that kept headers are under with the audit log',
    'what was kept is under a root that was never trusted',
  ],
  'kept.seal': [
    'the SHA-256 of kept headers with the one in the audit log',
    'what was kept was changed since',
  ],
  'latest.kept': [
    "the SHA-256 of a follower's kept index with the one in the audit log",
    'the file was changed, damaged or exchanged: it is dropped, and the database followed again',
  ],
  'latest.missing': [
    'a version that was followed with what the server shows at its transaction',
    'the server does not show a value that it must have',
  ],
  'latest.revision': [
    'the revision that the server says with the number of versions that were followed',
    'the server counts other versions than were written',
  ],
  'log.fork': [
    'a root that a client has proven with the root of the same transaction in the log',
    'two clients of this store were shown two histories, or the server was made anew between them',
  ],
  'reports.alh': [
    'the hash at which a range of an audit begins, or the last one ends, with that of the range before it, or of the root',
    'ranges are of different histories, or a report was made up',
  ],
  'reports.count': [
    'the numbers in a report of a range with each other',
    'the report does not add up: it is none that an audit makes',
  ],
  'reports.hole': [
    'the ranges of reports with the transactions that are to be audited',
    'some transactions are in no report',
  ],
  'reports.key': [
    'the key that a report is signed with with the keys that are believed',
    'somebody else signed it',
  ],
  'reports.overlap': [
    'the ranges of reports with each other',
    'transactions are in two reports: what they tell cannot be added up',
  ],
  'reports.root': ['where the last range ends with the root', 'the reports go beyond what is trusted'],
  'reports.signature': [
    'the signature of a report with its bytes',
    'the report was changed after it was signed, or not signed with that key',
  ],
  'reports.subject': [
    'the server and database of a report with those of the others',
    'it reports of something else',
  ],
  'reports.terms': [
    'what the audit of a range was asked for with what the others were',
    'ranges were audited in different ways: they make no one report',
  ],
  'server.corrupted': [
    'what the server says of its own values with what it must have',
    'the server says itself that a value is not the one that was hashed',
  ],
  'server.refused': [
    'the transactions that the server shows with those that must be there',
    'the server refuses to show a transaction that its own history has',
  ],
  'set.tx-shared': [
    'the transaction that answers a write with those that answered earlier writes',
    'the server answers two writes with one transaction: one of them was not done',
  ],
  'sql.columns': [
    'the columns that the server describes with those in the proven catalog',
    'the server says that a column has another name, type or number than it was given',
  ],
  'sql.stale': [
    'the transaction of a row with the newest one in which it was proven before',
    'an older version of a row is shown as the latest',
  ],
  'sql.table-id': [
    'the number of a table with the one in the proven catalog',
    'the server answers for another table than the one that was named',
  ],
  'sql.value': [
    'the values of rows that the server shows with the hashes that were followed',
    'a value is not the one that was written, or is not shown',
  ],
  'sql.written': [
    'the transactions that a statement is said to have made with those in the history',
    'what is shown is not what the statement did',
  ],
  'state.alh': [
    "the hash in the server's state with the hash that is proven for that transaction",
    'the state is of another history than the one that is proven',
  ],
  'state.tx': ["the transaction in the server's state with what it can be", 'the state cannot be'],
  'trust.given': [
    'a root that the caller gave with the trusted history',
    'the root is not on this history: one of the two is of another one',
  ],
  'trust.head': [
    'the head that calls rest on with the log that several clients share',
    'another client was shown another hash for this transaction: there are two histories',
  ],
  'trust.pinned': [
    'the pinned root with the history that the server proves',
    'the server does not have the history that trust was to begin with',
  ],
  'trust.unproven-tx': [
    'a transaction that the server has named with a proof of it',
    'the server names a transaction, and does not prove it when it is asked',
  ],
  'witness.fork': [
    'the tree that was published with the one that a witness has seen under this origin',
    'the witness has seen another history: the server shows different ones to different people, or the origin was used twice. It is the word of the witness',
  ],
  'witness.lag': [
    'the header behind a published tree with the transactions before it',
    'the server cannot show the tree that witnesses have cosigned',
  ],
  'witness.withheld': [
    'how many transactions a witness has seen with how many the server says it has',
    'the server keeps transactions back, or has lost them. It is the word of the witness',
  ],
};
