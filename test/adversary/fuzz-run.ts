// The lying proxy, at random and for as long as it is given: several changes at once, and bytes cut, turned and moved.
// A call may be refused, or may tell what it tells honestly; anything else ends the run with the seed to repeat it.
import { parseArgs } from 'node:util';
import { methodDefinition } from '#dist/wire-schema.js';
import { TestImmudb } from '../support/immudb.js';
import { WireClient } from '../support/wire-client.js';
import { Proxy } from './proxy.js';
import { record, runMutated } from './run-scenario.js';
import type { Message, Outcome, Recorded } from './run-scenario.js';
import { SCENARIOS, setStage } from './scenarios.js';
import type { Scenario } from './scenarios.js';
import { mutationsOf } from './schema-walk.js';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('usage: npm run fuzz -- --seconds N --seed N');
console.log(`fuzz: ${seconds} s, seed ${seed}`);

let state = seed;
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

const given = process.env['IMMUDB_ADDRESS'];
const started = given === undefined ? await TestImmudb.start() : undefined;
const address = given ?? started?.address ?? '';
const admin = await WireClient.open(address);
const database = `fuzz${process.pid}`;
await admin.call('CreateDatabaseV2', { name: database, ifNotExists: true });
admin.close();
const proxy = await Proxy.start(address);
const stage = await setStage(proxy, address, database);
// First contacts log in anew each time, which the server makes slow on purpose: the other scenarios are worth more.
const scenarios = SCENARIOS.filter(({ name }) => !name.startsWith('first contact'));
const recorded = new Map<Scenario, [Recorded, Recorded]>();
for (const scenario of scenarios)
  recorded.set(scenario, [await record(stage, scenario), await record(stage, scenario)]);

const count = { runs: 0, refused: 0, same: 0, unchanged: 0 };
const wrong: string[] = [];
const until = performance.now() + seconds * 1000;
while (performance.now() < until && wrong.length === 0) {
  const scenario = scenarios[random(scenarios.length)] as Scenario;
  const [honest, donor] = recorded.get(scenario) as [Recorded, Recorded];
  const applied: string[] = [];
  const outcome = await runMutated(stage, scenario, (answer) =>
    mutate(scenario, answer, donor.answer, applied),
  );
  count.runs += 1;
  tally(outcome, honest.told, `${scenario.name}: ${applied.join('; ')}`);
}
console.log(
  `fuzz: ${count.runs} runs, ${count.refused} refused, ${count.same} told the same, ${count.unchanged} unchanged, ${wrong.length} wrong (seed ${seed})`,
);
for (const line of wrong) console.log(line);
await stage.client.close();
stage.wire.close();
await proxy.close();
await started?.close();
process.exitCode = wrong.length > 0 ? 1 : 0;

function tally(outcome: Outcome, honest: string, what: string): void {
  switch (outcome.kind) {
    case 'refused':
      count.refused += 1;
      return;
    case 'unchanged':
      count.unchanged += 1;
      return;
    case 'told':
      if (outcome.told === honest) count.same += 1;
      else wrong.push(`ACCEPTED LIE (seed ${seed}) ${what}: ${outcome.told} instead of ${honest}`);
      return;
    case 'failed':
      wrong.push(`NOT A VERIFICATION ERROR (seed ${seed}) ${what}: ${outcome.error}`);
  }
}

/** One to four changes by schema, or changes of the bytes that still decode. */
function mutate(scenario: Scenario, answer: Message, donor: Message, applied: string[]): void {
  if (random(3) === 0) {
    mutateBytes(scenario, answer, applied);
    return;
  }
  for (let n = 1 + random(4); n > 0; n--) {
    const mutations = mutationsOf(scenario.type, answer, donor);
    const chosen = mutations[random(mutations.length)];
    if (!chosen) return;
    chosen.apply(answer);
    applied.push(`${chosen.path} ${chosen.kind}`);
  }
}

function mutateBytes(scenario: Scenario, answer: Message, applied: string[]): void {
  const { responseSerialize, responseDeserialize } = methodDefinition(
    'immudb.schema.ImmuService',
    scenario.method,
  );
  const bytes = responseSerialize(answer);
  const at = random(bytes.length);
  const changed = [
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(8))]),
    () =>
      Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(random(bytes.length), random(bytes.length)),
        bytes.subarray(at),
      ]),
    () => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ (1 << random(8)) : byte))),
  ][random(3)]?.();
  try {
    const decoded = responseDeserialize(changed ?? bytes) as Message;
    for (const field of Object.keys(answer)) Reflect.deleteProperty(answer, field);
    Object.assign(answer, decoded);
    applied.push(`bytes at ${at}`);
  } catch {
    // Not a message any more: tests of the reader see to that.
  }
}
