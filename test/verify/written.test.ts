// The checks of a plain Set by its header: exactly what was sent, whatever the server says of it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { methodDefinition } from '#dist/wire/schema.js';
import type { Root, Verifier } from '#dist/verify/verifier.js';
import { type Change, chain, ABC, EXPIRING, EXTRA, LAST, OLD, TRUNCATING } from './support/scene.js';
import { TestChain, bytesOf, utf8, wireHeader } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

type Pair = readonly [key: string, value: string];

const { requestSerialize } = methodDefinition('immudb.schema.ImmuService', 'Set');

/** As proto-loader makes it, not we. */
function requestOf(pairs: readonly Pair[], more: object = {}): Uint8Array {
  const KVs = pairs.map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
  return new Uint8Array(requestSerialize({ KVs, ...more }));
}

/** Three plain entries in one tx, behind ten others. */
const own = new TestChain().grow(10);
const PAIRS: readonly Pair[] = [
  ['x', '1'],
  ['y', ''],
  ['z', '3'],
];
const THREE = own.set(...PAIRS);

interface Written {
  readonly of?: TestChain;
  readonly n?: bigint;
  readonly head?: Root | null;
}

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const written = (
    request: Uint8Array,
    change: Change = () => undefined,
    { of = own, n = THREE, head = of.root(n - 1n) }: Written = {},
  ) => {
    const header = wireHeader(of.tx(n).header);
    change(header);
    return verifier.verify(jobOf({ kind: 'written', request }, head, bytesOf('written', header)));
  };

  it('accepts exactly what was sent, with the tree that the header commits to', async () => {
    const { subject, tree } = provenBy(await written(requestOf(PAIRS)), 'written');
    expect(subject).toMatchObject({ ...own.root(THREE), prevAlh: own.root(10n).alh, nentries: 3 });
    expect(tree).toEqual({ size: 10n, root: own.tx(THREE).header.blRoot });
  });

  it('accepts a first write, a write at first contact, and one far ahead of the head', async () => {
    const first = { of: own, n: 1n };
    for (const head of [null, own.root(0n)])
      provenBy(await written(requestOf([['filler 0', 'value 0']]), undefined, { ...first, head }), 'written');
    provenBy(await written(requestOf(PAIRS), undefined, { head: own.root(2n) }), 'written');
  });

  it('accepts version 0, and that the server noted who wrote', async () => {
    provenBy(await written(requestOf([['old', 'v0']]), undefined, { of: chain, n: OLD }), 'written');
    const { subject } = provenBy(
      await written(requestOf([['who', 'v']]), undefined, { of: chain, n: EXTRA }),
      'written',
    );
    expect(subject.metadata).toEqual({ extra: utf8('me') });
  });

  it('accepts noWait, which changes nothing of what is written', async () => {
    provenBy(await written(requestOf(PAIRS, { noWait: true })), 'written');
  });

  it('refutes a truncation', async () => {
    const check = failedCheck(
      await written(requestOf([['cut', 'v']]), undefined, { of: chain, n: TRUNCATING }),
    );
    expect(check).toBe('written.truncation');
  });

  it('refutes entries with metadata that nobody sent', async () => {
    const check = failedCheck(
      await written(requestOf([['soon', 'v']]), undefined, { of: chain, n: EXPIRING }),
    );
    expect(check).toBe('written.entries');
  });

  it('refutes a reference in place of a value', async () => {
    const forged = new TestChain().grow(4);
    const n = forged.commit([{ key: plainKey(utf8('k')), value: plainValue(utf8('v')).fill(1, 0, 1) }]);
    expect(failedCheck(await written(requestOf([['k', 'v']]), undefined, { of: forged, n }))).toBe(
      'written.entries',
    );
  });

  it('refutes a tx that is not newer than the head', async () => {
    for (const head of [THREE, THREE + 1n, 1000n]) {
      const check = failedCheck(
        await written(requestOf(PAIRS), undefined, { head: { tx: head, alh: own.root(THREE).alh } }),
      );
      expect(check).toBe('written.tx');
    }
  });

  it.each<[string, readonly Pair[], string]>([
    ['fewer entries', PAIRS.slice(0, 2), 'written.count'],
    ['more entries', [...PAIRS, ['w', '']], 'written.count'],
    ['another order', PAIRS.toReversed(), 'written.entries'],
    ['another key', [['X', '1'], ...PAIRS.slice(1)], 'written.entries'],
    ['another value', [['x', '2'], ...PAIRS.slice(1)], 'written.entries'],
    ['a value in place of none', [PAIRS[0]!, ['y', '\0'], PAIRS[2]!], 'written.entries'],
    ['the same entry twice', [PAIRS[0]!, PAIRS[0]!, PAIRS[2]!], 'written.entries'],
    ['nothing', [], 'written.count'],
  ])('refutes a header for other entries: %s was sent', async (_name, pairs, check) => {
    expect(failedCheck(await written(requestOf(pairs)))).toBe(check);
  });

  it.each<[string, Change, string]>([
    ['no id', (header) => delete header.id, 'header.id'],
    ['another number of entries', (header) => (header.nentries = 2), 'written.count'],
    ['another entries root', (header) => (header.eH = own.root(3n).alh), 'written.entries'],
    ['another version', (header) => (header.version = 0), 'written.entries'],
    ['a version that is not known', (header) => (header.version = 2), 'header.version'],
    ['a tree that reaches the tx itself', (header) => (header.blTxId = `${THREE}`), 'header.tree-size'],
    ['no entries', (header) => (header.nentries = 0), 'header.nentries'],
    ['no entries root', (header) => delete header.eH, 'wire.digest'],
    ['a cut entries root', (header) => (header.eH = header.eH.subarray(1)), 'wire.digest'],
  ])('refutes a header with %s', async (_name, change, check) => {
    expect(failedCheck(await written(requestOf(PAIRS), change))).toBe(check);
  });

  it('takes other hashes along only as those of another tx, which the head must reach', async () => {
    for (const change of [
      (header) => (header.ts = '1'),
      (header) => (header.prevAlh = own.root(3n).alh),
      (header) => (header.blRoot = own.root(3n).alh),
      (header) => (header.blTxId = '3'),
      (header) => (header.metadata = { extra: utf8('x') }),
    ] satisfies Change[]) {
      const { subject } = provenBy(await written(requestOf(PAIRS), change), 'written');
      expect(subject.alh).not.toEqual(own.root(THREE).alh);
    }
  });

  it('accepts preconditions, which no tx records', async () => {
    const must = { preconditions: [{ keyMustExist: { key: Buffer.from('x') } }] };
    provenBy(await written(requestOf(PAIRS, must)), 'written');
  });

  it('accepts exactly the metadata that was sent', async () => {
    const alone = (metadata: object) =>
      new Uint8Array(
        requestSerialize({ KVs: [{ key: Buffer.from('soon'), value: Buffer.from('v'), metadata }] }),
      );
    const soon = { expiration: { expiresAt: String(chain.tx(EXPIRING).entries[0]?.metadata?.expiresAt) } };
    const at = { of: chain, n: EXPIRING };
    provenBy(await written(alone(soon), undefined, at), 'written');
    for (const other of [{}, { nonIndexable: true }, { expiration: { expiresAt: '9' } }, { deleted: true }])
      expect(failedCheck(await written(alone(other), undefined, at))).toBe('written.entries');
    const more = { ...soon, nonIndexable: true };
    expect(failedCheck(await written(alone(more), undefined, at))).toBe('written.entries');
  });

  it('refutes whatever a request has that would be sent but not checked', async () => {
    for (const field of [
      [0x20, 0x01],
      [0x0a, 0x05, 0x0a, 0x01, 0x78, 0x20, 0x01],
    ]) {
      const request = Buffer.concat([requestOf(PAIRS), Buffer.from(field)]);
      expect(failedCheck(await written(request))).toBe('wire.request');
    }
  });

  it('says nothing about answers of another kind', async () => {
    const answer = bytesOf('tx', chain.verifiableTx(ABC, LAST));
    const job = jobOf({ kind: 'written', request: requestOf(PAIRS) }, own.root(1n), answer);
    expect(failedCheck(await verifier.verify(job))).toMatch(/^wire\./);
  });
});
