// Connections over which nothing comes any more, and such over which nothing ever came: the next call goes over another.
import { expect, test } from 'vitest';
import type { ImmuError } from '#dist/errors.js';
import { isNotDone } from '#dist/client/net/server-errors.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { codeOf, connect, failure, PuppetServer, setEntries } from './support.js';
import type { Handler } from './support.js';
import { TcpProxy } from './tcp-proxy.js';
import { get } from './support.js';

const answers =
  (answer: object): Handler =>
  (_, reply) =>
    reply(null, answer);

const HANDLERS = { Get: answers({ tx: '1' }), Set: answers({ id: '7' }), Health: answers({ status: true }) };

test.each(['Get', 'Set'] as const)(
  'half open: after a deadline without a word the next %s works',
  async (method) => {
    await using server = await PuppetServer.start(HANDLERS);
    await using proxy = await TcpProxy.start(server.address);
    await using client = connect(proxy.address, { kind: 'anonymous' });
    await client.session.unary(method, {}, {});
    const before = client.session.connects;
    proxy.stall();
    expect(await codeOf(client.session.unary(method, {}, { timeoutMs: 200 }))).toBe('DEADLINE_EXCEEDED');
    expect(await client.session.unary(method, {}, {})).not.toBeNull();
    expect(proxy.taken).toBe(2);
    expect(client.session.connects).not.toBe(before);
  },
);

test('an abort after waiting in vain is as good as a deadline', async () => {
  await using server = await PuppetServer.start(HANDLERS);
  await using proxy = await TcpProxy.start(server.address);
  await using client = connect(proxy.address, { kind: 'anonymous' });
  await client.session.unary('Get', {}, {});
  proxy.stall();
  const controller = new AbortController();
  const call = codeOf(client.session.unary('Get', {}, { signal: controller.signal }));
  setImmediate(() => controller.abort());
  expect(await call).toBe('ABORTED');
  expect(await client.session.unary('Set', {}, {})).toEqual({ id: '7' });
});

test('reads that were under way go on over the new connection; a write is not sent twice', async () => {
  let sets = 0;
  await using server = await PuppetServer.start({
    ...HANDLERS,
    Set: (_, reply) => {
      sets += 1;
      reply(null, { id: '7' });
    },
  });
  await using proxy = await TcpProxy.start(server.address);
  await using client = connect(proxy.address, { kind: 'anonymous' });
  await client.session.unary('Set', {}, {});
  proxy.stall();
  const reads = [1, 2, 3].map(() => client.session.unary('Get', {}, {}));
  const write = failure(client.session.unary('Set', {}, { timeoutMs: 1500 }));
  await failure(client.session.unary('Get', {}, { timeoutMs: 100 }));
  await client.session.unary('Get', {}, {});
  await Promise.all(reads);
  const error: ImmuError = await write;
  expect(error.code).toBe('DEADLINE_EXCEEDED');
  expect(isNotDone(error)).toBe(false);
  expect(sets).toBe(1);
});

test('a server that is slow with one call is not given up: it says so when asked', async () => {
  const held: (() => void)[] = [];
  await using server = await PuppetServer.start({
    ...HANDLERS,
    Get: (_, reply) => void held.push(() => reply(null, {})),
  });
  await using proxy = await TcpProxy.start(server.address);
  await using client = connect(proxy.address, { kind: 'anonymous' });
  await client.session.unary('Set', {}, {});
  const before = client.session.connects;
  const slow = client.session.unary('Get', {}, {});
  expect(await codeOf(client.session.unary('Get', {}, { timeoutMs: 100 }))).toBe('DEADLINE_EXCEEDED');
  expect(await client.session.unary('Set', {}, {})).toEqual({ id: '7' });
  for (const answer of held) answer();
  await slow;
  expect(proxy.taken).toBe(1);
  expect(client.session.connects).toBe(before);
});

test('accepted and left in silence: given up after connectTimeoutMs, the next call gets a connection', async () => {
  await using server = await PuppetServer.start(HANDLERS);
  await using proxy = await TcpProxy.start(server.address);
  await using client = connect(proxy.address, { kind: 'anonymous', connectTimeoutMs: 200 });
  proxy.silent = true;
  const error = await failure(client.session.unary('Set', {}, {}));
  expect(error.code).toBe('UNAVAILABLE');
  expect(isNotDone(error)).toBe(true);
  proxy.silent = false;
  expect(await client.session.unary('Set', {}, {})).toEqual({ id: '7' });
  expect(proxy.taken).toBe(2);
});

test('accepted and left in silence, and a deadline before connectTimeoutMs: the next call gets another connection', async () => {
  await using server = await PuppetServer.start(HANDLERS);
  await using proxy = await TcpProxy.start(server.address);
  await using client = connect(proxy.address, { kind: 'anonymous', connectTimeoutMs: 60_000 });
  proxy.silent = true;
  const error = await failure(client.session.unary('Set', {}, { timeoutMs: 1500 }));
  expect(error.code).toBe('DEADLINE_EXCEEDED');
  expect(isNotDone(error)).toBe(true);
  proxy.silent = false;
  expect(await client.session.unary('Set', {}, {})).toEqual({ id: '7' });
  expect(proxy.taken).toBe(2);
});

test('connects is another number after every connection that was lost, and only then', async () => {
  let server = await PuppetServer.start(HANDLERS);
  const port = Number(server.address.split(':')[1]);
  await using client = connect(server.address, { kind: 'anonymous' });
  const seen = [client.session.connects];
  for (let i = 0; i < 3; i++) {
    await client.session.unary('Get', {}, {});
    await client.session.unary('Get', {}, {});
    seen.push(client.session.connects);
    await server[Symbol.asyncDispose]();
    server = await PuppetServer.start(HANDLERS, port);
  }
  await client.session.unary('Get', {}, {});
  seen.push(client.session.connects);
  await server[Symbol.asyncDispose]();
  expect(seen).toEqual([0, 0, 1, 2, 3]);
});

describeReal('half open to a real immudb', () => {
  test('a session goes on over the new connection', async () => {
    await using proxy = await TcpProxy.start(sharedImmudb());
    await using client = connect(proxy.address, { database: await freshDatabase() });
    const entry = (key: string) => [{ key: Buffer.from(key), value: Buffer.from('v') }];
    expect((await setEntries(client.session, entry('a'), {})).tx).toBe(1n);
    proxy.stall();
    expect(await codeOf(get(client.session, 'a', { timeoutMs: 200 }))).toBe('DEADLINE_EXCEEDED');
    expect((await setEntries(client.session, entry('b'), {})).tx).toBe(2n);
    expect(await get(client.session, 'a')).not.toBeNull();
    expect(client.channel.sent.filter((method) => method === 'OpenSession')).toHaveLength(1);
  });
});
