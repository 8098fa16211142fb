// docs/scaling.md, walked step by step with its own commands and programs: two machines in network namespaces of their own, a PostgreSQL
// whose primary is killed, a broker, a ledger that is killed, and one report.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { PostgresRootStore } from '#dist/postgres.js';
import { blockUnder } from '../package/blocks.js';
import { Project } from '../package/project.js';
import type { Ran } from '../package/project.js';
import { asJavaScript } from '../package/snippets.js';
import { commandOf, installTarball } from '../package/tarball.js';
import { TestImmudb } from '../support/immudb.js';
import { describeNats, startNats } from '../support/nats.js';
import { NETNS } from '../support/netns-mark.js';
import { Postgres, describePostgres } from '../support/postgres.js';
import { describePrivate } from '../support/real.js';
import { follow } from '../support/replicas.js';
import { WireClient } from '../support/wire-client.js';
import { Machines, whyNoNamespaces } from './machines.js';
import { Service } from './service.js';

vi.setConfig({ testTimeout: 240_000 });

const PAGE = 'docs/scaling.md';
const NAMES = ['one', 'two'];
const FIRST = 100;
const PATIENCE_MS = 60_000;
const valueOf = (i: number) => JSON.stringify({ number: i, cents: (i * 7919) % 100_000 });
const keyOf = (i: number) => `order/${i}`;

const whyNot = whyNoNamespaces();
/** Closed in reverse when the test has ended. */
const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
}, 60_000);

async function machines(apart: boolean): Promise<Machines> {
  const made = await Machines.make(NAMES, apart);
  open.push(() => made.close());
  return made;
}

describe.skipIf(whyNot !== undefined)(`${NETNS} machines`, () => {
  test('see this one through the network, and not its loopback, which is another one than theirs', async () => {
    const { all, host } = await machines(true);
    const dials = (to: string) => `
      const socket = require('node:net').connect(${port}, '${to}');
      socket.on('connect', () => process.exit(7)).on('error', () => process.exit(8));`;
    const here = (await import('node:net')).createServer((socket) => socket.end()).listen(0, host);
    await once(here, 'listening');
    const { port } = here.address() as { port: number };
    for (const machine of all)
      for (const [to, code] of [
        [host, 7],
        ['127.0.0.1', 8],
      ] as const) {
        const child = machine.spawn(process.execPath, ['-e', dials(to)], { stdio: 'ignore' });
        expect(await once(child, 'exit'), `${machine.name} to ${to}`).toEqual([code, null]);
      }
    here.close();
  });
});

describePostgres('from one process to ten machines', () => {
  describeNats('with a broker', () => {
    describePrivate('and a ledger', () => {
      test(
        `${PAGE}, step by step${whyNot === undefined ? '' : ` (WITHOUT network namespaces: ${whyNot})`}`,
        walk,
      );
    });
  });
});

async function walk(): Promise<void> {
  const net = await machines(whyNot === undefined);
  const [ledgerA, ledgerB, dbA, broker, project] = await Promise.all([
    TestImmudb.start(),
    TestImmudb.start(),
    Postgres.start(),
    startNats(),
    Project.create(),
  ]);
  open.push(() => Promise.all([ledgerA.close(), ledgerB.close(), dbA.stop(), broker.stop()]));
  open.push(() => project[Symbol.asyncDispose]());
  await installTarball(project);
  for (const name of ['@nats-io/transport-node', '@nats-io/jetstream']) await project.link(name);
  const path = `${await commandOf(project)}${delimiter}${process.env['PATH'] ?? ''}`;

  // As the page says: a standby, and a primary that waits for it.
  const dbB = await dbA.standby('second');
  open.push(() => dbB.stop());
  const setting = await blockUnder(PAGE, '## 2. One trust: a pair of PostgreSQL', 'text');
  await dbA.set(setting.body.trim());
  await until('a synchronous standby', async () => {
    const found = await dbA.sql(`SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'`);
    return found.length > 0;
  });

  const urlOf = async (db: Postgres) => `postgres://postgres@${await net.reach(db.port)}/postgres`;
  const places: [string, string][] = [
    ['"primaryHost": "ledger-a.example",', '"primaryHost": "127.0.0.1",'],
    ['"primaryPort": 3322,', `"primaryPort": ${ledgerA.port},`],
    ['ledger-a.example:3322', await net.reach(ledgerA.port)],
    ['ledger-b.example:3322', await net.reach(ledgerB.port)],
    ['postgres://immu@db-a.example/trust', await urlOf(dbA)],
    ['postgres://immu@db-b.example/trust', await urlOf(dbB)],
    ['broker.example:4222', await net.reach(broker.port)],
    ['/srv/orders/', `${project.folder}/`],
    // What a machine that died held comes again sooner, for the test to be over sooner.
    ['nanos(30_000)', 'nanos(4000)'],
  ];
  const placed = (text: string) => {
    const whole = places.reduce((so, [from, to]) => so.replaceAll(from, to), text);
    expect(whole).not.toMatch(/example|\/srv/);
    return whole;
  };
  const shell = async (heading: string, text: string) => {
    const { body } = await blockUnder(PAGE, heading, 'sh no-run', text);
    const ran = await bash(placed(body), project.folder, path);
    expect(ran, `${heading}: ${ran.stdout}${ran.stderr}`).toMatchObject({ code: 0 });
    return ran.stdout;
  };
  const program = async (heading: string, name: string) => {
    const code = asJavaScript(await blockUnder(PAGE, heading, 'ts no-run'));
    expect(code, `${name} is JavaScript`).not.toBeNull();
    return project.write(name, placed(code!));
  };

  const lines = Array.from({ length: FIRST }, (_, i) => valueOf(i));
  await project.write('orders.ndjson', `${lines.join('\n')}\n`);
  await shell('## 1. One machine', 'ingest');
  await shell('## 2. One trust: a pair of PostgreSQL', 'trust pin');
  await shell('## 3. A second ledger', 'databases create');
  const stream = await project.node(await program('## 4. A broker', 'stream.mjs'));
  expect(stream).toMatchObject({ code: 0, stderr: '' });

  // Messages, from now on and through all that happens.
  const nats = await connect({ servers: `127.0.0.1:${broker.port}` });
  const [js, manager] = [jetstream(nats), await jetstreamManager(nats)];
  let published = FIRST;
  const publishing = new AbortController();
  const publisher = (async () => {
    while (!publishing.signal.aborted) {
      const numbers = Array.from({ length: 20 }, (_, i) => published + i);
      await Promise.all(numbers.map((i) => js.publish('orders.eu', valueOf(i), { msgID: keyOf(i) })));
      published += numbers.length;
      await delay(25);
    }
  })();
  open.push(async () => {
    publishing.abort();
    await publisher.catch(() => undefined);
    await nats.close();
  });
  const consumer = () => manager.consumers.info('ORDERS', 'ledger');
  const services: Service[] = [];
  const said = () => services.map((service) => `${service.ends.join()}: ${service.said}`).join('\n');
  /** So many more are acknowledged than at this moment. */
  const acknowledged = async (more: number) => {
    const from = (await consumer()).ack_floor.stream_seq;
    await until(
      `${more} acknowledged`,
      async () => (await consumer()).ack_floor.stream_seq >= from + more,
      said,
    );
  };

  const ingester = await program('## 5. The same program on every machine', 'ingester.mjs');
  for (const machine of net.all) {
    const env = { ...process.env, NODE_OPTIONS: '', IMMU_TS_STORE: '/nowhere' };
    const service = new Service(machine, ingester, { cwd: project.folder, env });
    open.push(() => service.stop());
    services.push(service);
  }
  await acknowledged(500);

  // A machine dies.
  services[0]!.kill('SIGKILL');
  await acknowledged(500);

  // The primary of the store dies, and its standby takes over.
  await dbA.kill();
  await delay(300);
  await dbB.promote();
  await acknowledged(500);

  // The ledger dies, and its replica is promoted.
  await ledgerA.kill();
  await delay(500);
  await shell('### Promote the replica', 'databases settings');
  await acknowledged(500);

  publishing.abort();
  await publisher;
  await until(
    'all acknowledged',
    async () => {
      const { num_ack_pending: pending, num_pending: waiting } = await consumer();
      return pending + waiting === 0;
    },
    said,
  );
  // One may have been about to start again.
  const last = await Promise.all(services.map((service) => service.stop()));
  expect(last, said()).toContain(0);
  // Killed or failed, and started again; nothing was refuted.
  for (const end of services.flatMap(({ ends }) => ends))
    expect([0, 1, 'SIGKILL', 'SIGTERM'], said()).toContain(end);

  const lagged = await expectOneTrust(dbB.url());
  const { body } = await blockUnder(PAGE, '## 7. One report', 'sh no-run', 'immu-ts report');
  const ran = await bash(placed(body), project.folder, path);
  // Between its primary's end and its promotion the replica may not know yet that its newest transactions are committed: whoever asked
  // it just then has logged that, and the report shows it.
  expect(ran, `${ran.stdout}${ran.stderr}`).toMatchObject({ code: lagged ? 3 : 0 });
  const { sections } = JSON.parse(await readFile(join(project.folder, 'report.json'), 'utf8')) as {
    sections: { name: string; verdict: string }[];
  };
  expect(Object.fromEntries(sections.map(({ name, verdict }) => [name, verdict]))).toEqual({
    ...{
      log: 'holds',
      gaps: 'holds',
      evidence: lagged ? 'refuted' : 'holds',
      databases: 'told',
      checkpoint: 'told',
    },
    ...{ prove: 'holds', database: 'holds' },
  });
  const signed = await bash(
    'immu-ts report verify report.json --key audit-key.pub.pem',
    project.folder,
    path,
  );
  expect(signed).toMatchObject({ code: 0, stdout: expect.stringContaining('signed by this key') as string });

  await expectAll(ledgerB.address, published);
  const known = `${await net.reach(ledgerA.port)},${await net.reach(ledgerB.port)}`;
  await expectFork(ledgerB, { known, store: await urlOf(dbB), cwd: project.folder, path });
}

/** Everything that was published is there, with its value, and nothing else. */
async function expectAll(address: string, published: number): Promise<void> {
  const client = new ImmuClient({
    ...{ address, store: new MemoryRootStore() },
    credentials: { user: 'immudb', password: 'immudb', database: 'orders' },
  });
  open.push(() => client.close());
  const found = new Map<string, Set<string>>();
  for await (const { entries } of client.verifiedTransactions({ entries: 'raw', kinds: ['key'] }))
    for (const entry of entries) {
      if (entry.kind !== 'key') continue;
      const key = Buffer.from(entry.key).toString();
      found.set(key, (found.get(key) ?? new Set()).add(Buffer.from(entry.value ?? []).toString()));
    }
  const wrong = Array.from({ length: published }, (_, i) => i).filter((i) => {
    const values = [...(found.get(keyOf(i)) ?? [])];
    return values.length !== 1 || values[0] !== valueOf(i);
  });
  expect({ wrong: wrong.slice(0, 5), keys: found.size }).toEqual({ wrong: [], keys: published });
}

/** One chain of rows and one history, by several processes; no alarm. Whether somebody found the replica behind. */
async function expectOneTrust(url: string): Promise<boolean> {
  const store = await PostgresRootStore.open(url, { create: 'never' });
  open.push(() => store.close());
  const clients = new Set<string>();
  const servers = new Set<string>();
  const outcomes = new Set<string>();
  for await (const row of store.audit.roots()) {
    outcomes.add(row.outcome);
    if (row.outcome === 'root') servers.add(row.server);
    if (row.operation === 'ingest') clients.add(row.clientId);
  }
  expect(servers.size).toBe(1);
  expect(clients.size).toBeGreaterThan(1);
  const lagged = outcomes.delete('rollback');
  expect([...outcomes].sort()).toEqual(['calls', 'pinned', 'root']);
  expect(await store.audit.verify()).toMatchObject({ ok: true });
  return lagged;
}

/** A replica of the new primary goes its own way: with that at hand alone, under the trust of all machines, it is a fork. */
async function expectFork(
  ledger: TestImmudb,
  { known, store, cwd, path }: { known: string; store: string; cwd: string; path: string },
): Promise<void> {
  const third = await TestImmudb.start();
  open.push(() => third.close());
  await follow(ledger, third, 'orders');
  const [here, there] = await Promise.all(
    [ledger, third].map(({ address }) => WireClient.open(address, 'orders')),
  );
  const txOf = async (wire: WireClient) => BigInt((await wire.call('CurrentState')).txId ?? 0);
  await until('a third ledger', async () => (await txOf(there!)) === (await txOf(here!)));
  for (const wire of [here, there]) wire?.close();
  const at = `--address ${third.address} --database orders`;
  const trusted = `--database orders --store '${store}'`;
  const script = `
    immu-ts databases settings orders --address ${third.address} --change '{"replication":{"replica":false}}'
    immu-ts set apart 1 --unverified ${at}
    immu-ts set apart 2 --unverified ${at}
    immu-ts set here 1 --address ${known} ${trusted}`;
  const written = await bash(script, cwd, path);
  expect(written, written.stderr).toMatchObject({ code: 0 });
  await ledger.kill();
  const get = `immu-ts get order/1 --address ${known},${third.address} ${trusted}`;
  const { code, stdout, stderr } = await bash(get, cwd, path);
  expect([code, stdout, stderr]).toEqual([3, '', expect.stringContaining('FORK_DETECTED')]);
}

function bash(script: string, cwd: string, PATH: string): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH, XDG_CONFIG_HOME: cwd };
    execFile('sh', ['-eu', '-c', script], { cwd, env, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? null) : 0, stdout, stderr }),
    );
  });
}

async function until(what: string, isSo: () => Promise<boolean>, said = () => ''): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not ${what} within ${PATIENCE_MS} ms: ${said()}`);
    await delay(50);
  }
}
