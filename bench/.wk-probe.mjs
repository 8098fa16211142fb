// bench/.wk-probe.ts
import { performance } from "node:perf_hooks";

// test/worker/support/test-chain.ts
import { generateKeyPairSync, sign } from "node:crypto";
import { entryDigest, plainKey, plainValue, referenceValue } from "#dist/proof/entry.js";
import { entriesInclusion, entriesRoot } from "#dist/proof/entries-tree.js";
import { buildDualProof } from "#dist/proof/dual-proof.js";
import { EMPTY_HASH, sha256 } from "#dist/proof/hash.js";
import { alh } from "#dist/proof/header.js";
import { HistoryTree } from "#dist/proof/history-tree.js";
import { stateToSign } from "#dist/proof/signature.js";
import { methodDefinition } from "#dist/wire-schema.js";
var DATABASE = "testdb";
var pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
var signingKey = pair.privateKey;
var spki = new Uint8Array(pair.publicKey.export({ format: "der", type: "spki" }));
function utf8(text) {
  return new Uint8Array(Buffer.from(text));
}
var TestChain = class {
  #txs = [];
  #tree = new HistoryTree();
  get size() {
    return BigInt(this.#txs.length);
  }
  tx(id) {
    const tx = this.#txs[Number(id) - 1];
    if (!tx) throw new RangeError(`no tx ${id}`);
    return tx;
  }
  root(id) {
    return id === 0n ? { tx: 0n, alh: EMPTY_HASH } : { tx: id, alh: this.tx(id).alh };
  }
  /** Raw entries, in order. */
  commit(entries, options = {}) {
    const id = this.size + 1n;
    const version = options.version ?? 1;
    const treeSize = BigInt(options.treeSize ?? id - 1n);
    const header = {
      id,
      prevAlh: this.root(id - 1n).alh,
      ts: 1700000000n + id,
      version,
      ...options.metadata && { metadata: options.metadata },
      nentries: entries.length,
      eH: entriesRoot(entries.map((entry) => digest(version, entry))),
      blTxId: treeSize,
      blRoot: this.#tree.root(treeSize)
    };
    const hash = alh(header);
    this.#txs.push({ header, alh: hash, entries });
    this.#tree.append(hash);
    return id;
  }
  /** Commits plain user entries. */
  set(...entries) {
    return this.commit(
      entries.map(([key, value, metadata]) => ({
        key: plainKey(utf8(key)),
        value: plainValue(utf8(value)),
        ...metadata && { metadata }
      }))
    );
  }
  setReference(key, to, atTx = 0n) {
    return this.commit([{ key: plainKey(utf8(key)), value: referenceValue(atTx, utf8(to)) }]);
  }
  /** `n` further txs of one entry each. */
  grow(n) {
    for (let i = 0; i < n; i++) this.set([`filler ${this.size}`, `value ${i}`]);
    return this;
  }
  dualProof(from, to) {
    const chain2 = { headerOf: (id) => this.tx(id).header, alhOf: (id) => this.tx(id).alh };
    return buildDualProof(this.tx(from).header, this.tx(to).header, this.#tree, chain2);
  }
  /** VerifiableTx of tx `n`, proven since `since` (0: by itself). */
  verifiableTx(n, since, options = {}) {
    const [from, to] = since === 0n ? [n, n] : n < since ? [n, since] : [since, n];
    const { header, entries } = this.tx(n);
    return {
      tx: {
        header: wireHeader(header),
        entries: options.entries === false ? [] : entries.map(wireTxEntry)
      },
      dualProof: wireDualProof(this.dualProof(from, to)),
      ...options.key && { signature: wireSignature(options.key, DATABASE, this.root(to)) }
    };
  }
  /** VerifiableEntry of a user key as tx `n` stored it, proven since `since`. */
  verifiableEntry(key, n, since, options = {}) {
    const { header, entries } = this.tx(n);
    const rawKey = Buffer.from(plainKey(utf8(key)));
    const index = entries.findIndex((entry) => rawKey.equals(entry.key));
    const stored = entries[index];
    const digests = entries.map((entry) => digest(header.version, entry));
    const { leaf, width, terms } = entriesInclusion(digests, index);
    return {
      entry: this.#resolved(key, n, stored),
      verifiableTx: this.verifiableTx(n, since, options),
      inclusionProof: { leaf, width, terms }
    };
  }
  /** TxList of the headers from..to. */
  txList(from, to) {
    const txs = [];
    for (let id = from; id <= to; id++) txs.push({ header: wireHeader(this.tx(id).header) });
    return { txs };
  }
  #resolved(key, n, { value, metadata }) {
    if (value[0] === 0) {
      return {
        tx: `${n}`,
        key: utf8(key),
        value: value.subarray(1),
        ...wireMetadata(metadata),
        revision: "3"
      };
    }
    const view = new DataView(value.buffer, value.byteOffset);
    const atTx = view.getBigUint64(1);
    const target = value.subarray(10);
    const found = atTx === 0n ? this.#latest(target) : atTx;
    const entry = this.tx(found).entries.find((each) => Buffer.from(each.key.subarray(1)).equals(target));
    return {
      tx: `${found}`,
      key: target,
      value: entry.value.subarray(1),
      ...wireMetadata(entry.metadata),
      referencedBy: { tx: `${n}`, key: utf8(key), atTx: `${atTx}`, ...wireMetadata(metadata), revision: "2" },
      revision: "1"
    };
  }
  #latest(key) {
    for (let id = this.size; id > 0n; id--) {
      if (this.tx(id).entries.some((entry) => Buffer.from(entry.key.subarray(1)).equals(key))) return id;
    }
    throw new RangeError("no such key");
  }
};
function digest(version, { key, value, metadata }) {
  return entryDigest(version, { key, hValue: sha256(value), ...metadata && { metadata } });
}
function wireTxEntry({ key, value, metadata }) {
  return { key, hValue: sha256(value), vLen: value.length, ...wireMetadata(metadata) };
}
function wireMetadata(metadata) {
  if (!metadata) return {};
  const { deleted, expiresAt, nonIndexable } = metadata;
  return {
    metadata: {
      ...deleted && { deleted },
      ...expiresAt !== void 0 && { expiration: { expiresAt: `${expiresAt}` } },
      ...nonIndexable && { nonIndexable }
    }
  };
}
function wireHeader(header) {
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
      ...header.metadata?.truncatedTxId && { truncatedTxID: `${header.metadata.truncatedTxId}` },
      ...header.metadata?.extra && { extra: header.metadata.extra }
    }
  };
}
function wireDualProof(proof) {
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
      terms: [...linearProof.terms]
    },
    ...linearAdvanceProof && {
      LinearAdvanceProof: {
        linearProofTerms: [...linearAdvanceProof.linearProofTerms],
        inclusionProofs: linearAdvanceProof.inclusionProofs.map((terms) => ({ terms: [...terms] }))
      }
    }
  };
}
function wireSignature(key, database, { tx, alh: hash }) {
  const signature = sign("sha256", stateToSign(database, tx, hash), { key, dsaEncoding: "der" });
  return { publicKey: Buffer.alloc(65, 4), signature };
}
var METHODS = { get: "VerifiableGet", set: "VerifiableSet", tx: "VerifiableTxById", segment: "TxScan" };
function bytesOf(kind, answer) {
  const bytes = methodDefinition("immudb.schema.ImmuService", METHODS[kind]).responseSerialize(
    buffers(answer)
  );
  return new Uint8Array(bytes);
}
function buffers(value) {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(buffers);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, buffers(each)]));
}

// test/worker/support/verifiers.ts
import { InlineVerifier } from "#dist/worker/inline-verifier.js";
import { PooledVerifier } from "#dist/worker/pooled-verifier.js";
var NOW = 1800000000n;
function contextAt(head2, more = {}) {
  return { head: head2, database: DATABASE, now: NOW, ...more };
}
function jobOf(question, head2, answer, more = {}) {
  return { question, context: contextAt(head2, more), answer };
}

// bench/.wk-probe.ts
import { check } from "#dist/worker/check.js";
import "#dist/worker/packet.js";
import "#dist/worker/verdict-packet.js";
import "#dist/worker/thread-pool.js";
import { PooledVerifier as PooledVerifier2 } from "#dist/worker/pooled-verifier.js";
import { setSha256 } from "#dist/proof/hash.js";
import { sha256 as sha0 } from "@noble/hashes/sha2.js";
import { readFileSync } from "node:fs";
var hashes = 0;
var chain = new TestChain().grow(5e3);
var head = chain.root(4999n);
var HASHJ = jobOf(
  { kind: "get", key: utf8("filler 700") },
  head,
  bytesOf("get", chain.verifiableEntry("filler 700", 701n, 4999n))
);
console.log("answer bytes", HASHJ.answer.length);
var jobs = Array.from({ length: 256 }, (_, i) => {
  const t = 1 + i * 17 % 4900;
  return jobOf(
    { kind: "get", key: utf8(`filler ${t - 1}`) },
    head,
    bytesOf("get", chain.verifiableEntry(`filler ${t - 1}`, BigInt(t), 4999n))
  );
});
setSha256((d) => {
  hashes++;
  return sha0(d);
});
check(HASHJ);
console.log("hashes per get", hashes);
setSha256();
var cpu = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e3;
function med(f, n = 9) {
  const xs = [];
  for (let i = 0; i < n; i++) {
    const t = cpu();
    f();
    xs.push(cpu() - t);
  }
  xs.sort((a, b) => a - b);
  return xs[n >> 1];
}
for (let i = 0; i < 3; i++) jobs.forEach(check);
var inline = med(() => jobs.forEach(check)) / 256;
for (const threads of [1, 2, 1, 2]) for (const inflight of [24, 256]) {
  const p = new PooledVerifier2({ threads });
  const N = 6e3;
  let started = 0;
  const go = async () => {
    while (started < N) {
      const j = jobs[started++ % 256];
      await p.verify(j);
    }
  };
  await Promise.all(Array.from({ length: inflight }, go));
  started = 0;
  const c0 = cpu();
  const t0 = performance.now();
  const all0 = process.cpuUsage();
  await Promise.all(Array.from({ length: inflight }, go));
  const all = process.cpuUsage(all0);
  console.log("threads", threads, "inflight", inflight, "jobs/s", Math.round(N / (performance.now() - t0) * 1e3), "main cpu us/job", ((cpu() - c0) / N).toFixed(1), "all cpu us/job", ((all.user + all.system) / N).toFixed(0));
  await p.close();
}
