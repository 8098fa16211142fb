// The canonical bytes of a row: as documented, and different for any two rows.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainStart, evidenceHash, rowHash } from '#dist/store/log/audit-row.js';
import type { AuditEntry, Evidence } from '#dist/store/root-store.js';
import { REQUIRED, entry } from './support.js';

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const number = (bytes: 1 | 4 | 8, value: number | bigint) =>
  Buffer.from(
    BigInt.asUintN(8 * bytes, BigInt(value))
      .toString(16)
      .padStart(2 * bytes, '0'),
    'hex',
  );
const bytes = (value: Uint8Array) => Buffer.concat([number(4, value.length), value]);
const text = (value: string) => bytes(Buffer.from(value, 'utf8'));
const optional = <T>(value: T | null | undefined, write: (value: T) => Buffer) =>
  value === null || value === undefined ? number(1, 0) : Buffer.concat([number(1, 1), write(value)]);

/** The documented form, written down a second time. */
function expectedHash(previous: Uint8Array, seq: bigint, row: AuditEntry): Buffer {
  const duration = Buffer.alloc(8);
  duration.writeDoubleBE(row.durationMs);
  return sha256(
    Buffer.from(previous),
    number(1, 1),
    number(8, seq),
    text(row.server),
    text(row.database),
    number(8, row.tx),
    bytes(row.alh),
    text(row.outcome),
    optional(row.previousTx, (tx) => number(8, tx)),
    text(row.operation),
    number(4, row.calls),
    number(8, row.headerTime),
    optional(row.signature, bytes),
    optional(row.keyFingerprint, bytes),
    number(8, row.verifiedAt),
    duration,
    text(row.clientId),
    optional(row.detail, text),
    optional(row.evidence, ({ check, expected, computed, job, omitted }) =>
      sha256(
        number(4, 2 ** 32 - 1),
        number(1, 2),
        text(check),
        optional(expected, text),
        optional(computed, text),
        sha256(Buffer.from(job)),
        optional(omitted, ({ part, reason, sha256: hash, length }) =>
          Buffer.concat([text(part), text(reason), hash, number(8, length)]),
        ),
      ),
    ),
  );
}

const short = fc.string({ maxLength: 6 });
const id = fc.bigInt(0n, 2n ** 63n - 1n);
const blob = fc.uint8Array({ maxLength: 80 });
const hash32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const omitted = fc.record({
  part: fc.constantFrom('answer' as const, 'job' as const),
  reason: fc.constantFrom('size' as const, 'budget' as const),
  sha256: hash32,
  length: fc.maxSafeNat(),
});
const evidence: fc.Arbitrary<Evidence> = fc.record(
  { check: short, expected: short, computed: short, job: fc.uint8Array({ maxLength: 2000 }), omitted },
  { requiredKeys: ['check', 'job'] },
);
const anyEntry: fc.Arbitrary<AuditEntry> = fc.record(
  {
    server: short,
    database: short,
    tx: id,
    alh: hash32,
    outcome: fc.constantFrom('root' as const, 'calls' as const, 'failure' as const),
    previousTx: fc.option(id),
    operation: short,
    calls: fc.nat(),
    headerTime: fc.bigInt(-(2n ** 62n), 2n ** 62n),
    signature: blob,
    keyFingerprint: blob,
    verifiedAt: fc.maxSafeInteger(),
    durationMs: fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }),
    clientId: short,
    detail: fc.string({ maxLength: 700, unit: 'grapheme' }),
    evidence,
  },
  { requiredKeys: [...REQUIRED] },
);
const hashOf = (previous: Uint8Array, seq: bigint, row: AuditEntry) =>
  Buffer.from(rowHash(previous, seq, row, row.evidence && evidenceHash(row.evidence)));

describe('row hash', () => {
  it('is the hash of the documented bytes', () => {
    fc.assert(
      fc.property(hash32, fc.bigInt(1n, 2n ** 62n), anyEntry, (previous, seq, row) => {
        expect(hashOf(previous, seq, row)).toEqual(expectedHash(previous, seq, row));
      }),
    );
  });

  it('covers every field, the place in the log and the row before', () => {
    const previous = new Uint8Array(32);
    const row: AuditEntry = {
      ...entry(5n),
      signature: new Uint8Array(2),
      keyFingerprint: new Uint8Array(3),
      detail: 'd',
      evidence: { check: 'c', expected: 'e', computed: 'f', job: new Uint8Array(4) },
    };
    const left = { part: 'answer', reason: 'size', sha256: new Uint8Array(32), length: 5 };
    const changes: Partial<Record<keyof AuditEntry, unknown>>[] = [
      { server: 'x' },
      { database: 'x' },
      // The same characters, split elsewhere.
      { server: `${row.server}d`, database: row.database.slice(1) },
      { tx: 6n },
      { alh: new Uint8Array(32) },
      { outcome: 'calls' },
      { previousTx: null },
      { previousTx: 3n },
      { operation: 'x' },
      { calls: 2 },
      { headerTime: 0n },
      { signature: undefined },
      { signature: new Uint8Array(0) },
      { keyFingerprint: new Uint8Array(2) },
      { keyFingerprint: undefined },
      { verifiedAt: 1 },
      { durationMs: 1.25 },
      { clientId: '' },
      { detail: undefined },
      { detail: '' },
      { evidence: undefined },
      { evidence: { ...row.evidence, check: 'x' } },
      { evidence: { ...row.evidence, expected: undefined } },
      { evidence: { ...row.evidence, computed: '' } },
      { evidence: { ...row.evidence, job: new Uint8Array(5) } },
      ...[left, { ...left, part: 'job' }, { ...left, reason: 'budget' }, { ...left, length: 6 }].map(
        (omittedBytes) => ({ evidence: { ...row.evidence, omitted: omittedBytes } }),
      ),
    ];
    const hashes = [
      hashOf(previous, 1n, row),
      hashOf(previous, 2n, row),
      hashOf(new Uint8Array(32).fill(1), 1n, row),
      ...changes.map((change) => hashOf(previous, 1n, { ...row, ...change } as AuditEntry)),
    ];
    expect(new Set(hashes.map((hash) => hash.toString('hex'))).size).toBe(hashes.length);
    expect(new Set(changes.flatMap((change) => Object.keys(change)))).toEqual(new Set(Object.keys(row)));
  });

  it('starts from the hash of the store id', () => {
    const id16 = new Uint8Array(16).fill(3);
    expect(Buffer.from(chainStart(id16))).toEqual(sha256(Buffer.from(id16)));
  });
});
