// How many proofs does one thread verify per second? Trees of 2^4, 2^10 and 2^20 txs, and runs of 1024 headers; noble
// beside node:crypto in the same run. Floor: one hash of 65 bytes, the unit all of it is made of.
import { Bench } from 'tinybench';
import { verifySegment } from '#dist/proof/chain.js';
import { verifyDualProof } from '#dist/proof/dual-proof.js';
import { EMPTY_HASH, sha256 } from '#dist/proof/hash.js';
import { HASHERS, hashesOf } from './support/hashers.js';
import { dualProofIn, headerChain } from './support/proofs.js';
import { count, printTable, ratio } from './support/table.js';

const RUN = 1024;
const node = new Uint8Array(65).fill(7);

const cases: { name: string; per: number; work: () => void }[] = [
  { name: 'one hash of 65 bytes', per: 1, work: () => void sha256(node) },
];
for (const log of [4, 10, 20]) {
  const { proof, sourceAlh, targetAlh } = dualProofIn(2 ** log);
  const ends = { sourceTx: proof.sourceTxHeader.id, targetTx: proof.targetTxHeader.id, sourceAlh, targetAlh };
  cases.push({
    name: `dual proof, 2^${log} txs`,
    per: 1,
    work: () => {
      const proven = verifyDualProof(proof, ends);
      if (proven.targetAlh[0] !== targetAlh[0]) throw new Error('not what was to be proven');
    },
  });
}
const headers = headerChain(RUN);
cases.push({
  name: `header, in runs of ${RUN}`,
  per: RUN,
  work: () => {
    if (verifySegment(headers, { tx: 0n, alh: EMPTY_HASH }).length !== RUN)
      throw new Error('not the whole run');
  },
});

const lines = cases.map(({ name, per, work }) => ({ what: name, hashes: ratio(hashesOf(work) / per) }));
const rates: number[][] = [];
for (const { name, use } of HASHERS) {
  use();
  const bench = new Bench({ time: 600, warmupTime: 200 });
  for (const { name, work } of cases) bench.add(name, work);
  await bench.run();
  const perSecond = bench.tasks.map((task, i) => {
    const { result } = task;
    if (!('throughput' in result)) throw new Error(`${task.name} did not run`);
    return result.throughput.mean * (cases[i]?.per ?? 1);
  });
  rates.push(perSecond);
  perSecond.forEach((rate, i) => Object.assign(lines[i] ?? {}, { [`${name} /s`]: count(rate) }));
}
printTable('Verifications per second, one thread', lines);
