// Hangs, crashes and floods: every wait ends, every limit holds, and nothing kills the process.
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ArgumentError, ImmuClient, IngestError } from '#dist/index.js';
import type { ImmuClientOptions, IngestRecord } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { CREDENTIALS, codeOf, openAt, proxyTo, range, rawSet, setScene, text } from './support.js';

/** What does not end by then hangs. */
const PATIENCE_MS = 4000;

describe('an ingest of a source that has gone quiet', () => {
  /** Two records, and then nothing for ever. */
  async function* quiet(): AsyncGenerator<IngestRecord> {
    yield ['a', '1'];
    yield ['b', '2'];
    await new Promise(() => undefined);
  }

  test('break returns', { timeout: PATIENCE_MS }, async () => {
    const client = (await setScene()).open();
    const taken = [];
    for await (const { index } of client.ingest(quiet())) {
      taken.push(index);
      if (index === 1) break;
    }
    expect(taken).toEqual([0, 1]);
  });

  test('an abort ends it, with the token to go on from', { timeout: PATIENCE_MS }, async () => {
    const client = (await setScene()).open();
    const abort = new AbortController();
    const run = async () => {
      for await (const { index } of client.ingest(quiet(), { signal: abort.signal }))
        if (index === 1) setImmediate(() => abort.abort());
    };
    const error: unknown = await run().catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(IngestError);
    expect(error).toMatchObject({ code: 'ABORTED', resume: expect.stringMatching(/^immu-ingest-1\.2\./) });
  });

  test('close() ends it, with the token to go on from', { timeout: PATIENCE_MS }, async () => {
    const client = (await setScene()).open();
    const run = async () => {
      for await (const { index } of client.ingest(quiet()))
        if (index === 1) setImmediate(() => void client.close());
    };
    const error: unknown = await run().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'CLOSED', resume: expect.stringMatching(/^immu-ingest-1\.2\./) });
  });
});

describe('close()', () => {
  test('resolves while the first call is under way', { timeout: PATIENCE_MS }, async () => {
    const scene = await setScene();
    const client = scene.open();
    scene.way.begin('swallowed', 100);
    const call = codeOf(client.verifiedGet('a'));
    await expect.poll(() => scene.way.met).toBeGreaterThan(0);
    await client.close();
    expect(await call).toBe('CLOSED');
  });

  test.for(['verifiedGet', 'verifiedSet', 'get'] as const)(
    'resolves in the same turn as the first %s',
    { timeout: PATIENCE_MS },
    async (kind) => {
      const client = (await setScene()).open();
      const call = codeOf(kind === 'verifiedSet' ? client.verifiedSet('a', '1') : client[kind]('a'));
      await client.close();
      expect(await call).toBe('CLOSED');
    },
  );
});

describe('limits', () => {
  const kinds: [string, (client: ImmuClient, i: number) => Promise<unknown>][] = [
    ['get', (client, i) => client.get(`k${i}`)],
    ['set', (client, i) => client.set(`k${i}`, 'v')],
    ['setAll', (client, i) => client.setAll([[`k${i}`, 'v']])],
    ['getAll', (client, i) => client.getAll([`k${i}`])],
    ['verifiedGet', (client, i) => client.verifiedGet(`k${i}`)],
    ['verifiedGet of a version', (client, i) => client.verifiedGet(`k${i}`, { atTx: 1n })],
    ['verifiedSet', (client, i) => client.verifiedSet(`k${i}`, 'v')],
    ['listDatabases', (client) => client.listDatabases()],
    ['currentState', (client) => client.currentState()],
  ];

  test.for(kinds)('before there is a root: no more calls wait than may, %s', async ([, call]) => {
    const scene = await setScene();
    const client = scene.open({ maxQueuedCalls: 16, overload: 'fail', timeoutMs: 10_000 });
    const codes = await Promise.all(range(500).map((i) => codeOf(call(client, i))));
    expect(codes.filter((code) => code !== 'QUEUE_FULL').length).toBeLessThanOrEqual(16);
    // And when all of that is over the client works.
    expect(await codeOf(client.verifiedSet('after', 'v'))).toBe('ok');
  });

  test('calls that were given up leave the line', async () => {
    const scene = await setScene();
    const client = scene.open({ maxQueuedCalls: 100, overload: 'wait', timeoutMs: 30_000 });
    await client.verifiedSet('k', 'v');
    scene.way.begin('swallowed', 1_000_000);
    const abort = new AbortController();
    const codes = range(200).map((i) => codeOf(client.verifiedGet(`k${i}`, { signal: abort.signal })));
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['ABORTED', 'QUEUE_FULL'].slice(0, 1)));
    scene.way.end();
    scene.way.close();
    expect(client.diagnostics.queued.calls).toBe(0);
    expect(text(await client.verifiedGet('k'))).toBe('v');
  });
});

describe('a connection that says nothing any more', () => {
  /** Passes bytes on until it is told to swallow those of the connections there are. */
  async function tunnel(target: string): Promise<{ address: string; silence(): void }> {
    const pairs = new Set<[Socket, Socket]>();
    const [host, port] = target.split(':') as [string, string];
    const server = createServer((from) => {
      const to = createConnection(Number(port), host);
      const pair: [Socket, Socket] = [from, to];
      pairs.add(pair);
      from.on('data', (bytes) => to.write(bytes));
      to.on('data', (bytes) => from.write(bytes));
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        one.on('error', () => undefined);
        one.on('close', () => other.destroy());
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const [from, to] of pairs) [from, to].forEach((socket) => socket.destroy());
      server.close();
    });
    return {
      address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      silence: () => {
        for (const [from, to] of pairs) {
          from.removeAllListeners('data').resume();
          to.removeAllListeners('data').resume();
        }
      },
    };
  }

  test('half open: after a deadline without a byte the next call works', { timeout: 30_000 }, async () => {
    await using ledger = await EmbeddedLedger.start();
    const way = await tunnel(ledger.address);
    const client = openAt(way.address, { timeoutMs: 1500 });
    await client.verifiedSet('k', 'v');
    way.silence();
    expect(await codeOf(client.verifiedGet('k'))).toBe('DEADLINE_EXCEEDED');
    expect(text(await client.verifiedGet('k', { timeoutMs: 8000 }))).toBe('v');
  });

  test('accepted, and silent from the beginning', { timeout: 30_000 }, async () => {
    await using ledger = await EmbeddedLedger.start();
    let silent = true;
    const sockets = new Set<Socket>();
    const [, port] = ledger.address.split(':') as [string, string];
    const server = createServer((from) => {
      sockets.add(from);
      from.on('error', () => undefined);
      if (silent) return void from.resume();
      const to = createConnection(Number(port), '127.0.0.1');
      sockets.add(to);
      to.on('error', () => undefined);
      from.pipe(to);
      to.pipe(from);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const client = openAt(`127.0.0.1:${(server.address() as AddressInfo).port}`, { timeoutMs: 1500 });
    expect(['DEADLINE_EXCEEDED', 'UNAVAILABLE']).toContain(await codeOf(client.verifiedGet('k')));
    silent = false;
    expect(await codeOf(client.verifiedGet('k', { timeoutMs: 8000 }))).toBe('ok');
  });
});

describe('sessions', () => {
  test('a client that wanders through databases gives sessions back', { timeout: 60_000 }, async () => {
    await using ledger = await EmbeddedLedger.start({ maxSessions: 20 });
    const client = openAt(ledger.address);
    for (const i of range(30)) await client.createDatabase(`db${i}`);
    for (const i of range(30)) {
      await client.useDatabase(`db${i}`);
      await client.verifiedSet('k', `v${i}`);
    }
    // Others are not locked out, and the first database still works.
    expect(await codeOf(openAt(ledger.address).set('other', 'v'))).toBe('ok');
    await client.useDatabase('db0');
    expect(text(await client.verifiedGet('k'))).toBe('v0');
  });
});

describe('one thing that stalls does not hold up the rest', () => {
  test('the follower goes on after an error', async () => {
    const scene = await setScene();
    const client = scene.open({ followMs: 20 });
    await client.verifiedSet('k', 'v');
    scene.way.begin('garbled', 2);
    await expect.poll(() => scene.way.met, { timeout: 5000 }).toBe(2);
    const next = await rawSet(scene, 'next', 'v');
    await expect.poll(() => Object.values(client.diagnostics.trust)[0]?.headTx, { timeout: 5000 }).toBe(next);
  });

  test('a proof that is never answered is overtaken', { timeout: 30_000 }, async () => {
    const scene = await setScene();
    const client = scene.open({ timeoutMs: 20_000 });
    await client.verifiedSet('k', 'v');
    let stalled = 0;
    scene.intercept(({ method, forward }) => {
      if (method !== 'VerifiableTxById' || stalled > 0) return undefined;
      stalled += 1;
      return forward().then(() => new Promise<Buffer>(() => undefined));
    });
    const first = Promise.all(
      range(8).map((i) => codeOf(client.verifiedSet(`a${i}`, 'v', { timeoutMs: 1000 }))),
    );
    await first;
    expect(stalled).toBe(1);
    const codes = await Promise.all(
      range(8).map((i) => codeOf(client.verifiedSet(`b${i}`, 'v', { timeoutMs: 8000 }))),
    );
    expect(new Set(codes)).toEqual(new Set(['ok']));
  });
});

describe('large values', () => {
  const MIB = 1024 * 1024;

  test('three of 30 MiB in one getAll: split within the call', { timeout: 120_000 }, async () => {
    await using ledger = await EmbeddedLedger.start();
    const client = openAt(ledger.address, { timeoutMs: 60_000 });
    const value = Buffer.alloc(30 * MIB, 'x');
    for (const i of range(3)) await client.set(`large${i}`, value);
    const told = await client.getAll(range(3).map((i) => `large${i}`));
    expect(told.map((entry) => entry?.value.length)).toEqual(range(3).map(() => value.length));
    const again = openAt(ledger.address, { timeoutMs: 60_000, verifier: { threads: 1 } });
    const verified = await Promise.all(range(3).map((i) => again.verifiedGet(`large${i}`)));
    expect(verified.map((entry) => entry?.value.length)).toEqual(range(3).map(() => value.length));
  });

  test('two of 5 MB do not end the grouping of reads for good', { timeout: 60_000 }, async () => {
    await using ledger = await EmbeddedLedger.start();
    const proxy = await proxyTo(ledger.address);
    let asked = 0;
    proxy.intercept = ({ method, forward }) => {
      if (/Get/.test(method)) asked += 1;
      return forward();
    };
    const client = openAt(proxy.address, { timeoutMs: 30_000 });
    for (const i of range(2)) await client.set(`large${i}`, Buffer.alloc(5_000_000, 'x'));
    await client.setAll(range(500).map((i) => [`small${i}`, 'v'] as const));
    await client.getAll(['large0', 'large1']);
    // What the large ones did to the size of answers may take a few groups to be forgotten.
    for (let round = 0; round < 3; round++) {
      asked = 0;
      const told = await Promise.all(range(500).map((i) => client.get(`small${i}`)));
      expect(told.filter((entry) => text(entry) === 'v')).toHaveLength(500);
    }
    expect(asked).toBeLessThan(100);
  });
});

describe('options that cannot be meant', () => {
  const wrong: [name: string, options: ImmuClientOptions][] = [
    ['store', { store: '~/roots.db' }],
    ['store', { store: 'file:///roots.db' }],
    ['tls', { tls: { ca: 'hello' } }],
    ['address', { address: '::1%lo' }],
  ];
  test.for(wrong)('%s', async ([name, options]) => {
    const made = async () => {
      const client = new ImmuClient({ credentials: CREDENTIALS, timeoutMs: 500, ...options });
      // What is not refused is not used either: nothing is made in the working directory.
      await client.close();
    };
    const error: unknown = await made().catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as ArgumentError).argument).toMatch(new RegExp(`^${name}`));
  });
});
