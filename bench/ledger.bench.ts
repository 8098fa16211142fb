// Does the embedded ledger keep up with the server it stands in for? Our client on both in one run: verified sets and
// gets, one by one and 24 in flight. Each server runs in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { benchServer } from './support/server.js';
import { count, printTable, ratio } from './support/table.js';

const KEYS = 2000;
const SECONDS = 3;
const ROUNDS = 3;
const IN_FLIGHT = 24;
const value = Buffer.alloc(100, 'v');

await using real = await benchServer();
const child = spawn(
  process.execPath,
  [fileURLToPath(new URL('./support/ledger-process.mjs', import.meta.url))],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
const [ledgerAddress] = (await once(createInterface(child.stdout), 'line')) as [string];

const contenders = [
  { name: real.what, address: real.address, database: real.database },
  { name: 'embedded ledger', address: ledgerAddress, database: 'defaultdb' },
].map((server) => ({
  ...server,
  client: new ImmuClient({
    address: server.address,
    store: new MemoryRootStore(),
    credentials: { user: 'immudb', password: 'immudb', database: server.database },
  }),
}));

const calls: [string, number, (client: ImmuClient, i: number) => Promise<boolean>][] = [
  ['verifiedSet, one by one', 1, async (client, i) => (await client.verifiedSet(`w ${i}`, value)).tx > 0n],
  [
    'verifiedSet, 24 in flight',
    IN_FLIGHT,
    async (client, i) => (await client.verifiedSet(`w ${i}`, value)).tx > 0n,
  ],
  [
    'verifiedGet, one by one',
    1,
    async (client, i) => (await client.verifiedGet(`key ${i % KEYS}`))?.value.length === value.length,
  ],
  [
    'verifiedGet, 24 in flight',
    IN_FLIGHT,
    async (client, i) => (await client.verifiedGet(`key ${i % KEYS}`))?.value.length === value.length,
  ],
];

async function perSecond(
  client: ImmuClient,
  inFlight: number,
  call: (client: ImmuClient, i: number) => Promise<boolean>,
): Promise<number> {
  const start = performance.now();
  const until = start + SECONDS * 1000;
  let done = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async (_, lane) => {
      for (let i = lane * 7919; performance.now() < until; i += 31) {
        if (!(await call(client, i))) throw new Error('not what was asked for');
        done += 1;
      }
    }),
  );
  return done / ((performance.now() - start) / 1000);
}

for (const { client } of contenders) {
  // One tx each: what is measured is the call, not the size of its transaction.
  for (let i = 0; i < KEYS; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, j) => client.set(`key ${i + j}`, value)));
  }
}
const lines = [];
for (const [name, inFlight, call] of calls) {
  const best = new Map<string, number>();
  // In turns, so that what else the machine does meets both.
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, client } of contenders) {
      best.set(name, Math.max(best.get(name) ?? 0, await perSecond(client, inFlight, call)));
    }
  }
  const [server = 0, ledger = 0] = contenders.map(({ name }) => best.get(name) ?? 0);
  lines.push({
    what: name,
    [`${contenders[0]?.name ?? ''} /s`]: count(server),
    'ledger /s': count(ledger),
    'ledger : server': ratio(ledger / server),
  });
}
printTable(`Verified calls per second, best of ${ROUNDS} × ${SECONDS} s`, lines);
for (const { client } of contenders) await client.close();
child.stdin.end();
await once(child, 'exit');
