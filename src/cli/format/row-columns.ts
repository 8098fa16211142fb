// The columns of an audit row, in every format.
import type { AuditRow } from '../../index.js';
import type { Column } from './columns.js';
import { shortened } from '../../visible.js';
import { detailWords } from './witnessed.js';

const COLUMNS: readonly Column<AuditRow>[] = [
  { name: 'seq', value: ({ seq }) => seq.toString(), width: 8, align: 'right' },
  { name: 'verifiedAt', value: ({ verifiedAt }) => isoTime(verifiedAt), width: 24 },
  { name: 'outcome', value: ({ outcome }) => outcome, width: 15 },
  { name: 'server', value: ({ server }) => server },
  {
    name: 'database',
    value: ({ database }) => database,
    width: 12,
    shown: ({ database }) => shortened(database, 32),
  },
  { name: 'tx', value: ({ tx }) => tx.toString(), width: 8, align: 'right' },
  { name: 'alh', value: ({ alh }) => hex(alh), width: 17, shown: ({ alh }) => `${hex(alh).slice(0, 16)}…` },
  { name: 'previousTx', value: ({ previousTx }) => previousTx?.toString() ?? null },
  {
    name: 'operation',
    value: ({ operation }) => operation,
    width: 16,
    shown: ({ operation }) => shortened(operation, 32),
  },
  { name: 'calls', value: ({ calls }) => calls, width: 5, align: 'right' },
  { name: 'headerTime', value: ({ headerTime }) => headerTime.toString() },
  { name: 'signature', value: ({ signature }) => signature && hex(signature) },
  { name: 'keyFingerprint', value: ({ keyFingerprint }) => keyFingerprint && hex(keyFingerprint) },
  { name: 'durationMs', value: ({ durationMs }) => durationMs },
  { name: 'clientId', value: ({ clientId }) => clientId },
  { name: 'detail', value: ({ detail }) => detail, width: 0, shown: (row) => detailWords(row) ?? '' },
  { name: 'check', value: ({ evidence }) => evidence?.check },
  { name: 'expected', value: ({ evidence }) => evidence?.expected },
  { name: 'computed', value: ({ evidence }) => evidence?.computed },
  { name: 'hash', value: ({ hash }) => hex(hash) },
];

const JOB: readonly Column<AuditRow>[] = [
  { name: 'job', value: ({ evidence }) => evidence && base64(evidence.job) },
  { name: 'omittedPart', value: ({ evidence }) => evidence?.omitted?.part },
  { name: 'omittedReason', value: ({ evidence }) => evidence?.omitted?.reason },
  { name: 'omittedSha256', value: ({ evidence }) => evidence?.omitted && hex(evidence.omitted.sha256) },
  { name: 'omittedBytes', value: ({ evidence }) => evidence?.omitted?.length },
];

/** `jobs`: with the packed job of each row that has evidence; it holds the server's raw answer and can be megabytes. */
export function rowColumns({ jobs }: { readonly jobs: boolean }): readonly Column<AuditRow>[] {
  return jobs ? [...COLUMNS, ...JOB] : COLUMNS;
}

/** UTC to the millisecond; a number that is no date stays the number. */
export function isoTime(unixMs: number): string {
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime()) ? String(unixMs) : date.toISOString();
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
