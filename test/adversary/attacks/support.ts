// What the attacks share: a server whose history can be taken back, a way to it that can be told to fail, and clients.
import { onTestFinished } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { AuditRow, ImmuClientOptions, ImmuError, RootStore } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { LedgerWorld } from '../../model/ledger-world.js';
import { FaultyWay } from '../../model/world.js';
import type { Decoded } from '../../support/wire-client.js';
import { Proxy, passOn } from '../proxy.js';
import type { Interceptor, Passing } from '../proxy.js';

export const CREDENTIALS = { user: 'immudb', password: 'immudb' };
const SERVICE = 'immudb.schema.ImmuService';

export interface Scene {
  readonly world: LedgerWorld;
  readonly way: FaultyWay;
  /** Names of what was asked since the last look, however it ended. */
  methods(): string[];
  /** What stands in the way of a request; what it does not care for is passed on. */
  intercept(change: (passing: Passing) => Promise<Buffer> | undefined): void;
  open(options?: ImmuClientOptions): ImmuClient;
}

/** All of it is closed when the test ends. */
export async function setScene(): Promise<Scene> {
  const world = await LedgerWorld.start();
  const way = new FaultyWay(world);
  const faulty: Interceptor = world.proxy.intercept;
  const asked: string[] = [];
  let change: (passing: Passing) => Promise<Buffer> | undefined = () => undefined;
  world.proxy.intercept = (passing) => {
    asked.push(passing.method);
    return change(passing) ?? faulty(passing);
  };
  onTestFinished(async () => {
    way.close();
    await world[Symbol.asyncDispose]();
  });
  return {
    world,
    way,
    methods: () => asked.splice(0),
    intercept: (next) => (change = next),
    open: (options) => openAt(world.proxy.address, options),
  };
}

export function openAt(address: string, options: ImmuClientOptions = {}): ImmuClient {
  const client = new ImmuClient({
    ...{ address, store: new MemoryRootStore(), credentials: CREDENTIALS },
    ...{ keepAliveMs: 0, timeoutMs: 5000, verifier: { threads: 0 } },
    ...options,
  });
  onTestFinished(() => client.close().catch(() => undefined));
  return client;
}

/** A proxy of one's own before a server. */
export async function proxyTo(address: string): Promise<Proxy> {
  const proxy = await Proxy.start(address);
  proxy.intercept = passOn;
  onTestFinished(() => proxy.close());
  return proxy;
}

export function decodeRequest(method: string, request: Buffer): Decoded {
  return methodDefinition(SERVICE, method).requestDeserialize(request);
}

export function decodeAnswer(method: string, answer: Buffer): Decoded {
  return methodDefinition(SERVICE, method).responseDeserialize(answer);
}

export function encodeAnswer(method: string, answer: object): Buffer {
  return methodDefinition(SERVICE, method).responseSerialize(answer);
}

export function encodeRequest(method: string, request: object): Buffer {
  return methodDefinition(SERVICE, method).requestSerialize(request);
}

/** How often an entry was committed, on whatever branch of the history. */
export function timesWritten({ world }: Scene, key: string): number {
  const orders = world.branches.flatMap(({ txs }) =>
    txs.filter(({ entries }) => entries.some((entry) => entry.key === key)).map(({ order }) => order),
  );
  return new Set(orders).size;
}

export async function rawSet(
  { world }: Scene,
  key: string,
  value: string,
  metadata?: object,
): Promise<bigint> {
  const wire = await world.wire();
  const entry = { key: Buffer.from(key), value: Buffer.from(value), ...(metadata && { metadata }) };
  return BigInt((await wire.call('Set', { KVs: [entry] })).id);
}

export async function rawReference({ world }: Scene, key: string, target: string): Promise<void> {
  const wire = await world.wire();
  await wire.call('SetReference', { key: Buffer.from(key), referencedKey: Buffer.from(target) });
}

export async function rawDelete({ world }: Scene, key: string): Promise<void> {
  await (await world.wire()).call('Delete', { keys: [Buffer.from(key)] });
}

export function text(entry: { readonly value: Uint8Array } | null): string | null {
  return entry && Buffer.from(entry.value).toString();
}

/** `ok`, or the code of the error that it failed with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'ok',
    (error: unknown) => (error as ImmuError).code,
  );
}

export async function rowsOf(store: RootStore): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for await (const row of store.audit.roots({ outcome: 'all' })) rows.push(row);
  return rows;
}

export const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
