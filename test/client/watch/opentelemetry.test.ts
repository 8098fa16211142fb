// immu-ts/opentelemetry: spans and metrics of what clients tell, under the providers that it is given.
import { AsyncLocalStorage } from 'node:async_hooks';
import { SpanKind, SpanStatusCode, context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import type {
  Attributes,
  Context,
  ContextManager,
  Meter,
  MeterProvider,
  ObservableCallback,
  Span,
  SpanOptions,
  SpanStatus,
  TracerProvider,
} from '@opentelemetry/api';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { ImmuClientOptions } from '#dist/index.js';
import { instrument } from '#dist/opentelemetry.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeServer, freshDatabase, sharedImmudb } from '../../support/real.js';
import { USER, rejection } from '../../trust/support.js';
import { expectWithout } from './support.js';

interface NotedSpan {
  name: string;
  readonly kind: SpanKind | undefined;
  readonly attributes: Attributes;
  status: SpanStatus | undefined;
  ended: boolean;
  readonly parent: Context;
}

class Spans implements TracerProvider {
  readonly all: NotedSpan[] = [];
  readonly scopes: string[] = [];

  getTracer(name: string): ReturnType<TracerProvider['getTracer']> {
    this.scopes.push(name);
    const startSpan = (
      spanName: string,
      { kind, attributes = {} }: SpanOptions = {},
      parent = context.active(),
    ) => {
      const span: NotedSpan = {
        ...{ name: spanName, kind, attributes: { ...attributes }, status: undefined, ended: false, parent },
      };
      this.all.push(span);
      const noted = {
        isRecording: () => true,
        updateName: (other: string) => {
          span.name = other;
          return noted;
        },
        setAttribute: (key: string, value: string) => (span.attributes[key] = value),
        setAttributes: (more: Attributes) => Object.assign(span.attributes, more),
        setStatus: (status: SpanStatus) => (span.status = status),
        end: () => (span.ended = true),
      };
      return noted as unknown as Span;
    };
    return { startSpan, startActiveSpan: () => undefined as never };
  }
}

class Figures implements MeterProvider {
  readonly records: { name: string; value: number; attributes: Attributes }[] = [];
  readonly gauges = new Map<string, Set<ObservableCallback>>();

  getMeter(): Meter {
    const instrumentOf = (name: string) => {
      const note = (value: number, attributes: Attributes = {}) =>
        void this.records.push({ name, value, attributes });
      return { add: note, record: note };
    };
    const observable = (name: string) => {
      const callbacks = new Set<ObservableCallback>();
      this.gauges.set(name, callbacks);
      return {
        addCallback: (callback: ObservableCallback) => callbacks.add(callback),
        removeCallback: (callback: ObservableCallback) => callbacks.delete(callback),
      };
    };
    const made = {
      ...{ createCounter: instrumentOf, createHistogram: instrumentOf, createUpDownCounter: instrumentOf },
      createObservableGauge: observable,
    };
    return made as unknown as Meter;
  }

  sum(name: string, but: Attributes = {}): number {
    return this.records
      .filter((record) => record.name === name)
      .filter(({ attributes }) => Object.entries(but).every(([key, value]) => attributes[key] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }

  read(name: string): { value: number; attributes: Attributes | undefined }[] {
    const read: { value: number; attributes: Attributes | undefined }[] = [];
    const observe = (value: number, attributes?: Attributes) => void read.push({ value, attributes });
    for (const callback of this.gauges.get(name) ?? []) void callback({ observe });
    return read;
  }
}

/** Contexts follow the caller, as an SDK has them do. */
class Contexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active() {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    work: F,
    _self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(active, () => work(...args));
  }
  bind<T>(_: Context, target: T): T {
    return target;
  }
  enable() {
    return this;
  }
  disable() {
    return this;
  }
}

afterEach(() => context.disable());

function start(options: Parameters<typeof instrument>[0] = {}) {
  const spans = new Spans();
  const figures = new Figures();
  const telemetry = instrument({ tracerProvider: spans, meterProvider: figures, ...options });
  onTestFinished(() => telemetry.stop());
  return { spans, figures, telemetry };
}

function open(options: ImmuClientOptions): ImmuClient {
  const client = new ImmuClient({ store: new MemoryRootStore(), credentials: USER, ...options });
  onTestFinished(() => client.close());
  return client;
}

const KEY = 'a-key-of-nobody';
const VALUE = 'a-value-of-nobody';

describeServer('telemetry of a client', () => {
  test('has a span per call, under what the caller does, and figures of all', async () => {
    const { spans, figures, telemetry } = start();
    context.setGlobalContextManager(new Contexts());
    const address = sharedImmudb();
    const database = await freshDatabase();
    const client = open({ address, credentials: { ...USER, database } });
    const mine = ROOT_CONTEXT.setValue(createContextKey('mine'), 1);
    const { tx } = await context.with(mine, () =>
      client.verifiedSetAll([
        [KEY, VALUE],
        ['b', VALUE],
      ]),
    );
    await client.verifiedGetAll([KEY, 'b', 'none']);
    await client.health();
    await rejection(client.useDatabase('nosuchdatabase'));

    const named = spans.all.map(({ name, status, ended }) => [name, status?.code, ended]);
    expect(named).toEqual([
      [`verifiedSetAll ${database}`, undefined, true],
      [`verifiedGetAll ${database}`, undefined, true],
      [`Health ${database}`, undefined, true],
      ['useDatabase', SpanStatusCode.ERROR, true],
    ]);
    const [write, , health, failed] = spans.all;
    const [, host, port] = /(.*):(\d+)/.exec(address) ?? [];
    expect(write).toMatchObject({ kind: SpanKind.CLIENT, parent: mine });
    expect(write?.attributes).toMatchObject({
      'db.system.name': 'immudb',
      'db.namespace': database,
      'db.operation.name': 'verifiedSetAll',
      'server.address': host,
      'server.port': Number(port),
      'immudb.verified': true,
      'immudb.code': 'OK',
      'immudb.tx': tx.toString(),
      'immudb.entries': 2,
    });
    expect(health?.attributes).toMatchObject({ 'rpc.method': 'Health', 'immudb.verified': false });
    expect(failed?.attributes).toMatchObject({ 'error.type': 'DATABASE_NOT_FOUND' });
    expect(failed?.status?.message).toBe('DATABASE_NOT_FOUND');

    expect(figures.sum('immudb.client.calls')).toBe(4);
    expect(figures.sum('immudb.client.calls', { 'immudb.code': 'OK', 'immudb.verified': true })).toBe(2);
    expect(figures.sum('immudb.client.calls', { 'immudb.code': 'DATABASE_NOT_FOUND' })).toBe(1);
    expect(figures.sum('immudb.client.verified.entries')).toBe(4);
    expect(figures.sum('immudb.client.calls.in_flight')).toBe(0);
    expect(figures.sum('db.client.operation.duration')).toBeGreaterThan(0);
    expect(figures.sum('db.client.operation.duration')).toBeLessThan(60);
    expect(figures.sum('immudb.client.rpc.duration', { 'rpc.method': 'Health' })).toBeGreaterThan(0);
    expect(figures.sum('immudb.client.check.duration', { 'immudb.ok': true })).toBeGreaterThan(0);
    expect(figures.sum('immudb.client.refusals')).toBe(0);
    expect(figures.read('immudb.client.head.tx')).toEqual([
      { value: Number(tx), attributes: expect.objectContaining({ 'db.namespace': database }) as Attributes },
    ]);
    expect(figures.read('immudb.client.calls.waiting').map(({ value }) => value)).toEqual([0]);
    expectWithout([spans.all, figures.records], [KEY, VALUE]);

    telemetry.stop();
    telemetry.stop();
    await client.verifiedGet(KEY);
    expect(spans.all.length).toBe(4);
    expect(figures.read('immudb.client.head.tx')).toEqual([]);
  });
});

test('counts refusals and forks by their check', async () => {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const client = open({ address: ledger.address });
  for (let i = 0; i < 3; i++) await client.verifiedSet('k', `${i}`);
  const { spans, figures } = start();
  ledger.lie({ kind: 'fork', at: 2n, height: 9n });
  await rejection(client.verifiedSet('k', 'v'));
  expect(figures.sum('immudb.client.refusals', { 'immudb.code': 'FORK_DETECTED' })).toBe(1);
  expect(figures.sum('immudb.client.forks', { 'db.namespace': 'defaultdb' })).toBe(1);
  expect(figures.sum('immudb.client.connections.lost')).toBe(0);
  expect(spans.all.map(({ attributes }) => attributes['immudb.code'])).toEqual(['FORK_DETECTED']);
});

test('tells keys of clients that were told so, and of no other', async () => {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const { spans } = start({ metrics: false });
  await open({ address: ledger.address }).verifiedSet(KEY, VALUE);
  const client = open({ address: ledger.address, observe: { keys: true } });
  await client.verifiedGet(KEY);
  expect(spans.all.map(({ attributes }) => attributes['immudb.key'])).toEqual([undefined, KEY]);
  expectWithout(spans.all, [VALUE]);
});

test('may fail: no call does by it', async () => {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const fails = () => {
    throw new Error('no exporter');
  };
  const { spans } = start({
    tracerProvider: { getTracer: () => ({ startSpan: fails, startActiveSpan: fails }) },
    metrics: false,
  });
  await open({ address: ledger.address }).verifiedSet(KEY, VALUE);
  expect(spans.all).toEqual([]);
});

test('nobody listens where neither spans nor metrics are wanted, and options are looked at', async () => {
  const { spans, figures } = start({ spans: false, metrics: false });
  expect([spans.scopes, [...figures.gauges]]).toEqual([[], []]);
  const { channel } = await import('node:diagnostics_channel');
  expect(channel('immu-ts:call').hasSubscribers).toBe(false);
  expect(() => instrument({ span: true } as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error,
  );
  expect(() => instrument(null as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error,
  );
  // What is registered with the API, where nothing is given: nothing is, and that is fine.
  instrument()[Symbol.dispose]();
});
