// An entry of a transaction as people look at it: its raw key and value, and what they say.
import { MAX_ID } from '../proof/bytes.js';
import type { KVMetadata } from '../proof/types.js';

/** What is known of every entry. */
export interface StoredEntry {
  /** As it is stored and hashed: with the byte before it that says of which kind it is. */
  readonly rawKey: Uint8Array;
  readonly metadata?: KVMetadata;
  /** SHA-256 of the raw value. Not there in resolved entries. */
  readonly valueHash?: Uint8Array;
  /** As it is stored and hashed; where values were asked for, and this one is shown. */
  readonly rawValue?: Uint8Array;
  /** Why its value is not shown though it was asked for: servers leave those of documents, and of what has expired, out. */
  readonly withheld?: 'document' | 'expired';
}

/** An entry of a key: a value, a reference or a deletion (`metadata.deleted`). */
export interface TransactionKey extends StoredEntry {
  readonly kind: 'key';
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
  /** The key is a reference to another one, of exactly `atTx`; 0: of whatever is its latest. */
  readonly reference?: { readonly key: Uint8Array; readonly atTx: bigint };
}

/** A member of a sorted set. */
export interface TransactionMember extends StoredEntry {
  readonly kind: 'sorted-set';
  readonly set: Uint8Array;
  readonly score: number;
  readonly key: Uint8Array;
  /** The version of the key that it is bound to; 0: whatever is its latest. */
  readonly atTx: bigint;
  /** What the key holds, where entries were asked for resolved. */
  readonly value?: Uint8Array;
}

/** A row or a part of the catalog of SQL, a document or a part of its collection, or of a kind that this release does not know. */
export interface TransactionRow extends StoredEntry {
  readonly kind: 'sql' | 'document' | 'other';
}

export type TransactionEntry = TransactionKey | TransactionMember | TransactionRow;

const KEY = 0;
const SORTED_SET = 1;
const ROWS = [undefined, undefined, 'sql', 'document'] as const;
const PLAIN_VALUE = 0;
const REFERENCE_VALUE = 1;

/** Requires raw bytes that nobody changes: what is returned are views of them. */
export function transactionEntry(stored: StoredEntry): TransactionEntry {
  const { rawKey, rawValue } = stored;
  const kind = rawKey[0];
  if (kind === KEY && rawKey.length > 1) {
    const meaning = rawValue && meaningOf(rawValue);
    return { kind: 'key', key: rawKey.subarray(1), ...meaning, ...stored };
  }
  const member = kind === SORTED_SET ? memberOf(rawKey) : undefined;
  if (member) return { kind: 'sorted-set', ...member, ...stored };
  return { kind: ROWS[kind ?? 0] ?? 'other', ...stored };
}

function meaningOf(rawValue: Uint8Array): Pick<TransactionKey, 'value' | 'reference'> | undefined {
  if (rawValue[0] === PLAIN_VALUE) return { value: rawValue.subarray(1) };
  if (rawValue[0] !== REFERENCE_VALUE || rawValue.length < 11 || rawValue[9] !== KEY) return undefined;
  const atTx = viewOf(rawValue).getBigUint64(1);
  return atTx > MAX_ID ? undefined : { reference: { key: rawValue.subarray(10), atTx } };
}

/** 01 ‖ be64 length ‖ set ‖ score ‖ be64 length ‖ 00 ‖ key ‖ be64 atTx: read to the last byte, or it is none. */
function memberOf(rawKey: Uint8Array): Pick<TransactionMember, 'set' | 'score' | 'key' | 'atTx'> | undefined {
  const view = viewOf(rawKey);
  if (rawKey.length < 9) return undefined;
  const setBytes = view.getBigUint64(1);
  if (setBytes + 34n > BigInt(rawKey.length)) return undefined;
  const score = 9 + Number(setBytes);
  const keyBytes = view.getBigUint64(score + 8);
  const key = score + 16;
  if (BigInt(key) + keyBytes + 8n !== BigInt(rawKey.length) || keyBytes < 2n || rawKey[key] !== KEY)
    return undefined;
  const end = key + Number(keyBytes);
  const atTx = view.getBigUint64(end);
  if (atTx > MAX_ID) return undefined;
  const set = rawKey.subarray(9, score);
  return { set, score: view.getFloat64(score), key: rawKey.subarray(key + 1, end), atTx };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
