// The channel against servers that misbehave: every call ends, in time, with an error that says what happened.
import { EventEmitter, once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { Channel } from '#dist/client/net/channel.js';
import { resolveOptions } from '#dist/client/options/options.js';
import { ArgumentError, ClosedError, ServerError, TransportError } from '#dist/errors.js';
import type { ImmuError } from '#dist/errors.js';
import { codeOf, connect, deadAddress, failure, PuppetServer, SilentServer } from './support.js';
import type { Handler } from './support.js';

/** A handler that never answers, and says when it was called. */
function neverAnswers(): { handler: Handler; called: () => Promise<unknown>; count: () => number } {
  const events = new EventEmitter();
  let count = 0;
  return {
    handler: () => {
      count += 1;
      events.emit('call');
    },
    called: () => (count > 0 ? Promise.resolve() : once(events, 'call')),
    count: () => count,
  };
}

const answers =
  (answer: object): Handler =>
  (_, reply) =>
    reply(null, answer);

const fails =
  (code: status, details: string): Handler =>
  (_, reply) =>
    reply({ code, details });

const HANGS = 60_000;
const key = Buffer.from('k');

describe('no server', () => {
  test('is UNAVAILABLE at once, with the address, for reads and writes', async () => {
    const address = await deadAddress();
    await using client = connect(address, { kind: 'anonymous', timeoutMs: HANGS });
    for (const method of ['Get', 'Set'] as const) {
      const error = await failure(client.session.unary(method, {}, {}));
      expect(error).toBeInstanceOf(TransportError);
      expect(error.code).toBe('UNAVAILABLE');
      expect(error.message).toContain(address);
      expect(error.message).toContain('ECONNREFUSED');
    }
  });

  test('a session cannot be opened', async () => {
    await using client = connect(await deadAddress());
    expect(await codeOf(client.session.unary('Get', { key }, {}))).toBe('UNAVAILABLE');
    expect(client.channel.sent).toEqual(['OpenSession']);
  });

  test('a name that does not exist', async () => {
    await using client = connect('no-such-host.invalid', { kind: 'anonymous' });
    const error = await failure(client.session.unary('Health', {}, {}));
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.message).toContain('no-such-host.invalid:3322');
  });

  test('a server that accepts and says nothing is given up after connectTimeoutMs', async () => {
    await using silent = await SilentServer.start();
    await using client = connect(silent.address, {
      kind: 'anonymous',
      connectTimeoutMs: 150,
      timeoutMs: HANGS,
    });
    const error = await failure(client.session.unary('Set', { KVs: [] }, {}));
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.message).toContain('150 ms');
    expect(error.message).toContain('nothing was sent');
  });

  test('a deadline and an abort end the wait for a connection', async () => {
    await using silent = await SilentServer.start();
    await using client = connect(silent.address, { kind: 'anonymous' });
    expect(await codeOf(client.session.unary('Health', {}, { timeoutMs: 100 }))).toBe('DEADLINE_EXCEEDED');
    const controller = new AbortController();
    const call = failure(client.session.unary('Health', {}, { signal: controller.signal }));
    controller.abort();
    expect((await call).code).toBe('ABORTED');
  });

  test('a server that speaks something else', async () => {
    await using silent = await SilentServer.start('HTTP/1.1 400 Bad Request\r\n\r\n');
    await using client = connect(silent.address, { kind: 'anonymous', connectTimeoutMs: 2000 });
    expect(await codeOf(client.session.unary('Health', {}, {}))).toBe('UNAVAILABLE');
  });
});

describe('deadlines and aborts', () => {
  test('a server that never answers: DEADLINE_EXCEEDED, and a write says that it may have happened', async () => {
    const silent = neverAnswers();
    await using server = await PuppetServer.start({ Get: silent.handler, Set: silent.handler });
    await using client = connect(server.address, { kind: 'anonymous', timeoutMs: 200 });
    const read = await failure(client.session.unary('Get', { key }, {}));
    expect(read).toBeInstanceOf(TransportError);
    expect(read.code).toBe('DEADLINE_EXCEEDED');
    expect(read.message).toContain(server.address);
    expect(read.message).not.toContain('may have happened');
    const write = await failure(client.session.unary('Set', {}, { timeoutMs: 100 }));
    expect(write.code).toBe('DEADLINE_EXCEEDED');
    expect(write.message).toContain('may have happened');
    expect(silent.count()).toBe(2);
  });

  test('an abort cancels the RPC and keeps the reason', async () => {
    const silent = neverAnswers();
    const cancelled = new EventEmitter();
    await using server = await PuppetServer.start({
      Get: (call, reply) => {
        call.on('cancelled', () => cancelled.emit('cancelled'));
        silent.handler(call, reply);
      },
    });
    await using client = connect(server.address, { kind: 'anonymous' });
    const controller = new AbortController();
    const gone = once(cancelled, 'cancelled');
    const call = failure(client.session.raw('Get', { key }, { signal: controller.signal }));
    await silent.called();
    const reason = new Error('enough');
    controller.abort(reason);
    const error = await call;
    expect(error.code).toBe('ABORTED');
    expect(error.cause).toBe(reason);
    await gone;
  });

  test('an aborted signal sends nothing', async () => {
    const silent = neverAnswers();
    await using server = await PuppetServer.start({ Get: silent.handler });
    await using client = connect(server.address, { kind: 'anonymous' });
    expect(await codeOf(client.session.unary('Get', {}, { signal: AbortSignal.abort() }))).toBe('ABORTED');
    expect(silent.count()).toBe(0);
  });

  test('listeners do not pile up on a signal that is used again and again', async () => {
    await using server = await PuppetServer.start({ Health: answers({ status: true }) });
    await using client = connect(server.address, { kind: 'anonymous' });
    const { signal } = new AbortController();
    let listening = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listening += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listening -= 1;
      remove(...args);
    };
    for (let i = 0; i < 20; i++) await client.session.unary('Health', {}, { signal });
    expect(listening).toBe(0);
  });
});

describe('a connection that breaks', () => {
  test('in the middle of a write: OUTCOME_UNKNOWN, and how to find out', async () => {
    const silent = neverAnswers();
    const server = await PuppetServer.start({ Set: silent.handler });
    await using client = connect(server.address, { kind: 'anonymous' });
    const call = failure(client.session.unary('Set', {}, {}));
    await silent.called();
    await server[Symbol.asyncDispose]();
    const error = await call;
    expect(error).toBeInstanceOf(TransportError);
    expect(error.code).toBe('OUTCOME_UNKNOWN');
    expect(error.message).toContain('verifiedGet');
    expect(silent.count()).toBe(1);
  });

  test.each([
    [status.CANCELLED, 'context canceled'],
    [status.UNAVAILABLE, 'transport is closing'],
  ])('status %i of the server is no abort by the caller', async (code, details) => {
    await using server = await PuppetServer.start({ Get: fails(code, details), Set: fails(code, details) });
    await using client = connect(server.address, { kind: 'anonymous' });
    expect(await codeOf(client.session.unary('Get', {}, {}))).toBe('UNAVAILABLE');
    expect(await codeOf(client.session.unary('Set', {}, {}))).toBe('OUTCOME_UNKNOWN');
  });

  test('reads wait for a server that was there before; so does a write that has not left', async () => {
    const first = await PuppetServer.start({ Get: answers({ key }), Set: answers({ id: '1' }) });
    await using client = connect(first.address, { kind: 'anonymous' });
    await client.session.unary('Get', {}, {});
    await first[Symbol.asyncDispose]();
    const write = client.session.unary('Set', {}, {}).catch((error: unknown) => (error as ImmuError).code);
    const read = client.session.unary('Get', {}, {});
    const port = Number(first.address.split(':')[1]);
    const back = { Get: answers({ key: Buffer.from('again') }), Set: answers({ id: '2' }) };
    await using second = await PuppetServer.start(back, port);
    expect(second.address).toBe(first.address);
    expect(await read).toEqual({ key: Buffer.from('again') });
    // Whether the break was noticed before or after it went out.
    expect(['OUTCOME_UNKNOWN', { id: '2' }]).toContainEqual(await write);
  });

  test('an answer that is not protobuf is refused; raw, it comes as it is', async () => {
    const rubbish = Buffer.from('ffffffffff', 'hex');
    await using server = await PuppetServer.start({ Get: answers(rubbish), Set: answers(rubbish) });
    await using client = connect(server.address, { kind: 'anonymous' });
    const read = await failure(client.session.unary('Get', {}, {}));
    expect(read.code).toBe('SERVER_REFUSED');
    expect(read.message).not.toContain('may have happened');
    expect((await failure(client.session.unary('Set', {}, {}))).message).toContain('may have happened');
    expect(Buffer.from(await client.session.raw('Get', {}, {})).equals(rubbish)).toBe(true);
  });
});

describe('messages', () => {
  test('an answer over maxMessageBytes is LIMIT_EXCEEDED; behind a write the outcome is unknown', async () => {
    const big = { key, value: Buffer.alloc(5000) };
    await using server = await PuppetServer.start({
      Get: answers(big),
      VerifiableSet: answers({ tx: { kvEntries: [big] } }),
    });
    await using client = connect(server.address, { kind: 'anonymous', maxMessageBytes: 4096 });
    const read = await failure(client.session.unary('Get', {}, {}));
    expect(read.code).toBe('LIMIT_EXCEEDED');
    expect(read.message).toContain('maxMessageBytes');
    const write = await failure(client.session.raw('VerifiableSet', {}, {}));
    expect(write.code).toBe('OUTCOME_UNKNOWN');
    expect(write.message).toContain('maxMessageBytes');
    expect(write.message).toContain('may have happened');
  });

  test('a request over maxMessageBytes is not sent', async () => {
    const silent = neverAnswers();
    await using server = await PuppetServer.start({ Set: silent.handler });
    await using client = connect(server.address, { kind: 'anonymous', maxMessageBytes: 4096 });
    const request = { KVs: [{ key, value: Buffer.alloc(5000) }] };
    const error = await failure(client.session.unary('Set', request, {}));
    expect(error.code).toBe('LIMIT_EXCEEDED');
    expect(error.message).toContain('not sent');
    expect(silent.count()).toBe(0);
  });

  test('answers far over 4 MiB come through by default', async () => {
    const value = Buffer.alloc(33 * 1024 * 1024, 7);
    await using server = await PuppetServer.start({ Get: answers({ key, value }) });
    await using client = connect(server.address, { kind: 'anonymous' });
    const entry = (await client.session.unary('Get', {}, {})) as { value: Buffer };
    expect(entry.value.equals(value)).toBe(true);
    expect((await client.session.raw('Get', {}, {})).length).toBeGreaterThan(value.length);
  });

  test('what cannot be put into bytes is an argument error', async () => {
    await using server = await PuppetServer.start({ Set: answers({}) });
    await using client = connect(server.address, { kind: 'anonymous' });
    expect(await failure(client.session.unary('Set', { KVs: 5 as never }, {}))).toBeInstanceOf(ArgumentError);
  });
});

describe('identity', () => {
  test('is told with every answer, errors too; an objection is the outcome of the call', async () => {
    await using server = await PuppetServer.start({
      Health: answers({ status: true }),
      Get: fails(status.UNKNOWN, 'tbtree: key not found'),
    });
    const seen: string[] = [];
    const objection = new Error('another server');
    const channel = new Channel(resolveOptions(server.address), (identity) => {
      seen.push(identity);
      if (identity === 'other') throw objection;
    });
    const { metadata } = await import('#dist/client/net/login.js').then(({ NO_TICKET }) => NO_TICKET);
    const call = { timeoutMs: 5000, metadata };
    await channel.unary('Health', {}, call);
    expect(await failure(channel.unary('Get', { key }, call))).toBeInstanceOf(ServerError);
    expect(seen).toEqual([server.identity, server.identity]);
    server.identity = 'other';
    await expect(channel.unary('Health', {}, call)).rejects.toBe(objection);
    await expect(channel.raw('Get', { key }, call)).rejects.toBe(objection);
    channel.close();
  });
});

describe('closing', () => {
  test('ends calls in flight, those in line, and later ones, all with ClosedError', async () => {
    const silent = neverAnswers();
    await using server = await PuppetServer.start({ Get: silent.handler, Set: silent.handler });
    const client = connect(server.address, { kind: 'anonymous', maxInFlight: 2, maxWritesInFlight: 1 });
    const calls = [
      ...Array.from({ length: 3 }, () => client.session.unary('Set', {}, {})),
      ...Array.from({ length: 6 }, () => client.session.unary('Get', {}, {})),
    ].map(failure);
    await silent.called();
    await client[Symbol.asyncDispose]();
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(ClosedError);
      expect(error.code).toBe('CLOSED');
    }
    expect(await codeOf(client.session.unary('Get', {}, {}))).toBe('CLOSED');
    expect(await codeOf(client.session.unary('Health', {}, {}))).toBe('CLOSED');
    expect(silent.count()).toBeLessThanOrEqual(2);
  });

  test('ends the wait for a connection', async () => {
    await using silent = await SilentServer.start();
    const client = connect(silent.address, { kind: 'anonymous', timeoutMs: HANGS, connectTimeoutMs: HANGS });
    const call = codeOf(client.session.unary('Get', {}, {}));
    await client[Symbol.asyncDispose]();
    expect(await call).toBe('CLOSED');
  });

  test('twice is once', () => {
    const client = connect('127.0.0.1:1', { kind: 'anonymous' });
    client.channel.close();
    client.channel.close();
    client.channel.end();
  });
});

describe('back-pressure', () => {
  test('no more than maxInFlight at a time, first come first served; who waits keeps its deadline', async () => {
    const held: (() => void)[] = [];
    const order: string[] = [];
    let most = 0;
    const arrived = new EventEmitter();
    await using server = await PuppetServer.start({
      Get: (call, reply) => {
        order.push(Buffer.from(call.request['key'] as Buffer).toString());
        held.push(() => reply(null, {}));
        most = Math.max(most, held.length);
        arrived.emit('call');
      },
    });
    await using client = connect(server.address, { kind: 'anonymous', maxInFlight: 3 });
    const ask = (name: string, options: object = {}) =>
      client.session.unary('Get', { key: Buffer.from(name) }, options);
    const calls = ['a', 'b', 'c', 'd', 'e'].map((name) => ask(name));
    const late = codeOf(ask('late', { timeoutMs: 100 }));
    const controller = new AbortController();
    const aborted = codeOf(ask('aborted', { signal: controller.signal }));
    const last = ask('f');
    while (held.length < 3) await once(arrived, 'call');
    controller.abort();
    expect(await aborted).toBe('ABORTED');
    expect(await late).toBe('DEADLINE_EXCEEDED');
    for (let answered = 0; answered < 6; answered++) {
      if (held.length === 0) await once(arrived, 'call');
      held.shift()?.();
    }
    await Promise.all([...calls, last]);
    expect(most).toBe(3);
    expect(order).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  test('writes have a limit of their own, reads pass them by', async () => {
    const writes = neverAnswers();
    await using server = await PuppetServer.start({ Set: writes.handler, Get: answers({}) });
    await using client = connect(server.address, { kind: 'anonymous', maxWritesInFlight: 2 });
    const stuck = Array.from({ length: 10 }, () => codeOf(client.session.unary('Set', {}, {})));
    await writes.called();
    await Promise.all(Array.from({ length: 50 }, () => client.session.unary('Get', {}, {})));
    expect(writes.count()).toBe(2);
    client.channel.end();
    expect(new Set(await Promise.all(stuck))).toEqual(new Set(['CLOSED']));
  });

  test('a server that is too busy is asked again, for writes too: it has done nothing', async () => {
    let asked = 0;
    await using server = await PuppetServer.start({
      Set: (_, reply) => {
        asked += 1;
        if (asked < 3) reply({ code: status.UNKNOWN, details: 'max concurrency limit exceeded' });
        else reply(null, { id: '7' });
      },
    });
    await using client = connect(server.address, { kind: 'anonymous' });
    expect(await client.session.unary('Set', {}, {})).toEqual({ id: '7' });
    expect(asked).toBe(3);
  });

  test('and when it stays busy, that is what the caller is told, within the deadline', async () => {
    await using server = await PuppetServer.start({
      Set: fails(status.UNKNOWN, 'max concurrency limit exceeded'),
    });
    await using client = connect(server.address, { kind: 'anonymous' });
    expect(await codeOf(client.session.unary('Set', {}, { timeoutMs: 120 }))).toBe('OVERLOADED');
    const controller = new AbortController();
    const call = codeOf(client.session.unary('Set', {}, { signal: controller.signal }));
    setImmediate(() => controller.abort());
    expect(await call).toBe('ABORTED');
  });
});
