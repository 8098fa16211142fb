// What was recorded (source.json): a live immudb 1.11.1 database without commit times, a version-0 header, and a
// synthetic chain with tree lag whose proofs immudb's own verifier accepted.
import { readFileSync } from 'node:fs';
import type { DualProofJson, EntryJson, HeaderJson, InclusionJson } from './codec.js';

export interface RecordedTx {
  header: HeaderJson;
  entries: (EntryJson & { vLen?: number; value?: string; kvMetadataBytes: string; digest: string })[];
  innerHash: string;
  alh: string;
}

type RecordedProof = { source: number; target: number } & Omit<
  DualProofJson,
  'sourceTxHeader' | 'targetTxHeader'
>;

export interface Source {
  recorded: {
    genesisAlh: string;
    ops: { rpc: string; request: Record<string, unknown>; tx: string }[];
    txs: RecordedTx[];
    dualProofs: RecordedProof[];
    verifiableGet: {
      inclusionProof: InclusionJson;
      entry: { tx: string; key: string; value: string; metadata: EntryJson['metadata'] };
      source: number;
      target: number;
    };
    verifiableSQLGet: {
      sqlEntry: { tx: string; key: string; value: string };
      inclusionProof: InclusionJson;
    };
    stateSignature: {
      db: string;
      txId: string;
      txHash: string;
      signedBytes: string;
      publicKeyPem: string;
      publicKeyPoint: string;
      signatureDer: string;
    };
  };
  version0: { header: HeaderJson; entries: { key: string; value: string }[]; innerHash: string; alh: string };
  lagging: {
    headers: (HeaderJson & { alh: string; txMetadataBytes: string })[];
    proofs: RecordedProof[];
  };
  mustReject: {
    inclusion: { claimedIndex: number; treeSize: number; leaf: string; terms: string[]; root: string };
    consistency: {
      claimedOldSize: number;
      newSize: number;
      oldRoot: string;
      newRoot: string;
      terms: string[];
    };
  };
}

export const source = JSON.parse(readFileSync(new URL('source.json', import.meta.url), 'utf8')) as Source;
