// How often a call goes out, and when: one policy for all calls, whatever they pass through.
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { Retries } from '#dist/client/net/retry.js';
import { resolveRetry } from '#dist/client/options/retry-options.js';
import { ArgumentError, ImmuClient, MemoryRootStore } from '#dist/index.js';
import { codeOf, connect, deadAddress, PuppetServer } from './support.js';
import type { Handler } from './support.js';

const USER = { user: 'immudb', password: 'immudb' };
const fails =
  (details: string, code = status.UNKNOWN): Handler =>
  (_, reply) =>
    reply({ code, details });

describe('the policy', () => {
  const pauses = (retries: Retries, left = Infinity) => {
    const all: number[] = [];
    for (let pause = retries.next(left); pause !== undefined; pause = retries.next(left)) all.push(pause);
    return all;
  };

  test('pauses are doubled up to the longest, and left to chance', () => {
    const policy = resolveRetry(undefined);
    expect(pauses(new Retries(policy, () => 1))).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
    expect(pauses(new Retries(policy, () => 0.5))).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
    expect(pauses(new Retries(policy, () => 0))).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(pauses(new Retries(policy, () => 1), 1000)).toEqual([100, 200, 400, 500, 500, 500, 500]);
    expect(pauses(new Retries(policy, () => 1), -1)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    const [one, other] = [pauses(new Retries(policy)), pauses(new Retries(policy))];
    expect(one).not.toEqual(other);
  });

  test('what is told counts, what is left out is as by default; false is never', () => {
    expect(pauses(new Retries(resolveRetry({ attempts: 3, firstPauseMs: 7 }), () => 1))).toEqual([7, 14]);
    expect(pauses(new Retries(resolveRetry({ attempts: 1 })))).toEqual([]);
    expect(pauses(new Retries(resolveRetry(false)))).toEqual([]);
    expect(pauses(new Retries(resolveRetry({ attempts: 4, maxPauseMs: 150 }), () => 1))).toEqual([
      100, 150, 150,
    ]);
  });

  test.each([
    [null, /retry must be an object or false, not null/],
    [true, /retry must be an object or false, not boolean/],
    [5, /retry must be/],
    [[], /retry must be/],
    [{ attempts: 0 }, /retry\.attempts/],
    [{ attempts: 1.5 }, /retry\.attempts/],
    [{ attempts: null }, /retry\.attempts/],
    [{ firstPauseMs: -1 }, /retry\.firstPauseMs/],
    [{ maxPauseMs: Infinity }, /retry\.maxPauseMs/],
    [{ atempts: 3 }, /retry has no "atempts"/],
  ])('%j is refused', (retry, words) => {
    const make = () => new ImmuClient({ address: 'x', retry: retry as never });
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(words);
  });
});

describe('sends of one call', () => {
  test('go on until its time is up: a pause is never longer than what is left', async () => {
    const from = performance.now() + 300;
    const busy: Handler = (call, reply) =>
      performance.now() < from ? fails('max concurrency limit exceeded')(call, reply) : reply(null, {});
    await using server = await PuppetServer.start({ Set: busy });
    const retry = { attempts: 100, firstPauseMs: 60_000, maxPauseMs: 60_000 };
    await using client = connect(server.address, { kind: 'anonymous', retry });
    await client.session.unary('Set', {}, { timeoutMs: 5000 });
  });

  test.each([
    [{ attempts: 5, firstPauseMs: 1, maxPauseMs: 1 }, 5],
    [{ attempts: 1 }, 1],
    [false as const, 1],
  ])('to a busy server, with %j: %i', async (retry, sends) => {
    let asked = 0;
    const busy: Handler = (call, reply) => {
      asked += 1;
      fails('max concurrency limit exceeded')(call, reply);
    };
    await using server = await PuppetServer.start({ Set: busy, Get: busy });
    await using client = connect(server.address, { kind: 'anonymous', retry });
    for (const method of ['Get', 'Set'] as const) {
      asked = 0;
      expect(await codeOf(client.session.unary(method, {}, {}))).toBe('OVERLOADED');
      expect(asked).toBe(sends);
    }
  });

  test('a write with words that may come after its commit goes out once', async () => {
    const asked: string[] = [];
    const says =
      (details: string): Handler =>
      (call, reply) => {
        asked.push(details);
        fails(details)(call, reply);
      };
    await using server = await PuppetServer.start({
      Set: says('watchers: max waiting limit exceeded'),
      VerifiableSet: says('max concurrency limit exceeded'),
      CreateUser: says('max concurrency limit exceeded'),
    });
    await using client = connect(server.address, { kind: 'anonymous' });
    for (const method of ['Set', 'VerifiableSet', 'CreateUser'] as const) {
      expect(await codeOf(client.session.raw(method, {}, {}))).toBe('OUTCOME_UNKNOWN');
    }
    expect(asked).toHaveLength(3);
  });

  test('to a server that was never there: one', async () => {
    await using client = connect(await deadAddress(), { kind: 'anonymous' });
    expect(await codeOf(client.session.unary('Get', {}, {}))).toBe('UNAVAILABLE');
    expect(client.channel.sent).toEqual(['Get']);
  });

  test('an audit at a busy server sends as often as any other call', async () => {
    const sends = new Map<string, number>();
    const busy: Handler = (call, reply) => {
      const question = JSON.stringify(call.request);
      sends.set(question, (sends.get(question) ?? 0) + 1);
      fails('read tx pool exhausted')(call, reply);
    };
    const state = { db: 'defaultdb', txId: '5', txHash: Buffer.alloc(32, 1) };
    await using server = await PuppetServer.start({
      OpenSession: (_, reply) => reply(null, { sessionID: 'one', serverUUID: 'x' }),
      CloseSession: (_, reply) => reply(null, {}),
      Health: (_, reply) => reply(null, { status: true }),
      CurrentState: (_, reply) => reply(null, state),
      TxScan: busy,
      VerifiableTxById: busy,
    });
    await using client = new ImmuClient({
      address: server.address,
      credentials: USER,
      store: new MemoryRootStore(),
      retry: { attempts: 3, firstPauseMs: 1, maxPauseMs: 1 },
    });
    expect(await codeOf(client.audit.database())).toBe('OVERLOADED');
    expect(sends.size).toBeGreaterThan(0);
    expect(new Set(sends.values())).toEqual(new Set([3]));
  });
});
