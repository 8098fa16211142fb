// What only the SQLite store does: group commit in its own thread, and what happens when that thread is lost.
import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { copyFile, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SqliteRootStore } from '#dist/store/sqlite/sqlite-root-store.js';
import { GroupCommit } from '#dist/store/sqlite/thread/group-commit.js';
import { LogWriter } from '#dist/store/sqlite/log/log-writer.js';
import type { WriteRequest } from '#dist/store/log/requests.js';
import type { Numbered } from '#dist/store/sqlite/thread/numbered.js';
import { openStore } from '#dist/store/sqlite/file/open.js';
import { openSqlite } from '#dist/sqlite/open.js';
import {
  KEY,
  alh,
  child,
  climb,
  closing,
  edit,
  entry,
  event,
  folder,
  newStore,
  refusal,
  rows,
} from './support.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** The thread behind a store: whoever `call` sends a message to. */
async function threadOf(call: () => Promise<unknown>): Promise<Worker> {
  const sent = vi.spyOn(Worker.prototype, 'postMessage');
  await call();
  const thread = sent.mock.contexts[0];
  sent.mockRestore();
  if (!(thread instanceof Worker)) throw new Error('no message was sent');
  return thread;
}

describe('group commit', () => {
  it('commits the writes of a turn together, and tells each caller its own outcome', async () => {
    const store = await newStore();
    const callers = Array.from({ length: 64 }, (_, i) => i);
    const results = await Promise.allSettled(
      callers.map((i) => {
        if (i % 16 === 7) return store.record(event(1n, { calls: -1 }));
        const key = { ...KEY, database: `db-${i % 4}` };
        // One of every four wins.
        return i % 2 === 0 ? store.advance(null, entry(BigInt(i + 1), key)) : store.record(event(1n, key));
      }),
    );
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(4);
    const moved = results.filter((r) => r.status === 'fulfilled' && 'moved' in r.value && r.value.moved);
    expect(moved).toHaveLength(2);
    expect(await rows(store)).toHaveLength(28 + 2);
    expect(store.diagnostics).toEqual({ commits: 1, writes: 60 });
  });

  it('takes along what arrives while a group is being committed', async () => {
    const store = await newStore();
    // Each caller goes on by itself, out of step with the others.
    const callers = Array.from({ length: 64 }, async (_, caller) => {
      for (let i = 0; i < 10; i++) {
        for (let turns = caller % 5; turns > 0; turns--) await new Promise((turn) => setImmediate(turn));
        await store.record(event(BigInt(i), { clientId: `caller-${caller}` }));
      }
    });
    await Promise.all(callers);
    const { commits, writes } = store.diagnostics;
    expect(writes).toBe(640);
    expect(commits).toBeLessThan(640 / 4);
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 640n });
  });

  it('answers reads of a turn together with its writes, in one message each way', async () => {
    const store = await newStore();
    await climb(store, 0, 1);
    const messages = vi.spyOn(Worker.prototype, 'postMessage');
    const [head, outcome] = await Promise.all([
      store.head(KEY),
      store.advance({ tx: 1n, alh: alh(1n) }, entry(2n)),
      store.identity('nowhere'),
    ]);
    expect(messages).toHaveBeenCalledTimes(1);
    expect(outcome).toEqual({ moved: true });
    expect([1n, 2n]).toContain(head?.tx);
  });

  it('streams pages of rows with and without evidence', async () => {
    const store = await newStore();
    const job = new Uint8Array(3 * 1024 * 1024).fill(5);
    await Promise.all(
      Array.from({ length: 1300 }, (_, i) =>
        store.record(event(BigInt(i), i % 200 === 3 ? { evidence: { check: 'c', job } } : {})),
      ),
    );
    const read = await rows(store);
    expect(read.map(({ seq }) => seq)).toEqual(Array.from({ length: 1300 }, (_, i) => BigInt(i + 1)));
    expect(read.filter(({ evidence }) => evidence?.job.length === job.length)).toHaveLength(7);
    expect(await rows(store, { limit: 700, order: 'desc' })).toHaveLength(700);
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 1300n });
  });

  it('finds few rows among many by index, and many along the log, alike', async () => {
    const store = await newStore();
    const count = 5000;
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        store.record(event(BigInt(i), { outcome: i % 1000 === 5 ? 'failure' : 'calls' })),
      ),
    );
    const seqs = async (query: Parameters<typeof rows>[1]) =>
      (await rows(store, query)).map(({ seq }) => Number(seq));
    expect(await seqs({ outcome: 'failure', order: 'desc' })).toEqual([4006, 3006, 2006, 1006, 6]);
    expect(await seqs({ txRange: { from: 4321n, to: 4322n } })).toEqual([4322, 4323]);
    expect(await seqs({ txRange: { from: 10n }, limit: 2 })).toEqual([11, 12]);
    expect(await seqs({ outcome: 'calls', database: KEY.database })).toHaveLength(count - 5);
    const from = entry(BigInt(count - 3)).verifiedAt;
    expect(await seqs({ timeRange: { from }, outcome: 'calls' })).toEqual([4998, 4999, 5000]);
  });
});

describe('a disk that is full', () => {
  it('fails the row that does not fit, and stores its neighbours', async () => {
    const path = `${await folder()}/roots.db`;
    const { db, log } = openStore(path, { create: 'if-new', busyTimeoutMs: 100 });
    const group = new GroupCommit(db, new LogWriter(log), path);
    const large = { check: 'c', job: new Uint8Array(1024 * 1024) };
    const batch = (id: number): Numbered<WriteRequest>[] => [
      { id, request: { kind: 'record', entry: event(1n) } },
      {
        id: id + 1,
        request: { kind: 'record', entry: event(2n, { evidence: large, clientId: 'new' }) },
      },
      { id: id + 2, request: { kind: 'record', entry: event(3n, { clientId: 'new' }) } },
    ];
    const pages = Number(db.pragma('page_count', { simple: true }));
    db.pragma(`max_page_count = ${pages + 20}`);
    const [first, second, third] = group.commit(batch(1));
    expect(first).toMatchObject({ id: 1, ok: true });
    expect(second).toMatchObject({ id: 2, ok: false, error: { code: 'STORE_FAILED' } });
    expect(second?.ok === false && second.error.message).toContain('SQLITE_FULL');
    expect(third).toMatchObject({ id: 3, ok: true });
    db.pragma(`max_page_count = ${pages + 10_000}`);
    expect(group.commit(batch(4)).map(({ ok }) => ok)).toEqual([true, true, true]);
    db.close();
    const store = await newStore(path);
    expect((await rows(store)).map(({ tx }) => tx)).toEqual([1n, 3n, 1n, 2n, 3n]);
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 5n });
  });
});

describe('the thread', () => {
  it('fails all pending and later calls when it crashes, and keeps what was acknowledged', async () => {
    const store = await newStore();
    await climb(store, 0, 3);
    const thread = await threadOf(() => store.head(KEY));
    const pending = [store.head(KEY), store.record(event(1n)), store.audit.verify()];
    // Nothing that the store itself would send: the thread cannot survive it.
    thread.postMessage(5);
    for (const error of await Promise.all(pending.map(refusal))) {
      expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_FAILED' });
      expect(error.message).toContain(store.path);
    }
    expect(await refusal(store.head(KEY))).toMatchObject({ code: 'STORE_FAILED' });
    await store.close();
    const again = await newStore(store.path);
    expect((await again.head(KEY))?.tx).toBe(3n);
    expect(await again.audit.verify()).toMatchObject({ ok: true, rows: 3n });
  });

  it('fails all calls when it ends without a word', async () => {
    const store = await newStore();
    const thread = await threadOf(() => store.head(KEY));
    const pending = store.audit.verify();
    const gone = EventEmitter.once(thread, 'exit');
    await thread.terminate();
    await gone;
    expect(await refusal(pending)).toMatchObject({ code: 'STORE_FAILED' });
    expect(await refusal(store.record(event(1n)))).toMatchObject({ code: 'STORE_FAILED' });
  });

  it('finishes the writes that were asked for before it is closed', async () => {
    const store = await newStore();
    const writes = Array.from({ length: 300 }, (_, i) => store.record(event(BigInt(i))));
    const closed = store.close();
    expect(await refusal(store.record(event(1n)))).toMatchObject({ code: 'CLOSED' });
    await Promise.all(writes);
    await closed;
    const again = await newStore(store.path);
    expect(await rows(again)).toHaveLength(300);
  });

  it('ends a walk along the chain when it is closed', async () => {
    const store = await newStore();
    await Promise.all(Array.from({ length: 2000 }, (_, i) => store.record(event(BigInt(i)))));
    const walk = store.audit.verify();
    const [outcome] = await Promise.allSettled([walk, store.close()]);
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'CLOSED' });
    else expect(outcome.value).toMatchObject({ ok: true, rows: 2000n });
  });

  it('writes on while the chain is walked', async () => {
    const store = await newStore();
    await Promise.all(Array.from({ length: 3000 }, (_, i) => store.record(event(BigInt(i)))));
    const order: string[] = [];
    const walk = store.audit.verify().finally(() => order.push('walked'));
    // Asked for after the walk, and durable before its end.
    await store.record(event(1n)).then(() => order.push('written'));
    expect(await walk).toMatchObject({ ok: true });
    expect(order).toEqual(['written', 'walked']);
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 3001n });
  });

  it('does not keep the process alive while idle, and does while it is asked', async () => {
    const process = child('idle.mjs', `${await folder()}/roots.db`);
    expect(await process.gone).toEqual({ code: 0, signal: null });
    expect(process.lines).toEqual(['server-1']);
  });
});

describe('stores of one process', () => {
  /** The threads that messages are sent to from now on. */
  function threads(): () => Worker[] {
    const sent = vi.spyOn(Worker.prototype, 'postMessage');
    return () => [...new Set(sent.mock.contexts)].filter((sender) => sender instanceof Worker);
  }
  const hasEnded = ({ threadId }: Worker) => threadId === -1;

  it('with a path each have a thread each, which has ended when they are closed', async () => {
    const used = threads();
    const stores = await Promise.all(Array.from({ length: 10 }, () => newStore()));
    await Promise.all(stores.map((store) => store.head(KEY)));
    expect(used()).toHaveLength(10);
    expect(used().some(hasEnded)).toBe(false);
    await Promise.all(stores.map((store) => store.close()));
    expect(used().every(hasEnded)).toBe(true);
  });

  it('with the same path share one, until the last of them is closed', async () => {
    const used = threads();
    const path = `${await folder()}/roots.db`;
    const stores = await Promise.all(Array.from({ length: 20 }, () => SqliteRootStore.open(path)));
    const [first, second, ...others] = stores;
    await Promise.all(stores.map((store, i) => store.record(event(BigInt(i)))));
    expect(used()).toHaveLength(1);
    expect(first?.diagnostics).toEqual({ commits: 1, writes: 20 });
    const pending = second?.record(event(99n));
    await first?.close();
    expect(await refusal(first!.head(KEY))).toMatchObject({ code: 'CLOSED' });
    expect(await refusal(first!.record(event(1n)))).toMatchObject({ code: 'CLOSED' });
    await pending;
    expect(await rows(second!)).toHaveLength(21);
    const late = await SqliteRootStore.open(path);
    expect(late.diagnostics).toEqual({ commits: 0, writes: 0 });
    await Promise.all([second!, ...others].map((store) => store.close()));
    expect(used().some(hasEnded)).toBe(false);
    expect(await rows(late)).toHaveLength(21);
    await late.close();
    expect(used()).toHaveLength(1);
    expect(used().every(hasEnded)).toBe(true);
    expect(await rows(await newStore(path))).toHaveLength(21);
  });

  it('with other settings have threads of their own', async () => {
    const used = threads();
    const path = `${await folder()}/roots.db`;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const checkpoints = { everyRows: 5 };
    for (const options of [
      {},
      { busyTimeoutMs: 5 },
      { checkpoints },
      { checkpoints: { ...checkpoints, key: privateKey } },
      { checkpoints: { everyRows: 5 }, closeTimeoutMs: 99 },
      { create: 'never' } as const,
    ]) {
      await closing(await SqliteRootStore.open(path, options)).head(KEY);
    }
    expect(used()).toHaveLength(4);
  });

  it('are looked at each time that one is opened', async () => {
    const store = await newStore();
    await climb(store, 0, 3);
    edit(store.path, 'UPDATE head SET tx = 9');
    expect(await refusal(SqliteRootStore.open(store.path))).toMatchObject({ code: 'STORE_DAMAGED' });
    const gone = await newStore();
    await rename(gone.path, `${gone.path}.away`);
    expect(await refusal(SqliteRootStore.open(gone.path))).toMatchObject({ code: 'STORE_MISSING' });
    await rename(`${gone.path}.id`, `${gone.path}.away.id`);
    for (const suffix of ['-wal', '-shm']) await rm(gone.path + suffix, { force: true });
    // Another one there: it has a thread of its own, and the one before is not written to.
    const other = await newStore(gone.path);
    await other.record(event(1n));
    expect(await refusal(gone.record(event(1n)))).toMatchObject({ code: 'STORE_MISSING' });
  });

  it('end the walks of the one that is closed, not those of others', async () => {
    const store = await newStore();
    await Promise.all(Array.from({ length: 3000 }, (_, i) => store.record(event(BigInt(i)))));
    const other = await newStore(store.path);
    const [walk, others] = [store.audit.verify(), other.audit.verify()];
    const ended = refusal(walk);
    await store.close();
    expect(await ended).toMatchObject({ code: 'CLOSED' });
    expect(await others).toMatchObject({ ok: true, rows: 3000n });
  });

  it('a thread that gives no answer keeps nobody waiting for its close', async () => {
    const options = { busyTimeoutMs: 60_000, closeTimeoutMs: 100 };
    const path = `${await folder()}/roots.db`;
    const [one, two] = [await SqliteRootStore.open(path, options), await SqliteRootStore.open(path, options)];
    const locking = openSqlite(path);
    locking.exec('BEGIN IMMEDIATE');
    const writes = [one.record(event(1n)), two.record(event(2n))].map(refusal);
    await one.close();
    await two.close();
    for (const error of await Promise.all(writes)) {
      expect(error).toMatchObject({ code: 'STORE_FAILED' });
      expect(error.message).toContain('may not have been done');
    }
    locking.exec('ROLLBACK');
    locking.close();
    expect(await (await newStore(path)).audit.verify()).toMatchObject({ ok: true });
  });
});

describe('a file that changes under an open store', () => {
  it.each<[string, (path: string) => Promise<void>]>([
    ['deleted', (path) => rm(path)],
    ['moved away', (path) => rename(path, `${path}.away`)],
  ])('refuses to write to a file that was %s', async (_how, change) => {
    const store = await newStore();
    await climb(store, 0, 2);
    await change(store.path);
    const results = await Promise.all([
      refusal(store.advance({ tx: 2n, alh: alh(2n) }, entry(3n))),
      refusal(store.record(event(1n))),
    ]);
    for (const error of results) expect(error).toMatchObject({ code: 'STORE_MISSING' });
    await store.close();
    expect(await refusal(SqliteRootStore.open(store.path))).toMatchObject({ code: 'STORE_MISSING' });
  });

  it.each<[string, (path: string, other: string) => Promise<void>]>([
    ['emptied', (path) => truncate(path, 0)],
    ['cut off within its first page', (path) => truncate(path, 50)],
    ['cut off after its first page', (path) => truncate(path, 4096)],
    [
      'cut off in the middle',
      async (path) => truncate(path, Math.floor((await stat(path)).size / 8192) * 4096),
    ],
    ['overwritten with another store', async (path, other) => writeFile(path, await readFile(other))],
    ['overwritten with something else', async (path) => writeFile(path, 'x'.repeat((await stat(path)).size))],
    ['overwritten with an older copy of it', (path) => copyFile(`${path}.backup`, path)],
    ['robbed of its write-ahead log', (path) => truncate(`${path}-wal`, 0)],
    ['robbed of most of its write-ahead log', (path) => truncate(`${path}-wal`, 5000)],
  ])('refuses to write to a file that was %s', async (_how, change) => {
    const other = await newStore();
    await climb(other, 0, 40);
    await other.close();
    const store = await newStore();
    await climb(store, 0, 300);
    await store.close();
    await copyFile(store.path, `${store.path}.backup`);
    // Much of it moved into the file, some of it still in the log beside it.
    const again = await newStore(store.path);
    for (let i = 300; i < 700; i += 50) await climb(again, i, i + 50);
    await change(store.path, other.path);
    // The write-ahead log is looked at some 50 times a second.
    await new Promise((resolve) => setTimeout(resolve, 30));
    const results = await Promise.all([
      refusal(again.advance({ tx: 700n, alh: alh(700n) }, entry(701n))),
      refusal(again.record(event(1n))),
    ]);
    for (const error of results) expect(error).toMatchObject({ code: 'STORE_DAMAGED' });
    for (const error of results) expect(error.message).toContain(store.path);
    // It stays so.
    expect(await refusal(again.record(event(2n)))).toMatchObject({ code: 'STORE_DAMAGED' });
    await again.close();
  });

  it('goes on when others move pages into it, and when room is given back', async () => {
    const store = await newStore();
    await climb(store, 0, 300);
    // Its own wait for others: a thread of its own.
    const other = await SqliteRootStore.open(store.path, { busyTimeoutMs: 9000 });
    for (let i = 0; i < 400; i++) await other.record(event(1n));
    await climb(store, 300, 310);
    await other.close();
    await store.audit.archive({ path: `${store.path}.archive`, keepRows: 5 });
    await climb(store, 310, 320);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });
});
