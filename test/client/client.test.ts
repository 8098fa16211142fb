// The client as its users have it: logging in and out, databases, closing; and processes that end by themselves.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import {
  ArgumentError,
  ClosedError,
  ImmuClient,
  ImmuError,
  MemoryRootStore,
  Permission,
} from '#dist/index.js';
import type { ImmuClientOptions } from '#dist/index.js';
import { describePrivate, describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { startImmudb } from '../support/immudb.js';
import { codeOf, failure, PuppetServer, SilentServer } from './support.js';

const credentials = { user: 'immudb', password: 'immudb' };
const make = (options: ImmuClientOptions) =>
  new ImmuClient({ store: new MemoryRootStore(), verifier: { threads: 0 }, ...options });
const text = (entry: { value: Uint8Array } | null) => entry && Buffer.from(entry.value).toString();

describeReal('ImmuClient', () => {
  let one: string;
  let two: string;
  beforeAll(async () => {
    [one, two] = await Promise.all([freshDatabase(), freshDatabase()]);
  });

  test('calls keep the database they were asked on', async () => {
    await using client = make({ address: sharedImmudb(), credentials: { ...credentials, database: one } });
    await client.set('where', 'one');
    await client.useDatabase(two.toUpperCase());
    expect(client.databaseName).toBe(two);
    await client.set('where', 'two');
    await client.useDatabase(one);
    const reads = Array.from({ length: 20 }, () => client.get('where'));
    const switched = client.useDatabase(two);
    const verified = client.verifiedGet('where');
    await switched;
    const later = Array.from({ length: 20 }, () => client.get('where'));
    expect(new Set((await Promise.all(reads)).map(text))).toEqual(new Set(['one']));
    expect(new Set((await Promise.all(later)).map(text))).toEqual(new Set(['two']));
    expect(text(await verified)).toBe('one');
  });

  test('a database that cannot be selected leaves the selected one', async () => {
    await using client = make({ address: sharedImmudb(), credentials: { ...credentials, database: one } });
    expect(await codeOf(client.useDatabase('nowhere'))).toBe('DATABASE_NOT_FOUND');
    expect(await failure(client.useDatabase('no where'))).toBeInstanceOf(ArgumentError);
    expect(client.databaseName).toBe(one);
    await client.set('still', 'here');
  });

  test('sessions and tokens, in and out', async () => {
    await using client = make({ address: sharedImmudb() });
    expect(await codeOf(client.get('k'))).toBe('NOT_LOGGED_IN');
    await client.openSession({ ...credentials, database: one });
    await client.set('k', 'v');
    await client.closeSession();
    expect(await codeOf(client.get('k'))).toBe('NOT_LOGGED_IN');
    expect(await codeOf(client.openSession({ ...credentials, password: 'wrong' }))).toBe('WRONG_CREDENTIALS');
    await client.login('immudb', 'immudb', { database: one });
    expect(text(await client.get('k'))).toBe('v');
    await client.openSession({ ...credentials, database: two });
    expect(await client.get('k')).toBeNull();
    await client.logout();
    expect(await codeOf(client.get('k'))).toBe('NOT_LOGGED_IN');
    expect((await client.health()).healthy).toBe(true);
  });

  test('after close every call is a ClosedError, at any time, and close is idempotent', async () => {
    const client = make({ address: sharedImmudb(), credentials: { ...credentials, database: one } });
    await client.set('k', 'v');
    const flying = [
      ...Array.from({ length: 20 }, () => client.get('k')),
      ...Array.from({ length: 20 }, () => client.set('k', 'v')),
      ...Array.from({ length: 5 }, () => client.verifiedGet('k')),
    ].map((call) =>
      call.then(
        () => 'done',
        (error: unknown) => (error instanceof ImmuError ? error.code : error),
      ),
    );
    await Promise.all([client.close(), client.close(), client.shutdown()]);
    for (const outcome of await Promise.all(flying)) expect(outcome).toBe('CLOSED');
    const calls: (() => Promise<unknown>)[] = [
      () => client.openSession(credentials),
      () => client.login('immudb', 'immudb'),
      () => client.closeSession(),
      () => client.logout(),
      () => client.set('k', 'v'),
      () => client.get('k'),
      () => client.setAll({ k: 'v' }),
      () => client.getAll(['k']),
      () => client.verifiedSet('k', 'v'),
      () => client.verifiedGet('k'),
      () => client.verifiedSet('k', 'v', { ownTx: true }),
      () => client.verifiedSetAll({ k: 'v' }),
      () => client.verifiedGetAll(['k']),
      () => client.verifiedGet('k', { atTx: 1n }),
      async () => client.ready(),
      () => client.safeSet('k', 'v'),
      () => client.safeGet('k'),
      () => client.createDatabase('x'),
      () => client.useDatabase(one),
      () => client.listDatabases(),
      () => client.createUser('x', 'Passw0rd!', Permission.R, one),
      () => client.changePassword('x', 'Passw0rd!', ''),
      () => client.listUsers(),
      () => client.changePermission('x', one, Permission.R),
      () => client.setActiveUser('x', true),
      () => client.health(),
      () => client.serverInfo(),
      () => client.currentState(),
      () => client.forgetTrust('x'),
      () => client.acceptServer('x'),
    ];
    for (const call of calls) expect(await failure(call()), call.toString()).toBeInstanceOf(ClosedError);
    await client.close();
  });

  test('a client that was never used closes too', async () => {
    const client = make({ address: sharedImmudb(), credentials });
    await client.close();
  });
});

describePrivate('a client and its server', () => {
  test('after its own password was changed a client goes on, on every database', async () => {
    await using server = await startImmudb();
    await using client = make({ address: server.address, credentials });
    await client.createDatabase('other');
    await client.set('k', 'before');
    await client.useDatabase('other');
    await client.set('k', 'elsewhere');
    await client.changePassword('immudb', 'An0ther-one', 'immudb');
    expect(text(await client.get('k'))).toBe('elsewhere');
    await client.useDatabase('defaultdb');
    expect(text(await client.get('k'))).toBe('before');
    await client.set('k', 'after');
    await using stranger = make({ address: server.address, credentials });
    expect(await codeOf(stranger.get('k'))).toBe('WRONG_CREDENTIALS');
  });

  test('a server that is gone does not hold up closing', async () => {
    await using server = await startImmudb();
    const client = make({ address: server.address, credentials });
    await client.set('k', 'v');
    await server.kill();
    const call = codeOf(client.get('k'));
    await client.close();
    expect(await call).toBe('CLOSED');
  });
});

test('a server that never answers does not hold up closing for long', async () => {
  await using server = await PuppetServer.start({
    OpenSession: (_, reply) => reply(null, { sessionID: 'id', serverUUID: 'puppet' }),
    Get: () => undefined,
    CloseSession: () => undefined,
  });
  const client = make({ address: server.address, credentials });
  const call = codeOf(client.get('k'));
  await new Promise((resolve) => setImmediate(resolve));
  await client.close();
  expect(await call).toBe('CLOSED');
});

/** Runs a script as a process of its own; resolves with how it ended. */
async function run(script: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const index = fileURLToPath(import.meta.resolve('#dist/index.js'));
  const body = `
    import { ImmuClient, MemoryRootStore } from ${JSON.stringify(index)};
    process.on('unhandledRejection', (error) => { console.error('unhandled', error); process.exit(9); });
    const [address] = process.argv.slice(-1);
    const credentials = { user: 'immudb', password: 'immudb' };
    const code = (call) => call.then(() => 'ok', (error) => error.code);
    ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', body, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(tooLong);
  return { code, output };
}

describeReal('a process', () => {
  test('ends by itself when the client is closed, after calls of all kinds', async () => {
    const { code, output } = await run(
      `const client = new ImmuClient({ address, credentials, store: new MemoryRootStore() });
       await client.set('process', 'v');
       await client.verifiedSet('process', 'v2');
       const abort = new AbortController();
       const outcomes = [client.get('process', { signal: abort.signal }), client.get('process', { timeoutMs: 1 }), client.verifiedGet('process'), client.get('')].map(code);
       abort.abort();
       await Promise.all(outcomes);
       const flying = Array.from({ length: 20 }, () => code(client.verifiedGet('process')));
       await client.close();
       console.log(JSON.stringify([...new Set(await Promise.all(flying))]));`,
      sharedImmudb(),
    );
    expect(output).toMatch(/^\["CLOSED"\]\n$/);
    expect(code).toBe(0);
  });

  test('is not kept alive by an idle client that was forgotten', async () => {
    const { code, output } = await run(
      `const client = new ImmuClient({ address, credentials, store: new MemoryRootStore(), verifier: { threads: 0 } });
       await client.set('process', 'v');
       console.log('done');`,
      sharedImmudb(),
    );
    expect(output).toBe('done\n');
    expect(code).toBe(0);
  });
});

test('a process without a server ends by itself, with typed errors', async () => {
  await using silent = await SilentServer.start();
  const { code, output } = await run(
    `const client = new ImmuClient({ address, credentials, connectTimeoutMs: 300, store: new MemoryRootStore() });
     const outcomes = [client.get('k'), client.set('k', 'v'), client.verifiedGet('k'), client.verifiedSet('k', 'v'), client.health()].map(code);
     console.log(JSON.stringify(await Promise.all(outcomes)));
     const waiting = code(client.get('k'));
     await client.close();
     console.log(await waiting);`,
    silent.address,
  );
  expect(output).toBe(`${JSON.stringify(Array<string>(5).fill('UNAVAILABLE'))}\nCLOSED\n`);
  expect(code).toBe(0);
});
