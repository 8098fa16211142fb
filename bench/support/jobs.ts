// Answers of VerifiableGet as a server would send them, with their questions.
import { TestChain, DATABASE, utf8 } from '../../test/verify/support/test-chain.js';
import { methodDefinition } from '#dist/wire/schema.js';
import type { Job } from '#dist/verify/verifier.js';

const TXS = 1500;

/** Reads of different keys, each in a tx of its own, proven to one head: about 40 hashes each. */
export function readJobs(count: number): Job[] {
  const chain = new TestChain();
  for (let i = 1; i <= TXS; i++)
    chain.set([`key ${i}`, `value of about a hundred bytes ${'.'.repeat(70)} ${i}`]);
  const head = chain.root(BigInt(TXS));
  const { responseSerialize } = methodDefinition('immudb.schema.ImmuService', 'VerifiableGet');
  return Array.from({ length: count }, (_, i) => {
    const tx = 1 + ((i * 577) % (TXS - 2));
    const answer = chain.verifiableEntry(`key ${tx}`, BigInt(tx), head.tx);
    return {
      question: { kind: 'get', key: utf8(`key ${tx}`) },
      context: { head, database: DATABASE, now: 1_800_000_000n },
      answer: Uint8Array.from(responseSerialize(answer as object)),
    };
  });
}
