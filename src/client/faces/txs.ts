// Transactions of a database, whole: read, exported and handed to replicas; its newest state.
import { exportTx, exportTxs, verifiedExportTx } from '../calls/txs/export-tx.js';
import type { ExportedTx, VerifiedExportedTx } from '../calls/txs/export-tx.js';
import { withTxProof } from '../calls/txs/portable-proof.js';
import { PROOF_NAMES, wantsProof } from '../input/proof-options.js';
import type { ProofOptions } from '../input/proof-options.js';
import { RANGE_NAMES, checkRange } from '../calls/txs/pages.js';
import type { TxRange } from '../calls/txs/pages.js';
import { replicateTx, toExport } from '../calls/txs/replicate-tx.js';
import type { Transaction } from '../calls/txs/transaction.js';
import { transactions } from '../calls/txs/transactions.js';
import { txById } from '../calls/txs/tx-by-id.js';
import { verifiedState } from '../calls/txs/verified-state.js';
import type { VerifiedState } from '../calls/txs/verified-state.js';
import { verifiedTransactions } from '../calls/txs/verified-transactions.js';
import { shownOf, verifiedTx } from '../calls/txs/verified-tx.js';
import type { VerifiedTransaction } from '../calls/txs/verified-tx.js';
import { TX_NAMES, checkWanted } from '../calls/txs/wanted.js';
import { txId } from '../input/tx-id.js';
import type { EntriesWanted, EntryKind, TxOptions } from '../calls/txs/wanted.js';
import { NO_OPTIONS, checkOptions } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { MaintenanceCalls } from './maintenance.js';

/** Which transactions, in which order, with what of their entries; `timeoutMs` is each page's. */
export interface TransactionsOptions extends TxOptions, TxRange {}

/** What is proven is what is stored: nothing is resolved. */
export interface VerifiedTxOptions extends CallOptions, ProofOptions {
  /** @default 'digests' */
  readonly entries?: Exclude<EntriesWanted, 'resolved'>;
  /** Kinds that are shown; all entries are proven. @default all */
  readonly kinds?: readonly EntryKind[];
}

export interface VerifiedTransactionsOptions extends Omit<VerifiedTxOptions, 'includeProof'>, TxRange {}

/** Which transactions; `timeoutMs` is each one's. */
export type ExportRange = CallOptions & Omit<TxRange, 'desc'>;

const TRANSACTIONS_NAMES = [...TX_NAMES, ...RANGE_NAMES];
const VERIFIED_TX_NAMES = [...TX_NAMES, ...PROOF_NAMES];
const EXPORT_NAMES = ['from', 'to'];

export abstract class TxCalls extends MaintenanceCalls {
  // By the server's word

  /**
   * A transaction with its entries, as digests unless asked otherwise. Null when the server says there is none. Values of
   * documents, and of what has expired, are not among `raw` entries; {@link exportTx} has them.
   *
   * @example
   * const found = await client.txById(17n, { entries: 'raw' });
   * for (const entry of found?.entries ?? []) if (entry.kind === 'key') console.log(entry.key, entry.value);
   * @throws ServerError TRUNCATED where values were asked for and a truncation has given them up
   */
  async txById(tx: bigint, options: TxOptions = NO_OPTIONS): Promise<Transaction | null> {
    const id = txId('tx', tx);
    const wanted = checkWanted(options);
    return this.room.enter(options, TX_NAMES, (session, call) => txById(session, id, wanted, call));
  }

  /**
   * Transactions in order, from the first to the newest, or as asked. Pages are asked for when they are needed, each as a call
   * of its own. Ends where the server says that there are no more.
   *
   * @example
   * for await (const { tx, entryCount } of client.transactions({ desc: true })) console.log(tx, entryCount);
   * @throws ServerError TRUNCATED at the first one whose values were asked for and are gone
   */
  transactions(options: TransactionsOptions = NO_OPTIONS): AsyncGenerator<Transaction, void, undefined> {
    const wanted = checkWanted(options);
    checkOptions(options, TRANSACTIONS_NAMES);
    const { room } = this;
    return transactions((work) => room.enter(options, TRANSACTIONS_NAMES, work), checkRange(options), wanted);
  }

  /**
   * A whole transaction as replicas are sent it: with all entries and values, and the `bytes` that {@link replicateTx} takes.
   * Null when there is none yet. Needs ADMIN; takes as much memory as the transaction has, 64 MiB at most.
   */
  async exportTx(tx: bigint, options: CallOptions = NO_OPTIONS): Promise<ExportedTx | null> {
    const id = txId('tx', tx);
    return this.room.enter(options, [], (session, call) => exportTx(session, id, call));
  }

  /**
   * Whole transactions in order, each by {@link exportTx}, to the newest one.
   *
   * @example
   * for await (const exported of primary.exportTxs({ from: 1n })) await replica.replicateTx(exported);
   */
  exportTxs(options: ExportRange = NO_OPTIONS): AsyncGenerator<ExportedTx, void, undefined> {
    checkOptions(options, EXPORT_NAMES);
    const { from = 1n, to } = checkRange(options);
    const { room } = this;
    return exportTxs(
      (tx) => room.enter(options, EXPORT_NAMES, (session, call) => exportTx(session, tx, call)),
      from,
      to,
    );
  }

  /**
   * Commits an exported transaction to this database, which must be a replica that replicates from nowhere by itself, and
   * answers with what it says it has committed. The one after its newest: for a later one the replica waits until the deadline.
   * Needs ADMIN. Not repeated by itself.
   *
   * @throws ServerError CONFLICT when it has this transaction already
   * @throws TransportError OUTCOME_UNKNOWN, DEADLINE_EXCEEDED when it may have been committed: {@link txById} tells
   */
  async replicateTx(
    exported: ExportedTx | Uint8Array,
    options: CallOptions = NO_OPTIONS,
  ): Promise<Omit<Transaction, 'entries'>> {
    const framed = toExport(exported);
    return this.room.enter(options, [], (session, call) => replicateTx(session, framed, call), framed.length);
  }

  // Proven

  /**
   * A transaction, proven: its header lies on the trusted history, and these are all its entries, by key, metadata and hash of
   * the value; with `{ entries: 'raw' }` each value that the server shows is the one that was hashed (those of documents, and
   * of what has expired, are `withheld`). Null when the server says there is none, and its newest state, which extends the
   * trusted head, ends before it.
   *
   * @example
   * const { timestamp, entries } = (await client.verifiedTx(17n)) ?? {};
   * @throws VerificationError when the answer is not proven
   * @throws ServerError TRUNCATED where values were asked for and are gone, by the server's word
   */
  async verifiedTx(tx: bigint, options: VerifiedTxOptions = NO_OPTIONS): Promise<VerifiedTransaction | null> {
    const id = txId('tx', tx);
    const wanted = checkWanted(options, true);
    const withProof = wantsProof(options);
    const { room } = this;
    return room.enterVerified('verifiedTx', options, VERIFIED_TX_NAMES, async (asking) => {
      const { session, trust, call } = asking;
      // A proof of some kinds of entries only would be another one: it is of all of them, as they were asked for.
      const found = await verifiedTx(
        session,
        trust,
        call,
        id,
        withProof ? { entries: wanted.entries } : wanted,
      );
      if (!found || !withProof) return found;
      return shownOf(await withTxProof(asking, room.database, found), wanted);
    });
  }

  /**
   * Transactions in order, each proven like {@link verifiedTx}, and that none between them is left out: every page is a stretch
   * of the chain whose end lies on the trusted history, and of the tree that its headers commit to. Ends at the newest state
   * that the server proves; that it has no newer one is its word.
   *
   * @example
   * for await (const { tx, entries } of client.verifiedTransactions({ from: 100n, entries: 'raw' })) console.log(tx, entries);
   * @throws VerificationError when a page is not proven
   */
  verifiedTransactions(
    options: VerifiedTransactionsOptions = NO_OPTIONS,
  ): AsyncGenerator<VerifiedTransaction, void, undefined> {
    const wanted = checkWanted(options, true);
    checkOptions(options, TRANSACTIONS_NAMES);
    const { room } = this;
    return verifiedTransactions(
      (work) => room.enterVerified('verifiedTransactions', options, TRANSACTIONS_NAMES, work),
      checkRange(options),
      wanted,
    );
  }

  /**
   * The server's newest state, proven to extend the trusted head, which moves there; signed, where a state key is configured.
   * That the server has nothing newer is its word.
   *
   * @throws VerificationError when it does not extend the head, or is not signed as it must be
   */
  async verifiedState(options: CallOptions = NO_OPTIONS): Promise<VerifiedState> {
    const { room } = this;
    return room.enterVerified('verifiedState', options, [], ({ session, trust, call }) =>
      verifiedState(session, trust, call, room.database),
    );
  }

  /**
   * {@link exportTx}, proven: the header lies on the trusted history, and these are all entries that it commits to, with their
   * values or, where a truncation has given those up, with their hashes. The one call that proves values of documents and of
   * what has expired.
   *
   * @throws VerificationError when the answer is not proven
   */
  async verifiedExportTx(tx: bigint, options: CallOptions = NO_OPTIONS): Promise<VerifiedExportedTx | null> {
    const id = txId('tx', tx);
    return this.room.enterVerified('verifiedExportTx', options, [], ({ session, trust, call }) =>
      verifiedExportTx(session, trust, call, id),
    );
  }
}
