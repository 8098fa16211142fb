// How fast do records come in, proven? Ingestion by the transaction and by the record, and calls of 1000 entries, beside the same
// entries unverified: by this client, by the Go client, and raw. Each commit waits for the disk, as it does by default in an immudb.
// `npm run bench -- ingest [--hasher=noble|node] [--records=200000] [--rounds=3] [--unsynced]`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { WireClient } from '../test/support/wire-client.js';
import { measure } from './peers/figure.js';
import { goProgram } from './peers/prepare.js';
import { VALUE } from './support/data.js';
import { Goals } from './support/goals.js';
import { callsPerSecond, median } from './support/load.js';
import { benchServer } from './support/server.js';
import { count, printTable, ratio } from './support/table.js';

const option = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];
const hasher = option('hasher') === 'node' ? 'node' : 'noble';
const RECORDS = Number(option('records') ?? 200_000);
const ROUNDS = Number(option('rounds') ?? 3);
const ENTRIES = 1000;
const LANES = 8;
const GO_LANES = [4, 8, 16, 24];
const GO_SECONDS = 2;

await using server = await benchServer({ synced: !process.argv.includes('--unsynced') });
const { address, database } = server;
const directory = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
const store = await SqliteRootStore.open(join(directory, 'roots.db'));
const credentials = { user: 'immudb', password: 'immudb', database };
const client = new ImmuClient({ address, store, credentials, timeoutMs: 120_000, verifier: { hasher } });
const wire = await WireClient.open(address, database);
await client.verifiedSet('first', 'v');

interface Figure {
  rate: number;
  /** Microseconds of processor an entry, all threads of this process; and of the server. */
  cpu: number;
  serverCpu: number;
}

let run = 0;
async function once(work: (name: string) => Promise<void>): Promise<Figure> {
  const before = process.cpuUsage();
  const serverBefore = server.cpuMicros();
  const start = performance.now();
  await work(`r${run++}`);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return {
    rate: RECORDS / seconds,
    cpu: (user + system) / RECORDS,
    serverCpu: (server.cpuMicros() - serverBefore) / RECORDS,
  };
}

function* records(name: string): Generator<readonly [string, Uint8Array]> {
  for (let i = 0; i < RECORDS; i++) yield [`${name}/${i}`, VALUE];
}
const entries = (name: string, call: number) =>
  Array.from({ length: ENTRIES }, (_, i) => [`${name}/${call}/${i}`, VALUE] as const);
const lanes = async (call: (i: number) => Promise<unknown>) => {
  await callsPerSecond(LANES, RECORDS / ENTRIES, call);
};
function all(seen: number): void {
  if (seen !== RECORDS) throw new Error(`${seen} receipts instead of ${RECORDS}`);
}

const OURS: Readonly<Record<string, (name: string) => Promise<void>>> = {
  'ingest, batches': async (name) => {
    let seen = 0;
    for await (const { first, last } of client.ingest(records(name)).batches()) seen += last - first + 1;
    all(seen);
  },
  'ingest, record by record': async (name) => {
    let seen = 0;
    for await (const { index } of client.ingest(records(name))) seen += index === seen ? 1 : 0;
    all(seen);
  },
  'verifiedSetAll of 1000, 8 in flight': (name) => lanes((i) => client.verifiedSetAll(entries(name, i))),
  'setAll of 1000, 8 in flight': (name) => lanes((i) => client.setAll(entries(name, i))),
  'raw Set of 1000, 8 in flight': (name) =>
    lanes((i) =>
      wire.call('Set', { KVs: entries(name, i).map(([key, value]) => ({ key: Buffer.from(key), value })) }),
    ),
};

/** The fastest of other clients at this (peers.bench), if it can be built here. */
async function goRate(): Promise<number> {
  let best = 0;
  try {
    const command = await goProgram();
    for (const concurrency of GO_LANES)
      best = Math.max(
        best,
        await measure({ warmupSeconds: 0.5 }, command, server, 'setAll', { concurrency }, GO_SECONDS),
      );
  } catch (error) {
    console.error(`Go client is left out: ${(error as Error).message.slice(0, 200)}`);
  }
  return best;
}

const figures = new Map<string, Figure[]>();
const unverified: number[] = [];
// One round more than is counted: the first shows code to the compiler.
for (let round = 0; round <= ROUNDS; round++) {
  for (const [what, work] of Object.entries(OURS)) {
    const figure = await once(work);
    if (round > 0) figures.set(what, [...(figures.get(what) ?? []), figure]);
  }
  if (round > 0) unverified.push(await goRate());
}

const of = (what: string, part: keyof Figure) =>
  median((figures.get(what) ?? []).map((figure) => figure[part]));
const go = Math.max(...unverified);
const best = Math.max(
  go,
  of('setAll of 1000, 8 in flight', 'rate'),
  of('raw Set of 1000, 8 in flight', 'rate'),
);
const lines = Object.keys(OURS).map((what) => ({
  what,
  'entries /s': count(of(what, 'rate')),
  ': best unverified': ratio(of(what, 'rate') / best),
  'client CPU µs an entry': of(what, 'cpu').toFixed(1),
  'server CPU µs an entry': of(what, 'serverCpu').toFixed(1),
}));
if (go > 0)
  lines.push({
    what: 'Go client, SetAll of 1000, best concurrency',
    'entries /s': count(go),
    ': best unverified': ratio(go / best),
    'client CPU µs an entry': '',
    'server CPU µs an entry': '',
  });
printTable(`Records in, 100-byte values, SHA-256 by ${hasher}, ${server.what}, median of ${ROUNDS}`, lines);

const goals = new Goals();
const rate = (what: string) => of(what, 'rate');
goals.atLeast(
  'ingest, batches : best unverified bulk write of any client',
  hasher === 'node' ? 0.7 : 0.6,
  rate('ingest, batches') / best,
);
goals.atMost('ingest, batches: client CPU a record, µs', 6, of('ingest, batches', 'cpu'));
goals.atLeast(
  'verifiedSetAll of 1000 : setAll of this client',
  0.85,
  rate('verifiedSetAll of 1000, 8 in flight') / rate('setAll of 1000, 8 in flight'),
);
goals.atLeast(
  'setAll of this client : best unverified bulk write of any client',
  0.85,
  rate('setAll of 1000, 8 in flight') / best,
);
goals.print(`Goals, SHA-256 by ${hasher}`);

wire.close();
await client.close();
await store.close();
await rm(directory, { recursive: true, force: true });
