// Store files as clients leave them: verified writes and reads, and refusals of a ledger that lied, with their evidence.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import type { AuditEntry, AuditRow } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { temporaryFolder } from './run.js';

export interface Audited {
  readonly folder: string;
  /** `roots.db` in it; closed. */
  readonly path: string;
}

let template: Promise<string> | undefined;
// Of the test file that uses it.
afterAll(async () => {
  if (template) await rm(await template, { recursive: true, force: true });
});

/** A store with eight roots of `defaultdb`, then a refused read with its evidence, then another root. */
export async function auditedStore(): Promise<Audited> {
  const folder = await temporaryFolder();
  template ??= make();
  await cp(await template, folder, { recursive: true });
  return { folder, path: join(folder, 'roots.db') };
}

/** Made once a test file: a folder with the store in it, closed. */
async function make(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'immu-ts-audited-'));
  const path = join(folder, 'roots.db');
  await using ledger = await EmbeddedLedger.start();
  await using store = await SqliteRootStore.open(path);
  await using client = new ImmuClient({
    address: ledger.address,
    store,
    credentials: { user: 'immudb', password: 'immudb' },
  });
  for (let i = 1; i <= 8; i++) await client.verifiedSet(`k${i}`, `v${i}`);
  const lie = ledger.lie({ kind: 'swap-value' });
  const refused = await client.verifiedGet('k3').catch((error: unknown) => error);
  lie.stop();
  if (!(refused instanceof Error)) throw new Error('the lie was believed');
  await client.verifiedSet('k9', 'v9');
  return folder;
}

/** An entry that says what is asked of it, for rows that no honest server leads to. */
export function entry(fields: Partial<AuditEntry>): AuditEntry {
  return {
    server: 'server-1',
    database: 'defaultdb',
    tx: 1n,
    alh: new Uint8Array(32).fill(7),
    outcome: 'calls',
    previousTx: null,
    operation: 'verifiedGet',
    calls: 1,
    headerTime: 0n,
    verifiedAt: Date.parse('2026-01-31T08:00:00Z'),
    durationMs: 1.5,
    clientId: 'client-1',
    ...fields,
  };
}

/** A store that holds these rows and no others. */
export async function storeOf(entries: readonly AuditEntry[]): Promise<Audited> {
  const folder = await temporaryFolder();
  const path = join(folder, 'roots.db');
  await using store = await SqliteRootStore.open(path);
  await Promise.all(entries.map((each) => store.record(each)));
  return { folder, path };
}

export async function rowsIn(path: string): Promise<AuditRow[]> {
  await using store = await SqliteRootStore.open(path, { create: 'never' });
  const rows: AuditRow[] = [];
  for await (const row of store.audit.roots()) rows.push(row);
  return rows;
}
