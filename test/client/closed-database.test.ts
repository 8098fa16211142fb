// "already closed": an unloaded database, or a server that shuts down. Only what is certain is told.
import { status } from '@grpc/grpc-js';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ClosedDatabase } from '#dist/client/net/closed-database.js';
import type { ClosedCall } from '#dist/client/net/closed-database.js';
import { isNotDone } from '#dist/client/net/server-errors.js';
import { TransportError } from '#dist/errors.js';
import { refusal } from '../trust/fake-immudb.js';

const lists = (loaded: boolean) => () => ({ databases: [{ name: 'db', loaded }] });
const fails = (error: Error) => () => {
  throw error;
};
const lost = fails(new TransportError('UNAVAILABLE', 'gone'));
const unloaded = lists(false);
const loaded = lists(true);
const closed = fails(refusal('already closed', 'DatabaseListV2'));
const forbidden = fails(refusal('permission denied', 'DatabaseListV2', status.INTERNAL));

const asking = (left: (() => unknown)[], asked: string[] = []) =>
  ((method: string) => {
    asked.push(method);
    return new Promise<unknown>((resolve) => {
      resolve(method === 'DatabaseListV2' ? left.shift()!() : { version: '1.11.0' });
    });
  }) as ClosedCall['ask'];

test.each([
  ['unloaded, looked at twice', [unloaded, unloaded], 'DATABASE_CLOSED', 'DATABASE_CLOSED'],
  ['unloaded, then the server is gone', [unloaded, lost], 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
  ['unloaded, then the list is closed too', [unloaded, closed], 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
  ['loaded', [loaded], 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
  ['no list, for that is closed too', [closed], 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
  ['no list: the user may not see it', [forbidden], 'DATABASE_CLOSED', 'OUTCOME_UNKNOWN'],
])('%s', async (_, answers, read, write) => {
  for (const [idempotent, code] of [
    [true, read],
    [false, write],
  ] as const) {
    const left = [...answers];
    const naps: number[] = [];
    const closed = new ClosedDatabase('db', (ms) => Promise.resolve(void naps.push(ms)));
    const call = {
      method: idempotent ? 'Get' : 'Set',
      repeatable: idempotent,
      connects: 1,
      ask: asking(left),
    };
    const error = await closed.whatIsClosed(
      refusal('already closed', 'Set', status.UNKNOWN, idempotent),
      call,
    );
    expect(error.code).toBe(code);
    expect(left).toEqual([]);
    expect(naps.length).toBe(answers.length - 1);
    if (!idempotent) expect(isNotDone(error)).toBe(code === 'DATABASE_CLOSED');
  }
});

/** Of writes that are refused, on a clock that only naps move. */
function refusing(answers: (() => unknown)[]) {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const pass = (ms: number) => Promise.resolve(void (now += ms));
  const asked: string[] = [];
  const ask = asking(answers, asked);
  const closed = new ClosedDatabase('db', pass);
  const refused = async (connects = 1) => {
    const call = { method: 'Set', repeatable: false, connects, ask };
    return (await closed.whatIsClosed(refusal('already closed', 'Set'), call)).code;
  };
  const lists = () => asked.splice(0).filter((method) => method === 'DatabaseListV2').length;
  return { closed, refused, pass, lists };
}

test('a thousand writes that are refused look together, and those just after need no second look', async () => {
  const { refused, pass, lists } = refusing(Array(20).fill(unloaded));
  const first = await Promise.all(Array.from({ length: 1000 }, () => refused()));
  expect(new Set(first)).toEqual(new Set(['DATABASE_CLOSED']));
  expect(lists()).toBeLessThanOrEqual(4);
  await pass(10);
  expect(await refused()).toBe('DATABASE_CLOSED');
  expect(lists()).toBe(1);
});

test.each([
  ['a while later', 1, (db: ClosedDatabase, pass: (ms: number) => unknown) => pass(1000)],
  ['on another connection', 2, () => undefined],
  ['after a call that succeeded', 1, (db: ClosedDatabase) => db.isOpen()],
])('is looked at twice again %s: the server may be closing now', async (_, connects, meanwhile) => {
  const { closed, refused, pass } = refusing([unloaded, unloaded, unloaded, lost]);
  expect(await refused()).toBe('DATABASE_CLOSED');
  meanwhile(closed, pass);
  expect(await refused(connects)).toBe('OUTCOME_UNKNOWN');
});
