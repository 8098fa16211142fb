// Everything that was recorded: headers, entries, proofs, the state signature; and every mutation file is rejected.
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '#dist/proof/bytes.js';
import { verifySegment, verifySegmentEnding } from '#dist/proof/chain.js';
import { buildDualProof, verifyDualProof } from '#dist/proof/dual-proof.js';
import { buildDualProofV2, verifyDualProofV2 } from '#dist/proof/dual-proof-v2.js';
import { entriesInclusion, verifyEntries, verifyEntryInclusion } from '#dist/proof/tree/entries-tree.js';
import { entryDigest, plainKey, plainValue, referenceValue, sortedSetKey } from '#dist/proof/entry.js';
import { Frontier } from '#dist/proof/tree/frontier.js';
import { EMPTY_HASH, sha256 } from '#dist/proof/hash.js';
import { alh, innerHash } from '#dist/proof/header.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import { verifyConsistency, verifyInclusion } from '#dist/proof/tree/merkle.js';
import {
  decodeKVMetadata,
  decodeTxMetadata,
  encodeKVMetadata,
  encodeTxMetadata,
} from '#dist/proof/metadata.js';
import { stateToSign } from '#dist/proof/signature.js';
import type { TxHeader } from '#dist/proof/types.js';
import {
  dualProofFrom,
  dualProofTo,
  dualProofV2From,
  dualProofV2To,
  entryFrom,
  headerFrom,
  inclusionFrom,
} from '../vectors/codec.js';
import type { DualProofJson, DualProofV2Json, HeaderJson, InclusionJson } from '../vectors/codec.js';
import { source } from '../vectors/source.js';
import { checkFailedBy } from './helpers.js';

const ROOT = new URL('../vectors/', import.meta.url);

interface EndsJson {
  sourceTx: string;
  sourceAlh: string;
  targetTx: string;
  targetAlh: string;
}

interface Kinds {
  'dual-proof': { ends: EndsJson; proof: DualProofJson; check?: string };
  'dual-proof-v2': { ends: EndsJson; proof: DualProofV2Json; check?: string };
  'entry-inclusion': { header: HeaderJson; digest: string; proof: InclusionJson; check?: string };
  inclusion: {
    claimedIndex: number;
    treeSize: number;
    leaf: string;
    terms: string[];
    root: string;
    check: string;
  };
  consistency: {
    claimedOldSize: number;
    newSize: number;
    oldRoot: string;
    newRoot: string;
    terms: string[];
    check: string;
  };
}

/** Every file of one kind: path without extension and content. */
function files<K extends keyof Kinds>(kind: K): [string, Kinds[K]][] {
  const folder = new URL(`${kind}/`, ROOT);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => [name.slice(0, -5), JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Kinds[K]]);
}

function endsFrom(ends: EndsJson) {
  return {
    sourceTx: BigInt(ends.sourceTx),
    sourceAlh: fromHex(ends.sourceAlh),
    targetTx: BigInt(ends.targetTx),
    targetAlh: fromHex(ends.targetAlh),
  };
}

function access(headers: readonly TxHeader[], alhs: readonly Uint8Array[]) {
  const tree = new HistoryTree();
  for (const hash of alhs) tree.append(hash);
  const chain = {
    headerOf: (tx: bigint) => headers[Number(tx) - 1]!,
    alhOf: (tx: bigint) => alhs[Number(tx) - 1]!,
  };
  return { tree, chain };
}

const recordedHeaders = source.recorded.txs.map(({ header }) => headerFrom(header));
const recordedAlhs = source.recorded.txs.map((tx) => fromHex(tx.alh));
const laggingHeaders = source.lagging.headers.map(headerFrom);
const laggingAlhs = source.lagging.headers.map((header) => fromHex(header.alh));
const chains = {
  recorded: { headers: recordedHeaders, ...access(recordedHeaders, recordedAlhs) },
  built: { headers: recordedHeaders, ...access(recordedHeaders, recordedAlhs) },
  lagging: { headers: laggingHeaders, ...access(laggingHeaders, laggingAlhs) },
};

describe('headers and entries', () => {
  test('recorded: inner hash, alh, metadata bytes, digests and entries root of every tx', () => {
    expect(source.recorded.txs).toHaveLength(16);
    for (const tx of source.recorded.txs) {
      const header = headerFrom(tx.header);
      expect(toHex(innerHash(header))).toBe(tx.innerHash);
      expect(toHex(alh(header))).toBe(tx.alh);
      const entries = tx.entries.map(entryFrom);
      for (const [i, entry] of entries.entries()) {
        const json = tx.entries[i]!;
        expect(toHex(sha256(fromHex(json.value ?? '')))).toBe(json.hValue);
        const bytes = encodeKVMetadata(entry.metadata);
        expect(toHex(bytes)).toBe(json.kvMetadataBytes);
        expect(decodeKVMetadata(bytes)).toEqual(entry.metadata);
        expect(toHex(entryDigest(header.version, entry))).toBe(json.digest);
      }
      expect(verifyEntries(header, entries).digests.map(toHex)).toEqual(
        tx.entries.map(({ digest }) => digest),
      );
    }
  });

  test('version 0: inner hash, alh and entries root', () => {
    const { header: json, entries, innerHash: inner, alh: hash } = source.version0;
    const header = headerFrom(json);
    expect(toHex(innerHash(header))).toBe(inner);
    expect(toHex(alh(header))).toBe(hash);
    verifyEntries(
      header,
      entries.map(({ key, value }) => ({ key: fromHex(key), hValue: sha256(fromHex(value)) })),
    );
  });

  test('lagging: alh and metadata bytes of mixed versions', () => {
    expect(new Set(laggingHeaders.map(({ version }) => version))).toEqual(new Set([0, 1]));
    for (const [i, header] of laggingHeaders.entries()) {
      expect(toHex(alh(header))).toBe(source.lagging.headers[i]!.alh);
      const bytes = encodeTxMetadata(header.metadata);
      expect(toHex(bytes)).toBe(source.lagging.headers[i]!.txMetadataBytes);
      expect(decodeTxMetadata(bytes)).toEqual(header.metadata);
    }
  });

  test('the operations sent make the raw keys and values recorded', () => {
    const made = source.recorded.txs.map(({ entries }) =>
      entries.map(({ key, value = '' }) => ({ key, value })),
    );
    const pair = (key: Uint8Array, value: Uint8Array) => ({ key: toHex(key), value: toHex(value) });
    const plain = (key: string, value: string) => pair(plainKey(fromHex(key)), plainValue(fromHex(value)));
    const nothing = new Uint8Array(0);
    expect(made[0]).toEqual([plain('61', '31')]);
    expect(made[1]).toEqual([plain('6b31', '7631'), plain('6b32', '7632'), plain('6b33', '')]);
    expect(made[2]).toEqual([pair(plainKey(fromHex('726566')), referenceValue(0n, fromHex('61')))]);
    expect(made[3]).toEqual([pair(plainKey(fromHex('72656662')), referenceValue(1n, fromHex('61')))]);
    const set1 = fromHex('73657431');
    expect(made[4]).toEqual([pair(sortedSetKey(set1, -1.5, fromHex('61'), 0n), nothing)]);
    expect(made[5]).toEqual([pair(sortedSetKey(set1, 2.25, fromHex('6b31'), 2n), nothing)]);
    expect(made[6]).toEqual([
      plain('6531', '78'),
      pair(sortedSetKey(fromHex('7332'), 10, fromHex('6531'), 7n), nothing),
      pair(plainKey(fromHex('6572')), referenceValue(7n, fromHex('6531'))),
    ]);
    expect(made[7]).toEqual([pair(plainKey(fromHex('6b31')), nothing)]);
  });
});

describe('proofs', () => {
  test.each(files('dual-proof').filter(([name]) => name.endsWith('honest')))(
    'dual proof %s: accepted, and built byte for byte',
    (name, { ends: endsJson, proof }) => {
      const ends = endsFrom(endsJson);
      const proven = verifyDualProof(dualProofFrom(proof), ends);
      expect(proven).toEqual({ sourceAlh: ends.sourceAlh, targetAlh: ends.targetAlh });
      const { headers, tree, chain } = chains[name.split('-')[0] as keyof typeof chains];
      const [from, to] = [headers[Number(ends.sourceTx) - 1]!, headers[Number(ends.targetTx) - 1]!];
      const built = dualProofTo(buildDualProof(from, to, tree, chain));
      expect(built).toEqual(dualProofTo(dualProofFrom(proof)));
    },
  );

  test.each(files('dual-proof-v2').filter(([name]) => name.endsWith('honest')))(
    'dual proof V2 %s: accepted, and built again',
    (_name, { ends: endsJson, proof }) => {
      const ends = endsFrom(endsJson);
      verifyDualProofV2(dualProofV2From(proof), ends);
      const { headers, tree } = chains.built;
      const [from, to] = [headers[Number(ends.sourceTx) - 1]!, headers[Number(ends.targetTx) - 1]!];
      expect(dualProofV2To(buildDualProofV2(from, to, tree))).toEqual(dualProofV2To(dualProofV2From(proof)));
    },
  );

  test('entry inclusion: accepted, and built again', () => {
    const honest = files('entry-inclusion').filter(([name]) => name.endsWith('honest'));
    expect(honest).toHaveLength(2);
    for (const [, { header, digest, proof }] of honest) {
      verifyEntryInclusion(inclusionFrom(proof), fromHex(digest), headerFrom(header));
    }
    const digests = source.recorded.txs[1]!.entries.map(({ digest }) => fromHex(digest));
    expect(entriesInclusion(digests, 1)).toEqual(inclusionFrom(source.recorded.verifiableGet.inclusionProof));
    // The row's own key names database and table and has the primary key once; the mapped key that came has it twice.
    const { tx, key: mapped, value } = source.recorded.verifiableSQLGet.sqlEntry;
    const [tableId, primaryKey] = [mapped.slice(6, 14), mapped.slice(22, 22 + (mapped.length - 22) / 2)];
    const key = fromHex(`02522e00000001${tableId}00000000${primaryKey}`);
    const digest = entryDigest(1, { key, hValue: sha256(fromHex(value)) });
    const { header } = source.recorded.txs[Number(tx) - 1]!;
    const { inclusionProof } = source.recorded.verifiableSQLGet;
    verifyEntryInclusion(inclusionFrom(inclusionProof), digest, headerFrom(header));
  });

  test('every recorded mutation is rejected by the check it names', () => {
    let count = 0;
    for (const [name, { ends, proof, check }] of files('dual-proof')) {
      if (check === undefined) continue;
      expect(
        checkFailedBy(() => verifyDualProof(dualProofFrom(proof), endsFrom(ends))),
        name,
      ).toBe(check);
      count++;
    }
    for (const [name, { ends, proof, check }] of files('dual-proof-v2')) {
      if (check === undefined) continue;
      expect(
        checkFailedBy(() => verifyDualProofV2(dualProofV2From(proof), endsFrom(ends))),
        name,
      ).toBe(check);
      count++;
    }
    for (const [name, { header, digest, proof, check }] of files('entry-inclusion')) {
      if (check === undefined) continue;
      const run = () => {
        verifyEntryInclusion(inclusionFrom(proof), fromHex(digest), headerFrom(header));
      };
      expect(checkFailedBy(run), name).toBe(check);
      count++;
    }
    expect(count).toBeGreaterThan(250);
  });

  test('a path that stops below the root is rejected, and accepted at its true position', () => {
    const [, i] = files('inclusion')[0]!;
    const inclusion = (position: bigint) => () => {
      verifyInclusion(i.terms.map(fromHex), position, BigInt(i.treeSize), fromHex(i.leaf), fromHex(i.root));
    };
    expect(checkFailedBy(inclusion(BigInt(i.claimedIndex)))).toBe(i.check);
    inclusion(3n)();
    const [, c] = files('consistency')[0]!;
    const consistency = (size: bigint) => () => {
      verifyConsistency(
        c.terms.map(fromHex),
        size,
        BigInt(c.newSize),
        fromHex(c.oldRoot),
        fromHex(c.newRoot),
      );
    };
    expect(checkFailedBy(consistency(BigInt(c.claimedOldSize)))).toBe(c.check);
    consistency(2n)();
  });
});

describe('chains', () => {
  test('recorded: walked from the empty database, with the tree, every root', () => {
    const frontier = Frontier.empty();
    const genesis = { tx: 0n, alh: EMPTY_HASH };
    const alhs = verifySegment(recordedHeaders, genesis, frontier, { roots: 'every' });
    expect(alhs).toEqual(recordedAlhs);
    expect(frontier.size).toBe(16n);
    expect(frontier.root()).toEqual(chains.recorded.tree.root(16n));
    expect(verifySegmentEnding(recordedHeaders.slice(4), recordedAlhs[15]!)).toEqual(recordedAlhs.slice(4));
  });

  test('lagging: walked by the chain', () => {
    expect(verifySegment(laggingHeaders, { tx: 0n, alh: EMPTY_HASH })).toEqual(laggingAlhs);
  });

  test('the frontier made from a recorded dual proof is the frontier of its target', () => {
    for (const proof of source.recorded.dualProofs) {
      const target = recordedHeaders[proof.target - 1]!;
      const frontier = Frontier.at(target, proof.lastInclusionProof.map(fromHex));
      expect(frontier.size).toBe(BigInt(proof.target));
      expect(frontier.root()).toEqual(chains.recorded.tree.root(BigInt(proof.target)));
    }
  });
});

describe('state signature', () => {
  const state = source.recorded.stateSignature;
  test('the signed bytes are made again, and the signature holds', () => {
    const bytes = stateToSign(state.db, BigInt(state.txId), fromHex(state.txHash));
    expect(toHex(bytes)).toBe(state.signedBytes);
    const key = createPublicKey(state.publicKeyPem);
    const signature = fromHex(state.signatureDer);
    expect(verify('sha256', bytes, { key, dsaEncoding: 'der' }, signature)).toBe(true);
    const other = stateToSign(`${state.db}x`, BigInt(state.txId), fromHex(state.txHash));
    expect(verify('sha256', other, { key, dsaEncoding: 'der' }, signature)).toBe(false);
  });
});
