// The end of a client: it always comes, in time, whatever is under way, and tells what could not be done any more. And many
// clients of one process: they share what is heavy, and each is closed by itself.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ImmuClient, MemoryRootStore, SqliteRootStore } from '#dist/index.js';
import type { ImmuClientOptions, RootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { openSqlite } from '#dist/sqlite/open.js';

const credentials = { user: 'immudb', password: 'immudb' };
let ledger: EmbeddedLedger;
beforeAll(async () => {
  ledger = await EmbeddedLedger.start();
});
afterAll(() => ledger.close());

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'immu-closing-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'roots.db');
}

const make = (options: ImmuClientOptions = {}) =>
  new ImmuClient({ address: ledger.address, credentials, store: new MemoryRootStore(), ...options });

/** The warnings of the process from now on, which are not printed. */
function warnings(): Error[] {
  const told: Error[] = [];
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => {
    told.push(warning as Error);
  });
  onTestFinished(() => emit.mockRestore());
  return told;
}

/** A store of which one kind of call never comes back, or fails. */
function broken(how: Partial<Record<keyof RootStore, () => unknown>>): RootStore {
  const store = new MemoryRootStore();
  const properties = Object.entries(how).map(([name, value]) => [name, { value }] as const);
  return Object.create(store, {
    ...Object.fromEntries(properties),
    audit: { value: store.audit },
    head: { value: (...args: Parameters<RootStore['head']>) => store.head(...args) },
    advance: {
      value: how.advance ?? ((...args: Parameters<RootStore['advance']>) => store.advance(...args)),
    },
    bindIdentity: {
      value:
        how.bindIdentity ?? ((...args: Parameters<RootStore['bindIdentity']>) => store.bindIdentity(...args)),
    },
  }) as RootStore;
}
const never = () => new Promise(() => undefined);

describe('closing while calls are under way', () => {
  test.each([0, 1, 2, 3, 5, 8, 12, 20, 40, 80])('the very first one, %i turns later', async (turns) => {
    const told = warnings();
    const client = make({ store: await temporary() });
    const calls = Promise.allSettled([
      client.verifiedSet('a', 'b'),
      client.verifiedGet('a'),
      client.get('a'),
      client.useDatabase('defaultdb'),
      client.audit.database(),
    ]);
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    const closed = client.close();
    expect(client.close()).toBe(closed);
    await closed;
    for (const call of await calls) {
      if (call.status === 'rejected') expect(['CLOSED', 'OUTCOME_UNKNOWN']).toContain(call.reason.code);
    }
    expect(told).toEqual([]);
    expect(client.diagnostics.notDone).toEqual([]);
  });

  test('of a server that is not there, and with a store that cannot be opened', async () => {
    const told = warnings();
    const gone = make({ address: '127.0.0.1:1', timeoutMs: 60_000 });
    const store = join(await temporary(), 'not', 'a', 'folder');
    await SqliteRootStore.open(join(store, '../../..')).then((made) => made.close());
    const bad = make({ store });
    const calls = [gone.verifiedGet('a'), bad.verifiedGet('a')].map((call) => call.catch(() => undefined));
    await Promise.all([gone.close(), bad.close()]);
    await Promise.all(calls);
    expect(told).toEqual([]);
  });
});

describe('what cannot be done any more', () => {
  test('does not keep close from its end: a store that never answers', async () => {
    const told = warnings();
    const client = make({ store: broken({ record: never }), closeTimeoutMs: 100 });
    await client.verifiedSet('k', 'v');
    await client.verifiedGet('k');
    await client.verifiedGet('k');
    await client.close();
    expect(client.diagnostics.notDone).toMatchObject([{ code: 'DEADLINE_EXCEEDED' }]);
    expect(client.diagnostics.notDone[0]?.message).toContain('what is due on defaultdb to be written');
    expect(told).toEqual(client.diagnostics.notDone);
  });

  test('nor one that never answered the first call', async () => {
    warnings();
    for (const store of [broken({ bindIdentity: never }), broken({ advance: never })]) {
      const client = make({ store, closeTimeoutMs: 100 });
      const call = client.verifiedGet('k', { timeoutMs: 50 }).catch(() => undefined);
      await call;
      await client.close();
      expect(client.diagnostics.notDone.map(({ name }) => name)).toEqual(['TransportError']);
    }
  });

  test('is told: counts that the store refuses', async () => {
    const told = warnings();
    const refused = new Error('the store is full');
    const client = make({ store: broken({ record: () => Promise.reject(refused) }) });
    await client.verifiedSet('k', 'v');
    await client.verifiedGet('k');
    await client.close();
    expect(client.diagnostics.notDone).toEqual([refused]);
    expect(told).toEqual([refused]);
  });

  test('is found whole when the store is opened next: a file that was locked', async () => {
    warnings();
    const store = await temporary();
    const client = make({ store, closeTimeoutMs: 300 });
    const { tx } = await client.verifiedSet('k', 'v');
    const locking = openSqlite(store);
    locking.exec('BEGIN IMMEDIATE');
    await client.verifiedGet('k');
    await client.close();
    expect(client.diagnostics.notDone).not.toEqual([]);
    locking.exec('ROLLBACK');
    locking.close();
    await using again = await SqliteRootStore.open(store);
    expect(await again.audit.verify()).toMatchObject({ ok: true });
    expect((await again.audit.latest({ database: 'defaultdb' }))?.tx).toBe(tx);
  });
});

describe('more than fits', () => {
  test('waits for room, lone and together, whatever is checked meanwhile', async () => {
    const limits = { maxQueuedBytes: 100_000, maxQueuedJobs: 3 };
    await using client = make({ verifier: limits });
    const value = Buffer.alloc(40_000, 'x');
    const keys = Array.from({ length: 60 }, (_, i) => `large ${i}`);
    for (const key of keys) await client.set(key, value);
    const lone = keys.map((key) => client.verifiedGet(key, { atRevision: 1n }));
    const together = keys.map((key) => client.verifiedGet(key));
    const writes = keys.map((key) => client.verifiedSet(`${key} too`, value));
    for (const entry of await Promise.all([...lone, ...together]))
      expect(value.equals(entry!.value)).toBe(true);
    await Promise.all(writes);
    await client.ready();
    const again = await Promise.all(keys.map((key) => client.verifiedGet(key, { atRevision: 1n })));
    expect(again).toHaveLength(60);
  });

  test('no longer than the deadline of a call', async () => {
    const threadEntry = new URL('../worker/fixtures/failing-thread.mjs', import.meta.url);
    await using client = make({
      verifier: { threadEntry, inlineBelowJobs: 0, closeTimeoutMs: 50 },
    });
    await client.set('stuck', '<hang>');
    await client.verifiedSet('other', 'value');
    const stuck = client.verifiedGet('stuck', { atRevision: 1n, timeoutMs: 300 });
    await expect(stuck).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});

describe.runIf(process.platform === 'linux')('many clients of a process', () => {
  test('share threads, and leave none behind', async () => {
    const script = fileURLToPath(new URL('fixtures/many-clients.mjs', import.meta.url));
    const args = [script, await temporary(), '40', '20'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { before, during, after } = JSON.parse(stdout);
    // One that checks, one that has the store.
    expect(during.threads - before.threads).toBeLessThanOrEqual(2);
    expect(after.threads).toBeLessThanOrEqual(before.threads);
  });
});
