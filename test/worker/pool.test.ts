// The pool around the checks: batches, bounds, deaths and the end.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BroadcastChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClosedError, PoolError } from '#dist/errors.js';
import { createVerifier } from '#dist/worker/create-verifier.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import { ThreadPool } from '#dist/worker/thread-pool.js';
import type { VerifierOptions } from '#dist/worker/pool-options.js';
import { PooledVerifier } from '#dist/worker/pooled-verifier.js';
import type { Job, Overload } from '#dist/verify/verifier.js';
import { TestChain, bytesOf, utf8 } from '../verify/support/test-chain.js';
import { jobOf, provenBy } from '../verify/support/verifiers.js';

const chain = new TestChain().grow(3);
const N = chain.set(['a', 'value']);
chain.grow(3);
const good = jobOf(
  { kind: 'get', key: utf8('a') },
  chain.root(6n),
  bytesOf('get', chain.verifiableEntry('a', N, 6n)),
);
const saying = (word: string): Job => ({ ...good, answer: utf8(word) });

const fixture = (name: string) => new URL(`fixtures/${name}.mjs`, import.meta.url);

function pool(options: VerifierOptions = {}, overload?: Overload): PooledVerifier {
  const verifier = new PooledVerifier({ threads: 1, inlineBelowJobs: 0, ...options }, overload);
  onTestFinished(() => verifier.close());
  return verifier;
}

const failing = (options: VerifierOptions = {}, overload?: Overload) =>
  pool({ threadEntry: fixture('failing-thread'), ...options }, overload);

/** Names in the order in which the verdicts came. */
function inOrder() {
  const order: string[] = [];
  const note = async (name: string, verdict: Promise<unknown>) => {
    await verdict.then(
      () => order.push(name),
      (error: unknown) => order.push(`${name}: ${(error as PoolError).code}`),
    );
  };
  return { order, note };
}

/** Whether the verdict's value is a view of the answer, which only the main thread can make. */
async function checkedHere(verifier: PooledVerifier, jobs: readonly Job[]): Promise<boolean[]> {
  const verdicts = await Promise.all(jobs.map((job) => verifier.verify(job)));
  return verdicts.map((verdict, i) => {
    const { found } = provenBy(verdict, 'get');
    return found.kind === 'value' && found.entry.value.buffer === jobs[i]!.answer.buffer;
  });
}

describe('where jobs are checked', () => {
  it('a lone small job here, more of them on a thread', async () => {
    const verifier = pool({ inlineBelowJobs: 2, inlineBelowBytes: 8192 });
    expect(await checkedHere(verifier, [good])).toEqual([true]);
    expect(await checkedHere(verifier, [good, good])).toEqual([false, false]);
    expect(await checkedHere(verifier, [good])).toEqual([true]);
  });

  it('claims of plain reads here, up to sixteen in a row, and the rest on a thread', async () => {
    const claims = (value: string, key = 'a'): Job => {
      const other = new TestChain();
      const tx = other.set([key, value]);
      const answer = bytesOf('entry', other.entry(key, tx));
      return jobOf({ kind: 'claims', keys: [utf8(key)], single: true }, null, answer);
    };
    const here = async (verifier: PooledVerifier, jobs: readonly Job[]) => {
      const verdicts = await Promise.all(jobs.map((job) => verifier.verify(job)));
      return verdicts.map((verdict, i) => {
        const [outcome] = provenBy(verdict, 'claims').outcomes;
        return outcome?.kind === 'value' && outcome.claim.value.buffer === jobs[i]!.answer.buffer;
      });
    };
    const some = Array.from({ length: 20 }, (_, i) => claims(`value ${i}`));
    const verifier = pool({ inlineBelowJobs: 2 });
    expect(await here(verifier, some)).toEqual(some.map((_, i) => i < 16));
    expect(await here(verifier, some.slice(0, 3))).toEqual([true, true, true]);
    expect(await here(verifier, [claims('x'.repeat(2000)), claims('x'.repeat(2000))])).toEqual([
      false,
      false,
    ]);
    expect(await here(pool({ inlineBelowJobs: 0 }), some.slice(0, 2))).toEqual([false, false]);
  });

  it('on a thread that was started before there was work for it', async () => {
    const verifier = pool();
    verifier.prepare();
    verifier.prepare();
    expect(await checkedHere(verifier, [good])).toEqual([false]);
    const unused = pool();
    unused.prepare();
    await unused.close();
    unused.prepare();
    await expect(unused.verify(good)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('a large one on a thread', async () => {
    expect(await checkedHere(pool({ inlineBelowJobs: 2, inlineBelowBytes: 100 }), [good])).toEqual([false]);
  });

  it('in turns too large for one message', async () => {
    const verifier = pool({ threads: 2, messageBytes: 4000, minSpreadJobs: 2 });
    const jobs = Array.from({ length: 200 }, () => good);
    expect(await checkedHere(verifier, jobs)).toEqual(jobs.map(() => false));
  });

  it('leaves answers as they were', async () => {
    const before = good.answer.slice();
    await pool().verify(good);
    expect(good.answer).toEqual(before);
  });

  it('by the options', () => {
    expect(createVerifier({ threads: 0 })).toBeInstanceOf(InlineVerifier);
    expect(createVerifier()).toBeInstanceOf(PooledVerifier);
    for (const name of [
      'threads',
      'maxQueuedJobs',
      'maxQueuedBytes',
      'messageBytes',
      'idleTimeoutMs',
    ] as const) {
      for (const value of [-1, 1.5, Number.NaN, 'two' as unknown as number]) {
        expect(() => createVerifier({ [name]: value })).toThrow(expect.objectContaining({ argument: name }));
      }
    }
  });
});

describe('bounds', () => {
  it('refuses one job too many, and says when there is room', async () => {
    const verifier = pool({ maxQueuedJobs: 3 });
    await verifier.ready();
    const held = [verifier.verify(good), verifier.verify(good), verifier.verify(good)];
    await expect(verifier.verify(good)).rejects.toMatchObject({ code: 'POOL_FULL' });
    let room = false;
    const ready = verifier.ready().then(() => {
      room = true;
    });
    await Promise.resolve();
    expect(room).toBe(false);
    for (const verdict of await Promise.all(held)) expect(verdict.ok).toBe(true);
    await ready;
    expect((await verifier.verify(good)).ok).toBe(true);
  });

  it('counts bytes, but lets a single job of any size in', async () => {
    const verifier = pool({ maxQueuedBytes: good.answer.length });
    const first = verifier.verify(good);
    await expect(verifier.verify(good)).rejects.toMatchObject({ code: 'POOL_FULL' });
    expect((await first).ok).toBe(true);
    await verifier.ready();
    expect((await verifier.verify(good)).ok).toBe(true);
  });

  it('gives room back for jobs that failed', async () => {
    const verifier = failing({ maxQueuedJobs: 1 });
    for (const word of ['throw', 'nonsense', 'exit']) {
      await expect(verifier.verify(saying(word))).rejects.toMatchObject({ code: 'POOL_FAILED' });
    }
    expect((await verifier.verify(good)).ok).toBe(true);
  });
});

describe('waiting for room', () => {
  const one = { maxQueuedJobs: 1 };

  it('in line, in order, whatever the size; nobody is refused', async () => {
    const verifier = pool({ maxQueuedBytes: 3 * good.answer.length }, 'wait');
    const { order, note } = inOrder();
    const large = { ...good, answer: new Uint8Array(100_000) };
    const names = Array.from({ length: 60 }, (_, i) => (i % 20 === 10 ? `large ${i}` : `job ${i}`));
    await Promise.all(
      names.map((name) => note(name, verifier.verify(name.startsWith('large') ? large : good))),
    );
    expect(order).toEqual(names);
  });

  it('takes as long as it takes for what `ready` promised, and is over when none wait', async () => {
    const verifier = pool(one, 'wait');
    expect(verifier.backlog()).toBeUndefined();
    const { order, note } = inOrder();
    const held = [note('1', verifier.verify(good)), note('2', verifier.verify(good))];
    const told = [note('ready', verifier.ready()), note('no backlog', verifier.backlog()!)];
    await Promise.all([...held, ...told]);
    // The room that the first leaves is the second's.
    expect(order).toEqual(['1', 'ready', 'no backlog', '2']);
    expect(verifier.backlog()).toBeUndefined();
  });

  it('is not for those that others wait for', async () => {
    for (const overload of ['wait', 'fail'] as const) {
      const verifier = pool(one, overload);
      const { order, note } = inOrder();
      const held = note('first', verifier.verify(good));
      const line = overload === 'wait' ? [note('waiting', verifier.verify(good))] : [];
      const urgent = note('urgent', verifier.verify(good, { urgent: true }));
      await Promise.all([held, ...line, urgent]);
      expect(order.slice(0, 2).sort()).toEqual(['first', 'urgent']);
    }
  });

  it('is for answers to writes, which are never refused', async () => {
    const verifier = pool(one, 'fail');
    const written: Job = { ...good, question: { kind: 'written', request: utf8('request') } };
    const set: Job = { ...good, question: { kind: 'set', entries: [{ key: utf8('a'), value: utf8('b') }] } };
    const held = verifier.verify(good);
    const writes = [verifier.verify(written, { until: 0 }), verifier.verify(set, { until: 0 })];
    await expect(verifier.verify(good)).rejects.toMatchObject({ code: 'POOL_FULL' });
    expect((await held).ok).toBe(true);
    for (const verdict of await Promise.all(writes)) expect(verdict.ok).toBe(false);
  });

  it('ends for those whose caller has gone, without a check', async () => {
    const verifier = pool(one, 'wait');
    const aborting = new AbortController();
    const { order, note } = inOrder();
    const all = [
      note('held', verifier.verify(good)),
      note('late', verifier.verify(good, { until: performance.now() })),
      note('aborted', verifier.verify(good, { signal: aborting.signal })),
      note('patient', verifier.verify(good, { until: Infinity, signal: new AbortController().signal })),
    ];
    aborting.abort();
    await Promise.all(all);
    expect(order).toEqual(['late: DEADLINE_EXCEEDED', 'aborted: ABORTED', 'held', 'patient']);
  });

  it('ends with the verifier', async () => {
    const verifier = pool(one, 'wait');
    const jobs = Array.from({ length: 5 }, () => verifier.verify(good));
    const outcomes = Promise.allSettled(jobs);
    await verifier.close();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
  });
});

describe('verifiers of one process', () => {
  it('share their threads when their settings are the same, and have limits of their own', async () => {
    const run = vi.spyOn(ThreadPool.prototype, 'run');
    onTestFinished(() => run.mockRestore());
    const some = [pool({ maxQueuedJobs: 1 }), pool({ maxQueuedJobs: 2 }), pool({ closeTimeoutMs: 77 })];
    // Another one that is full is no reason to refuse; jobs of all travel in one message.
    const verdicts = some.map((verifier) => verifier.verify(good));
    await expect(some[0]!.verify(good)).rejects.toMatchObject({ code: 'POOL_FULL' });
    for (const verdict of await Promise.all(verdicts)) expect(verdict.ok).toBe(true);
    expect(run).toHaveBeenCalledTimes(1);
    const other = pool({ threads: 2 });
    expect((await other.verify(good)).ok).toBe(true);
    expect(new Set(run.mock.contexts).size).toBe(2);
  });

  it('end the threads when the last of them is closed, and not before', async () => {
    const destroy = vi.spyOn(ThreadPool.prototype, 'destroy');
    onTestFinished(() => destroy.mockRestore());
    const options = { messageBytes: 12_345 };
    const [first, second, third] = [pool(options), pool(options), pool(options)];
    const held = [first.verify(good), second.verify(good)];
    await first.close();
    await expect(held[0]).rejects.toMatchObject({ code: 'CLOSED' });
    expect((await held[1]!).ok).toBe(true);
    await second.close();
    expect((await third.verify(good)).ok).toBe(true);
    expect(destroy).not.toHaveBeenCalled();
    await third.close();
    expect(destroy).toHaveBeenCalledTimes(1);
    // New ones for who comes later.
    expect((await pool(options).verify(good)).ok).toBe(true);
  });
});

describe('a thread that fails', () => {
  it('by giving no answer: its jobs get a pool error in the end, others are checked by other threads', async () => {
    const verifier = failing({ threads: 2, messageBytes: 1, stuckAfterMs: 2000 });
    // The message behind it on the same thread, and those on the other one, are not to blame.
    const jobs = [saying('hang'), good, good, good, good, good];
    const outcomes = await Promise.allSettled(jobs.map((job) => verifier.verify(job)));
    expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: 'POOL_FAILED' } });
    for (const outcome of outcomes.slice(1))
      expect(outcome).toMatchObject({ status: 'fulfilled', value: { ok: true } });
    expect((await verifier.verify(good)).ok).toBe(true);
  });

  it.each(['exit', 'crash', 'throw', 'nonsense', 'nothing'])(
    'by %s: its jobs get a pool error, the next ones a thread',
    async (word) => {
      const verifier = failing();
      for (let round = 0; round < 2; round++) {
        const jobs = await Promise.allSettled([good, saying(word), good].map((job) => verifier.verify(job)));
        for (const outcome of jobs) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'POOL_FAILED' } });
          expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(PoolError);
        }
        provenBy(await verifier.verify(good), 'get');
      }
    },
  );

  it('fails the messages on it, not those on other threads', async () => {
    const verifier = failing({ threads: 2, messageBytes: 1 });
    const channel = new BroadcastChannel('failing-thread');
    onTestFinished(() => channel.close());
    const threads: number[] = [];
    const allThere = new Promise<void>((resolve) => {
      channel.onmessage = (event) => {
        if (threads.push((event as { data: number }).data) === 3) resolve();
      };
    });
    // Two messages fill the first thread, the third needs a second one; the deadly one joins it.
    const waiting = [saying('wait'), saying('wait'), saying('wait')].map((job) => verifier.verify(job));
    const outcomes = Promise.allSettled(waiting);
    await allThere;
    expect(new Set(threads).size).toBe(2);
    await expect(verifier.verify(saying('exit'))).rejects.toMatchObject({ code: 'POOL_FAILED' });
    channel.postMessage('go');
    const statuses = (await outcomes).map((outcome) => outcome.status);
    expect(statuses).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect((await verifier.verify(good)).ok).toBe(true);
  });

  it.each(['broken-at-start', 'exits-at-start'])(
    'at its start (%s): a pool error, not a hang',
    async (name) => {
      const verifier = pool({ threads: 2, threadEntry: fixture(name) });
      for (let round = 0; round < 4; round++) {
        await expect(verifier.verify(good)).rejects.toMatchObject({ code: 'POOL_FAILED' });
      }
      const many = await Promise.allSettled(Array.from({ length: 100 }, () => verifier.verify(good)));
      for (const outcome of many)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'POOL_FAILED' } });
    },
  );
});

describe('close', () => {
  it('lets jobs in flight end and rejects queued ones', async () => {
    const verifier = pool();
    const inFlight = verifier.verify(good);
    // The end of the turn puts it into a message.
    await new Promise((resolve) => setImmediate(resolve));
    const queued = verifier.verify(good);
    const ready = verifier.ready();
    const closed = verifier.close();
    expect(verifier.close()).toBe(closed);
    await expect(queued).rejects.toBeInstanceOf(ClosedError);
    expect((await inFlight).ok).toBe(true);
    await ready;
    await closed;
    await expect(verifier.verify(good)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(verifier.ready()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('tells those who wait for room', async () => {
    const verifier = pool({ maxQueuedJobs: 1 });
    const held = verifier.verify(good);
    const ready = verifier.ready();
    const closed = verifier.close();
    await expect(held).rejects.toBeInstanceOf(ClosedError);
    await expect(ready).rejects.toBeInstanceOf(ClosedError);
    await closed;
  });

  it('does not wait for a thread that never answers', async () => {
    const verifier = failing({ closeTimeoutMs: 50 });
    const stuck = verifier.verify(saying('hang'));
    await new Promise((resolve) => setImmediate(resolve));
    const closed = verifier.close();
    await expect(stuck).rejects.toMatchObject({ code: 'POOL_FAILED' });
    await closed;
  });

  it('of a pool that never had anything to do', async () => {
    const verifier = new PooledVerifier();
    await verifier.close();
  });

  it('by await using', async () => {
    let closed: PooledVerifier;
    {
      await using verifier = new PooledVerifier();
      closed = verifier;
      expect((await verifier.verify(good)).ok).toBe(true);
    }
    await expect(closed.verify(good)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('the process', () => {
  it.each([
    ['close', 0, 'ended\n'],
    ['leave', 25, ''],
    ['leave', 40, ''],
    ['leave', 55, ''],
  ] as const)(
    'survives threads that are ended while they load (%s %i)',
    async (end, afterMs, said) => {
      const folder = await mkdtemp(join(tmpdir(), 'immu-loading-'));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      const restless = [fileURLToPath(fixture('restless-process')), folder, end, String(afterMs)];
      expect(await promisify(execFile)(process.execPath, restless)).toEqual({ stdout: said, stderr: '' });
    },
    120_000,
  );

  const script = fileURLToPath(fixture('idle-process'));
  const run = (...args: string[]) => promisify(execFile)(process.execPath, args, { timeout: 20_000 });

  it.each(['close', 'leave'])('ends by itself (%s)', async (mode) => {
    expect(await run(script, mode)).toEqual({ stdout: '100\n', stderr: '' });
  });

  it('keeps what it was started with out of its threads', async () => {
    const preload = fixture('main-thread-only').href;
    expect(await run('--import', preload, script, 'close')).toEqual({ stdout: '100\n', stderr: '' });
  });
});
