// Writes the vector files from source.json: `npx tsx test/vectors/generate.ts` (after a build). One folder per kind of
// proof, one per case, `honest.json` and one file per mutation in it; a second run changes nothing. The check that a
// mutation fails is recorded, so that its name stays what it is; the verdict is not: every mutation must be rejected.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fromHex, toHex } from '#dist/proof/bytes.js';
import { verifyDualProof } from '#dist/proof/dual-proof.js';
import { buildDualProofV2, verifyDualProofV2 } from '#dist/proof/dual-proof-v2.js';
import { verifyEntryInclusion } from '#dist/proof/tree/entries-tree.js';
import { ProofFailure } from '#dist/proof/failure.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import { verifyConsistency, verifyInclusion } from '#dist/proof/tree/merkle.js';
import {
  dualProofFrom,
  dualProofV2From,
  dualProofV2To,
  headerFrom,
  headerTo,
  inclusionFrom,
} from './codec.js';
import type { DualProofJson, DualProofV2Json } from './codec.js';
import { source } from './source.js';

const HERE = new URL('./', import.meta.url);
const written = new Set<string>();

function write(path: string, content: unknown): void {
  const file = new URL(`${path}.json`, HERE);
  if (written.has(file.href)) throw new Error(`written twice: ${path}`);
  written.add(file.href);
  mkdirSync(new URL('./', file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`);
}

/** Name of the check that `run` fails. */
function failedCheck(path: string, run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProofFailure) return error.check;
    throw error;
  }
  throw new Error(`accepted: ${path}`);
}

/** The digest with one bit changed. */
function flipped(hex: string): string {
  const bytes = fromHex(hex);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  return toHex(bytes);
}

/** Every way of spoiling a list of terms that this generator knows, by name. */
function spoiltLists(terms: string[]): [string, string[]][] {
  const out: [string, string[]][] = [['appended', [...terms, 'ab'.repeat(32)]]];
  const [first, second] = terms;
  if (first !== undefined) {
    out.push(['first-flipped', [flipped(first), ...terms.slice(1)]]);
    out.push(['first-dropped', terms.slice(1)]);
    out.push(['last-dropped', terms.slice(0, -1)]);
    out.push(['first-doubled', [first, ...terms]]);
    out.push(['first-short', [first.slice(2), ...terms.slice(1)]]);
    if (terms.length > 1) out.push(['last-flipped', [...terms.slice(0, -1), flipped(terms.at(-1) ?? '')]]);
  }
  if (first !== undefined && second !== undefined) out.push(['swapped', [second, first, ...terms.slice(2)]]);
  return out;
}

const HEADERS = ['sourceTxHeader', 'targetTxHeader'] as const;

function* spoiltHeaders<T extends Pick<DualProofJson, (typeof HEADERS)[number]>>(
  proof: T,
): Generator<[string, T]> {
  for (const which of HEADERS) {
    const header = proof[which];
    const name = which === 'sourceTxHeader' ? 'source' : 'target';
    const changes = {
      id: { id: String(BigInt(header.id) + 1n) },
      'prev-alh': { prevAlh: flipped(header.prevAlh) },
      ts: { ts: String(BigInt(header.ts ?? 0) + 1n) },
      version: { version: 1 - header.version },
      metadata: { metadata: { extra: '6d' } },
      nentries: { nentries: (header.nentries ?? 0) + 1 },
      'entries-root': { eH: flipped(header.eH) },
      'tree-size': { blTxId: String(BigInt(header.blTxId ?? 0) + 1n) },
      'tree-root': { blRoot: flipped(header.blRoot) },
    };
    for (const [field, change] of Object.entries(changes)) {
      yield [`${name}-${field}`, { ...proof, [which]: { ...header, ...change } }];
    }
  }
}

function* spoiltDualProofs(proof: DualProofJson): Generator<[string, DualProofJson]> {
  yield* spoiltHeaders(proof);
  const lists = {
    inclusionProof: 'inclusion',
    consistencyProof: 'consistency',
    lastInclusionProof: 'last-inclusion',
  } as const;
  for (const [field, name] of Object.entries(lists)) {
    for (const [how, terms] of spoiltLists(proof[field as keyof typeof lists]))
      yield [`${name}-${how}`, { ...proof, [field]: terms }];
  }
  yield ['tree-leaf-flipped', { ...proof, targetBlTxAlh: flipped(proof.targetBlTxAlh) }];
  const { linearProof: linear, LinearAdvanceProof: advance } = proof;
  for (const [how, terms] of spoiltLists(linear.terms))
    yield [`linear-${how}`, { ...proof, linearProof: { ...linear, terms } }];
  yield [
    'linear-source',
    { ...proof, linearProof: { ...linear, sourceTxId: String(BigInt(linear.sourceTxId) - 1n) } },
  ];
  yield [
    'linear-target',
    { ...proof, linearProof: { ...linear, TargetTxId: String(BigInt(linear.TargetTxId) + 1n) } },
  ];
  if (advance) {
    const without = { ...proof };
    delete without.LinearAdvanceProof;
    yield ['advance-missing', without];
    for (const [how, linearProofTerms] of spoiltLists(advance.linearProofTerms)) {
      yield [`advance-terms-${how}`, { ...proof, LinearAdvanceProof: { ...advance, linearProofTerms } }];
    }
    for (const [how, terms] of spoiltLists(advance.inclusionProofs[0]?.terms ?? [])) {
      const inclusionProofs = [{ terms }, ...advance.inclusionProofs.slice(1)];
      yield [`advance-path-${how}`, { ...proof, LinearAdvanceProof: { ...advance, inclusionProofs } }];
    }
    const inclusionProofs = advance.inclusionProofs.slice(1);
    yield ['advance-path-missing', { ...proof, LinearAdvanceProof: { ...advance, inclusionProofs } }];
  } else {
    const spare = { linearProofTerms: ['ab'.repeat(32)], inclusionProofs: [] };
    yield ['advance-invented', { ...proof, LinearAdvanceProof: spare }];
  }
}

function* spoiltDualProofsV2(proof: DualProofV2Json): Generator<[string, DualProofV2Json]> {
  yield* spoiltHeaders(proof);
  for (const [how, inclusionProof] of spoiltLists(proof.inclusionProof))
    yield [`inclusion-${how}`, { ...proof, inclusionProof }];
  for (const [how, consistencyProof] of spoiltLists(proof.consistencyProof))
    yield [`consistency-${how}`, { ...proof, consistencyProof }];
}

/** Both hashes known, as for two trusted txs: what a change to either header must not get past. */
function endsOf(sourceTx: number, targetTx: number, alhs: readonly string[]) {
  return {
    sourceTx: String(sourceTx),
    sourceAlh: alhs[sourceTx - 1] ?? '',
    targetTx: String(targetTx),
    targetAlh: alhs[targetTx - 1] ?? '',
  };
}

function parsedEnds(ends: ReturnType<typeof endsOf>) {
  return {
    sourceTx: BigInt(ends.sourceTx),
    sourceAlh: fromHex(ends.sourceAlh),
    targetTx: BigInt(ends.targetTx),
    targetAlh: fromHex(ends.targetAlh),
  };
}

for (const kind of [
  'header',
  'chain',
  'inclusion',
  'consistency',
  'dual-proof',
  'dual-proof-v2',
  'entry-inclusion',
  'signature',
]) {
  rmSync(new URL(kind, HERE), { recursive: true, force: true });
}

const { recorded, lagging, version0, mustReject } = source;

write('header/version-0', version0);
write('chain/recorded', { genesisAlh: recorded.genesisAlh, txs: recorded.txs });
write('chain/lagging', { headers: lagging.headers });
write('signature/recorded', recorded.stateSignature);

const chains = {
  recorded: {
    headers: recorded.txs.map(({ header }) => header),
    alhs: recorded.txs.map(({ alh }) => alh),
    proofs: recorded.dualProofs,
  },
  lagging: {
    headers: lagging.headers.map((header) => headerTo(headerFrom(header))),
    alhs: lagging.headers.map(({ alh }) => alh),
    proofs: lagging.proofs,
  },
};

/** Cases whose mutations are written out: one of each shape. (The property tests spoil all pairs.) */
const SPOILT = new Set([
  'recorded-1-2',
  'recorded-3-9',
  'recorded-15-16',
  'recorded-16-16',
  'lagging-5-9',
  'lagging-8-10',
  'built-4-12',
  'built-16-16',
]);

for (const [chain, { headers, alhs, proofs }] of Object.entries(chains)) {
  for (const { source: s, target: t, ...parts } of proofs) {
    const sourceTxHeader = headers[s - 1];
    const targetTxHeader = headers[t - 1];
    if (!sourceTxHeader || !targetTxHeader) throw new Error(`no headers for ${s} and ${t}`);
    const proof: DualProofJson = { sourceTxHeader, targetTxHeader, ...parts };
    const ends = endsOf(s, t, alhs);
    const name = `${chain}-${s}-${t}`;
    const path = `dual-proof/${name}`;
    write(`${path}/honest`, { ends, proof });
    if (!SPOILT.has(name)) continue;
    for (const [mutation, spoilt] of spoiltDualProofs(proof)) {
      const check = failedCheck(`${path}/${mutation}`, () =>
        verifyDualProof(dualProofFrom(spoilt), parsedEnds(ends)),
      );
      write(`${path}/${mutation}`, { ends, proof: spoilt, check });
    }
  }
}

{
  // No shorter dual proof was recorded: these are built over the recorded chain.
  const { headers, alhs } = chains.recorded;
  const tree = new HistoryTree();
  for (const hash of alhs) tree.append(fromHex(hash));
  const pairs: [number, number][] = [
    [1, 1],
    [1, 2],
    [1, 9],
    [2, 3],
    [4, 12],
    [15, 16],
    [16, 16],
  ];
  for (const [s, t] of pairs) {
    const [from, to] = [headers[s - 1], headers[t - 1]];
    if (!from || !to) throw new Error(`no headers for ${s} and ${t}`);
    const proof = dualProofV2To(buildDualProofV2(headerFrom(from), headerFrom(to), tree));
    const ends = endsOf(s, t, alhs);
    const name = `built-${s}-${t}`;
    const path = `dual-proof-v2/${name}`;
    write(`${path}/honest`, { ends, proof });
    if (!SPOILT.has(name)) continue;
    for (const [mutation, spoilt] of spoiltDualProofsV2(proof)) {
      const check = failedCheck(`${path}/${mutation}`, () =>
        verifyDualProofV2(dualProofV2From(spoilt), parsedEnds(ends)),
      );
      write(`${path}/${mutation}`, { ends, proof: spoilt, check });
    }
  }
}

{
  const tx = recorded.txs[1];
  const digest = tx?.entries[1]?.digest;
  if (!tx || digest === undefined) throw new Error('no tx 2');
  const { header } = tx;
  const honest = recorded.verifiableGet.inclusionProof;
  write('entry-inclusion/recorded-2-k2/honest', { header, digest, proof: honest });
  const mutations: [string, typeof honest, string][] = [
    ['leaf', { ...honest, leaf: 0 }, digest],
    ['leaf-beyond', { ...honest, leaf: 3 }, digest],
    ['width', { ...honest, width: 4 }, digest],
    ['digest', honest, flipped(digest)],
    ...spoiltLists(honest.terms).map(([how, terms]): [string, typeof honest, string] => [
      `terms-${how}`,
      { ...honest, terms },
      digest,
    ]),
  ];
  for (const [mutation, proof, hash] of mutations) {
    const path = `entry-inclusion/recorded-2-k2/${mutation}`;
    const check = failedCheck(path, () => {
      verifyEntryInclusion(inclusionFrom(proof), fromHex(hash), headerFrom(header));
    });
    write(path, { header, digest: hash, proof, check });
  }
  const sql = recorded.txs[9];
  if (!sql) throw new Error('no tx 10');
  write('entry-inclusion/recorded-10-sql/honest', {
    header: sql.header,
    digest: sql.entries[0]?.digest,
    proof: recorded.verifiableSQLGet.inclusionProof,
  });
}

{
  const { inclusion: i, consistency: c } = mustReject;
  const inclusionCheck = failedCheck('inclusion', () => {
    verifyInclusion(
      i.terms.map(fromHex),
      BigInt(i.claimedIndex),
      BigInt(i.treeSize),
      fromHex(i.leaf),
      fromHex(i.root),
    );
  });
  write('inclusion/wrong-position/path-too-short', { ...i, check: inclusionCheck });
  const consistencyCheck = failedCheck('consistency', () => {
    verifyConsistency(
      c.terms.map(fromHex),
      BigInt(c.claimedOldSize),
      BigInt(c.newSize),
      fromHex(c.oldRoot),
      fromHex(c.newRoot),
    );
  });
  write('consistency/wrong-size/path-too-short', { ...c, check: consistencyCheck });
}

console.log(`${written.size} files`);
