// What every public call has in common: its options are looked at by type and by name, it is let in before anything is held
// for it, and what it fails with shows who called.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ArgumentError,
  ImmuClient,
  ImmuError,
  MemoryRootStore,
  Permission,
  SqliteRootStore,
} from '#dist/index.js';
import { openArchive, openForReading } from '#dist/audit.js';
import type { ImmuClientOptions } from '#dist/index.js';
import { resolveVerifierOptions } from '#dist/worker/pool-options.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { codeOf, deadAddress, failure, SilentServer } from './support.js';

const credentials = { user: 'immudb', password: 'immudb' };
const make = (options: ImmuClientOptions) =>
  new ImmuClient({ store: new MemoryRootStore(), verifier: { threads: 0 }, credentials, ...options });

/** Every public call that asks for something, with what it is given beside its options. */
const CALLS: Record<string, (client: ImmuClient, options?: object) => Promise<unknown>> = {
  openSession: (client, options) => client.openSession(credentials, options),
  closeSession: (client, options) => client.closeSession(options),
  login: (client, options) => client.login('immudb', 'immudb', options),
  'login on a database': (client, options) => client.login('immudb', 'immudb', 'defaultdb', options),
  logout: (client, options) => client.logout(options),
  createDatabase: (client, options) => client.createDatabase('made', { ifNotExists: true, ...options }),
  useDatabase: (client, options) => client.useDatabase('defaultdb', options),
  listDatabases: (client, options) => client.listDatabases(options),
  createUser: (client, options) => client.createUser('u', 'Passw0rd!', Permission.R, 'defaultdb', options),
  changePassword: (client, options) => client.changePassword('u', 'An0ther-one', 'Passw0rd!', options),
  listUsers: (client, options) => client.listUsers(options),
  changePermission: (client, options) => client.changePermission('u', 'defaultdb', Permission.R, options),
  'changePermission, action first': (client, options) =>
    client.changePermission(0, 'u', 'defaultdb', Permission.R, options),
  setActiveUser: (client, options) => client.setActiveUser('u', true, options),
  health: (client, options) => client.health(options),
  serverInfo: (client, options) => client.serverInfo(options),
  currentState: (client, options) => client.currentState(options),
  set: (client, options) => client.set('k', 'v', options),
  setAll: (client, options) => client.setAll({ k: 'v' }, options),
  get: (client, options) => client.get('k', options),
  'get of keys': (client, options) => client.get(['k'], options),
  'get of a version': (client, options) => client.get('k', { sinceTx: 1n, ...options }),
  getAll: (client, options) => client.getAll(['k'], options),
  'getAll of nothing': (client, options) => client.getAll([], options),
  verifiedSet: (client, options) => client.verifiedSet('k', 'v', options),
  'verifiedSet on its own': (client, options) => client.verifiedSet('k', 'v', { ownTx: true, ...options }),
  verifiedSetAll: (client, options) => client.verifiedSetAll({ k: 'v' }, options),
  safeSet: (client, options) => client.safeSet('k', 'v', options),
  verifiedGet: (client, options) => client.verifiedGet('k', options),
  'verifiedGet of a version': (client, options) => client.verifiedGet('k', { sinceTx: 1n, ...options }),
  safeGet: (client, options) => client.safeGet('k', options),
  verifiedGetAll: (client, options) => client.verifiedGetAll(['k'], options),
  'verifiedGetAll of nothing': (client, options) => client.verifiedGetAll([], options),
  warm: (client, options) => client.warm(options),
  forgetTrust: (client, options) => client.forgetTrust('a test', options),
  acceptServer: (client, options) => client.acceptServer('another', options),
  ingest: async (client, options) => {
    for await (const receipt of client.ingest([['k', 'v']], options)) expect(receipt.proven).toBe(true);
  },
  'audit.prove': (client, options) => client.audit.prove(options),
  'audit.database': (client, options) => client.audit.database(options),
};
/** Questions about the log, which take queries. */
const QUERIES: Record<string, (client: ImmuClient, query?: object) => Promise<unknown>> = {
  'audit.roots': async (client, query) => client.audit.roots(query).next(),
  'audit.latest': (client, query) => client.audit.latest(query),
  'audit.rootAt': (client, query) => client.audit.rootAt(1n, query),
  'audit.stats': (client, query) => client.audit.stats(query),
  'audit.gaps': (client, query) => client.audit.gaps(query),
  'audit.verify': (client, query) => client.audit.verify(query),
  'audit.checkpoint': (client, query) => client.audit.checkpoint(query),
  'audit.checkpoints': (client, query) => client.audit.checkpoints(query),
  'audit.archive': (client, query) => client.audit.archive({ path: '/nowhere', keepRows: 1, ...query }),
};
const named = Object.entries({ ...CALLS, ...QUERIES });

let ledger: EmbeddedLedger;
beforeAll(async () => {
  ledger = await EmbeddedLedger.start();
});
afterAll(async () => {
  await ledger[Symbol.asyncDispose]();
});

describe('options', () => {
  test.for(named)('%s: one that there is not is refused, and named', async ([, call]) => {
    await using client = make({ address: ledger.address });
    const error = await failure(call(client, { atRevison: 1n }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain('has no "atRevison"');
  });

  test.for(named)('%s: something else than an object is refused', async ([name, call]) => {
    if (/of a version|on its own|createDatabase|archive/.test(name)) return;
    await using client = make({ address: ledger.address });
    for (const wrong of [null, 7, [], 'defaultdb', () => 1]) {
      // The one place where text is something: the database comes before the options.
      if (name === 'login' && typeof wrong !== 'object') continue;
      if (name === 'login' && wrong === null) continue;
      expect(await failure(call(client, wrong as object)), name).toBeInstanceOf(ArgumentError);
    }
  });

  test.for(Object.entries(CALLS))('%s: timeoutMs and signal are looked at', async ([, call]) => {
    await using client = make({ address: ledger.address });
    expect(await failure(call(client, { timeoutMs: '5' }))).toMatchObject({ argument: 'timeoutMs' });
    expect(await failure(call(client, { signal: {} }))).toMatchObject({ argument: 'signal' });
  });

  test('the name that was meant is named', async () => {
    await using client = make({ address: ledger.address });
    const meant = async (options: object) => (await failure(client.verifiedGet('k', options))).message;
    expect(await meant({ atRevison: 1n })).toBe('options has no "atRevison" (did you mean atRevision?)');
    expect(await meant({ attx: 1n })).toContain('did you mean atTx?');
    expect(await meant({ timeoutSM: 1 })).toContain('did you mean timeoutMs?');
    expect(await meant({ something: 1 })).toBe('options has no "something"');
    expect(await meant({ ['x'.repeat(100_000)]: 1 })).toHaveLength('options has no ""'.length + 100);
    expect((await failure(client.verifiedSet('k', 'v', { ownTX: true } as never))).message).toContain(
      'ownTx',
    );
  });

  test('what is made is looked at too', async () => {
    const path = '/tmp/immu-ts-never-made.db';
    const wrong: Record<string, () => unknown> = {
      credentials: () => make({ credentials: { ...credentials, databse: 'x' } as never }),
      verifier: () => make({ verifier: { thread: 1 } as never }),
      tls: () => make({ tls: { servername: 'x' } as never }),
      trust: () => make({ trust: { policy: 'first-use', alhh: 1 } as never }),
      'a verifier': () => resolveVerifierOptions({ maxQueuedJob: 1 } as never),
      'a store in memory': () => new MemoryRootStore({ path } as never),
      'a store': () => SqliteRootStore.open(path, { busyTimeout: 1 } as never),
      'its checkpoints': () => SqliteRootStore.open(path, { checkpoints: { everyRow: 1 } as never }),
      'an archive': () => openArchive(path, { readonly: true } as never),
      'a store for reading': () => openForReading(path, { readonly: true } as never),
      'a ledger': () => EmbeddedLedger.start({ adminpassword: 'x' } as never),
    };
    for (const [name, work] of Object.entries(wrong)) {
      const error = await failure(Promise.resolve().then(work));
      expect(error, name).toBeInstanceOf(ArgumentError);
      expect(error.message, name).toContain(' has no "');
    }
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });
});

describe('admission', () => {
  test.for(named)('%s: waits for room like every other, before anything is asked', async ([name, call]) => {
    if (/closeSession|logout|of nothing/.test(name)) return;
    const silent = await SilentServer.start();
    const client = make({
      address: silent.address,
      credentials: undefined as never,
      maxQueuedCalls: 1,
      overload: 'fail',
    });
    try {
      const first = client.health().catch((error: unknown) => error);
      expect(client.diagnostics.queued.calls).toBe(1);
      expect(await codeOf(call(client))).toBe('QUEUE_FULL');
      expect(client.diagnostics.queued.calls).toBe(1);
      await client.close();
      expect(await first).toMatchObject({ code: 'CLOSED' });
      expect(client.diagnostics.queued).toEqual({ calls: 0, bytes: 0 });
    } finally {
      await client.close();
      await silent[Symbol.asyncDispose]();
    }
  });

  test('holds before the first root, for verified calls too: what is too much is refused', async () => {
    const silent = await SilentServer.start();
    const client = make({ address: silent.address, maxQueuedCalls: 16 });
    try {
      const outcomes = Array.from({ length: 5000 }, (_, i) =>
        (i % 2 ? client.verifiedGet(`k${i}`) : client.verifiedSet(`k${i}`, 'v')).then(
          () => 'done',
          (error: unknown) => (error as ImmuError).code,
        ),
      );
      expect(client.diagnostics.queued.calls).toBe(16);
      const refused = await Promise.all(outcomes.slice(32));
      expect(new Set(refused)).toEqual(new Set(['QUEUE_FULL']));
      await Promise.allSettled([client.close()]);
      expect(await Promise.all(outcomes.slice(0, 32))).toEqual(Array(32).fill('CLOSED'));
      expect(client.diagnostics.queued).toEqual({ calls: 0, bytes: 0 });
    } finally {
      await Promise.allSettled([client.close()]);
      await silent[Symbol.asyncDispose]();
    }
  });

  test('places are given back whatever becomes of a call', async () => {
    for (const [name, call] of named) {
      if (/acceptServer|logout|closeSession|changePassword|archive/.test(name)) continue;
      const fresh = make({ address: ledger.address, maxQueuedCalls: 2 });
      await call(fresh).catch((error: unknown) => expect(error, name).toBeInstanceOf(ImmuError));
      expect(fresh.diagnostics.queued, name).toEqual({ calls: 0, bytes: 0 });
      await fresh.close();
    }
    const dead = make({ address: await deadAddress(), maxQueuedCalls: 2 });
    for (const call of Object.values(CALLS)) await call(dead).catch(() => undefined);
    expect(dead.diagnostics.queued).toEqual({ calls: 0, bytes: 0 });
    await dead.close();
  });
});

describe('a call that fails in the network', () => {
  const here = fileURLToPath(import.meta.url);

  test.for(Object.entries(CALLS))('%s: its stack shows who called', async ([name, call]) => {
    if (/closeSession|logout|of nothing|acceptServer/.test(name)) return;
    await using client = make({ address: await deadAddress() });
    async function theCaller(): Promise<void> {
      await call(client);
    }
    const error = await failure(theCaller());
    expect(error.code, name).toBe('UNAVAILABLE');
    expect(error.stack, name).toContain(`${error.name}: ${error.message}`);
    expect(error.stack, name).toContain('theCaller');
    expect(error.stack, name).toContain(here);
  });

  test('also in a group: each caller is shown itself, with an error of its own', async () => {
    await using server = await EmbeddedLedger.start();
    await using client = make({ address: server.address });
    await client.verifiedSet('k', 'v');
    await server[Symbol.asyncDispose]();
    async function oneCaller(): Promise<void> {
      await client.verifiedGet('k', { timeoutMs: 200 });
    }
    async function anotherCaller(): Promise<void> {
      await client.verifiedGet('other', { timeoutMs: 200 });
    }
    async function together(): Promise<void> {
      await Promise.all([
        client.verifiedGet('third', { timeoutMs: 200 }),
        client.verifiedGet('k', { timeoutMs: 200 }),
      ]);
    }
    const [one, another, third] = await Promise.all(
      [oneCaller, anotherCaller, together].map((call) => failure(call())),
    );
    expect(one!.stack).toContain('oneCaller');
    expect(one!.stack).not.toContain('anotherCaller');
    expect(another!.stack).toContain('anotherCaller');
    expect(third!.stack).toContain('together');
    for (const error of [one, another, third]) {
      expect(error).toBeInstanceOf(ImmuError);
      expect(Object.prototype.toString.call(error)).toBe('[object Error]');
      expect(error!.code).toBe(one!.code);
      expect(error!.name).toBe(one!.name);
    }
  });
});
