// The client against an oracle: whatever is done, in whatever order, it believes and tells what it may, and no write exists
// more often than it may. On the embedded ledger; the slow suite does the same on a real immudb. More of it:
// `npm run fuzz -- --model --seed 1 --seconds 60`.
import { expect, test } from 'vitest';
import { LedgerWorld } from './ledger-world.js';
import { runModel } from './run-model.js';

const SEEDS = [1, 2, 3, 4];
const RUNS = 6;
/** Beyond this no further run is begun, nor shrunk. */
const WITHIN_MS = 15_000;

test.for(SEEDS)('the model holds, seed %i', { timeout: 2 * WITHIN_MS }, async (seed) => {
  const broken = await runModel({ world: () => LedgerWorld.start(), seed, runs: RUNS, withinMs: WITHIN_MS });
  expect(broken?.report).toBeUndefined();
});
