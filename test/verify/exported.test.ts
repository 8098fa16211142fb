// The check of an exported transaction: that one, to its last entry, value and byte.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verifier } from '#dist/verify/verifier.js';
import { readExport } from '#dist/verify/wire/exported-tx.js';
import {
  ABC,
  ALONE,
  DELETED_REF,
  EXPIRING,
  EXTRA,
  HEAD,
  LAST,
  OLD,
  TRUNCATING,
  chain,
  fork,
} from './support/scene.js';
import { exportBytes, exported } from './support/export-bytes.js';
import type { Exported } from './support/export-bytes.js';
import { bytesOf, utf8 } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const NOTHING = new Uint8Array(0);
const proofOf = (n: bigint, of = chain) => bytesOf('tx', of.verifiableTx(n, HEAD, { entries: false }));
const head = chain.root(HEAD);

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());
  const verify = (n: bigint, payload: Uint8Array, proof = proofOf(n)) =>
    verifier.verify(jobOf({ kind: 'exported', tx: n, proof }, head, payload));

  it('proves transactions of every kind, with values and with their hashes only, older and newer', async () => {
    for (const n of [1n, ABC, ALONE, EXPIRING, OLD, EXTRA, TRUNCATING, DELETED_REF, HEAD, LAST])
      for (const truncated of [false, true]) {
        const proven = provenBy(await verify(n, exportBytes(exported(chain, n, truncated))), 'exported');
        expect(proven.subject).toMatchObject(chain.root(n));
        expect(proven.target.tx).toBe(n > HEAD ? n : HEAD);
      }
  });

  it.for<[string, string, (tx: Exported) => void]>([
    ['another transaction', 'tx.id', (tx) => Object.assign(tx, exported(chain, ALONE))],
    ['another time', 'export.header', (tx) => (tx.header = { ...tx.header, ts: 1n })],
    [
      'metadata of the transaction',
      'export.header',
      (tx) => (tx.header = { ...tx.header, metadata: { extra: utf8('x') } }),
    ],
    ['another predecessor', 'export.header', (tx) => (tx.header = { ...tx.header, prevAlh: tx.header.eH })],
    [
      'another value',
      'entries.root',
      (tx) => (tx.entries[0] = { ...tx.entries[0]!, value: utf8('\u0000x') }),
    ],
    ['another key', 'entries.root', (tx) => (tx.entries[0] = { ...tx.entries[0]!, key: utf8('\u0000x') })],
    [
      'metadata of an entry',
      'entries.root',
      (tx) => (tx.entries[0] = { ...tx.entries[0]!, metadata: { nonIndexable: true } }),
    ],
    ['a value that is none', 'entries.root', (tx) => (tx.entries[0] = { ...tx.entries[0]!, value: NOTHING })],
    ['another order', 'entries.root', (tx) => tx.entries.reverse()],
    ['an entry too few', 'export.end', (tx) => tx.entries.pop()],
    ['an entry too many', 'export.end', (tx) => tx.entries.push(tx.entries[0]!)],
    ['a key twice', 'entries.duplicate', (tx) => (tx.entries[0] = tx.entries[1]!)],
  ])('refuses %s', async ([, check, lie]) => {
    const lied = exported(chain, ABC);
    lie(lied);
    expect(failedCheck(await verify(ABC, exportBytes(lied)))).toBe(check);
  });

  it('refuses another history, a proof of another transaction, and none', async () => {
    const lied = exportBytes(exported(fork, 12n));
    expect(failedCheck(await verify(12n, lied, proofOf(12n, fork)))).toMatch(/^dual-proof\./);
    expect(failedCheck(await verify(12n, lied))).toBe('export.header');
    const payload = exportBytes(exported(chain, ABC));
    expect(failedCheck(await verify(ABC, payload, proofOf(ALONE)))).toMatch(/^dual-proof\./);
    expect(failedCheck(await verify(ABC, payload, NOTHING))).toBe('wire.missing');
  });
});

describe('an export', () => {
  it('is read as it was written', () => {
    for (const n of [ABC, OLD, EXTRA, TRUNCATING, DELETED_REF]) {
      const { header, entries } = chain.tx(n);
      const read = readExport(exportBytes(exported(chain, n)));
      expect(read.header).toEqual(header);
      expect(
        read.entries.map(({ key, value, metadata }) => ({ key, value, ...(metadata && { metadata }) })),
      ).toEqual(entries);
    }
  });

  it('with any byte changed, cut off or added is refused or says something else; nothing else is thrown', () => {
    const payload = exportBytes(exported(chain, ABC));
    const before = JSON.stringify(readExport(payload), shown);
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Uint8Array.from(payload);
        changed[at] = (changed[at]! + by) & 255;
        expect(saidOf(changed)).not.toBe(before);
        expect(saidOf(payload.subarray(0, at))).toMatch(/^export\./);
        expect(saidOf(new Uint8Array([...payload, by]))).toMatch(/^export\./);
      }),
      { numRuns: 500 },
    );
  });
});

function shown(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`;
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

/** What is read, or the check that it fails. */
function saidOf(payload: Uint8Array): string {
  try {
    return JSON.stringify(readExport(payload), shown);
  } catch (error) {
    return (error as { check?: string }).check ?? String(error);
  }
}
