// The lying proxy, at random and for as long as it is given: several changes at once, in one answer of a run or in all of
// them, and bytes cut, turned and moved. A call may be refused, or may tell what it tells honestly; anything else ends
// the run with the seed to repeat it.
import { parseArgs } from 'node:util';
import { methodDefinition } from '#dist/wire/schema.js';
import { TestImmudb } from '../support/immudb.js';
import { WireClient } from '../support/wire-client.js';
import { Proxy } from './proxy.js';
import { randomOf } from './random.js';
import { record, runMutated } from './run-scenario.js';
import type { Outcome, Recorded } from './run-scenario.js';
import { ANSWERS } from './scenario.js';
import type { AnswerMethod, Message, Scenario } from './scenario.js';
import { KEYED } from './scenarios/keyed.js';
import { LONE_READS, LONE_WRITES, writeOne } from './scenarios/lone.js';
import { GROUPED_OPERATIONS, LONE_OPERATIONS } from './scenarios/operations.js';
import { GROUPED_READS } from './scenarios/reads.js';
import { GROUPED_WRITES } from './scenarios/writes.js';
import { setStage } from './stage.js';
import type { Stage } from './stage.js';
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
const random = randomOf(seed);

interface Play {
  readonly stage: Stage;
  readonly scenario: Scenario;
  readonly honest: Recorded;
  /** The head moves, by no more than the server's word. */
  readonly forks: boolean;
}

const given = process.env['IMMUDB_ADDRESS'];
const plain = given === undefined ? await TestImmudb.start() : undefined;
// A server that was given does not sign: scenarios with a key are for one of our own.
const signing = given === undefined ? await TestImmudb.start({ signing: true }) : undefined;
const address = given ?? plain?.address ?? '';
const stages: { stage: Stage; scenarios: readonly Scenario[]; forks: boolean }[] = [];
stages.push(
  { stage: await stageOn(address, 'reads'), scenarios: [...LONE_READS, ...GROUPED_READS], forks: false },
  {
    stage: await stageOn(address, 'writes'),
    scenarios: [...LONE_WRITES, ...GROUPED_WRITES, ...LONE_OPERATIONS, ...GROUPED_OPERATIONS],
    forks: true,
  },
);
if (signing) {
  const stage = await stageOn(signing.address, 'keyed', { serverPublicKey: signing.publicKeyPem as string });
  stages.push({ stage, scenarios: KEYED, forks: false });
}

const plays: Play[] = [];
/** Honest answers by RPC, whose parts are put in place of others. */
const donors = new Map<AnswerMethod, Message[]>();
for (const { stage, scenarios, forks } of stages) {
  for (const scenario of scenarios) {
    const honest = await record(stage, scenario);
    plays.push({ stage, scenario, honest, forks });
    const known = donors.get(scenario.method);
    if (known) known.push(honest.answer);
    else donors.set(scenario.method, [honest.answer]);
  }
}

const count = { runs: 0, changes: 0, refused: 0, same: 0, missing: 0, unchanged: 0, forks: 0 };
const wrong: string[] = [];
const until = performance.now() + seconds * 1000;
while (performance.now() < until && wrong.length === 0) {
  const play = plays[random(plays.length)] as Play;
  const applied: string[] = [];
  const everywhere = random(3) === 0;
  const outcome = await runMutated(
    play.stage,
    play.scenario,
    play.honest.told,
    // In all answers of the run: in about every second, or most runs would end at the first.
    (answer, method) => {
      if (!everywhere || random(2) === 0) mutate(method, answer, applied);
    },
    { everywhere },
  );
  count.runs += 1;
  count.changes += applied.length;
  await tally(play, outcome, `${play.scenario.name}: ${applied.join('; ')}`);
}
console.log(
  `fuzz: ${plays.length} calls, ${count.runs} runs with ${count.changes} changes: ${count.refused} refused, ` +
    `${count.same} told the same, ${count.missing} told of nothing, ${count.forks} took another history, ` +
    `${count.unchanged} unchanged, ${wrong.length} wrong (seed ${seed})`,
);
for (const line of wrong) console.log(line);
for (const { stage } of stages) {
  await stage[Symbol.asyncDispose]();
  await stage.proxy.close();
}
await Promise.all([plain?.close(), signing?.close()]);
process.exitCode = wrong.length > 0 ? 1 : 0;

async function stageOn(server: string, name: string, options = {}): Promise<Stage> {
  const admin = await WireClient.open(server);
  const database = `fuzz${name}${process.pid}`;
  await admin.call('CreateDatabaseV2', { name: database, ifNotExists: true });
  admin.close();
  return setStage(await Proxy.start(server), server, database, options);
}

async function tally({ stage, forks }: Play, outcome: Outcome, what: string): Promise<void> {
  switch (outcome.kind) {
    case 'other':
      // Without a key the newest header is the server's word: another history may be begun, but never left again.
      if (forks && (await writeOne(stage))[0]?.kind === 'refused') count.forks += 1;
      else wrong.push(`(seed ${seed}) ${what}: ${outcome.what}`);
      return;
    case 'failed':
      wrong.push(`(seed ${seed}) ${what}: ${outcome.what}`);
      return;
    default:
      count[outcome.kind] += 1;
  }
}

/** One to four changes by schema, or changes of the bytes that still decode. */
function mutate(method: AnswerMethod, answer: Message, applied: string[]): void {
  if (random(3) === 0) {
    mutateBytes(method, answer, applied);
    return;
  }
  const known = donors.get(method) ?? [{}];
  for (let n = 1 + random(4); n > 0; n--) {
    const donor = structuredClone(known[random(known.length)] ?? {});
    const mutations = mutationsOf(ANSWERS[method], answer, donor);
    const chosen = mutations[random(mutations.length)];
    if (!chosen) return;
    chosen.apply(answer);
    applied.push(`${method} ${chosen.path} ${chosen.kind}`);
  }
}

function mutateBytes(method: AnswerMethod, answer: Message, applied: string[]): void {
  const { responseSerialize, responseDeserialize } = methodDefinition('immudb.schema.ImmuService', method);
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
    applied.push(`${method} bytes at ${at}`);
  } catch {
    // Not a message any more: tests of the reader see to that.
  }
}
