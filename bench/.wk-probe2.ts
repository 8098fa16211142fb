import { performance } from 'node:perf_hooks';
import { TestChain, bytesOf, utf8, spki, signingKey } from '../test/worker/support/test-chain.ts';
import { jobOf } from '../test/worker/support/verifiers.ts';
import { check } from '#dist/worker/check.js';
import { packJobs, packedSize, unpackJobs } from '#dist/worker/packet.js';
import { packOutcomes, unpackOutcomes } from '#dist/worker/verdict-packet.js';
import { ThreadPool } from '#dist/worker/thread-pool.js';
import { PooledVerifier } from '#dist/worker/pooled-verifier.js';
import { setSha256, sha256 } from '#dist/proof/hash.js';
let hashes = 0;
const chain = new TestChain().grow(5000);
const head = chain.root(4999n);
const HASHJ = jobOf(
  { kind: 'get', key: utf8('filler 700') },
  head,
  bytesOf('get', chain.verifiableEntry('filler 700', 701n, 4999n)),
);
console.log('answer bytes', HASHJ.answer.length);
const jobs = Array.from({ length: 256 }, (_, i) => {
  const t = 1 + ((i * 17) % 4900);
  return jobOf(
    { kind: 'get', key: utf8(`filler ${t - 1}`) },
    head,
    bytesOf('get', chain.verifiableEntry(`filler ${t - 1}`, BigInt(t), 4999n)),
  );
});
setSha256((d) => {
  hashes++;
  return sha0(d);
});
import { sha256 as sha0 } from '@noble/hashes/sha2.js';
check(HASHJ);
console.log('hashes per get', hashes);
setSha256();

import { readFileSync } from 'node:fs';
const cpu = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
function med(f: () => void, n = 9) { const xs: number[] = []; for (let i=0;i<n;i++){ const t=cpu(); f(); xs.push(cpu()-t);} xs.sort((a,b)=>a-b); return xs[n>>1]!; }
for (let i=0;i<3;i++) jobs.forEach(check);
const inline = med(() => jobs.forEach(check)) / 256;
console.log('inline cpu us/job', inline.toFixed(1));
const sized = jobs.map((job) => ({job, size: packedSize(job)}));
for (const threads of [1]) {
  for (const k of [16]) {
    const p = new PooledVerifier({threads, inlineBelowJobs:0, messageBytes: 1<<22, minSpreadJobs: 1e6});
    for (let i=0;i<4096/k && i<600;i++) await Promise.all(jobs.slice(0,k).map(j=>p.verify(j)));
    const rounds = Math.min(3000,3000);
    const c0 = cpu(); 
    for (let i=0;i<rounds;i++) await Promise.all(jobs.slice(0,k).map(j=>p.verify(j)));
    const c = cpu()-c0;
    console.log('threads', threads, 'jobs/msg', k, 'main cpu us/job', (c/rounds/k).toFixed(1), 'us/msg', (c/rounds).toFixed(1), 'ratio', (c/rounds/k/inline).toFixed(3));
    await p.close();
  }
}
