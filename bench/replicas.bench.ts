// What a verified read costs the primary when two replicas are read from, beside one server alone: CPU of the server's process, which
// other work on the machine does not change much, and reads a second, which share two cores here.
import { readFileSync } from 'node:fs';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { TestImmudb } from '../test/support/immudb.js';
import { REPLICATED, follow, reached } from '../test/support/replicas.js';
import { WireClient } from '../test/support/wire-client.js';

const KEYS = 5000;
const READS = 60_000;
const IN_FLIGHT = 256;
/** Of the kernel's clock. */
const TICK_MS = 10;

const servers = await Promise.all([TestImmudb.start(), TestImmudb.start(), TestImmudb.start()]);
const [primary, ...replicas] = servers;
try {
  const admin = await WireClient.open(primary.address);
  await admin.call('CreateDatabaseV2', { name: REPLICATED });
  admin.close();
  for (const replica of replicas) await follow(primary, replica, REPLICATED);
  await using writer = clientOf([]);
  const value = Buffer.alloc(100, 7);
  const lanes = Array.from({ length: 24 }, async (_, lane) => {
    for (let i = lane; i < KEYS; i += 24) await writer.set(`k${i}`, value);
  });
  await Promise.all(lanes);
  for (const replica of replicas) await reached(replica, BigInt(KEYS));
  const alone: Figures[] = [];
  const beside: Figures[] = [];
  for (let round = 0; round < 3; round++) {
    alone.push(await measured([]));
    beside.push(await measured(replicas.map(({ address }) => address)));
  }
  const [one, two] = [median(alone), median(beside)];
  console.log(
    `reads/s: ${one.perSecond.toFixed(0)} of one server, ${two.perSecond.toFixed(0)} with two replicas: ${(two.perSecond / one.perSecond).toFixed(2)}`,
  );
  console.log(
    `CPU of the primary a read: ${one.cpuUs.toFixed(2)} µs, ${two.cpuUs.toFixed(2)} µs: ${(two.cpuUs / one.cpuUs).toFixed(3)}`,
  );
  console.log(`CPU of the primary for the first 10 000 reads: ${one.beginningMs} ms, ${two.beginningMs} ms`);
} finally {
  await Promise.all(servers.map((server) => server.close()));
}

interface Figures {
  /** CPU of the primary for the first 10 000 reads, in which headers become known. */
  readonly beginningMs: number;
  readonly perSecond: number;
  readonly cpuUs: number;
}

function clientOf(readFrom: string[]): ImmuClient {
  return new ImmuClient({
    ...{ address: primary.address, readFrom, store: new MemoryRootStore() },
    credentials: { user: 'immudb', password: 'immudb', database: REPLICATED },
  });
}

async function measured(readFrom: string[]): Promise<Figures> {
  await using client = clientOf(readFrom);
  const key = () => `k${Math.floor(Math.random() * KEYS)}`;
  const read = async (count: number) => {
    let left = count;
    const lane = async () => {
      while (left-- > 0) if (!(await client.verifiedGet(key()))) throw new Error('a key is missing');
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  };
  // Headers are fetched, replicas found out about.
  const before = cpuMs(primary);
  await read(5000);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await read(5000);
  const cpu = cpuMs(primary);
  const beginningMs = cpu - before;
  const from = performance.now();
  await read(READS);
  const seconds = (performance.now() - from) / 1000;
  return { beginningMs, perSecond: READS / seconds, cpuUs: ((cpuMs(primary) - cpu) * 1000) / READS };
}

/** User and system time so far. */
function cpuMs({ pid }: TestImmudb): number {
  const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    .split(') ')
    .at(-1)!
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function median(all: readonly Figures[]): Figures {
  const of = (name: keyof Figures) =>
    all.map((each) => each[name]).sort((a, b) => a - b)[all.length >> 1] as number;
  return { beginningMs: of('beginningMs'), perSecond: of('perSecond'), cpuUs: of('cpuUs') };
}
