// Questions that are asked again when no answer comes.
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { askAgainIfSilent } from '#dist/client/trust/head/ask-again.js';
import { ClosedError, ImmuClient, ImmuError, MemoryRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { Proxy } from '../adversary/proxy.js';
import { refusal } from '../trust/fake-immudb.js';

const silence = () => new Promise<never>(() => undefined);

test('what a later attempt throws at once ends the question, and nothing is thrown from its timer', async () => {
  const closed = new ClosedError('the client');
  const rejects: ((error: Error) => void)[] = [];
  let attempts = 0;
  const asked = askAgainIfSilent(
    () => {
      if (attempts++ > 0) throw closed;
      return new Promise<never>((_resolve, reject) => rejects.push(reject));
    },
    {},
    [5],
  );
  asked.catch(() => undefined);
  await vi.waitFor(() => expect(attempts).toBe(2));
  rejects[0]?.(closed);
  await expect(asked).rejects.toBe(closed);
});

test('the first answer ends the other attempts', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const answer = await askAgainIfSilent(
    ({ signal }) => {
      signals.push(signal);
      return signals.length === 1 ? silence() : Promise.resolve('second');
    },
    {},
    [5, 5, 5],
  );
  expect(answer).toBe('second');
  expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
});

test('a refusal of a later attempt is an answer; that the server is busy is none', async () => {
  const asking = (details: string) => {
    let attempts = 0;
    return askAgainIfSilent<string>(
      () => {
        attempts += 1;
        if (attempts === 1) return silence();
        return attempts === 2
          ? Promise.reject(refusal(details, 'VerifiableTxById'))
          : Promise.resolve('third');
      },
      {},
      [5, 5],
    );
  };
  await expect(asking('tx not found')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await asking('read tx pool exhausted')).toBe('third');
});

test('a client that is closed while it waits for a state throws nothing outside of a promise', async () => {
  const outside: unknown[] = [];
  const note = (error: unknown) => void outside.push(error);
  process.on('uncaughtException', note);
  onTestFinished(() => void process.off('uncaughtException', note));
  await using ledger = await EmbeddedLedger.start();
  await using proxy = await Proxy.start(ledger.address);
  let asked = 0;
  proxy.intercept = ({ method, forward }) => {
    if (!method.endsWith('CurrentState')) return forward();
    asked += 1;
    return silence();
  };
  const client = new ImmuClient({
    ...{ address: proxy.address, credentials: { user: 'immudb', password: 'immudb' } },
    ...{ store: new MemoryRootStore(), timeoutMs: 3000, closeTimeoutMs: 2500 },
  });
  const read = client.verifiedGet('key').catch((error: unknown) => error);
  await vi.waitFor(() => expect(asked).toBe(1));
  const closed = client.close();
  expect(await read).toBeInstanceOf(ImmuError);
  await closed;
  // Past the time after which it would have been asked again.
  await setTimeout(1200);
  expect(outside).toEqual([]);
});
