// Proof documents: what they prove, and that no field of one can be changed.
import { describe, expect, it } from 'vitest';
import { ArgumentError, VerificationError } from '#dist/index.js';
import { verifyProof } from '#dist/audit.js';
import type { PortableProof, ProofRoot } from '#dist/audit.js';
import { makeProof } from '#dist/verify/portable/make.js';
import type { ProofEntry } from '#dist/verify/portable/make.js';
import {
  ABC,
  ALONE,
  DELETED_REF,
  EXPIRING,
  EXTRA,
  HEAD,
  OLD,
  REF,
  TRUNCATING,
  chain,
  fork,
} from './support/scene.js';
import { DATABASE, TestChain, bytesOf, signingKey, spki, utf8 } from './support/test-chain.js';

const SERVER = 'test-server';

/** A document about these entries of a tx (default: all) with their values, under the root at `head`. */
function documentOf(
  tx: bigint,
  at: readonly number[] | 'all' = 'all',
  head = HEAD,
  of = chain,
): PortableProof {
  const stored = of.tx(tx).entries;
  const shown = at === 'all' ? stored : at.map((i) => stored[i]!);
  const entries: ProofEntry[] = shown.map(({ key, value }) => ({ rawKey: key, rawValue: value }));
  const answer = bytesOf('tx', of.verifiableTx(tx, head, { key: signingKey }));
  return makeProof({ server: SERVER, database: DATABASE, entries }, answer);
}

function rootAt(head = HEAD, of = chain): ProofRoot {
  return { ...of.root(head), server: SERVER, database: DATABASE, publicKey: spki };
}

/** Headers that commit to trees that end long before them. */
const lagging = new TestChain().grow(4);
for (let i = 0; i < 6; i++)
  lagging.commit([{ key: utf8(`\u0000lag ${i}`), value: utf8('\u0000v') }], { treeSize: 3 });
lagging.grow(3);

const several = new TestChain().grow(2);
several.set(...Array.from({ length: 7 }, (_, i) => [`key ${i}`, `value ${i}`] as const));
several.grow(5);

const documents: Readonly<Record<string, readonly [PortableProof, ProofRoot]>> = {
  'one entry of three': [documentOf(ABC, [1]), rootAt()],
  'two entries of seven': [documentOf(3n, [2, 6], 8n, several), rootAt(8n, several)],
  'all entries of three': [documentOf(ABC), rootAt()],
  'an entry alone': [documentOf(ALONE), rootAt()],
  'a reference': [documentOf(REF), rootAt()],
  'an entry that expires': [documentOf(EXPIRING), rootAt()],
  'a deletion': [documentOf(DELETED_REF), rootAt()],
  'version 0': [documentOf(OLD), rootAt()],
  'metadata of the transaction': [documentOf(EXTRA), rootAt()],
  'a truncating transaction': [documentOf(TRUNCATING), rootAt()],
  'the first transaction': [documentOf(1n), rootAt()],
  'the one before the root': [documentOf(HEAD - 1n), rootAt()],
  'the root itself': [documentOf(HEAD), rootAt()],
  'under tree lag': [documentOf(2n, 'all', 13n, lagging), rootAt(13n, lagging)],
  'in the lag': [documentOf(6n, 'all', 13n, lagging), rootAt(13n, lagging)],
};

const withHashes = makeProof(
  { server: SERVER, database: DATABASE, entries: 'all' },
  bytesOf('tx', chain.verifiableTx(ABC, HEAD, { key: signingKey })),
);

describe.each(Object.entries(documents))('%s', (_, [document, root]) => {
  it('holds, as an object and as text', () => {
    const { header, entries } = document;
    const proven = verifyProof(JSON.stringify(document), root);
    expect(proven).toEqual(verifyProof(document, root));
    expect(proven).toMatchObject({
      ...{ tx: BigInt(header.id), timestamp: BigInt(header.ts), entryCount: header.nentries },
      ...{ server: SERVER, database: DATABASE, signed: true, root: { tx: root.tx, alh: root.alh } },
    });
    expect(proven.entries.map(({ rawKey }) => Buffer.from(rawKey).toString('base64'))).toEqual(
      entries.map(({ key }) => key),
    );
    expect(verifyProof(document, { tx: root.tx, alh: root.alh })).toMatchObject({ signed: false });
  });

  it('does not hold with anything in it changed, left out or added', () => {
    const changes = [...changesOf(document)];
    expect(changes.length).toBeGreaterThan(100);
    for (const [what, changed] of changes) {
      const error = refusalOf(changed, root);
      if (error instanceof ArgumentError) expect(what).toMatch(/^\.(format|version)/);
      else expect([what, error]).toEqual([what, expect.any(VerificationError)]);
    }
  });

  it('does not hold under another root', () => {
    const { tx, alh } = fork.root(20n);
    const others: ProofRoot[] = [
      { ...root, tx: root.tx + 1n },
      { ...root, alh: Uint8Array.from(root.alh, (byte) => byte ^ 1) },
      { ...root, tx, alh },
      { ...root, server: 'another' },
      { ...root, database: 'another' },
    ];
    for (const other of others)
      expect(refusalOf(document, other)).toMatchObject({ code: 'VERIFICATION_FAILED' });
  });
});

it('says what is proven: keys, values, references, hashes where there are no values', () => {
  const [document, root] = documents['two entries of seven']!;
  expect(verifyProof(document, root).entries).toMatchObject([
    { kind: 'key', key: utf8('key 2'), value: utf8('value 2') },
    { kind: 'key', key: utf8('key 6'), value: utf8('value 6') },
  ]);
  expect(verifyProof(documents['a reference']![0], rootAt()).entries).toMatchObject([
    { key: utf8('ref'), reference: { key: utf8('b'), atTx: 0n } },
  ]);
  const hashes = verifyProof(withHashes, rootAt()).entries;
  expect(hashes.map((entry) => [entry.rawValue, entry.valueHash?.length])).toEqual([
    [undefined, 32],
    [undefined, 32],
    [undefined, 32],
  ]);
  for (const [what, changed] of changesOf(withHashes))
    expect([what, refusalOf(changed, rootAt())]).toEqual([what, expect.any(Error)]);
});

it('names the check that fails', () => {
  const [document, root] = documents['one entry of three']!;
  const lies: [string, (copy: Writable) => void][] = [
    ['entries.inclusion', ({ entries }) => (entries[0].value = Buffer.from('\u0000lie').toString('base64'))],
    ['proof.root', (copy) => (copy.root.tx = '24')],
    ['proof.form', (copy) => (copy.root.alh = copy.root.alh.toUpperCase())],
    ['proof.server', (copy) => (copy.server = 'x')],
    ['dual-proof.inclusion', (copy) => (copy.header.ts = '5')],
    ['signature.missing', (copy) => delete copy.root.signature],
  ];
  for (const [check, lie] of lies) {
    const copy = structuredClone(document) as Writable;
    lie(copy);
    expect(refusalOf(copy, root)).toMatchObject({ evidence: { check, database: DATABASE } });
  }
});

it('is no document, or no root: an argument error that says so', () => {
  const [document, root] = documents['an entry alone']!;
  for (const proof of [undefined, null, 5, '', '{', '[]', 'null', {}, [], { ...document, version: 2 }])
    expect(refusalOf(proof, root)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'proof' });
  const bad: [unknown, string][] = [
    [null, 'root'],
    [{}, 'root.tx'],
    [{ ...root, tx: 1 }, 'root.tx'],
    [{ ...root, alh: 'ab' }, 'root.alh'],
    [{ ...root, alh: new Uint8Array(31) }, 'root.alh'],
    [{ ...root, server: 5 }, 'root.server'],
    [{ ...root, publicKey: 'x' }, 'root.publicKey'],
    [{ ...root, publicKey: new Uint8Array(3) }, 'publicKey'],
  ];
  for (const [given, argument] of bad)
    expect(refusalOf(document, given as ProofRoot)).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
});

it('an entry that is left out of some that are shown leaves the others proven', () => {
  const [document, root] = documents['two entries of seven']!;
  const fewer = { ...document, entries: document.entries.slice(1) };
  expect(verifyProof(fewer, root).entries).toHaveLength(1);
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Writable = any;

function refusalOf(proof: unknown, root: ProofRoot): unknown {
  try {
    return verifyProof(proof as PortableProof, root);
  } catch (error) {
    return error;
  }
}

/** Every field changed in several ways, left out, or accompanied by another; every element of a list moved, doubled, left out. */
function* changesOf(document: object, path = ''): Generator<[string, unknown]> {
  const isList = Array.isArray(document);
  for (const [name, value] of Object.entries(document) as [string, unknown][]) {
    const at = `${path}.${name}`;
    const put = (other: unknown) =>
      isList ? document.with(Number(name), other) : { ...document, [name]: other };
    for (const other of othersOf(value)) yield [`${at} = ${JSON.stringify(other)}`, put(other)];
    if (typeof value === 'object' && value !== null)
      for (const [what, changed] of changesOf(value, at)) yield [what, put(changed)];
    if (!isList) {
      const rest = Object.entries(document).filter(([other]) => other !== name);
      yield [`${at} left out`, Object.fromEntries(rest)];
    } else {
      yield [`${at} twice`, document.toSpliced(Number(name), 0, value)];
      // Of several entries that are shown with their places, fewer may be shown.
      if (path !== '.entries' || document.length === 1 || !('path' in (value as object)))
        yield [`${at} left out`, document.toSpliced(Number(name), 1)];
    }
  }
  if (isList) {
    if (document.length > 1) yield [`${path} reversed`, document.toReversed()];
  } else yield [`${path} and more`, { ...document, more: 1 }];
}

function* othersOf(value: unknown): Generator {
  yield null;
  yield [value];
  if (typeof value === 'boolean') yield !value;
  if (typeof value === 'number') yield* [value + 1, value - 1, value + 0.5, String(value)];
  if (typeof value !== 'string') return;
  yield* ['', `${value}0`, ` ${value}`, value.slice(1), value.slice(0, -1), Number(value)];
  for (const i of [0, value.length >> 1, value.length - 1]) {
    const other = value[i] === '1' ? '2' : '1';
    yield value.slice(0, i) + other + value.slice(i + 1);
  }
}
