// Clients for the trust tests, in databases of their own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type {
  ArgumentError,
  VerificationError,
  AuditRow,
  ImmuClientOptions,
  RootsQuery,
  RootStore,
} from '#dist/index.js';
import { freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';

export const USER = { user: 'immudb', password: 'immudb' };

export interface Opened {
  readonly client: ImmuClient;
  readonly store: MemoryRootStore;
  readonly database: string;
}

/** A client on a fresh database (or the one named), closed when the test ends. */
export async function openClient(options: ImmuClientOptions & { database?: string } = {}): Promise<Opened> {
  const { database = await freshDatabase(), ...rest } = options;
  const store = new MemoryRootStore();
  const client = new ImmuClient({
    address: sharedImmudb(),
    store,
    credentials: { ...USER, database },
    ...rest,
  });
  onTestFinished(() => client.close().catch(() => undefined));
  return { client, store, database };
}

/** A second, unverified opinion on the same database. */
export async function openWire(database: string, address = sharedImmudb()): Promise<WireClient> {
  const wire = await WireClient.open(address, database);
  onTestFinished(() => wire.close());
  return wire;
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'immu-ts-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

/** What the tests look at; which class it is they check themselves. */
export type Rejection = Pick<VerificationError, 'code' | 'message' | 'cause' | 'evidence'> &
  Pick<ArgumentError, 'argument'>;

/** The error that a promise rejects with; a promise that resolves fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<Rejection> {
  return promise.then(
    (value) => {
      throw new Error(`resolved with ${String(value)} where an error was due`);
    },
    (error: unknown) => error as Rejection,
  );
}

export async function rowsOf(store: Pick<RootStore, 'audit'>, query: RootsQuery = {}): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for await (const row of store.audit.roots(query)) rows.push(row);
  return rows;
}
