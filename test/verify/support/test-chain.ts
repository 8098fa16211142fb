// A chain made with the constructing side of src/proof, answering in wire form like a server would: objects to be
// tampered with, and serializers (proto-loader's, not ours) to make bytes of them.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { entryDigest, plainKey, plainValue, referenceValue } from '#dist/proof/entry.js';
import { entriesInclusion, entriesRoot } from '#dist/proof/tree/entries-tree.js';
import { buildDualProof } from '#dist/proof/dual-proof.js';
import { EMPTY_HASH, sha256 } from '#dist/proof/hash.js';
import { alh } from '#dist/proof/header.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import { stateToSign } from '#dist/proof/signature.js';
import type { DualProof, KVMetadata, TxHeader, TxMetadata } from '#dist/proof/types.js';
import { wireMethod } from '#dist/wire/schema.js';
import { exportBytes } from './export-bytes.js';
import type { Root } from '#dist/verify/verifier.js';

/** An answer as a tree of plain objects, fields by their wire names. */
export type Wire = ReturnType<typeof JSON.parse>;

export const DATABASE = 'testdb';

export interface StoredEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly metadata?: KVMetadata;
}

interface StoredTx {
  readonly header: TxHeader;
  readonly alh: Uint8Array;
  readonly entries: readonly StoredEntry[];
}

interface CommitOptions {
  readonly metadata?: TxMetadata;
  readonly version?: 0 | 1;
  readonly ts?: bigint;
  /** Size of the tree the header commits to. @default all earlier txs */
  readonly treeSize?: number;
  /** Another tree root than that tree has. */
  readonly blRoot?: Uint8Array;
}

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const signingKey = pair.privateKey;
export const spki = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'spki' }));

export function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

export interface TestChainOptions {
  /** What a dishonest server keeps in its tree for a tx. @default its alh */
  readonly treeLeaf?: (id: bigint, alh: Uint8Array) => Uint8Array;
}

export class TestChain {
  readonly #txs: StoredTx[] = [];
  readonly #tree = new HistoryTree();
  readonly #latest = new Map<string, bigint>();
  readonly #treeLeaf: (id: bigint, alh: Uint8Array) => Uint8Array;

  constructor({ treeLeaf = (_, alh) => alh }: TestChainOptions = {}) {
    this.#treeLeaf = treeLeaf;
  }

  get size(): bigint {
    return BigInt(this.#txs.length);
  }

  tx(id: bigint): StoredTx {
    const tx = this.#txs[Number(id) - 1];
    if (!tx) throw new RangeError(`no tx ${id}`);
    return tx;
  }

  root(id: bigint): Root {
    return id === 0n ? { tx: 0n, alh: EMPTY_HASH } : { tx: id, alh: this.tx(id).alh };
  }

  /** Raw entries, in order. */
  commit(entries: readonly StoredEntry[], options: CommitOptions = {}): bigint {
    const id = this.size + 1n;
    const version = options.version ?? 1;
    const treeSize = BigInt(options.treeSize ?? id - 1n);
    const header: TxHeader = {
      id,
      prevAlh: this.root(id - 1n).alh,
      ts: options.ts ?? 1_700_000_000n + id,
      version,
      ...(options.metadata && { metadata: options.metadata }),
      nentries: entries.length,
      eH: entriesRoot(entries.map((entry) => digest(version, entry))),
      blTxId: treeSize,
      blRoot: options.blRoot ?? this.#tree.root(treeSize),
    };
    const hash = alh(header);
    this.#txs.push({ header, alh: hash, entries });
    for (const { key } of entries) this.#latest.set(Buffer.from(key.subarray(1)).toString(), id);
    this.#tree.append(this.#treeLeaf(id, hash));
    return id;
  }

  /** Commits plain user entries. */
  set(...entries: readonly (readonly [key: string, value: string, metadata?: KVMetadata])[]): bigint {
    return this.commit(
      entries.map(([key, value, metadata]) => ({
        key: plainKey(utf8(key)),
        value: plainValue(utf8(value)),
        ...(metadata && { metadata }),
      })),
    );
  }

  setReference(key: string, to: string, atTx = 0n): bigint {
    return this.commit([{ key: plainKey(utf8(key)), value: referenceValue(atTx, utf8(to)) }]);
  }

  /** `n` further txs of one entry each. */
  grow(n: number): this {
    for (let i = 0; i < n; i++) this.set([`filler ${this.size}`, `value ${i}`]);
    return this;
  }

  dualProof(from: bigint, to: bigint): DualProof {
    const chain = { headerOf: (id: bigint) => this.tx(id).header, alhOf: (id: bigint) => this.tx(id).alh };
    return buildDualProof(this.tx(from).header, this.tx(to).header, this.#tree, chain);
  }

  /** VerifiableTx of tx `n`, proven since `since` (0: by itself). */
  verifiableTx(n: bigint, since: bigint, options: { entries?: boolean; key?: KeyObject } = {}): Wire {
    const [from, to] = since === 0n ? [n, n] : n < since ? [n, since] : [since, n];
    const { header, entries } = this.tx(n);
    return {
      tx: {
        header: wireHeader(header),
        entries: options.entries === false ? [] : entries.map(wireTxEntry),
      },
      dualProof: wireDualProof(this.dualProof(from, to)),
      ...(options.key && { signature: wireSignature(options.key, DATABASE, this.root(to)) }),
    };
  }

  /** ProofDocumentResponse of a row of tx `n`, without the proof that nobody reads. */
  proofDocument(n: bigint, row: Uint8Array, collectionId: number): Wire {
    const { tx } = this.verifiableTx(n, n);
    return {
      ...{ database: DATABASE, collectionId, documentIdFieldName: '_id' },
      encodedDocument: row,
      verifiableTx: { tx },
    };
  }

  /** VerifiableEntry of a user key as tx `n` stored it, proven since `since`. */
  verifiableEntry(key: string, n: bigint, since: bigint, options: { key?: KeyObject } = {}): Wire {
    const { header, entries } = this.tx(n);
    const rawKey = Buffer.from(plainKey(utf8(key)));
    const index = entries.findIndex((entry) => rawKey.equals(entry.key));
    const stored = entries[index]!;
    const digests = entries.map((entry) => digest(header.version, entry));
    const { leaf, width, terms } = entriesInclusion(digests, index);
    return {
      entry: this.#resolved(key, n, stored),
      verifiableTx: this.verifiableTx(n, since, options),
      inclusionProof: { leaf, width, terms },
    };
  }

  /** VerifiableSQLEntry of the row with this raw key. */
  verifiableRow(rawKey: Uint8Array, n: bigint, since: bigint): Wire {
    const { header, entries } = this.tx(n);
    const index = entries.findIndex((entry) => Buffer.from(rawKey).equals(entry.key));
    const { value, metadata } = entries[index]!;
    const digests = entries.map((entry) => digest(header.version, entry));
    const { leaf, width, terms } = entriesInclusion(digests, index);
    return {
      sqlEntry: { tx: `${n}`, key: utf8('of an index'), value, ...(metadata && { metadata }) },
      verifiableTx: this.verifiableTx(n, since),
      inclusionProof: { leaf, width, terms },
    };
  }

  /** TxList of the headers from..to, and with `entries` of what they hold. */
  txList(from: bigint, to: bigint, options: { entries?: boolean } = {}): Wire {
    const txs: Wire[] = [];
    for (let id = from; id <= to; id++) {
      const { header, entries } = this.tx(id);
      txs.push({
        header: wireHeader(header),
        ...(options.entries && { entries: entries.map(wireTxEntry) }),
      });
    }
    return { txs };
  }

  /** TxList of the whole txs from..to; `values`: with raw values, without those of the kinds that servers leave out. */
  wholeTxs(from: bigint, to: bigint, values = false): Wire {
    const txs: Wire[] = [];
    for (let id = from; id <= to; id++) {
      const { header, entries } = this.tx(id);
      const shown = values ? entries.filter(({ key }) => key[0] !== 3) : entries;
      txs.push({
        header: wireHeader(header),
        entries: shown.map((entry) => ({ ...wireTxEntry(entry), ...(values && { value: entry.value }) })),
      });
    }
    return { txs };
  }

  /** Entry of a user key as tx `n` stored it. */
  entry(key: string, n: bigint): Wire {
    const rawKey = Buffer.from(plainKey(utf8(key)));
    return this.#resolved(
      key,
      n,
      this.tx(n).entries.find((entry) => rawKey.equals(entry.key))!,
    );
  }

  /** Newest tx with an entry of this user key. */
  latest(key: string): bigint | undefined {
    return this.#latest.get(key);
  }

  #resolved(key: string, n: bigint, { value, metadata }: StoredEntry): Wire {
    if (value[0] === 0) {
      return {
        tx: `${n}`,
        key: utf8(key),
        value: value.subarray(1),
        ...wireMetadata(metadata),
        revision: '3',
      };
    }
    const view = new DataView(value.buffer, value.byteOffset);
    const atTx = view.getBigUint64(1);
    const target = value.subarray(10);
    const found = atTx === 0n ? this.latest(Buffer.from(target).toString())! : atTx;
    const entry = this.tx(found).entries.find((each) => Buffer.from(each.key.subarray(1)).equals(target))!;
    return {
      tx: `${found}`,
      key: target,
      value: entry.value.subarray(1),
      ...wireMetadata(entry.metadata),
      referencedBy: { tx: `${n}`, key: utf8(key), atTx: `${atTx}`, ...wireMetadata(metadata), revision: '2' },
      revision: '1',
    };
  }
}

function digest(version: number, { key, value, metadata }: StoredEntry): Uint8Array {
  return entryDigest(version, { key, hValue: sha256(value), ...(metadata && { metadata }) });
}

function wireTxEntry({ key, value, metadata }: StoredEntry): Wire {
  return { key, hValue: sha256(value), vLen: value.length, ...wireMetadata(metadata) };
}

function wireMetadata(metadata: KVMetadata | undefined): Wire {
  if (!metadata) return {};
  const { deleted, expiresAt, nonIndexable } = metadata;
  return {
    metadata: {
      ...(deleted && { deleted }),
      ...(expiresAt !== undefined && { expiration: { expiresAt: `${expiresAt}` } }),
      ...(nonIndexable && { nonIndexable }),
    },
  };
}

export function wireHeader(header: TxHeader): Wire {
  return {
    id: `${header.id}`,
    prevAlh: header.prevAlh,
    ts: `${header.ts}`,
    nentries: header.nentries,
    eH: header.eH,
    blTxId: `${header.blTxId}`,
    blRoot: header.blRoot,
    version: header.version,
    metadata: {
      ...(header.metadata?.truncatedTxId && { truncatedTxID: `${header.metadata.truncatedTxId}` }),
      ...(header.metadata?.extra && { extra: header.metadata.extra }),
    },
  };
}

export function wireDualProof(proof: DualProof): Wire {
  const { linearProof, linearAdvanceProof } = proof;
  return {
    sourceTxHeader: wireHeader(proof.sourceTxHeader),
    targetTxHeader: wireHeader(proof.targetTxHeader),
    inclusionProof: [...proof.inclusionProof],
    consistencyProof: [...proof.consistencyProof],
    targetBlTxAlh: proof.targetBlTxAlh,
    lastInclusionProof: [...proof.lastInclusionProof],
    linearProof: {
      sourceTxId: `${linearProof.sourceTxId}`,
      TargetTxId: `${linearProof.targetTxId}`,
      terms: [...linearProof.terms],
    },
    ...(linearAdvanceProof && {
      LinearAdvanceProof: {
        linearProofTerms: [...linearAdvanceProof.linearProofTerms],
        inclusionProofs: linearAdvanceProof.inclusionProofs.map((terms) => ({ terms: [...terms] })),
      },
    }),
  };
}

export function wireSignature(key: KeyObject, database: string, { tx, alh: hash }: Root): Wire {
  const signature = sign('sha256', stateToSign(database, tx, hash), { key, dsaEncoding: 'der' });
  return { publicKey: Buffer.alloc(65, 4), signature };
}

const METHODS = {
  get: 'VerifiableGet',
  set: 'VerifiableSet',
  tx: 'VerifiableTxById',
  segment: 'TxScan',
  claims: 'GetAll',
  /** Of claims of a single key, and what is shown in a claim. */
  entry: 'Get',
  claim: 'VerifiableTxById',
  gone: 'VerifiableTxById',
  written: 'Set',
  deleted: 'Delete',
  executed: 'ExecAll',
  referenced: 'SetReference',
  added: 'ZAdd',
  uploaded: 'Set',
  streamed: 'VerifiableGet',
  block: 'TxScan',
  leaves: 'TxScan',
  stretch: 'TxScan',
  state: 'CurrentState',
  row: 'VerifiableSQLGet',
  scan: 'Scan',
  history: 'History',
  'z-scan': 'ZScan',
  document: 'ProofDocument',
  /** What is shown of a transaction with its values. */
  values: 'TxById',
} as const;

/** Bytes of the answer to a question of this kind. */
export function bytesOf(kind: keyof typeof METHODS | 'exported', answer: Wire): Uint8Array {
  if (kind === 'exported') return exportBytes(answer);
  const bytes = wireMethod(METHODS[kind]).responseSerialize(buffers(answer) as object);
  return new Uint8Array(bytes);
}

/** What a client without checks would read from those bytes. */
export function read(kind: keyof typeof METHODS, bytes: Uint8Array): Wire {
  return wireMethod(METHODS[kind]).responseDeserialize(Buffer.from(bytes));
}

/** The serializer takes bytes only as Buffers. */
function buffers(value: Wire): Wire {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(buffers);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, buffers(each)]));
}
