// The ledger is right: the same scenario on it and on a real immudb gives the same hashes, proofs, entries and refusals.
import { expect, it } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import type { DatabaseOptions } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { RawClient } from './raw-client.js';
import { Scenario } from './scenario.js';

/** Limits small enough that scenarios reach them. */
const SETTINGS = {
  excludeCommitTime: { value: true },
  maxKeyLen: { value: 64 },
  maxValueLen: { value: 256 },
  maxTxEntries: { value: 16 },
};

const STEPS = 400;

describeReal('the embedded ledger', () => {
  const versions: [string, DatabaseOptions][] = [
    ['version 1 headers', SETTINGS],
    ['version 0 headers', { ...SETTINGS, writeTxHeaderVersion: { value: 0 } }],
  ];
  const seeds = (process.env['CONFORMANCE_SEEDS'] ?? '1,2,3').split(',').map(Number);
  for (const [name, settings] of versions) {
    for (const seed of seeds) {
      it(`answers like a real immudb: ${name}, seed ${seed}`, async () => {
        await using ledger = await EmbeddedLedger.start();
        const database = await freshDatabase(sharedImmudb(), settings);
        const admin = await WireClient.open(ledger.address);
        await admin.call('CreateDatabaseV2', { name: database, settings });
        admin.close();
        const real = await RawClient.open(sharedImmudb(), database);
        const embedded = await RawClient.open(ledger.address, database);
        try {
          await compare(real, embedded, new Scenario(seed));
        } finally {
          await real.close();
          await embedded.close();
        }
      }, 120_000);
    }
  }
});

async function compare(real: RawClient, embedded: RawClient, scenario: Scenario): Promise<void> {
  let last = 0;
  const refusals = new Set<string>();
  for (let step = 0; step < STEPS; step++) {
    const { method, request } = scenario.step(last);
    const [expected, actual] = await Promise.all([
      real.call(method, request),
      embedded.call(method, request),
    ]);
    const what = `step ${step}: ${method} ${JSON.stringify(request)}`;
    // Decoded first, because it shows where they differ; then byte for byte.
    expect([actual.answer, actual.refusal], what).toEqual([expected.answer, expected.refusal]);
    expect(actual.bytes, what).toBe(expected.bytes);
    if (expected.refusal) refusals.add(`${expected.refusal.code}: ${expected.refusal.message}`);
    const { answer: state } = await real.call('CurrentState');
    const { answer: shown } = await embedded.call('CurrentState');
    expect(shown, `state after step ${step}: ${method}`).toEqual(state);
    last = Number(state.txId ?? 0);
  }
  // A scenario that commits little or is never refused would compare little.
  expect(last).toBeGreaterThan(STEPS / 20);
  expect(refusals.size).toBeGreaterThan(10);
}
