// A failed verification as a file that stands alone: its row of the audit log, the hash which that row follows, and the
// evidence. Whoever has the file can recompute the row's hash and run the failed check again (docs/audit.md).
import type { AuditRow, Evidence, OmittedBytes } from '../../index.js';
import { evidenceHashes, rowHash } from '../../store/log/audit-row.js';
import { fieldsOf } from '../format/columns.js';
import { jsonText } from '../format/formats.js';
import { hex, rowColumns } from '../format/row-columns.js';
import { OUTCOMES } from '../../store/log/audit-query.js';
import { JsonFields } from '../json-fields.js';

const FORMAT = 'immu-ts/evidence';
/** Version 1 knew no evidence whose bytes were not all kept, and covered its job in another way. */
const VERSION = 2;
/** The answers of a server are far smaller; the text of a file is held in memory. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** A row, and where it hangs in the chain. */
export interface ChainedRow {
  readonly row: AuditRow;
  /** Null when it is not at hand: the row is the first of its store. */
  readonly previousHash: Uint8Array | null;
}

/** A row that has evidence, or a root with the server's signature. */
export interface RowFile extends ChainedRow {
  /** Of a fork that the log itself shows: the row that has another hash for the same transaction. */
  readonly contradicted?: ChainedRow;
}

/** A row that has evidence. */
export interface EvidenceFile extends RowFile {
  readonly row: AuditRow & { readonly evidence: Evidence };
}

export function formatEvidenceFile(file: RowFile): string {
  const { contradicted } = file;
  const fields = {
    ...{ format: FORMAT, version: VERSION, ...chainedFields(file) },
    ...(contradicted && { contradicted: chainedFields(contradicted) }),
  };
  return `${jsonText(fields, 2)}\n`;
}

function chainedFields({ row, previousHash }: ChainedRow) {
  return { previousHash: previousHash && hex(previousHash), ...fieldsOf(rowColumns({ jobs: true }), row) };
}

/** Throws an error that says what the text lacks. */
export function parseEvidenceFile(text: string, name: string): EvidenceFile {
  const file = parseRowFile(text, name);
  if (!hasEvidence(file)) throw new Error(`${name} is not an evidence file: "check" must be text`);
  return file;
}

export function hasEvidence(file: RowFile): file is EvidenceFile {
  return file.row.evidence !== undefined;
}

/** The same for a file that may hold a signed root in place of evidence. */
export function parseRowFile(text: string, name: string): RowFile {
  const fields = JsonFields.parse(text, name);
  if (fields.text('format') !== FORMAT)
    throw new Error(`${name} is not an evidence file: its format is another`);
  const version = fields.number('version');
  if (version < 1 || version > VERSION)
    throw new Error(`${name} has version ${version}; this release reads up to version ${VERSION}`);
  return {
    ...chainedRow(fields, name),
    ...(fields.has('contradicted') && { contradicted: chainedRow(fields.object('contradicted'), name) }),
  };
}

function chainedRow(fields: JsonFields, name: string): ChainedRow {
  const outcome = fields.text('outcome');
  const known = OUTCOMES.find((each) => each === outcome);
  if (!known) throw new Error(`${name}: ${JSON.stringify(outcome)} is not an outcome`);
  const row: AuditRow = {
    seq: fields.id('seq'),
    verifiedAt: fields.time('verifiedAt'),
    outcome: known,
    server: fields.text('server'),
    database: fields.text('database'),
    tx: fields.id('tx'),
    alh: fields.hex('alh', 32),
    previousTx: fields.has('previousTx') ? fields.id('previousTx') : null,
    operation: fields.text('operation'),
    calls: fields.number('calls'),
    headerTime: fields.integer('headerTime'),
    ...(fields.has('signature') && { signature: fields.hex('signature') }),
    ...(fields.has('keyFingerprint') && { keyFingerprint: fields.hex('keyFingerprint') }),
    durationMs: fields.number('durationMs'),
    clientId: fields.text('clientId'),
    ...(fields.has('detail') && { detail: fields.text('detail') }),
    hash: fields.hex('hash', 32),
    ...(fields.has('check') && {
      evidence: {
        check: fields.text('check'),
        ...(fields.has('expected') && { expected: fields.text('expected') }),
        ...(fields.has('computed') && { computed: fields.text('computed') }),
        job: fields.base64('job'),
        ...(fields.has('omittedPart') && { omitted: omittedBytes(fields, name) }),
      },
    }),
  };
  return { row, previousHash: fields.has('previousHash') ? fields.hex('previousHash', 32) : null };
}

function omittedBytes(fields: JsonFields, name: string): OmittedBytes {
  const part = fields.text('omittedPart');
  const reason = fields.text('omittedReason');
  if (part !== 'answer' && part !== 'job') throw new Error(`${name}: "omittedPart" must be answer or job`);
  if (reason !== 'size' && reason !== 'budget')
    throw new Error(`${name}: "omittedReason" must be size or budget`);
  const length = fields.number('omittedBytes');
  if (!Number.isSafeInteger(length)) throw new Error(`${name}: "omittedBytes" must be a number of bytes`);
  return { part, reason, sha256: fields.hex('omittedSha256', 32), length };
}

export type Integrity = 'intact' | 'changed' | 'unknown';

/**
 * Whether everything in the file is what its row's hash covers. `unknown`: that hash cannot be computed, since the one it
 * follows is not in the file.
 */
export function rowIntegrity({ row, previousHash }: ChainedRow): Integrity {
  if (!previousHash) return 'unknown';
  const { seq, hash, evidence, ...entry } = row;
  const covered = evidence ? [...evidenceHashes(evidence)] : [undefined];
  const isOne = covered.some((each) => Buffer.from(rowHash(previousHash, seq, entry, each)).equals(hash));
  return isOne ? 'intact' : 'changed';
}
