// A real immudb audited in ranges by processes that are killed at random and started again: the report of a single process.
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy } from '../adversary/proxy.js';
import { call } from '../cli/call.js';
import { start, temporaryFolder } from '../cli/run.js';
import { POSTGRES } from '../support/postgres-mark.js';
import { postgresBin, sharedPostgres } from '../support/postgres.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { USER, openWire, rowsOf } from '../trust/support.js';
import { timeless } from './timeless.js';

const TXS = 2500;
const WORKERS = 3;
/** Of each worker, before one is left to live. */
const KILLS = 2;
/** Each of them lies within a range of its own, whatever the cuts. */
const LIED_ABOUT = ['17', '1717'];

/** A database of some thousand transactions, of one entry and of many. */
async function filled(): Promise<string> {
  const database = await freshDatabase();
  const wire = await openWire(database);
  let next = 1;
  const write = async () => {
    for (let i = next++; i <= TXS; i = next++) {
      const keys = Array.from({ length: i % 50 === 0 ? 40 : 1 }, (_, j) => Buffer.from(`k${i}/${j}`));
      await wire.call('Set', { KVs: keys.map((key) => ({ key, value: Buffer.from(`v${i}`) })) });
    }
  };
  await Promise.all(Array.from({ length: 24 }, write));
  return database;
}

interface Way {
  readonly proxy: Proxy;
  /** Arguments that name the server, and a store that trusts it. */
  readonly words: readonly string[];
}

interface Scene {
  readonly folder: string;
  readonly main: Way;
  readonly workers: readonly Way[];
}

/** Each process has its own way to the server, and its own store: as if it were on a machine of its own. */
async function scene(): Promise<Scene> {
  const [folder, database] = [await temporaryFolder(), await filled()];
  const way = async (name: string): Promise<Way> => {
    const proxy = await Proxy.start(sharedImmudb());
    onTestFinished(() => proxy.close());
    const path = join(folder, `${name}.db`);
    await using store = await SqliteRootStore.open(path);
    const credentials = { ...USER, database };
    await using client = new ImmuClient({ address: proxy.address, store, credentials });
    await client.verifiedState();
    return { proxy, words: ['--store', path, '--address', proxy.address, '--database', database] };
  };
  const main = await way('main');
  const workers: Way[] = [];
  for (let i = 0; i < WORKERS; i++) workers.push(await way(`worker${i}`));
  return { folder, main, workers };
}

const scan = methodDefinition('immudb.schema.ImmuService', 'TxScan');
interface Scanned {
  readonly txs: readonly {
    readonly header: { readonly id: string };
    readonly entries: { hValue: Buffer }[];
  }[];
}

/** Changes what is said of an entry. */
function lie(answer: Buffer): Buffer {
  const shown = scan.responseDeserialize(answer) as Scanned;
  for (const { header, entries } of shown.txs)
    if (LIED_ABOUT.includes(header.id)) entries[0]!.hValue = Buffer.alloc(32, 7);
  return scan.responseSerialize(shown);
}

interface Told {
  readonly lies: boolean;
  /** How long each answer about transactions takes. */
  readonly ms: () => number;
  readonly seen?: () => void;
}

function tell({ proxy }: Way, { lies, ms, seen }: Told): void {
  proxy.intercept = async ({ method, forward }) => {
    if (method !== 'TxScan') return forward();
    seen?.();
    await delay(ms());
    return lies ? lie(await forward()) : forward();
  };
}

/** An audit in ranges by processes, of which some are killed at their work and started again. */
async function audited({ folder, main, workers }: Scene, queue: string, lies: boolean) {
  const pair = generateKeyPairSync('ed25519');
  const [secret, open] = [join(folder, 'key.pem'), join(folder, 'open.pem')];
  await writeFile(secret, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(open, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  let killed = 0;
  // Whoever joins the reports is in no hurry as long as workers die.
  tell(main, { lies, ms: () => (killed < WORKERS * KILLS ? 800 : 0) });
  const shards = ['--shards', '48', '--workers', '0', '--queue', queue, '--accept', open];
  const own = { cwd: folder, again: true, deadlineMs: 200_000 };
  const joining = await start([...AUDIT, ...shards, ...main.words], own);
  const work = ['audit', 'work', '--queue', queue, '--key', secret, '--lease', '1'];
  await Promise.all(
    workers.map(async (way) => {
      let isAtWork = () => {};
      tell(way, { lies, ms: () => 20, seen: () => isAtWork() });
      for (let life = 0; life < KILLS;) {
        const atWork = new Promise<void>((resolve) => (isAtWork = resolve));
        const { child, outcome } = await start([...work, ...way.words], own);
        // The queue may not be there yet.
        await Promise.race([atWork, outcome]);
        await delay(Math.random() * 500);
        if (joining.child.exitCode !== null) break;
        if (child.exitCode === null && child.kill('SIGKILL')) {
          killed++;
          life++;
        }
        await outcome;
      }
      await (
        await start([...work, ...way.words], own)
      ).outcome;
    }),
  );
  const outcome = await joining.outcome;
  let byWorkers = 0;
  for (const { words } of workers) {
    await using store = await SqliteRootStore.open(words[1]!);
    byWorkers += (await rowsOf(store, { operation: 'audit.range' })).length;
  }
  return { ...outcome, killed, byWorkers };
}

const queues: Readonly<Record<string, (folder: string) => Promise<string>>> = {
  'a queue in a file': (folder) => Promise.resolve(join(folder, 'audit.queue')),
  [`${POSTGRES} a queue in PostgreSQL`]: async () => {
    const server = await sharedPostgres();
    return `${server.url()}?schema=${server.newSchema()}`;
  },
};

const AUDIT = ['audit', 'database', '--values', '--format', 'json'];

describeReal('a database of some thousand transactions', () => {
  describe.each(Object.entries(queues))('%s', (name, place) => {
    test.skipIf(name.startsWith(POSTGRES) && postgresBin() === undefined)(
      'workers killed at their work: the single process’s report; what was tampered with is found where it is',
      async () => {
        const staged = await scene();
        for (const lies of [false, true]) {
          tell(staged.main, { lies, ms: () => 0 });
          const single = await call([...AUDIT, ...staged.main.words]);
          const many = await audited(staged, await place(staged.folder), lies);
          expect(many.stderr).toContain('joined from 48 signed reports');
          expect(timeless(many.stdout)).toEqual(timeless(single.stdout));
          expect([single.code, many.code]).toEqual(lies ? [3, 3] : [0, 0]);
          expect(many.killed).toBe(WORKERS * KILLS);
          expect(many.byWorkers).toBeGreaterThan(WORKERS);
          const { findings, checked } = JSON.parse(many.stdout) as {
            findings: { tx: string; check: string }[];
            checked: { txs: number };
          };
          const wrong = lies ? LIED_ABOUT : [];
          expect(findings.map(({ tx, check }) => `${tx} ${check}`)).toEqual(
            wrong.map((tx) => `${tx} entries.root`),
          );
          expect(checked.txs).toBe(TXS - wrong.length);
        }
      },
      400_000,
    );
  });
});
