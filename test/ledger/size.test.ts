// What a large ledger costs: bytes of memory per transaction beyond the data, and hashes per proof.
import { hash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import { Database } from '#dist/ledger/engine/database.js';
import { verifiableGet } from '#dist/ledger/engine/proofs.js';
import { set } from '#dist/ledger/kv/writes.js';
import { setSha256 } from '#dist/proof/hash.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

const TRANSACTIONS = Number(process.env['LEDGER_TRANSACTIONS'] ?? 100_000);
const VALUE = Buffer.alloc(100, 7);

afterEach(() => setSha256());

function platform(data: Uint8Array): Uint8Array {
  return hash('sha256', data, 'buffer');
}

function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

it(`keeps ${TRANSACTIONS} transactions in at most 500 bytes each beyond the data, and proves in O(log n)`, () => {
  setSha256(platform);
  const limits = { maxKeyBytes: 1024, maxValueBytes: 1 << 25, maxTxEntries: 1024 };
  const db = new Database('size', limits, { headerVersion: 1, excludeCommitTime: false });
  const before = bytesInUse();
  let data = 0;
  for (let i = 0; i < TRANSACTIONS; i++) {
    const key = Buffer.from(`key-${i}`);
    set(db, { KVs: [{ key, value: VALUE }] });
    data += key.length + VALUE.length;
  }
  const perTx = (bytesInUse() - before - data) / TRANSACTIONS;
  console.log(`${TRANSACTIONS} transactions: ${perTx.toFixed(0)} bytes each beyond the data`);
  expect(perTx).toBeLessThan(500);
  expect(perTx).toBeGreaterThan(100);

  let hashes = 0;
  setSha256((bytes) => {
    hashes++;
    return platform(bytes);
  });
  const height = Math.ceil(Math.log2(TRANSACTIONS));
  for (const [index, since] of [
    [0, TRANSACTIONS],
    [TRANSACTIONS / 2 + 1, 3],
    [TRANSACTIONS - 1, TRANSACTIONS / 3],
    [TRANSACTIONS - 2, TRANSACTIONS],
  ] as const) {
    hashes = 0;
    const request = {
      keyRequest: { key: Buffer.from(`key-${Math.floor(index)}`) },
      proveSinceTx: String(Math.floor(since)),
    };
    const { dualProof } = verifiableGet(db, request, undefined).verifiableTx!;
    expect(dualProof?.inclusionProof?.length).toBeLessThanOrEqual(height);
    // A term of a path that ends inside an incomplete subtree takes up to `height` hashes, and there is one such per path.
    expect(hashes).toBeLessThan(4 * height);
  }
}, 300_000);
