// `describeReal`: tests that need a real immudb, on the one server of the run, each file in a database of its own.
import { randomBytes } from 'node:crypto';
import { describe, inject } from 'vitest';
import { WireClient } from './wire-client.js';

declare module 'vitest' {
  export interface ProvidedContext {
    immudb: { readonly address: string; readonly startable: boolean } | { readonly missing: string };
  }
}

/** Address of the server that this run shares. */
export function sharedImmudb(): string {
  const server = inject('immudb');
  if ('missing' in server) throw new Error(`no real immudb: ${server.missing}`);
  return server.address;
}

/** Runs against the shared real immudb; skipped, and counted loudly, when there is none. */
export function describeReal(name: string, body: () => void): void {
  describe.skipIf('missing' in inject('immudb'))(`[real immudb] ${name}`, body);
}

/** Like {@link describeReal}, for tests that start servers of their own (not possible with IMMUDB_ADDRESS alone). */
export function describePrivate(name: string, body: () => void): void {
  const server = inject('immudb');
  describe.skipIf('missing' in server || !server.startable)(`[real immudb] ${name}`, body);
}

/** Settings as CreateDatabaseV2 takes them, e.g. `{ excludeCommitTime: { value: true } }`. */
export async function freshDatabase(address = sharedImmudb(), settings: object = {}): Promise<string> {
  const name = `t${randomBytes(6).toString('hex')}`;
  const client = await WireClient.open(address);
  try {
    await client.call('CreateDatabaseV2', { name, settings });
  } finally {
    await client.call('CloseSession').catch(() => undefined);
    client.close();
  }
  return name;
}
