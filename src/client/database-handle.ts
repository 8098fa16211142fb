// A database: its keys, and what goes on around them: audits, headers, ingestion, trust.
import { ArgumentError } from '../errors.js';
import { LazyClientAudit } from './audit/client-audit.js';
import type { ClientAudit } from './audit/client-audit.js';
import { Ingestion } from './calls/ingest/ingestion.js';
import { checkIngestOptions } from './calls/ingest/options.js';
import type { IngestOptions } from './calls/ingest/options.js';
import type { IngestRecord } from './calls/ingest/source.js';
import { beginMirror } from './calls/mirror/begin-mirror.js';
import type { Mirror } from './calls/mirror/mirror.js';
import type { MirrorOptions } from './calls/mirror/options.js';
import { SqlTransactions } from './faces/sql-transactions.js';
import { DatabaseSql } from './faces/verified-sql.js';
import { Documents } from './faces/documents.js';
import { NO_OPTIONS } from './input/call-options.js';
import type { CallOptions } from './input/call-options.js';
import { text } from './input/option-checks.js';
import { txId } from './input/tx-id.js';
import type { Connection } from './room/connection.js';
import { ingestClient } from './room/ingest-door.js';

const WARM_NAMES = ['from', 'to'];

/**
 * One database of a server, with a session of its own, whatever else the client has selected. All calls may be in flight at
 * the same time, and all take `{ timeoutMs, signal }` last. Ends with its client.
 *
 * @example
 * const invoices = client.database('invoices');
 * const { tx } = await invoices.verifiedSet('17', 'paid');
 */
export class DatabaseHandle extends SqlTransactions {
  /** Every root this client's store has verified, and what happened to trust; and audits of this database against it. */
  readonly audit: ClientAudit;
  /** Collections of documents. */
  readonly documents: Documents;

  /** Statements of SQL and their rows. */
  readonly sql: DatabaseSql;

  /** @internal `name`: undefined for the one that is selected at the time. */
  constructor(connection: Connection, name: string | undefined) {
    super(connection, name);
    this.sql = new DatabaseSql(() => this.room);
    this.audit = new LazyClientAudit(
      () => connection.store(),
      async () => connection.auditAccess(this.databaseName),
      connection.door,
    );
    this.documents = new Documents(connection, () => this.databaseName);
  }

  /**
   * Proves the headers of transactions `from` to `to` (default: all up to the trusted head) and keeps them, so that reads
   * of these transactions find them proven. Bounded by the option `cacheBytes`: the last ones stay. Returns how many.
   */
  async warm(
    options: CallOptions & { readonly from?: bigint; readonly to?: bigint } = NO_OPTIONS,
  ): Promise<number> {
    return this.room.enterVerified('warm', options, WARM_NAMES, ({ trust, call }) => {
      const { from = 1n, to } = options;
      for (const [name, tx] of Object.entries({ from, to })) if (tx !== undefined) txId(name, tx);
      return call.deadline.race(trust.warm(call, from, to), 'headers to be proven');
    });
  }

  /**
   * Writes the records of a source, each as a verified write, and gives their receipts in order: as many at a time as the
   * window holds, in as few transactions as limits allow, which they share with no other writes. The source is read no faster
   * than receipts are taken. Writes are not repeated: when one fails the iterator throws IngestError, whose `resume` token
   * goes on with that record. `batches()` gives a receipt for each transaction instead, which costs least.
   *
   * With a broker: what a record is given with as `source` comes back on its receipt, `onProven` acknowledges it, `finished()` runs
   * to the end, and `once` sees to it that nothing is written a second time when the broker gives it again. Without `once`
   * what was not acknowledged is: at least once.
   *
   * @example
   * for await (const { index, tx, resume } of client.ingest(records)) checkpoint(resume);
   * for await (const { first, last, tx, resume } of client.ingest(records).batches()) checkpoint(resume);
   * @example
   * const records = async function* () {
   *   for await (const m of messages) yield { key: m.id, value: m.data, source: m, redelivered: m.redelivered };
   * };
   * const onProven = (receipts) => receipts.forEach(({ source }) => source.ack());
   * await client.ingest(records(), { onProven, once: true }).finished();
   * @throws IngestError with the code of what went wrong
   */
  ingest<S = unknown>(
    records: AsyncIterable<IngestRecord<S>> | Iterable<IngestRecord<S>>,
    options: IngestOptions<S> = NO_OPTIONS,
  ): Ingestion<S> {
    checkIngestOptions(options);
    if (!isIterable(records))
      throw new ArgumentError('records', 'records must be an iterable or an async iterable');
    const { connection } = this;
    return new Ingestion(
      ingestClient(connection, this.ownName ?? connection.rooms.selectedName),
      records,
      options,
    );
  }

  /**
   * Keeps the rows of tables, and documents, in a local SQLite file, which any SQL can be asked of (`mirror.query`, or whatever reads
   * SQLite): complete, and the latest, as of a proven head, also when the server is gone; kept up to date by the follower. Each row is
   * held against what was followed. Begins at once, and ends with the client; the file stays, and the next mirror goes on with it where
   * the audit log has its SHA-256 and its root is trusted (`beginning`). Requires `follow({ ordered: true })`, from genesis.
   *
   * @example
   * await client.follow({ ordered: true });
   * const mirror = await client.mirror({ path: 'orders.sqlite', tables: ['orders', 'customers'] });
   * await mirror.ready();
   * const { rows, provenLatestAt } = mirror.query('SELECT customer, sum(total) AS total FROM orders GROUP BY customer');
   * @throws NotProvableError where the database is not followed so
   * @throws ImmuError NOT_FOUND when there is no such table
   * @throws StoreError STORE_FOREIGN when the file is none of a mirror of this database; STORE_FAILED when it cannot be written
   */
  async mirror(options: MirrorOptions): Promise<Mirror> {
    const { door } = this.connection;
    return beginMirror(this.room, { deadline: (each) => door.deadline(each, []) }, options);
  }

  /**
   * Drops what is trusted of the selected database; the next verified call is a first contact. For a database that was
   * made anew or restored on purpose. Recorded, with the reason.
   */
  async forgetTrust(reason: string, options: CallOptions = NO_OPTIONS): Promise<void> {
    const why = text('reason', reason);
    await this.room.enterVerified('forgetTrust', options, [], ({ trust, call }) => trust.forget(call, why));
  }
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}
