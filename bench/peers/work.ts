// The work that every client is given, and in which ways it is tried: what to call, and how many calls at the same time.
import type { BenchServer } from '../support/server.js';

export const KEYS = 10_000;
export const SEED = 20_240_817;
const VALUE_BYTES = 100;
const TRANSACTIONS_AT_ONCE = 24;
const MOST_SET_ALL = 64;

/** In the order they are measured: reads first, on data that nobody adds to. */
export const OPERATIONS = ['get', 'verifiedGet', 'set', 'verifiedSet', 'setAll'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Entries written by one call: rates are of entries. */
export const ENTRIES_OF: Readonly<Record<Operation, number>> = {
  get: 1,
  verifiedGet: 1,
  set: 1,
  verifiedSet: 1,
  setAll: 1000,
};

/** A way to do the work: so many callers, on one client or each on a client of its own. */
export interface Way {
  readonly concurrency: number;
  readonly ownClients?: boolean;
}

/**
 * The ways that may work. An immudb does 30 transactions at the same time by default and refuses more: writes, and reads
 * with proofs unless the client makes them one by one. Hundreds of calls of 1000 entries are no use case.
 */
export function waysFor(operation: Operation, ways: readonly Way[], limitsItself: boolean): readonly Way[] {
  return ways.filter(({ concurrency, ownClients }) => {
    if (operation === 'setAll' && concurrency > MOST_SET_ALL) return false;
    const transactions = operation === 'verifiedGet' ? ownClients === true : operation !== 'get';
    return !transactions || limitsItself || concurrency <= TRANSACTIONS_AT_ONCE;
  });
}

/** Writes the keys that are read, each in a transaction of its own. */
export async function writeData({ wire }: BenchServer): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: TRANSACTIONS_AT_ONCE }, async () => {
      while (next < KEYS) {
        const i = next++;
        const key = Buffer.from(`key/${String(i).padStart(5, '0')}`);
        const value = Buffer.from(`value ${i} `.padEnd(VALUE_BYTES, '.'));
        await wire.call('Set', { KVs: [{ key, value }] });
      }
    }),
  );
}

/** Waits until the server has indexed all that was written: what one client left to do is not another one's. */
export async function settled({ wire }: BenchServer): Promise<void> {
  const { txId } = await wire.call('CurrentState');
  await wire.call('Get', { key: Buffer.from('key/00000'), sinceTx: txId }, { timeoutMs: 120_000 });
}
