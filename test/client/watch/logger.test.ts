// The option `logger`: what is logged at which level, and that nothing of it reaches a caller.
import { expect, onTestFinished, test, vi } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { ImmuLogger, LogLevel } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { USER, rejection } from '../../trust/support.js';
import { expectWithout } from './support.js';

interface Logged {
  readonly level: LogLevel;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly line: string;
}

function noting(but: Partial<ImmuLogger> = {}): { logged: Logged[]; logger: ImmuLogger } {
  const logged: Logged[] = [];
  const of = (level: LogLevel) => (fields: object, line: string) =>
    void logged.push({ level, fields: fields as Logged['fields'], line });
  return {
    logged,
    logger: { debug: of('debug'), info: of('info'), warn: of('warn'), error: of('error'), ...but },
  };
}

async function start(logger: ImmuLogger) {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const client = new ImmuClient({
    ...{ address: ledger.address, store: new MemoryRootStore(), credentials: USER, logger },
  });
  onTestFinished(() => client.close());
  return { ledger, client };
}

test('is told what happens, in fields and in words, at the level of its weight', async () => {
  const { logged, logger } = noting();
  const { ledger, client } = await start(logger);
  await client.verifiedSet('a-key-of-nobody', 'a-value-of-nobody');
  ledger.lie({ kind: 'swap-value' });
  await rejection(client.verifiedGet('a-key-of-nobody', { atTx: 1n }));
  await rejection(client.verifiedTx(0n));
  await client.close();
  const lines = logged.map(({ level, line }) => `${level} ${line.replace(/[\d.]+ ms/, 'N ms')}`);
  expect(lines).toEqual(
    expect.arrayContaining([
      `info connection to ${ledger.address}: connected`,
      'info session on defaultdb: opened',
      'info trust in defaultdb begins with tx 0: first use',
      'debug the head of defaultdb is now tx 1',
      'debug verifiedSet on defaultdb: OK in N ms',
      'error verifiedGet on defaultdb: VERIFICATION_FAILED in N ms',
    ]),
  );
  expect(
    lines.filter((line) => line.startsWith('error refused on defaultdb: VERIFICATION_FAILED')),
  ).toHaveLength(1);
  // What JSON, which has no bigint, can hold.
  expect(() => JSON.stringify(logged)).not.toThrow();
  expect(logged.find(({ fields }) => fields['event'] === 'immu-ts:head')?.fields).toMatchObject({ tx: '0' });
  expectWithout(logged, ['a-key-of-nobody', 'a-value-of-nobody', USER.password + USER.password]);
});

test('is not asked for lines that it would not log', async () => {
  const { logged, logger } = noting({ isLevelEnabled: (level) => level !== 'debug' });
  const { client } = await start(logger);
  await client.verifiedSet('k', 'v');
  expect(logged.map(({ level }) => level)).not.toContain('debug');
  expect(logged.map(({ level }) => level)).toContain('info');
});

test.for([
  () => {
    throw new Error('the disk of the log is full');
  },
  () => Promise.reject(new Error('the disk of the log is full')),
])('may fail: no call does by it, nor the process', async (fails) => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  });
  const { client } = await start({ debug: fails, info: fails, warn: fails, error: fails });
  await client.verifiedSet('k', 'v');
  expect(await client.verifiedGet('k')).toMatchObject({ tx: 1n });
  await client.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(unhandled).toEqual([]);
});

test('console fits', async () => {
  const info = vi.spyOn(console, 'info').mockReturnValue();
  vi.spyOn(console, 'debug').mockReturnValue();
  onTestFinished(() => void vi.restoreAllMocks());
  const { ledger, client } = await start(console);
  await client.get('k');
  expect(info).toHaveBeenCalledWith(
    expect.objectContaining({ event: 'immu-ts:connection', state: 'connected', losses: 0 }),
    `connection to ${ledger.address}: connected`,
  );
});
