// "already closed": an unloaded database, or a server that shuts down. Only what is certain is told.
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { whatIsClosed } from '#dist/client/net/closed-database.js';
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
    const error = await whatIsClosed(refusal('already closed', 'Set', status.UNKNOWN, idempotent), {
      ...{ database: 'db', method: idempotent ? 'Get' : 'Set', repeatable: idempotent },
      ask: ((method: string) =>
        new Promise<unknown>((resolve) => {
          resolve(method === 'DatabaseListV2' ? left.shift()!() : { version: '1.11.0' });
        })) as ClosedCall['ask'],
      nap: (ms) => Promise.resolve(void naps.push(ms)),
    });
    expect(error.code).toBe(code);
    expect(left).toEqual([]);
    expect(naps.length).toBe(answers.length - 1);
    if (!idempotent) expect(isNotDone(error)).toBe(code === 'DATABASE_CLOSED');
  }
});
