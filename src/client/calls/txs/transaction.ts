// Transactions as callers see them, and what of their entries is asked for.
import { ServerError, TransportError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import { EMPTY_HASH } from '../../../proof/hash.js';
import { alh } from '../../../proof/header.js';
import { plainKey, sortedSetKey } from '../../../proof/entry.js';
import type { KVMetadata, TxHeader, TxMetadata } from '../../../proof/types.js';
import { transactionEntry } from '../../../verify/transaction-entry.js';
import type { StoredEntry, TransactionEntry } from '../../../verify/transaction-entry.js';
import type { LazyTx } from '../../../verify/wire/answers.js';
import type { Entry } from '../../../verify/wire/entries.js';
import { resolvedEntries, shownEntries } from '../../../verify/wire/shown-txs.js';
import type { ShownMember, ShownTxEntry } from '../../../verify/wire/shown-txs.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import { kindOfKey } from './wanted.js';
import type { Wanted } from './wanted.js';
import { resultOf } from '../../results/result.js';

/** A transaction, with as much of its entries as was asked for. */
export interface Transaction {
  readonly tx: bigint;
  /** Hash of its header, which fixes it and, with `prevAlh` in it, all before it. */
  readonly alh: Uint8Array;
  readonly prevAlh: Uint8Array;
  /** Header time in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  /** `truncatedTxId`: values of transactions before it were given up. `extra`: who wrote it, where servers note that. */
  readonly metadata?: TxMetadata;
  /** How many entries it has, whatever is shown of them. */
  readonly entryCount: number;
  /** In their order. */
  readonly entries: readonly TransactionEntry[];
}

/**
 * A transaction as the server shows it. Throws ProofFailure for what can be none.
 *
 * @throws ServerError TRUNCATED where a value was asked for and is gone
 */
export function transactionOf(shown: LazyTx, wanted: Wanted): Transaction {
  const { header } = shown;
  return resultOf({ ...headerFields(header), entries: entriesOf(shown, wanted) });
}

/** What the header says. Throws ProofFailure where it can be none. */
export function headerFields(header: TxHeader): Omit<Transaction, 'entries'> {
  const { id, prevAlh, ts, metadata, nentries } = header;
  const extra = metadata?.extra && copyBytes(metadata.extra);
  return {
    tx: id,
    alh: alh(header),
    prevAlh: copyBytes(prevAlh),
    timestamp: ts,
    ...(metadata && { metadata: { ...metadata, ...(extra && { extra }) } }),
    entryCount: nentries,
  };
}

function entriesOf(shown: LazyTx, { entries, kinds }: Wanted): TransactionEntry[] {
  if (entries === 'none') return [];
  if (entries === 'resolved') {
    const { entries: keys, members } = resolvedEntries(shown);
    return [...keys.map(resolvedKey), ...members.map(resolvedMember)];
  }
  return shownEntries(shown)
    .filter(({ key }) => !kinds || kinds.some((kind) => kind === kindOfKey(key)))
    .map((entry) => storedEntry(entry, shown.header.id, entries === 'raw' ? entry.value : undefined));
}

/**
 * An entry with its value, if one was asked for.
 *
 * @throws ServerError TRUNCATED where there must be a value and an empty one is shown
 */
export function storedEntry(
  { key, metadata, hValue }: Omit<ShownTxEntry, 'value'>,
  tx: bigint,
  value: Uint8Array | undefined,
  withheld?: StoredEntry['withheld'],
): TransactionEntry {
  if (value?.length === 0 && !equalBytes(hValue, EMPTY_HASH)) throw truncated(tx);
  return transactionEntry({
    rawKey: copyBytes(key),
    valueHash: copyBytes(hValue),
    ...(metadata && { metadata }),
    ...(value && { rawValue: copyBytes(value) }),
    ...(withheld && { withheld }),
  });
}

/** The server has the hash of a value and no more the value: what a truncation leaves. */
export function truncated(tx: bigint): ServerError {
  const message = `values of tx ${tx.toString()} are gone, as a truncation leaves it; their hashes can still be read ({ entries: 'digests' })`;
  return new ServerError('TRUNCATED', message, { code: 0, message: '' });
}

function resolvedKey({ key, value, metadata, referencedBy }: Entry): TransactionEntry {
  const own = referencedBy?.key ?? key;
  const attributes: KVMetadata | undefined = referencedBy ? referencedBy.metadata : metadata;
  return {
    kind: 'key',
    rawKey: plainKey(own),
    key: copyBytes(own),
    value: copyBytes(value),
    ...(attributes && { metadata: attributes }),
    ...(referencedBy && { reference: { key: copyBytes(key), atTx: referencedBy.atTx } }),
  };
}

function resolvedMember({ set, key, score, atTx, entry }: ShownMember): TransactionEntry {
  return {
    kind: 'sorted-set',
    rawKey: sortedSetKey(set, score, key, atTx),
    ...{ set: copyBytes(set), score, key: copyBytes(key), atTx },
    ...(entry && { value: copyBytes(entry.value) }),
  };
}

/** @throws TransportError: the server answered with something else than what was asked for */
export function notAsked(what: string): never {
  throw new TransportError('UNAVAILABLE', `the server answered with ${what}`);
}
