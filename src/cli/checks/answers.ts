// What the checks of answers compare, and what it means when they fail: reads, claims, scans, histories, sorted sets.
import type { AnswerCheck } from '../../audit.js';
import type { CheckWords } from './check-words.js';

/** Checks of what an answer's bytes are, or of what whole transactions are, stand in a file of their own. */
export type ElsewhereCheck = Extract<
  AnswerCheck,
  | `wire.${string}`
  | `stretch.${string}`
  | `set.${string}`
  | `written.${string}`
  | `export.${string}`
  | `proof.${string}`
  | `state.${string}`
  | `signature.${string}`
  | `trust.${string}`
  | `leaves.${string}`
  | `block.${string}`
  | `document.${string}`
  | `row.${string}`
  | 'segment.count'
  | 'tx.id'
  | 'streamed.value'
>;

export const READS: Readonly<Record<Exclude<AnswerCheck, ElsewhereCheck>, CheckWords>> = {
  'bind.genesis': [
    'a proof that is to reach back to the beginning, with the beginning: tx 1, which follows the empty database',
    'the history that is shown does not begin where every history does',
  ],
  'bind.header': [
    'the header in the answer with the header that the dual proof proves to be in the history',
    'the answer shows a transaction that is not the one in the history: its entries prove nothing',
  ],
  'claim.deleted': [
    'the metadata of an entry that is shown as a value with what a value may say of itself',
    'a deletion is shown as a value',
  ],
  'claim.entry': [
    'an entry as a plain answer showed it with the entries of its transaction, as they are proven',
    'the transaction does not hold that entry: key, metadata or value were made up, or belong to another transaction',
  ],
  'claim.expired': [
    'the time until which an entry is valid with the clock of this machine when it was asked',
    'a value that has expired is shown as valid, or one is said to have expired that carries no such time',
  ],
  'claim.key': ['the key of an entry with the key that was asked for', 'the value of another key is shown'],
  'claim.reference-tx': [
    'the transaction of what a bound reference leads to with the one that it is bound to',
    'another version is shown than the one that the reference fixes',
  ],
  'claim.tx': ['the transaction of an entry with what a transaction id can be', 'the id is none'],
  'claims.key': [
    'each key of an answer to several keys with the keys that were asked for',
    'an entry of a key that nobody asked for is among them',
  ],
  'claims.twice': [
    'the entries of an answer to several keys with each other',
    'two entries of one key are shown, of which one at most can be the answer',
  ],
  'get.at-revision': [
    'the revision of the entry with the one that was asked for',
    'another version is shown than was asked for; the number itself is the word of the server',
  ],
  'get.at-tx': [
    'the transaction of the entry with the one that was asked for',
    'another version is shown than was asked for',
  ],
  'get.deleted': [
    'the metadata of the entry with those of a value',
    'a deletion is shown as the value of a key',
  ],
  'get.entry': [
    'the key with all entries of the transaction that is shown',
    'the transaction that is said to hold the key does not hold it',
  ],
  'get.expired': [
    'the time until which the entry is valid with the clock of this machine when it was asked',
    'a value that has expired is shown as valid',
  ],
  'get.key': ['the key of the entry with the key that was asked for', 'the value of another key is shown'],
  'get.position': [
    'the place of the entry in its transaction with the place that its inclusion proof is for',
    'the proof is one of another entry',
  ],
  'get.reference': [
    'the kind of the entry with the kind that was asked for',
    'a reference is shown where a value was asked for',
  ],
  'get.reference-tx': [
    'the transaction of what a bound reference leads to with the one that it is bound to',
    'another version is shown than the one that the reference fixes',
  ],
  'gone.alive': [
    'the entry that is said to have ended a key with what ends one: a deletion, or an expiry in the past',
    'a key is said to have no value, and the entry that is shown for it is a valid value',
  ],
  'gone.entry': [
    'the key with all entries of the transaction that is said to have ended it',
    'the transaction does not hold the key: nothing is shown to have ended it',
  ],
  'gone.history': [
    'the history of a key that is said to be missing with what must be its end',
    'a key whose value was proven before is said to be missing, and nothing that ended it is shown',
  ],
  'gone.key': ['the key of the entry with the key that was asked for', 'the end of another key is shown'],
  'gone.stale': [
    'the transaction that ended a key with the newest one in which the key was proven before',
    'an older end is shown, although a newer version exists: the server hides the newer one',
  ],
  'history.deleted': [
    'a version that is said to be a deletion with its metadata',
    'a deletion is shown as a value, or a value as a deletion',
  ],
  'history.expired': [
    'the time until which a version is valid with the clock of this machine, and with whether a value is shown',
    'a version is said to have expired before its time, or one that has is shown with a value',
  ],
  'history.key': [
    'the key of each version with the key that was asked for',
    'a version of another key is shown',
  ],
  'history.non-indexable': [
    'the metadata of each version with those of an entry that reads can find',
    'an entry that is outside the index is shown as a version: no read of the key leads to it',
  ],
  'history.order': [
    'the transaction of each version with that of the version before it',
    'versions are out of order, or one is shown twice',
  ],
  'history.reference': [
    'each version with what a history consists of: entries of the key itself',
    'a version is shown through a reference: no version is',
  ],
  'scan.end': ['each key with the end of the range', 'a key from behind the end is shown'],
  'scan.non-indexable': [
    'the metadata of each entry with those of an entry that reads can find',
    'an entry that is outside the index is shown as the value of its key',
  ],
  'scan.order': [
    'each key with the key before it, by their bytes',
    'keys are out of order, or one is shown twice: the next page would pass keys over',
  ],
  'scan.prefix': ['each key with the prefix that was asked for', 'a key without it is shown'],
  'scan.seek': ['each key with the start of the range', 'a key from before the start is shown'],
  'z-scan.at-tx': [
    'the transaction of a member of a sorted set with the one that it is bound to',
    'another version of the key is shown than the one that was put into the set',
  ],
  'z-scan.entry': [
    'what a member leads to with what it can: its key',
    'a member is shown to lead to a reference',
  ],
  'z-scan.non-indexable': [
    'the metadata of a member that is bound to no version with those of an entry that reads can find',
    'an entry that is outside the index is shown as the value of its key',
  ],
  'z-scan.order': [
    'each member with the one before it, by score, key and transaction',
    'members are out of order, or one is shown twice: the next page would pass some over',
  ],
  'z-scan.score': ['the score of each member with the scores that were asked for', 'another score is shown'],
  'z-scan.set': [
    'the set of each member with the one that was asked for',
    'a member of another set is shown',
  ],
};
