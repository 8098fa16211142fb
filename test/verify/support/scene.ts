// The history that the tests of the checks ask about: every kind of entry, a head in the middle, and a fork.
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { Frontier } from '#dist/proof/tree/frontier.js';
import type { FrontierPeaks } from '#dist/verify/verifier.js';
import { TestChain, utf8, type Wire } from './test-chain.js';
import { NOW } from './verifiers.js';

/** Something done to an honest answer. */
export type Change = (answer: Wire) => unknown;

export const chain = new TestChain().grow(3);
export const ABC = chain.set(['a', '1'], ['b', '2', { nonIndexable: true }], ['c', '']);
export const ALONE = chain.set(['alone', 'x']);
export const REF = chain.setReference('ref', 'b');
export const BOUND = chain.setReference('bound', 'b', ABC);
export const EXPIRING = chain.set(['soon', 'v', { expiresAt: NOW + 1n }]);
export const EXPIRED = chain.set(['gone', 'v', { expiresAt: NOW }]);
export const MARKED = chain.set(['marked', 'v', { deleted: true }]);
export const OLD = chain.commit([{ key: plainKey(utf8('old')), value: plainValue(utf8('v0')) }], {
  version: 0,
});
export const EXTRA = chain.commit([{ key: plainKey(utf8('who')), value: plainValue(utf8('v')) }], {
  metadata: { extra: utf8('me') },
});
export const TRUNCATING = chain.commit([{ key: plainKey(utf8('cut')), value: plainValue(utf8('v')) }], {
  metadata: { truncatedTxId: 2n },
});
export const DELETED_REF = chain.commit([
  { key: plainKey(utf8('dref')), value: chain.tx(REF).entries[0]!.value, metadata: { deleted: true } },
]);
chain.grow(26);
export const HEAD = 25n;
export const LAST = chain.size;

/** The same up to tx 10, then another history of the same length. */
export const fork = new TestChain();
for (let id = 1n; id <= 10n; id++) fork.commit(chain.tx(id).entries);
while (fork.size < LAST) fork.set([`forked ${fork.size}`, 'lie']);

/** One bit of a digest turned. */
export const flip = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === 5 ? byte ^ 1 : byte));
export const flipAt =
  (path: (answer: Wire) => Wire, name: string | number): Change =>
  (answer) => {
    const parent = path(answer);
    parent[name] = flip(parent[name]);
  };
/** Of a VerifiableEntry or a VerifiableTx. */
export const dual = (answer: Wire): Wire => (answer.verifiableTx ?? answer).dualProof;
export const tx = (answer: Wire): Wire => (answer.verifiableTx ?? answer).tx;

/** By the proof code's own way of making one: from a header and the last inclusion proof that ends in it. */
export function frontierAt(id: bigint): FrontierPeaks {
  const { size, peaks } = Frontier.at(chain.tx(id).header, chain.dualProof(id, id).lastInclusionProof);
  return { size, peaks };
}
