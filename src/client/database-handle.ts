// A database: its keys, and what goes on around them: audits, headers, ingestion, trust.
import { ArgumentError } from '../errors.js';
import { LazyClientAudit } from './audit/client-audit.js';
import type { ClientAudit } from './audit/client-audit.js';
import { checkIngestOptions, ingest } from './calls/kv/ingest.js';
import type { IngestClient, IngestOptions, IngestReceipt, IngestRecord } from './calls/kv/ingest.js';
import { entryContent } from './calls/kv/contents.js';
import { HeadCalls } from './faces/heads.js';
import { NO_OPTIONS } from './input/call-options.js';
import type { CallOptions } from './input/call-options.js';
import { text } from './input/option-checks.js';
import { txId } from './input/tx-id.js';
import type { Connection } from './room/connection.js';

const WARM_NAMES = ['from', 'to'];

/**
 * One database of a server, with a session of its own, whatever else the client has selected. All calls may be in flight at
 * the same time, and all take `{ timeoutMs, signal }` last. Ends with its client.
 *
 * @example
 * const invoices = client.database('invoices');
 * const { tx } = await invoices.verifiedSet('17', 'paid');
 */
export class DatabaseHandle extends HeadCalls {
  /** Every root this client's store has verified, and what happened to trust; and audits of this database against it. */
  readonly audit: ClientAudit;

  /** @internal `name`: undefined for the one that is selected at the time. */
  constructor(connection: Connection, name: string | undefined) {
    super(connection, name);
    this.audit = new LazyClientAudit(
      () => connection.store(),
      async () => connection.auditAccess(this.databaseName),
      connection.door,
    );
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
   * window holds, in as few transactions as limits allow. The source is read no faster than receipts are taken. Writes are
   * not repeated: when one fails the iterator throws IngestError, whose `resume` token goes on with that record.
   *
   * @example
   * for await (const { index, tx, resume } of client.ingest(records)) checkpoint(resume);
   * @throws IngestError with the code of what went wrong
   */
  ingest(
    records: AsyncIterable<IngestRecord> | Iterable<IngestRecord>,
    options: IngestOptions = NO_OPTIONS,
  ): AsyncGenerator<IngestReceipt, void, undefined> {
    checkIngestOptions(options);
    if (!isIterable(records))
      throw new ArgumentError('records', 'records must be an iterable or an async iterable');
    const { admission, options: limits, door, rooms } = this.connection;
    const database = this.ownName ?? rooms.selectedName;
    const client: IngestClient = {
      maxRecords: Math.max(1, limits.maxQueuedCalls >> 1),
      maxBytes: limits.maxQueuedBytes >> 1,
      room: () => (admission.isFull ? admission.ready() : undefined),
      whenClosed: (tell) => door.whenClosed(tell),
      write: (key, value, call) =>
        this.write('ingest', entryContent({ key, value }), call, [], rooms.of(database)),
      head: async (root, call) =>
        rooms.of(database).enterVerified('ingest', call, [], async ({ trust, call: from }) => {
          if (root) await trust.assertOnHistory(from, root);
          else await trust.ready(from);
          return trust.root;
        }),
    };
    return ingest(client, records, options);
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
