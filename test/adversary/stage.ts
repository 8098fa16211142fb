// What all scenarios of a run share: one database on a real immudb behind the lying proxy, and its clients.
import { ImmuClient, MemoryRootStore, Permission } from '#dist/index.js';
import type { ImmuClientOptions } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { WireClient } from '../support/wire-client.js';
import type { Interceptor, Proxy } from './proxy.js';

const ADMIN = { user: 'immudb', password: 'immudb' };
const READER_PASSWORD = 'Reads-0nly';
/** A call that takes longer hangs. */
const TIMEOUT_MS = 20_000;
/** Keys of one tx each, enough of them that a block of headers is the cheaper way to all of them. */
export const DENSE = 12;
/** Keys that warm a client up: as many claims as its measure of warmth looks back to, and more. */
const WARMING = 80;
/** First block of headers (1024) full, the next one begun. */
const FILLED_TO = 1030n;

/** Txs of some of the entries. */
export interface StageTxs {
  readonly single: bigint;
  readonly target: bigint;
  readonly many: bigint;
  readonly bulk: bigint;
  /** Of the versions of `story`. */
  readonly story: readonly bigint[];
  /** Newest when the stage was set. */
  readonly last: bigint;
}

export interface Stage extends AsyncDisposable {
  readonly proxy: Proxy;
  readonly client: ImmuClient;
  /** The same for a user who may only read. */
  readonly reader: ImmuClient;
  readonly store: MemoryRootStore;
  /** The server itself, past the proxy. */
  readonly wire: WireClient;
  readonly database: string;
  readonly txs: StageTxs;
  /** Counts up: names of keys that nobody used before. */
  next(): number;
  /** A client that never saw the server before; it shares a session, for logging in is slow on purpose. */
  newcomer(): ImmuClient;
}

/**
 * Fills a database. In the first block of headers: `single`, `target` (two versions), `many0…4` (one tx), `dense0…`,
 * `expiring`, references `free` and `bound`, `scanned0…3` (the last two of them references), `story` (a value, one that has
 * expired, a value, a deletion, a value), the sorted set `ranks`. In the next: `late0…5`, `bulk0…5` (one tx), `freeLate`. Nowhere: `absent`.
 */
export async function setStage(
  proxy: Proxy,
  address: string,
  database: string,
  options: ImmuClientOptions = {},
): Promise<Stage> {
  const wire = await WireClient.open(address, database);
  const store = new MemoryRootStore();
  const open = (more: ImmuClientOptions) =>
    new ImmuClient({ address: proxy.address, keepAliveMs: 0, timeoutMs: TIMEOUT_MS, ...options, ...more });
  const client = open({ store, credentials: { ...ADMIN, database } });
  const single = await client.verifiedSet('single', 'the value of a single entry');
  const target = await client.verifiedSet('target', 'first version');
  const many = await client.setAll(range(5).map((i) => [`many${i}`, `value ${i}`] as const));
  await put(wire, 'expiring', 'v', { expiration: { expiresAt: '4102444800' } });
  await refer(wire, 'free', 'target');
  await refer(wire, 'bound', 'target', target.tx);
  await client.verifiedSet('target', 'second version');
  await put(wire, 'scanned0', 'value 0');
  await put(wire, 'scanned1', 'value 1', { expiration: { expiresAt: '4102444800' } });
  await refer(wire, 'scanned2', 'target');
  await refer(wire, 'scanned3', 'target', target.tx);
  const story = await tell(wire, 'story');
  await rank(wire, 'many1', 1);
  await rank(wire, 'target', 2);
  await rank(wire, 'target', 3, target.tx);
  await rank(wire, 'scanned0', 4);
  for (const i of range(DENSE)) await put(wire, `dense${i}`, `value ${i}`);
  await fill(wire, FILLED_TO);
  for (const i of range(6)) await put(wire, `late${i}`, `value ${i}`);
  const bulk = await client.setAll(range(6).map((i) => [`bulk${i}`, `value ${i}`] as const));
  await refer(wire, 'freeLate', 'late1');
  const last = await client.verifiedSet('last', 'newest');

  const user = `reader${database}`;
  await client.createUser(user, READER_PASSWORD, Permission.R);
  const reader = open({
    store: new MemoryRootStore(),
    credentials: { user, password: READER_PASSWORD, database },
  });
  // Finds out that it has to ask for keys one by one.
  await reader.verifiedGetAll(['single', 'absent']);
  let counter = 0;
  return {
    proxy,
    client,
    reader,
    store,
    wire,
    database,
    txs: { single: single.tx, target: target.tx, many: many.tx, bulk: bulk.tx, story, last: last.tx },
    next: () => counter++,
    newcomer: () => open({ store: new MemoryRootStore(), credentials: { ...ADMIN, database } }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([client.close(), reader.close()]);
      wire.close();
    },
  };
}

/** Nothing is known any more but a head. */
export async function cold(client: ImmuClient): Promise<void> {
  await unacquainted(client);
  await client.verifiedGet('absent');
}

/** Not even a head. */
export async function unacquainted(client: ImmuClient): Promise<void> {
  await client.forgetTrust('the next run starts afresh');
}

/** A client that knows the entries of the stage, and has of late been asked for nothing else. */
export async function warm(client: ImmuClient): Promise<void> {
  const known = ['single', 'target', 'free', 'bound', 'expiring', 'many1', 'late1', 'bulk1', 'freeLate'];
  const keys = [...known, ...range(WARMING).map((i) => `filler${i}`)];
  // What is found out by the first is known to the second, and that is what counts as warm.
  await client.verifiedGetAll(keys);
  await client.verifiedGetAll(keys);
}

/** A write that the client knows nothing of; its tx. */
export async function put(wire: WireClient, key: string, value: string, metadata?: object): Promise<bigint> {
  const entry = { key: Buffer.from(key), value: Buffer.from(value), ...(metadata && { metadata }) };
  return BigInt((await wire.call('Set', { KVs: [entry] })).id);
}

/** Answers logins with the session that the proxy's upstream is given, until `end`. */
export function shareSession(stage: Stage): { end(): void } {
  const { proxy, wire } = stage;
  const passing: Interceptor = proxy.intercept;
  const { responseSerialize } = methodDefinition('immudb.schema.ImmuService', 'OpenSession');
  proxy.intercept = async (call) => {
    if (call.method === 'CloseSession') return Buffer.alloc(0);
    if (call.method !== 'OpenSession') return passing(call);
    return responseSerialize({ sessionID: String(wire.metadata.get('sessionid')[0]) });
  };
  return { end: () => void (proxy.intercept = passing) };
}

async function refer(wire: WireClient, key: string, referencedKey: string, atTx?: bigint): Promise<void> {
  await wire.call('SetReference', {
    key: Buffer.from(key),
    referencedKey: Buffer.from(referencedKey),
    ...(atTx !== undefined && { atTx: String(atTx), boundRef: true }),
  });
}

/** A value, one that has expired, a value, a deletion, a value; their txs. */
async function tell(wire: WireClient, key: string): Promise<bigint[]> {
  const first = await put(wire, key, 'first');
  const expired = await put(wire, key, 'expired', { expiration: { expiresAt: '1' } });
  await put(wire, key, 'third');
  const deleted = await wire.call('Delete', { keys: [Buffer.from(key)] });
  const last = await put(wire, key, 'last');
  return [first, expired, expired + 1n, BigInt(deleted.id), last];
}

async function rank(wire: WireClient, key: string, score: number, atTx?: bigint): Promise<void> {
  await wire.call('ZAdd', {
    ...{ set: Buffer.from('ranks'), score, key: Buffer.from(key) },
    ...(atTx !== undefined && { atTx: String(atTx), boundRef: true }),
  });
}

/** Txs of one entry each, `filler0…`, up to a tx; fewer at a time than a test database takes. */
async function fill(wire: WireClient, to: bigint): Promise<void> {
  const { txId } = await wire.call('CurrentState');
  const count = Number(to - BigInt(txId));
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const i = next++;
      await put(wire, `filler${i}`, `value ${i}`);
    }
  };
  await Promise.all(range(8).map(lane));
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
