// `immu-ts audit database --shards --queue`, in a file and in PostgreSQL: two who begin at once, others that join, and what
// somebody who may write to the queue can do.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { SqliteAuditQueue } from '#dist/audit.js';
import type { AuditQueue } from '#dist/audit.js';
import { PostgresAuditQueue } from '#dist/postgres.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { signedByOther } from '../contract/queue/open-queue.js';
import { execute } from '../store/support.js';
import { POSTGRES } from '../support/postgres-mark.js';
import { postgresBin, sharedPostgres } from '../support/postgres.js';
import { call } from './call.js';
import { start, temporaryFolder } from './run.js';
import { timeless } from '../audit/timeless.js';

interface Place {
  /** As it stands on the command line, with a password where there is one. */
  readonly queue: string;
  open(): Promise<AuditQueue & AsyncDisposable>;
  tamper(sql: string): Promise<void>;
}

const places: Readonly<Record<string, () => Promise<Place>>> = {
  'in a file': () => {
    const queue = join(folder, 'audit.queue');
    return Promise.resolve({
      queue,
      open: () => SqliteAuditQueue.open(queue),
      tamper: (sql) => {
        execute(queue, sql);
        return Promise.resolve();
      },
    });
  },
  [`${POSTGRES} in PostgreSQL`]: async () => {
    const server = await sharedPostgres();
    const schema = server.newSchema();
    const queue = `${server.url().replace('postgres@', 'postgres:hidden@')}?schema=${schema}`;
    return {
      queue,
      open: () => PostgresAuditQueue.open(queue),
      tamper: async (sql) => {
        await server.sql(`SET search_path TO ${schema}; ${sql}`);
      },
    };
  },
};

let folder: string;
let path: string;
let ledger: EmbeddedLedger;
/** How long an answer takes. */
let answersMs: number;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'roots.db');
  ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  await using store = await SqliteRootStore.open(path);
  await using client = new ImmuClient({
    ...{ address: ledger.address, store, credentials: { user: 'immudb', password: 'immudb' } },
  });
  for (let i = 1; i <= 60; i++) await client.set(`k${i}`, `v${i}`);
  await client.verifiedState();
});

const to = () => ['--store', path, '--address', ledger.address];
const audit = (...more: string[]) => ['audit', 'database', '--format', 'json', ...to(), ...more];
/** An audit that has begun, and has its queue. */
async function begun({ queue, open }: Place, ...more: string[]) {
  const main = await start(audit('--shards', '6', '--queue', queue, ...more), { cwd: folder, again: true });
  for (;;) {
    const opened = await open().catch(() => undefined);
    if (opened) {
      onTestFinished(() => opened.close());
      return { main, opened };
    }
    if (main.child.exitCode !== null) throw new Error((await main.outcome).stderr);
    await delay(20);
  }
}

describe.each(Object.entries(places))('a queue %s', (name, newPlace) => {
  const it = test.skipIf(name.startsWith(POSTGRES) && postgresBin() === undefined);

  it('processes that are started work on it, and nobody sees its password', async () => {
    const place = await newPlace();
    slowDown(40);
    const { main } = await begun(place, '--workers', '2');
    let seen = '';
    while (!seen.includes('audit work') && main.child.exitCode === null) {
      seen = childrenOf(main.child.pid!);
      await delay(10);
    }
    const { code, stdout, stderr } = await main.outcome;
    expect(seen).toContain('audit work');
    expect(seen + stdout + stderr).not.toContain('hidden');
    expect(stderr).toContain('joined from 6 signed reports');
    expect(stderr).not.toContain('a worker ended');
    expect(code).toBe(0);
    expect(timeless(stdout)).toEqual(timeless((await call(audit())).stdout));
    // It goes with the audit.
    await expect(place.open()).rejects.toMatchObject({ code: 'STORE_MISSING' });
  }, 120_000);

  it('of two who begin the same audit at once one does it, and the other one fails', async () => {
    const { queue } = await newPlace();
    slowDown(100);
    const words = audit('--shards', '6', '--workers', '0', '--queue', queue);
    const both = await Promise.all(
      [0, 1].map(async () => (await start(words, { cwd: folder, again: true })).outcome),
    );
    const [done, refused] = both.sort((a, b) => a.code! - b.code!);
    expect(done).toMatchObject({ code: 0 });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    // A file that was made a moment ago is no queue yet.
    expect(refused!.stderr).toMatch(/holds the queue of an audit already|file already exists/);
    expect(refused!.stderr).not.toContain('hidden');
  }, 120_000);

  it('what strangers hand in is refused, and looked at all the same', async () => {
    const place = await newPlace();
    slowDown(150);
    const { main, opened } = await begun(place, '--workers', '0');
    // The highest range, so that it is taken from nobody.
    const mine = [];
    for (let lease = await opened.lease('stranger', 60_000); typeof lease !== 'string';) {
      mine.push(lease);
      lease = await opened.lease('stranger', 60_000);
    }
    answersMs = 0;
    expect(mine.length).toBeGreaterThan(1);
    const { under } = await opened.task();
    for (const [i, lease] of mine.entries()) {
      const report = await reportOfTwin(lease.first, lease.last, under);
      await opened.finish(lease, i === 0 ? (JSON.parse('{"no":"report"}') as never) : report);
    }
    const { code, stdout, stderr } = await main.outcome;
    expect(stderr.match(/^refused: txs /gm)).toHaveLength(mine.length);
    expect(stderr).toContain('a key that is not accepted');
    expect(stderr).toContain('joined from 6 signed reports');
    expect(code).toBe(0);
    expect(timeless(stdout)).toEqual(timeless((await call(audit())).stdout));
  }, 120_000);

  it('whose ranges are changed is not believed: the whole is audited by one process', async () => {
    const place = await newPlace();
    slowDown(150);
    const { main, opened } = await begun(place, '--workers', '0');
    await opened.lease('nobody', 1);
    await place.tamper('DELETE FROM audit_range WHERE first > 40');
    answersMs = 0;
    const { code, stdout, stderr } = await main.outcome;
    expect(stderr).toContain('the queue has other ranges than it was made with');
    expect(stderr).toContain('by one process instead');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ from: '1', to: '60', checked: { txs: 60 } });
  }, 120_000);

  it('one that asks for less than was asked for is not believed', async () => {
    const place = await newPlace();
    slowDown(150);
    const secret = join(folder, 'key.pem');
    const own = generateKeyPairSync('ed25519');
    await writeFile(secret, own.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const { main } = await begun(place, '--workers', '0', '--values', '--key', secret);
    await place.tamper('UPDATE audit_task SET with_values = 0');
    const work = ['audit', 'work', '--key', secret, ...to()];
    const worker = await call(work, { env: { IMMU_TS_QUEUE: place.queue } });
    const { code, stdout, stderr } = await main.outcome;
    answersMs = 0;
    expect(worker.stderr).toMatch(/[1-9]\d* ranges done/);
    expect(stderr).toContain('it looked at something else than was asked for');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ withValues: true, checked: { values: 60 } });
  }, 120_000);

  it('is of one database, and refuses a worker of another; one that is not there is an error', async () => {
    const place = await newPlace();
    const secret = join(folder, 'key.pem');
    await writeFile(
      secret,
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    const work = ['audit', 'work', '--queue', place.queue, '--key', secret, ...to()];
    await expect(call(work)).rejects.toMatchObject({ code: 'STORE_MISSING' });
    slowDown(150);
    const { main } = await begun(place, '--workers', '0');
    await expect(call([...work, '--database', 'other'])).rejects.toThrow(
      'the queue is of database "defaultdb"',
    );
    expect(await main.outcome).toMatchObject({ code: 0 });
  }, 120_000);
});

/** A report of somebody whose key nobody accepts, of a range that nothing is wrong with. */
async function reportOfTwin(first: bigint, last: bigint, under: { tx: bigint; alh: Uint8Array }) {
  await using store = await SqliteRootStore.open(path);
  await using client = new ImmuClient({
    ...{ address: ledger.address, store, credentials: { user: 'immudb', password: 'immudb' } },
  });
  const key = generateKeyPairSync('ed25519').privateKey;
  const { report } = await client.audit.range({ first, last, under, key });
  return signedByOther(report);
}

function slowDown(ms: number): void {
  answersMs = ms;
  ledger.lie({
    ...{ kind: 'mutate', methods: ['TxScan'] },
    mutate: () => {
      const until = performance.now() + answersMs;
      while (performance.now() < until);
      return undefined;
    },
  });
}

function childrenOf(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'args=', '--ppid', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
