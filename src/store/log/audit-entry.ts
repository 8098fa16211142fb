// What a store accepts: every argument is checked once and copied, so that nothing the caller does later changes it.
import { MAX_ID, MAX_TIME, MIN_TIME, equalBytes } from '../../proof/bytes.js';
import { HASH_SIZE } from '../../proof/hash.js';
import { BOOK_KEEPING, HEAD_MOVES, OUTCOMES, bad } from './audit-query.js';
import type {
  AuditEntry,
  AuditOutcome,
  Evidence,
  OmittedBytes,
  StoredRoot,
  TrustKey,
} from '../audit-types.js';

/** The ways to append a row. Each has its own outcomes, so that the heads can always be told from the log. */
export type AppendKind = 'advance' | 'record' | 'forget';

const MAX_CALLS = 0xffff_ffff;

/** An entry with bytes of its own. Its evidence was copied when it was checked. */
export function copyEntry(entry: AuditEntry): AuditEntry {
  const { alh, signature, keyFingerprint } = entry;
  return {
    ...entry,
    alh: new Uint8Array(alh),
    ...(signature && { signature: new Uint8Array(signature) }),
    ...(keyFingerprint && { keyFingerprint: new Uint8Array(keyFingerprint) }),
  };
}

/**
 * The fields of `entry` that we know. Hash, signature and fingerprint are still the caller's own bytes: whoever keeps them copies
 * them at once.
 *
 * @throws ArgumentError naming the field that cannot be stored
 */
export function checkEntry(entry: AuditEntry, kind: AppendKind): AuditEntry {
  if (!isObject(entry)) bad('entry', 'must be an audit entry');
  // Every field is read once: what is checked is what is kept.
  const { tx, outcome, previousTx, headerTime, calls, verifiedAt, durationMs } = entry;
  const { signature, keyFingerprint, detail, evidence } = entry;
  if (!ALLOWED[kind].includes(outcome)) {
    bad('outcome', `${JSON.stringify(outcome)} is not an outcome that ${kind} can write`);
  }
  if (!Number.isInteger(calls) || calls < 0 || calls > MAX_CALLS) {
    bad('calls', 'must be an unsigned 32-bit integer');
  }
  if (!Number.isSafeInteger(verifiedAt)) bad('verifiedAt', 'must be unix milliseconds');
  if (!Number.isFinite(durationMs) || durationMs < 0) bad('durationMs', 'must be a number of 0 or more');
  if (typeof headerTime !== 'bigint' || headerTime < MIN_TIME || headerTime > MAX_TIME) {
    bad('headerTime', 'must be a bigint below 2^63');
  }
  const checked: AuditEntry = {
    server: checkedText('server', entry.server),
    database: checkedText('database', entry.database),
    tx: checkedId('tx', tx),
    alh: checkBytes('alh', entry.alh, HASH_SIZE),
    outcome,
    previousTx: previousTx === null ? null : checkedId('previousTx', previousTx),
    operation: checkedText('operation', entry.operation),
    calls,
    headerTime,
    verifiedAt,
    // SQLite knows no negative zero; the row's hash would.
    durationMs: durationMs + 0,
    clientId: checkedText('clientId', entry.clientId),
  };
  const rest: readonly unknown[] = [signature, keyFingerprint, detail, evidence];
  if (rest.every((field) => field === undefined)) return checked;
  return {
    ...checked,
    ...(signature !== undefined && { signature: checkBytes('signature', signature) }),
    ...(keyFingerprint !== undefined && { keyFingerprint: checkBytes('keyFingerprint', keyFingerprint) }),
    ...(detail !== undefined && { detail: checkedText('detail', detail) }),
    ...(evidence !== undefined && { evidence: checkedEvidence(evidence) }),
  };
}

export function checkedKey(key: TrustKey): TrustKey {
  if (!isObject(key)) bad('key', 'must be { server, database }');
  return { server: checkedText('server', key.server), database: checkedText('database', key.database) };
}

/** The root that a head is expected to be, for a move to `entry`: a head only moves up. Its hash is still the caller's own bytes. */
export function checkExpected(expected: StoredRoot | null, entry: AuditEntry): StoredRoot | null {
  if (expected === null) return null;
  if (!isObject(expected)) bad('expected', 'must be a root or null');
  const tx = checkedId('expected', expected.tx);
  if (entry.tx <= tx) {
    bad('entry', `must move the head up: tx ${entry.tx.toString()} is not above tx ${tx.toString()}`);
  }
  return { tx, alh: checkBytes('expected', expected.alh, HASH_SIZE) };
}

export function checkedRoot(root: TrustKey & StoredRoot): TrustKey & StoredRoot {
  const key = checkedKey(root);
  return { ...key, tx: checkedId('tx', root.tx), alh: checkedBytes('alh', root.alh, HASH_SIZE) };
}

/** Text that comes back as it went in: a lone surrogate has no UTF-8 form. */
export function checkedText(field: string, value: string): string {
  if (typeof value !== 'string') bad(field, 'must be a string');
  if (!value.isWellFormed()) bad(field, 'must be well-formed Unicode');
  return value;
}

export function sameRoot(a: StoredRoot | null, b: StoredRoot | null): boolean {
  if (!a || !b) return a === b;
  return a.tx === b.tx && equalBytes(a.alh, b.alh);
}

export function copyRoot({ tx, alh }: StoredRoot): StoredRoot {
  return { tx, alh: new Uint8Array(alh) };
}

const ALLOWED: Readonly<Record<AppendKind, readonly AuditOutcome[]>> = {
  advance: HEAD_MOVES,
  forget: ['forget'],
  record: OUTCOMES.filter((outcome) => ![...HEAD_MOVES, ...BOOK_KEEPING, 'forget'].includes(outcome)),
};

function checkedEvidence(evidence: Evidence): Evidence {
  if (!isObject(evidence)) bad('evidence', 'must be an object');
  const { check, expected, computed, job, omitted } = evidence;
  return {
    check: checkedText('evidence.check', check),
    ...(expected !== undefined && { expected: checkedText('evidence.expected', expected) }),
    ...(computed !== undefined && { computed: checkedText('evidence.computed', computed) }),
    job: checkedBytes('evidence.job', job),
    ...(omitted !== undefined && { omitted: checkedOmitted(omitted, job) }),
  };
}

/** @throws ArgumentError naming the field that makes no sense */
export function checkedOmitted(omitted: OmittedBytes, job: Uint8Array): OmittedBytes {
  if (!isObject(omitted)) bad('evidence.omitted', 'must be an object');
  const { part, reason }: { part: unknown; reason: unknown } = omitted;
  const { sha256, length } = omitted;
  if (part !== 'answer' && part !== 'job') bad('evidence.omitted.part', 'must be answer or job');
  if (reason !== 'size' && reason !== 'budget') bad('evidence.omitted.reason', 'must be size or budget');
  if (!Number.isSafeInteger(length) || length < 0)
    bad('evidence.omitted.length', 'must be a number of bytes');
  if (part === 'job' && job.length > 0) bad('evidence.omitted.part', 'must be answer where there is a job');
  return { part, reason, sha256: checkedBytes('evidence.omitted.sha256', sha256, HASH_SIZE), length };
}

export function checkedId(field: string, value: bigint): bigint {
  if (typeof value !== 'bigint' || value < 0n || value > MAX_ID)
    bad(field, 'must be a bigint from 0 to 2^63 - 1');
  return value;
}

/** A copy with a buffer of its own: a view would take its whole buffer along to the store's thread. */
export function checkedBytes(field: string, value: Uint8Array, size?: number): Uint8Array {
  return new Uint8Array(checkBytes(field, value, size));
}

function checkBytes(field: string, value: Uint8Array, size?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) bad(field, 'must be a Uint8Array');
  if (size !== undefined && value.length !== size) bad(field, `must be ${size} bytes`);
  return value;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
