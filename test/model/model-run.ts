// The model for as long as it is given: `npm run fuzz -- --model --seed 1 --seconds 60`. What breaks is shrunk, told with
// the seed that repeats it, and counted by the rule that it breaks; other seeds go on.
import { LedgerWorld } from './ledger-world.js';
import { runModel } from './run-model.js';

const RUNS_PER_SEED = 10;
/** For one seed, shrinking included. */
const SEED_MS = 60_000;

export interface ModelFuzz {
  readonly seed: number;
  readonly seconds: number;
  /** Rules that are known to be broken, to see what else is. */
  readonly except: readonly string[];
}

/** True when no rule was broken. */
export async function fuzzModel({ seed, seconds, except }: ModelFuzz): Promise<boolean> {
  console.log(`model: ${seconds} s, from seed ${seed}`);
  const until = performance.now() + seconds * 1000;
  const broken = new Map<string, string[]>();
  let seeds = 0;
  for (let at = seed; performance.now() < until; at++) {
    const withinMs = Math.min(SEED_MS, Math.max(2000, until - performance.now()));
    const found = await runModel({
      world: () => LedgerWorld.start(),
      ...{ seed: at, runs: RUNS_PER_SEED, withinMs, except: new Set(except) },
    });
    seeds += 1;
    if (!found) continue;
    const known = broken.get(found.rule);
    if (known) known.push(found.report);
    else broken.set(found.rule, [found.report]);
    console.log(`model: broken, ${found.rule}\n${found.report}\n`);
  }
  console.log(`model: ${seeds} seeds of ${RUNS_PER_SEED} runs, rules broken: ${broken.size}`);
  for (const [rule, reports] of broken) console.log(`  ${rule}: ${reports.length} seeds`);
  return broken.size === 0;
}
