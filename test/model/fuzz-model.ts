// The model for as long as it is given: `npm run fuzz -- --model --seed 1 --seconds 60`. What breaks is shrunk, told with
// the seed that repeats it, and counted by the rule that it breaks; other seeds go on.
import { parseArgs } from 'node:util';
import { LedgerWorld } from './ledger-world.js';
import { RealWorld } from './real-world.js';
import { runModel } from './run-model.js';

const RUNS_PER_SEED = 10;
/** For one seed, shrinking included. */
const SEED_MS = 60_000;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    model: { type: 'boolean' },
    real: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    steps: { type: 'string', default: '30' },
    except: { type: 'string', default: '' },
  },
});
const [seconds, first, steps] = [Number(values.seconds), Number(values.seed), Number(values.steps)];
if (!(seconds > 0) || !Number.isInteger(first) || !(steps > 0))
  throw new Error(
    'usage: npm run fuzz -- --model [--real] --seconds N --seed N [--steps N] [--except rule,rule]',
  );
const world = () => (values.real ? RealWorld.start() : LedgerWorld.start());
const except = new Set(values.except.split(','));
console.log(`model: ${seconds} s, from seed ${first}`);

const until = performance.now() + seconds * 1000;
const broken = new Map<string, number>();
let seed = first;
for (; performance.now() < until; seed++) {
  const withinMs = Math.min(SEED_MS, Math.max(2000, until - performance.now()));
  const found = await runModel({ world, seed, runs: RUNS_PER_SEED, steps, withinMs, except });
  if (!found) continue;
  broken.set(found.rule, (broken.get(found.rule) ?? 0) + 1);
  console.log(`model: ${found.rule} is broken\n${found.report}\n`);
}
console.log(
  `model: ${seed - first} seeds of ${RUNS_PER_SEED} runs, rules broken: ${broken.size} (from seed ${first})`,
);
for (const [rule, count] of broken) console.log(`  ${rule}: ${count} seeds`);
process.exitCode = broken.size > 0 ? 1 : 0;
