// The pool around the checks: batches, bounds, deaths and the end.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BroadcastChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClosedError, PoolError } from '#dist/errors.js';
import { createVerifier } from '#dist/worker/create-verifier.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import type { VerifierOptions } from '#dist/worker/pool-options.js';
import { PooledVerifier } from '#dist/worker/pooled-verifier.js';
import type { Job } from '#dist/worker/verifier.js';
import { TestChain, bytesOf, utf8 } from './support/test-chain.js';
import { jobOf, provenBy } from './support/verifiers.js';

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

function pool(options: VerifierOptions = {}): PooledVerifier {
  const verifier = new PooledVerifier({ threads: 1, inlineBelowJobs: 0, ...options });
  onTestFinished(() => verifier.close());
  return verifier;
}

const failing = (options: VerifierOptions = {}) =>
  pool({ threadEntry: fixture('failing-thread'), ...options });

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

describe('a thread that fails', () => {
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
