// What does it cost to be watched? Verified reads, 256 in flight, with nobody listening, with spans and metrics on, and with
// spans that a sampler leaves out, turn and turn about in one run on a real immudb. `npm run bench -- telemetry`.
import type { Attributes, MeterProvider, TracerProvider } from '@opentelemetry/api';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { instrument } from '#dist/opentelemetry.js';
import { SINGLE_KEYS, singleKey, writeSingle } from './support/data.js';
import { Goals } from './support/goals.js';
import { callsPerSecond, randomNumbers } from './support/load.js';
import { benchServer } from './support/server.js';
import { count, printTable } from './support/table.js';

const IN_FLIGHT = 256;
const READS = 5000;
const ROUNDS = 11;

/** Sums by attributes, as an SDK keeps them, and spans that are thrown away when they end. */
function providers(isRecorded = true): { tracerProvider: TracerProvider; meterProvider: MeterProvider } {
  const sums = new Map<Attributes, Map<string, number>>();
  const instrumentOf = (name: string) => {
    const note = (value: number, attributes: Attributes = {}) => {
      const known = sums.get(attributes) ?? new Map<string, number>();
      sums.set(attributes, known.set(name, (known.get(name) ?? 0) + value));
    };
    return { add: note, record: note };
  };
  const gauge = { addCallback: () => undefined, removeCallback: () => undefined };
  const meter = {
    ...{ createCounter: instrumentOf, createHistogram: instrumentOf, createUpDownCounter: instrumentOf },
    createObservableGauge: () => gauge,
  };
  const startSpan = (name: string, { attributes = {} }: { readonly attributes?: Attributes } = {}) => {
    const span = { name, attributes: { ...attributes }, endedAt: 0 };
    return {
      isRecording: () => isRecorded,
      setAttributes: (more: Attributes) => Object.assign(span.attributes, more),
      setStatus: () => undefined,
      end: () => (span.endedAt = performance.now()),
    };
  };
  return {
    tracerProvider: { getTracer: () => ({ startSpan }) } as unknown as TracerProvider,
    meterProvider: { getMeter: () => meter } as unknown as MeterProvider,
  };
}

await using server = await benchServer({});
const { address, wire, database } = server;
await writeSingle(wire);
await using client = new ImmuClient({
  ...{ address, store: new MemoryRootStore(), credentials: { user: 'immudb', password: 'immudb', database } },
});
await client.warm();
const below = randomNumbers(7);
const read = async () => {
  if (!(await client.verifiedGet(singleKey(below(SINGLE_KEYS))))) throw new Error('a key is missing');
};

interface Measured {
  readonly rate: number;
  readonly micros: number;
}

/** Calls a second, and microseconds of processor a call, of all threads of this process. */
async function measured(): Promise<Measured> {
  const before = process.cpuUsage();
  const rate = await callsPerSecond(IN_FLIGHT, READS, read);
  const { user, system } = process.cpuUsage(before);
  return { rate, micros: (user + system) / READS };
}

await measured();
const ways = {
  off: undefined,
  metrics: { ...providers(), spans: false },
  'spans, left out': { ...providers(false), metrics: false },
  spans: { ...providers(), metrics: false },
  both: providers(),
};
type Way = keyof typeof ways;
const names = Object.keys(ways) as Way[];
const found: Record<Way, Measured[]> = { off: [], metrics: [], 'spans, left out': [], spans: [], both: [] };
for (let round = 0; round < ROUNDS; round++)
  for (const name of names) {
    const options = ways[name];
    const telemetry = options && instrument(options);
    found[name].push(await measured());
    telemetry?.stop();
  }
/** What is asked is how ways compare, and the machine is not the same in each round: medians, of what each has in its round. */
const median = (of: readonly number[]) => of.toSorted((a, b) => a - b)[of.length >> 1] ?? NaN;
const perRound = (name: Way, ratio: (on: Measured, off: Measured) => number) =>
  median(found[name].map((on, round) => ratio(on, found.off[round]!)));
printTable(
  `verifiedGet, ${IN_FLIGHT} in flight, median of ${ROUNDS} rounds`,
  names.map((telemetry) => ({
    telemetry,
    'calls/s': count(median(found[telemetry].map((each) => each.rate))),
    'µs of processor a call': median(found[telemetry].map((each) => each.micros)).toFixed(1),
    'of the best round': Math.min(...found[telemetry].map((each) => each.micros)).toFixed(1),
  })),
);
const goals = new Goals();
for (const name of names.slice(1)) {
  goals.atLeast(
    `${name} : off, calls a second`,
    0.95,
    perRound(name, (on, off) => on.rate / off.rate),
  );
  goals.atLeast(
    `off : ${name}, processor a call`,
    0.95,
    perRound(name, (on, off) => off.micros / on.micros),
  );
}
goals.print('Goals');
