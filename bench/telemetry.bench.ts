// What does it cost to be watched? Verified reads, 256 in flight, with nobody listening and with spans and metrics on, turn and
// turn about in one run on a real immudb. `npm run bench -- telemetry`.
import type { Attributes, MeterProvider, TracerProvider } from '@opentelemetry/api';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { instrument } from '#dist/opentelemetry.js';
import { SINGLE_KEYS, singleKey, writeSingle } from './support/data.js';
import { Goals } from './support/goals.js';
import { callsPerSecond, randomNumbers } from './support/load.js';
import { benchServer } from './support/server.js';
import { count, printTable } from './support/table.js';

const IN_FLIGHT = 256;
const READS = 10_000;
const ROUNDS = 5;

/** Sums by attributes, as an SDK keeps them, and spans that are thrown away when they end. */
function providers(): { tracerProvider: TracerProvider; meterProvider: MeterProvider } {
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
      isRecording: () => true,
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
  spans: { ...providers(), metrics: false },
  both: providers(),
};
type Way = keyof typeof ways;
const names = Object.keys(ways) as Way[];
const found: Record<Way, Measured[]> = { off: [], metrics: [], spans: [], both: [] };
for (let round = 0; round < ROUNDS; round++)
  for (const name of names) {
    const options = ways[name];
    const telemetry = options && instrument(options);
    found[name].push(await measured());
    telemetry?.stop();
  }
const rate = (of: readonly Measured[]) => Math.max(...of.map((each) => each.rate));
const micros = (of: readonly Measured[]) => Math.min(...of.map((each) => each.micros));
printTable(
  `verifiedGet, ${IN_FLIGHT} in flight, best of ${ROUNDS} rounds`,
  names.map((telemetry) => ({
    telemetry,
    'calls/s': count(rate(found[telemetry])),
    'µs of processor a call': micros(found[telemetry]).toFixed(1),
  })),
);
const goals = new Goals();
for (const name of names.slice(1)) {
  goals.atLeast(`${name} : off, calls a second`, 0.95, rate(found[name]) / rate(found.off));
  goals.atLeast(`off : ${name}, processor a call`, 0.95, micros(found.off) / micros(found[name]));
}
goals.print('Goals');
