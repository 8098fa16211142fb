// Figures of all clients of the process.
import type { Attributes, Meter, ObservableResult } from '@opentelemetry/api';
import { ofCall, ofDatabase, ofEnded, ofServer } from './attributes.js';
import type { Subscriptions } from './subscriptions.js';

/** Databases, and clients, whose newest figure is kept: those that came first are dropped. */
const MAX_KEPT = 1000;
/** In seconds: what a look-up in memory takes, up to what a call may take. */
const BOUNDARIES = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const DURATION = { unit: 's', advice: { explicitBucketBoundaries: BOUNDARIES } };

export function measure(meter: Meter, subscriptions: Subscriptions): () => void {
  const calls = meter.createCounter('immudb.client.calls', {
    description: 'Calls that are over, by outcome',
  });
  const duration = meter.createHistogram('db.client.operation.duration', {
    ...DURATION,
    description: 'Duration of calls, of those that end together the longest',
  });
  const inFlight = meter.createUpDownCounter('immudb.client.calls.in_flight', {
    description: 'Calls that have begun and are not over',
  });
  const entries = meter.createCounter('immudb.client.verified.entries', {
    description: 'Entries that verified calls handed out or wrote, proven',
  });
  const rpcs = meter.createHistogram('immudb.client.rpc.duration', {
    ...DURATION,
    description: 'Duration of requests to the server, shared ones counted once',
  });
  const checks = meter.createHistogram('immudb.client.check.duration', {
    ...DURATION,
    description: 'Duration of checks of answers',
  });
  const refusals = meter.createCounter('immudb.client.refusals', {
    description: 'Answers and servers that were refused',
  });
  const forks = meter.createCounter('immudb.client.forks', { description: 'Forks that were found' });
  const losses = meter.createCounter('immudb.client.connections.lost', {
    description: 'Connections that were lost',
  });
  const heads = new Newest(
    meter.createObservableGauge('immudb.client.head.tx', { description: 'Newest trusted transaction' }),
  );
  const waiting = new Newest(
    meter.createObservableGauge('immudb.client.calls.waiting', {
      description: 'Calls that wait to be let in, when a call last began or ended',
    }),
  );

  subscriptions.on('immu-ts:calls', (sums) => {
    const { client, address, began, ended, load } = sums;
    let begun = began;
    for (const each of ended) {
      const attributes = ofEnded(sums, each.code);
      begun -= each.calls;
      calls.add(each.calls, attributes);
      duration.record(each.longestMs / 1000, attributes);
      if (each.entries > 0) entries.add(each.entries, ofCall(sums));
    }
    if (begun !== 0) inFlight.add(begun, ofServer(address));
    waiting.note(client, load.waiting, () => ({ ...ofServer(address), 'immudb.client': client }));
  });
  subscriptions.on('immu-ts:rpc', ({ address, database, method, code, durationMs }) => {
    const attributes = ofDatabase(address, database);
    rpcs.record(durationMs / 1000, { ...attributes, 'rpc.method': method, 'immudb.code': code });
  });
  subscriptions.on('immu-ts:verify', ({ address, database, question, ok, durationMs }) => {
    const attributes = ofDatabase(address, database);
    checks.record(durationMs / 1000, { ...attributes, 'immudb.question': question, 'immudb.ok': ok });
  });
  subscriptions.on('immu-ts:head', ({ address, database, tx }) => {
    heads.note(`${address} ${database}`, Number(tx), () => ofDatabase(address, database));
  });
  subscriptions.on('immu-ts:refusal', ({ address, database, code, check }) => {
    const attributes = ofDatabase(address, database);
    refusals.add(1, { ...attributes, 'immudb.code': code, 'immudb.check': check });
  });
  subscriptions.on('immu-ts:fork', ({ address, database }) => {
    forks.add(1, ofDatabase(address, database));
  });
  subscriptions.on('immu-ts:connection', ({ address, state }) => {
    if (state === 'lost') losses.add(1, ofServer(address));
  });
  return () => {
    heads.end();
    waiting.end();
  };
}

type Gauge = ReturnType<Meter['createObservableGauge']>;

/** The newest figure of each of many, told when it is asked for. */
class Newest {
  readonly #gauge: Gauge;
  readonly #figures = new Map<string, { value: number; readonly attributes: Attributes }>();
  readonly #tell = (result: ObservableResult): void => {
    for (const { value, attributes } of this.#figures.values()) result.observe(value, attributes);
  };

  constructor(gauge: Gauge) {
    this.#gauge = gauge;
    gauge.addCallback(this.#tell);
  }

  note(name: string, value: number, attributes: () => Attributes): void {
    const known = this.#figures.get(name);
    if (known) {
      known.value = value;
      return;
    }
    this.#figures.set(name, { value, attributes: attributes() });
    const [oldest] = this.#figures.size > MAX_KEPT ? this.#figures.keys() : [];
    if (oldest !== undefined) this.#figures.delete(oldest);
  }

  end(): void {
    this.#gauge.removeCallback(this.#tell);
  }
}
