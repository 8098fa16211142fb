// The model of model.test.ts on a real immudb, whose data folder is copied and put back; and longer runs on the ledger.
import { expect, test } from 'vitest';
import { describePrivate } from '../support/real.js';
import { LedgerWorld } from './ledger-world.js';
import { RealWorld } from './real-world.js';
import { runModel } from './run-model.js';

const WITHIN_MS = 45_000;

describePrivate('a real immudb', () => {
  test.for([1, 2, 3])('the model holds, seed %i', { timeout: 2 * WITHIN_MS }, async (seed) => {
    const world = () => RealWorld.start();
    const broken = await runModel({ world, seed, runs: 4, steps: 25, withinMs: WITHIN_MS });
    expect(broken?.report).toBeUndefined();
  });
});

test.for([100, 101, 102])('longer runs, seed %i', { timeout: 2 * WITHIN_MS }, async (seed) => {
  const world = () => LedgerWorld.start();
  const broken = await runModel({ world, seed, runs: 16, steps: 40, withinMs: WITHIN_MS });
  expect(broken?.report).toBeUndefined();
});
