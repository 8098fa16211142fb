// Logs of any size for the store bench: rows with a valid chain, written by the store's own code in large commits.
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { setSha256 } from '#dist/proof/hash.js';
import type { AuditEntry, TrustKey } from '#dist/store/root-store.js';
import { LogWriter } from '#dist/store/sqlite/log/log-writer.js';
import { openStore } from '#dist/store/sqlite/file/open.js';

const COMMIT_ROWS = 20_000;
/** The rows of a log of any size are spread over so much time. */
export const SPAN_MS = 30 * 24 * 3_600_000;
export const START = Date.UTC(2025, 0, 1);
export const KEY = { server: 'd1k2o4h5f6s7c8p9e0a1', database: 'defaultdb' };

/** Shares of operations: `verifiedTx` is rare enough to be looked for, and is met every 100 000 rows only. */
export function operationOf(i: number): string {
  if (i % 100_000 === 77) return 'verifiedTx';
  if (i % 50 === 7) return 'verifiedScan';
  return i % 5 === 3 ? 'verifiedGet' : 'verifiedSet';
}

export function alhOf(tx: bigint): Uint8Array {
  const alh = new Uint8Array(32);
  new DataView(alh.buffer).setBigUint64(0, tx * 0x9e37_79b9_7f4a_7c15n);
  new DataView(alh.buffer).setBigUint64(24, tx);
  return alh;
}

/**
 * Row `i` of a log of `rows`: each moves the head by one, clocks of its writers being some seconds apart. Written out at one
 * place, as a client makes it: V8 converts objects with fields laid over fields when they are first read, which would be
 * 4 µs of the time of every row.
 */
export function rootEntry(i: number, rows: number, { server, database }: TrustKey = KEY): AuditEntry {
  const tx = BigInt(i + 1);
  return {
    server,
    database,
    tx,
    alh: alhOf(tx),
    outcome: 'root',
    previousTx: i === 0 ? null : tx - 1n,
    operation: operationOf(i),
    calls: 1 + (i % 3),
    headerTime: BigInt(Math.floor(START / 1000)),
    verifiedAt: START + Math.floor((i / rows) * SPAN_MS) + ((i * 7919) % 4000),
    durationMs: 1 + (i % 1000) / 64,
    clientId: `client-${i % 16}`,
  };
}

let made = 0;

/** Makes a log of so many rows; resolves to its path. Durable only as a whole: it is a bench's own. */
export function makeLog(folder: string, rows: number, fields: Partial<AuditEntry> = {}): string {
  const path = join(folder, `log-${(made += 1)}.db`);
  // As the store's thread does.
  setSha256((data) => hash('sha256', data, 'buffer'));
  const { db, log } = openStore(path, { create: 'if-new', busyTimeoutMs: 0 });
  db.pragma('synchronous = OFF');
  const writer = new LogWriter(log);
  const write = db.transaction((from: number, to: number) => {
    writer.begin();
    for (let i = from; i < to; i++) {
      const entry = { ...rootEntry(i, rows), ...fields };
      const expected = i === 0 ? null : { tx: entry.tx - 1n, alh: alhOf(entry.tx - 1n) };
      if (!writer.write({ kind: 'advance', expected, entry }).moved) throw new Error('the head did not move');
    }
    writer.finish();
  });
  for (let from = 0; from < rows; from += COMMIT_ROWS) write(from, Math.min(from + COMMIT_ROWS, rows));
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return path;
}
