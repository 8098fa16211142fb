// Writes of one key that share transactions take effect in the order in which they were called, whatever each has to wait for.
import { expect, test } from 'vitest';
import { Turns } from '#dist/client/flow/turns.js';
import { Proxy, holdFirst } from '../adversary/proxy.js';
import { describeServer, sharedImmudb } from '../support/real.js';
import { openClient, rejection, text } from './support.js';

const NEVER = new Promise<never>(() => undefined);

describeServer('writes of one key', () => {
  test('a write that its caller gave up does not take effect after the next', async () => {
    await using proxy = await Proxy.start(sharedImmudb());
    const { client } = await openClient({ address: proxy.address });
    await client.verifiedSet('other', 'v');
    let arrive = () => {};
    let release = () => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    const sent: string[] = [];
    proxy.intercept = async ({ method, request, forward }) => {
      if (!method.endsWith('Set')) return forward();
      sent.push(request.includes('first') ? 'first' : 'second');
      arrive();
      if (sent.length === 1) await released;
      return forward();
    };
    const abort = new AbortController();
    const first = rejection(client.verifiedSet('k', 'first', { signal: abort.signal }));
    await arrived;
    abort.abort();
    expect((await first).code).toBe('ABORTED');
    const second = client.verifiedSet('k', 'second');
    const elsewhere = client.verifiedSet('else', 'second');
    await new Promise((resolve) => setTimeout(resolve, 100));
    release();
    await Promise.all([second, elsewhere]);
    expect(sent[0]).toBe('first');
    const entry = await client.verifiedGet('k');
    expect([text(entry?.value), entry?.unproven.revision]).toEqual(['second', 2n]);
  });

  test('a write is not overtaken while the server shows where it stands', async () => {
    await using proxy = await Proxy.start(sharedImmudb());
    const { client } = await openClient({ address: proxy.address });
    await client.verifiedSet('k', 'v');
    // Two writes of which it will not be known whether they were done, one after the other.
    proxy.intercept = ({ method, forward }) => (method === 'VerifiableSet' ? NEVER : forward());
    const doubtful = [200, 700].map((timeoutMs) =>
      rejection(client.verifiedSet('doubtful', 'v', { ownTx: true, timeoutMs })),
    );
    await doubtful[0];
    await new Promise((resolve) => setTimeout(resolve, 50));
    const state = holdFirst(proxy, 'CurrentState');
    const first = client.verifiedSet('k', 'first');
    await state.arrived;
    await doubtful[1];
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = client.verifiedSet('k', 'second');
    state.release();
    const [{ tx }, later] = await Promise.all([first, second]);
    expect(later.tx).toBeGreaterThan(tx);
    expect(text((await client.verifiedGet('k'))?.value)).toBe('second');
  });
});

test('turns are taken in order; whoever ends before leaves', async () => {
  const turns = new Turns();
  const told: string[] = [];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => {
    const turn = turns.enter();
    return { turn, take: () => turn.take(() => told.push(name)) };
  }) as { turn: ReturnType<Turns['enter']>; take: () => void }[];
  d!.take();
  b!.take();
  expect(told).toEqual([]);
  a!.take();
  expect(told).toEqual(['a', 'b']);
  const refusal = new Error('no room');
  await expect(c!.turn.of(() => Promise.reject(refusal))).rejects.toBe(refusal);
  expect(told).toEqual(['a', 'b', 'd']);
  const last = turns.enter();
  expect(() =>
    last.of(() => {
      throw refusal;
    }),
  ).toThrow(refusal);
  // One that has begun ends as its call does, and is not in the way of the next.
  const begun = turns.enter();
  const call = Promise.resolve('done');
  expect(begun.of(() => (begun.take(() => told.push('e')), call))).toBe(call);
  expect(told).toEqual(['a', 'b', 'd', 'e']);
});
