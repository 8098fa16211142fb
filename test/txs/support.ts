// Databases with transactions of every kind, and what tests look at in them.
import { inject } from 'vitest';
import { freshDatabase, sharedImmudb } from '../support/real.js';
import type { WireClient } from '../support/wire-client.js';
import { openClient, openWire, text } from '../trust/support.js';
import type { Opened } from '../trust/support.js';
import type { TransactionEntry } from '#dist/index.js';

export const utf8 = (words: string) => Buffer.from(words);

/** The embedded ledger has no SQL and no documents: plain entries take their places. */
export const HAS_ROWS = inject('ledger') === undefined;

/** What was written, by its tx. */
export const KINDS = { values: 1n, reference: 2n, member: 3n, table: 4n, row: 5n, expired: 6n, deletion: 7n };

export interface World extends Opened {
  readonly wire: WireClient;
}

/** One transaction of every kind that is no document's. */
export async function everyKind(): Promise<World> {
  const opened = await openClient();
  const wire = await openWire(opened.database);
  await wire.call('Set', { KVs: [{ key: utf8('a'), value: utf8('1') }, { key: utf8('b') }] });
  await wire.call('SetReference', { key: utf8('ref'), referencedKey: utf8('a') });
  await wire.call('ZAdd', { set: utf8('set'), score: -1.5, key: utf8('a') });
  if (HAS_ROWS) {
    await wire.call('SQLExec', { sql: 'CREATE TABLE t (id INTEGER, v VARCHAR, PRIMARY KEY id)' });
    await wire.call('SQLExec', { sql: "INSERT INTO t (id, v) VALUES (1, 'one')" });
  } else await inPlace(wire, 2);
  const metadata = { expiration: { expiresAt: '5' } };
  const value = utf8('gone');
  await wire.call('Set', {
    KVs: [
      { key: utf8('old'), value, metadata },
      { key: utf8('kept'), value },
    ],
  });
  await wire.call('Delete', { keys: [utf8('b')] });
  return { ...opened, wire };
}

/** A collection with a document: the last transaction is its insertion. */
export async function addDocument({ wire }: World): Promise<bigint> {
  if (!HAS_ROWS) return inPlace(wire, 2);
  const service = 'immudb.model.DocumentService' as const;
  await wire.call('CreateCollection', { name: 'docs' }, { service });
  const fields = { name: { stringValue: 'x' } };
  const { transactionId } = await wire.call(
    'InsertDocuments',
    { collectionName: 'docs', documents: [{ fields }] },
    { service },
  );
  return BigInt(transactionId);
}

/** So many transactions of one entry each; the last. */
async function inPlace(wire: WireClient, count: number): Promise<bigint> {
  let last = 0n;
  for (let i = 0; i < count; i++) {
    const { id } = await wire.call('Set', { KVs: [{ key: utf8(`in place ${i}`), value: utf8('v') }] });
    last = BigInt(id);
  }
  return last;
}

/** A replica that replicates from nowhere by itself. */
export async function replica(): Promise<Opened> {
  const replicationSettings = { replica: { value: true } };
  return openClient({ database: await freshDatabase(sharedImmudb(), { replicationSettings }) });
}

/** Entries in a line each. */
export function lines(entries: readonly TransactionEntry[] = []): string[] {
  return entries.map((entry) => {
    const deleted = entry.metadata?.deleted === true ? ' deleted' : '';
    const withheld = entry.withheld ? ` withheld: ${entry.withheld}` : '';
    const end = `${deleted}${withheld}`;
    if (entry.kind === 'key') {
      const { reference, value } = entry;
      const to = reference ? ` -> ${text(reference.key)}@${reference.atTx}` : '';
      return `${text(entry.key)}${to}${value ? `=${text(value)}` : ''}${end}`;
    }
    if (entry.kind === 'sorted-set')
      return `${text(entry.set)}: ${entry.score} ${text(entry.key)}@${entry.atTx}${end}`;
    return `${entry.kind} ${entry.rawValue?.length ?? '?'}${end}`;
  });
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** So many transactions of one entry each. */
export async function grow(wire: WireClient, count: number): Promise<void> {
  const lane = async (first: number) => {
    for (let i = first; i < count; i += 8)
      await wire.call('Set', { KVs: [{ key: utf8(`k${i}`), value: utf8('v') }] });
  };
  await Promise.all(Array.from({ length: 8 }, (_, i) => lane(i)));
}
