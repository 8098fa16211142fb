// What does a thread cost, and from how many jobs a message on does it pay? Jobs of about 40 hashes: read answers of one
// entry. Inline beside the pool at 1 to 256 jobs a message, and beside an empty round trip to the same kind of thread.
// "main" is the time the main thread was busy per job, by its event loop's own account.
import { performance } from 'node:perf_hooks';
import { Piscina } from 'piscina';
import { setSha256 } from '#dist/proof/hash.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import { PooledVerifier } from '#dist/worker/pooled-verifier.js';
import type { Job, Verifier } from '#dist/verify/verifier.js';
import { hashesOf } from './support/hashers.js';
import { readJobs } from './support/jobs.js';
import { count, printTable, ratio } from './support/table.js';

const JOBS = 8192;
const THREADS = 2;
const ROUNDS = 3;

const jobs = readJobs(256);
const inline = new InlineVerifier();
const hashes = hashesOf(() => void inline.verify(jobs[0] as Job));
setSha256();

interface Measured {
  readonly name: string;
  readonly perSecond: number;
  readonly mainMicros: number;
}

/** The best of some rounds, each of JOBS jobs, verdicts checked. */
async function measure(
  name: string,
  batch: number,
  run: (batch: readonly Job[]) => Promise<void>,
  inFlight = 1,
): Promise<Measured> {
  let best: Measured | undefined;
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    const before = performance.eventLoopUtilization();
    let done = 0;
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (done < JOBS) {
          const from = done % jobs.length;
          done += batch;
          await run(jobs.slice(from, from + batch));
          // Let the loop turn, so that what it did is on its account.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
    const { active } = performance.eventLoopUtilization(before);
    const measured = {
      name,
      perSecond: done / ((performance.now() - start) / 1000),
      mainMicros: (active * 1000) / done,
    };
    if (round > 0 && (!best || measured.mainMicros < best.mainMicros)) best = measured;
  }
  return best as Measured;
}

async function verifyAll(verifier: Verifier, batch: readonly Job[]): Promise<void> {
  for (const verdict of await Promise.all(batch.map((job) => verifier.verify(job)))) {
    if (!verdict.ok) throw new Error(`refuted: ${verdict.refuted.detail}`);
  }
}

const results: Measured[] = [await measure('inline', 64, (batch) => verifyAll(inline, batch))];
for (const batch of [1, 4, 16, 64, 256]) {
  const pool = new PooledVerifier({
    threads: THREADS,
    inlineBelowJobs: 0,
    inlineBelowBytes: 0,
    messageBytes: 1 << 24,
  });
  results.push(
    await measure(`pool, ${batch} a message`, batch, (jobs) => verifyAll(pool, jobs), 2 * THREADS),
  );
  await pool.close();
}
const empty = new Piscina({
  filename: new URL('./support/echo-thread.mjs', import.meta.url).href,
  minThreads: 1,
  maxThreads: THREADS,
  idleTimeout: 60_000,
});
results.push(
  await measure(
    'empty round trip',
    1,
    async () => {
      const message = new ArrayBuffer(64);
      await empty.run(message, { transferList: [message] });
    },
    2 * THREADS,
  ),
);
await empty.destroy();

const base = results[0] as Measured;
printTable(
  `Verifying answers of ${hashes} hashes, ${THREADS} threads`,
  results.map(({ name, perSecond, mainMicros }) => ({
    what: name,
    'jobs /s': count(perSecond),
    'main thread µs a job': mainMicros.toFixed(1),
    ': inline': ratio(mainMicros / base.mainMicros),
  })),
);
