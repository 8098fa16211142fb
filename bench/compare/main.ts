// Two builds of this package beside each other in one process, on one real immudb, in turns that change sides: the ratios hold
// where the rates of two runs would not. `npm run bench:compare -- BEFORE [AFTER] [--rounds=11] [--only=WORDS] [--json]`: commits, or
// folders of checkouts that are built; AFTER is this one by default.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type * as Package from '#dist/index.js';
import { SINGLE_KEYS, VALUE, singleKey, writeSingle } from '../support/data.js';
import { Goals } from '../support/goals.js';
import { callsPerSecond, median, randomNumbers, underBackPressure } from '../support/load.js';
import { keepRecord, startRecord } from '../support/record.js';
import { benchServer } from '../support/server.js';
import { KEY, rootEntry } from '../support/store-rows.js';
import { count, printTable, ratio } from '../support/table.js';
import type { Line } from '../support/table.js';
import { builtFolder } from './checkout.js';

type Build = typeof Package;
type Client = Package.ImmuClient;
/** One measurement: how much a second. `round` makes its keys new. */
type Measure = (build: Build, warm: Client, round: string) => Promise<number>;

const GOAL = 0.97;
const { values: given, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '11' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const rounds = Number(given.rounds);
const [before, after = '.'] = positionals;
if (before === undefined || positionals.length > 2 || !(rounds >= 1))
  throw new Error('usage: npm run bench:compare -- BEFORE [AFTER] [--rounds=11] [--only=WORDS] [--json]');
startRecord();
const load = (path: string) => import(pathToFileURL(resolve(path, 'dist/index.js')).href) as Promise<Build>;
const builds = [await load(builtFolder(before)), await load(builtFolder(after))] as const;

await using server = await benchServer();
const { address, database, wire } = server;
await writeSingle(wire);
const folder = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
const credentials = { user: 'immudb', password: 'immudb', database };
const below = randomNumbers(7);
const anyKey = () => singleKey(below(SINGLE_KEYS));
let stores = 0;

const openStore = ({ SqliteRootStore }: Build) =>
  SqliteRootStore.open(join(folder, `roots-${(stores += 1)}.db`));

/** With a client that knows nothing. */
async function cold(build: Build, work: (client: Client) => Promise<number>): Promise<number> {
  const store = await openStore(build);
  const client = new build.ImmuClient({ address, store, credentials });
  try {
    return await work(client);
  } finally {
    await client.close();
    await store.close();
  }
}

async function read(client: Client): Promise<void> {
  const entry = await client.verifiedGet(anyKey());
  if (entry?.value.length !== VALUE.length) throw new Error('another value came back');
}

const reads = (client: Client, lanes: number, total: number) =>
  callsPerSecond(lanes, total, () => read(client));

async function appends(build: Build, callers: number, each: number, round: string): Promise<number> {
  const store = await openStore(build);
  const all = Array.from({ length: callers }, (_, caller) => {
    const key = { ...KEY, database: `db-${round}-${caller}` };
    return Array.from({ length: each }, (_unused, i) => rootEntry(i, each, key));
  });
  const start = performance.now();
  await Promise.all(
    all.map(async (entries) => {
      let head: Package.StoredRoot | null = null;
      for (const entry of entries) {
        if (!(await store.advance(head, entry)).moved) throw new Error('the head did not move');
        head = entry;
      }
    }),
  );
  const rate = (callers * each) / ((performance.now() - start) / 1000);
  await store.close();
  return rate;
}

const MEASURES: Readonly<Record<string, Measure>> = {
  'verifiedGet, 256 in flight, warm': (_, warm) => reads(warm, 256, 60_000),
  'verifiedGet, 256 in flight, cold': (build) => cold(build, (client) => reads(client, 256, 20_000)),
  'verifiedGet, one by one, cold': (build) => cold(build, (client) => reads(client, 1, 1500)),
  'verifiedGet, one by one, warm': (_, warm) => reads(warm, 1, 1500),
  'verifiedGetAll of 1000, warm': (_, warm) =>
    callsPerSecond(1, 40, () => warm.verifiedGetAll(Array.from({ length: 1000 }, anyKey))),
  'verifiedSet, 20 000 under back-pressure': (_, warm, round) =>
    underBackPressure(
      20_000,
      () => warm.ready(),
      (i) => warm.verifiedSet(`many/${round}/${i}`, VALUE),
    ),
  'verifiedSet, one by one': (_, warm, round) =>
    callsPerSecond(1, 300, (i) => warm.verifiedSet(`one/${round}/${i}`, VALUE)),
  'headers followed and checked': (build) =>
    cold(build, async (client) => {
      await client.verifiedGet(anyKey());
      const start = performance.now();
      const headers = await client.warm();
      return headers / ((performance.now() - start) / 1000);
    }),
  'durable appends, 64 callers': (build, _, round) => appends(build, 64, 200, round),
  'durable appends, one caller': (build, _, round) => appends(build, 1, 500, round),
  'audit of a database, entries': (build) =>
    cold(build, async (client) => {
      const { txsWrong, entriesPerSecond } = await client.audit.database();
      if (txsWrong > 0) throw new Error('an honest server is refused');
      return entriesPerSecond;
    }),
};

const warm: Client[] = [];
for (const build of builds) {
  const client = new build.ImmuClient({ address, store: await openStore(build), credentials });
  await client.verifiedGet(anyKey());
  await client.warm();
  warm.push(client);
}
const goals = new Goals();
const lines: Line[] = [];
for (const [what, measure] of Object.entries(MEASURES)) {
  if (!what.includes(given.only)) continue;
  const rates: [number[], number[]] = [[], []];
  // One more than is counted: the first shows code to the compiler.
  for (let round = 0; round <= rounds; round++) {
    for (const side of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const rate = await measure(builds[side], warm[side] as Client, `${what}/${round}/${side}`);
      if (round > 0) rates[side].push(rate);
    }
  }
  const ratios = rates[1].map((rate, i) => rate / (rates[0][i] as number)).toSorted((a, b) => a - b);
  const at = (share: number) => ratios[Math.floor((ratios.length - 1) * share)] ?? NaN;
  goals.atLeast(what, GOAL, at(0.5));
  lines.push({
    what,
    before: count(median(rates[0])),
    after: count(median(rates[1])),
    'after : before': ratio(at(0.5)),
    'half of the pairs': `${ratio(at(0.25))} to ${ratio(at(0.75))}`,
  });
}
printTable(`${after} : ${before}, ${server.what}, median of ${rounds} pairs`, lines);
goals.print('As fast as before');
await Promise.all(warm.map((client) => client.close()));
await rm(folder, { recursive: true, force: true });
if (given.json) keepRecord('compare');
