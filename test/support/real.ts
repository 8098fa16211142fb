// `describeReal`: tests that need a real immudb, on the one server of the run, each file in a database of its own.
import { randomBytes } from 'node:crypto';
import { afterAll, describe, inject } from 'vitest';
import { REAL } from './real-mark.js';
import { WireClient } from './wire-client.js';

/** What global-setup.ts found. */
export type RealImmudb =
  | {
      readonly address: string;
      /** Whether servers with options of their own can be started beside it. */
      readonly startable: boolean;
      /** Whether test certificates can be made. */
      readonly certificates: boolean;
      /** Why some tests that need a real immudb cannot run all the same. */
      readonly limits?: string;
    }
  | { readonly missing: string };

declare module 'vitest' {
  export interface ProvidedContext {
    immudb: RealImmudb;
    /** Address of an embedded ledger, where {@link describeServer} runs on one. */
    ledger: string | undefined;
  }
}

/** Address of the server that this run shares. */
export function sharedImmudb(): string {
  const ledger = inject('ledger');
  if (ledger !== undefined) return ledger;
  const server = inject('immudb');
  if ('missing' in server) throw new Error(`no real immudb: ${server.missing}`);
  return server.address;
}

/** Runs against the shared real immudb; skipped, and counted loudly, when there is none. */
export function describeReal(name: string, body: () => void): void {
  const isThere = !('missing' in inject('immudb')) && inject('ledger') === undefined;
  describe.skipIf(!isThere)(`${REAL} ${name}`, body);
}

/** Runs against the shared real immudb; where there is none, or TEST_ON_LEDGER is true, against the embedded ledger. */
export function describeServer(name: string, body: () => void): void {
  describe(`${inject('ledger') === undefined ? REAL : '[ledger]'} ${name}`, body);
}

/** Like {@link describeReal}, for tests that start servers of their own (not possible with IMMUDB_ADDRESS alone). */
export function describePrivate(
  name: string,
  body: () => void,
  needs: { certificates?: boolean } = {},
): void {
  const server = inject('immudb');
  const impossible =
    inject('ledger') !== undefined ||
    'missing' in server ||
    !server.startable ||
    (needs.certificates === true && !server.certificates);
  describe.skipIf(impossible)(`${REAL} ${name}`, body);
}

/** Those of the shared server that this file has made. */
const made: string[] = [];

/** A server keeps what a database took in memory: all of them together are 20 GB. */
afterAll(async () => {
  const names = made.splice(0);
  if (names.length === 0) return;
  const admin = await WireClient.open(sharedImmudb());
  const patient = (call: Promise<unknown>) =>
    Promise.race([
      call.catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, DROP_MS).unref()),
    ]);
  for (const database of names) {
    await patient(admin.call('UnloadDatabase', { database }));
    await patient(admin.call('DeleteDatabase', { database }));
  }
  admin.close();
}, 120_000);

/** Calls that are still under way in a database are waited for no longer. */
const DROP_MS = 2000;

/** Settings of a test database; whatever else CreateDatabaseV2 takes can be given in its wire form. */
export interface DatabaseOptions {
  /** Headers without a time: the same writes give the same hashes. */
  readonly excludeCommitTime?: boolean | object;
  readonly writeTxHeaderVersion?: 0 | 1 | object;
  readonly maxKeyLen?: number | object;
  readonly maxValueLen?: number | object;
  readonly maxTxEntries?: number | object;
  readonly maxConcurrency?: number | object;
  readonly [setting: string]: boolean | number | string | object | undefined;
}

/** Creates a database with a name that no other test has, and says the name. */
export async function freshDatabase(
  address = sharedImmudb(),
  options: DatabaseOptions = {},
): Promise<string> {
  const settings = Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, typeof value === 'object' ? value : { value }]),
  );
  const name = `t${randomBytes(6).toString('hex')}`;
  const client = await WireClient.open(address);
  try {
    await client.call('CreateDatabaseV2', { name, settings });
  } finally {
    await client.call('CloseSession').catch(() => undefined);
    client.close();
  }
  const shared = inject('immudb');
  if ('address' in shared && shared.address === address) made.push(name);
  return name;
}
