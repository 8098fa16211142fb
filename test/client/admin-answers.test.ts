// What servers may answer about databases and users, whatever it is; and a deletion of which nobody knows.
import { describe, expect, test } from 'vitest';
import { databaseSettings, deleteDatabase, listDatabases } from '#dist/client/calls/admin/databases.js';
import { databaseHealth } from '#dist/client/calls/admin/maintenance.js';
import { listUsers } from '#dist/client/calls/admin/users.js';
import { Deadline } from '#dist/client/flow/deadline.js';
import type { Rpc } from '#dist/client/net/rpc.js';
import type { DatabaseTrust } from '#dist/client/trust/database-trust.js';
import { TransportError } from '#dist/index.js';
import { codeOf } from './support.js';

/** Answers everything so. */
function answering(answer: object): Rpc {
  return { unary: () => Promise.resolve(answer as never), raw: () => Promise.reject(new Error('not asked')) };
}

describe('an answer that says nothing', () => {
  const nothing = answering({});
  test('is no database, no user, no setting', async () => {
    expect(await listDatabases(nothing, {})).toEqual([]);
    expect(await listUsers(nothing, {})).toEqual([]);
    expect(await databaseSettings(nothing, {})).toEqual({});
    expect(await databaseHealth(nothing, {})).toEqual({ pendingRequests: 0n, lastRequestCompletedAt: null });
  });

  test('is a nameless database of 1970', async () => {
    const [one] = await listDatabases(answering({ databases: [{}] }), {});
    expect(one).toEqual({
      name: '',
      loaded: false,
      diskBytes: 0n,
      transactions: 0n,
      settings: {},
      createdAt: new Date(0),
      createdBy: '',
    });
  });
});

describe('times', () => {
  test.each([
    ['before all time', '-62135596800000', null],
    ['none', '0', null],
    ['one', '1795940702658', new Date(1_795_940_702_658)],
    ['the last of a calendar', '8640000000000000', new Date(8_640_000_000_000_000)],
  ])('%s', async (_, lastRequestCompletedAt, expected) => {
    const health = await databaseHealth(answering({ lastRequestCompletedAt, pendingRequests: 7 }), {});
    expect(health).toEqual({ pendingRequests: 7n, lastRequestCompletedAt: expected });
  });

  test('that no calendar has are refused', async () => {
    const late = answering({ lastRequestCompletedAt: '8640000000000001' });
    expect(await codeOf(databaseHealth(late, {}))).toBe('UNAVAILABLE');
    const created_at = String(2n ** 64n - 1n);
    expect(await codeOf(listDatabases(answering({ databases: [{ created_at }] }), {}))).toBe('UNAVAILABLE');
  });
});

test('settings: those that are known, zeros too, and never the password of a primary', async () => {
  const wire = {
    maxKeyLen: {},
    autoload: {},
    syncFrequency: {},
    writeBufferSize: null,
    truncationSettings: { retentionPeriod: { value: '86400000' } },
    replicationSettings: { primaryHost: {}, primaryPassword: { value: 'hidden' } },
    indexSettings: { renewSnapRootAfter: { value: String(2n ** 64n - 1n) }, cleanupPercentage: {} },
    invented: { value: 1 },
  };
  expect(await databaseSettings(answering({ settings: wire }), {})).toEqual({
    maxKeyBytes: 0,
    autoload: false,
    syncFrequencyMs: 0n,
    truncation: { retentionMs: 86_400_000n },
    replication: { primaryHost: '' },
    index: { renewSnapshotAfterMs: 2n ** 64n - 1n, cleanupPercentage: 0 },
  });
});

test('a deletion of which nobody knows whether it was done ends no trust', async () => {
  const lost = new TransportError('OUTCOME_UNKNOWN', 'the connection broke');
  const rpc: Rpc = { ...answering({}), unary: () => Promise.reject(lost) };
  let forgotten = 0;
  const trust = { forget: () => Promise.resolve((forgotten += 1)) } as unknown as DatabaseTrust;
  const call = { operation: 'deleteDatabase', startedAt: 0, deadline: new Deadline({}, 1000) };
  const deletion = { database: 'x', reason: 'r' };
  await expect(deleteDatabase(rpc, trust, call, deletion)).rejects.toBe(lost);
  expect(forgotten).toBe(0);
  await deleteDatabase(answering({}), trust, call, deletion);
  expect(forgotten).toBe(1);
});
