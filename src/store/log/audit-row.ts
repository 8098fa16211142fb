// The canonical bytes of an audit row, and the hash that chains it to the row before it.
//
// Version 1, in the terms of canonical.ts, `[field]` being optional:
//
//   row = u8 1 ‖ u64 seq ‖ bytes server ‖ bytes database ‖ u64 tx ‖ bytes alh ‖ bytes outcome ‖ [u64 previousTx]
//         ‖ bytes operation ‖ u32 calls ‖ i64 headerTime ‖ [bytes signature] ‖ [bytes keyFingerprint]
//         ‖ i64 verifiedAt ‖ f64 durationMs ‖ bytes clientId ‖ [bytes detail] ‖ [32 bytes evidence hash]
//   evidence hash = SHA-256( u32 2^32-1 ‖ u8 2 ‖ bytes check ‖ [bytes expected] ‖ [bytes computed] ‖ 32 bytes SHA-256 of job
//                   ‖ [bytes part ‖ bytes reason ‖ 32 bytes SHA-256 ‖ u64 length] of what is omitted )
//                 | SHA-256( bytes check ‖ [bytes expected] ‖ [bytes computed] ‖ bytes job ), as earlier releases made it
//   row hash = SHA-256( previous row hash ‖ row ); the first row follows SHA-256( store id )
//
// A row covers its evidence by hash only, so that the chain can be walked without reading the evidence; and the evidence
// covers its job by hash, so that rows about one answer share it. No check is so long that the one kind of evidence hash could
// be taken for the other.
import { equalBytes } from '../../proof/bytes.js';
import { sha256 } from '../../proof/hash.js';
import type { AuditEntry, Evidence } from '../audit-types.js';
import { Canonical } from './canonical.js';

/** Of the canonical bytes of a row. */
export const ROW_VERSION = 1;
const EVIDENCE_VERSION = 2;
/** Stands where the first kind of evidence hash has the length of a text. */
const EVIDENCE_MARK = 0xffff_ffff;
/** One buffer for all rows: hashing is synchronous. */
const row = new Canonical();

/** Hash that the first row of a store follows: rows of one store do not pass for rows of another. */
export function chainStart(storeId: Uint8Array): Uint8Array {
  return sha256(storeId);
}

/** Hash of row `seq` in the chain. `evidence` is the {@link evidenceHash} of the entry's evidence, if it has any. */
export function rowHash(
  previousHash: Uint8Array,
  seq: bigint,
  entry: Omit<AuditEntry, 'evidence'>,
  evidence: Uint8Array | undefined,
): Uint8Array {
  row.reset().raw(previousHash).u8(ROW_VERSION).u64(seq);
  writeContent(entry, evidence);
  return sha256(row.done());
}

/**
 * What {@link rowHash} covers behind the row's place, for a store that chains rows elsewhere: the hash is SHA-256( previous row
 * hash ‖ u8 {@link ROW_VERSION} ‖ u64 seq ‖ content ). Valid until the next row.
 */
export function rowContent(
  entry: Omit<AuditEntry, 'evidence'>,
  evidence: Uint8Array | undefined,
): Uint8Array {
  row.reset();
  writeContent(entry, evidence);
  return row.done();
}

function writeContent(entry: Omit<AuditEntry, 'evidence'>, evidence: Uint8Array | undefined): void {
  row.name(entry.server).name(entry.database);
  row.u64(entry.tx).bytes(entry.alh).name(entry.outcome);
  row.optional(entry.previousTx, (tx) => row.u64(tx));
  row.name(entry.operation).u32(entry.calls).i64(entry.headerTime);
  row.optional(entry.signature, (signature) => row.bytes(signature));
  row.optional(entry.keyFingerprint, (fingerprint) => row.bytes(fingerprint));
  row.i64(BigInt(entry.verifiedAt)).f64(entry.durationMs).name(entry.clientId);
  row.optional(entry.detail, (detail) => row.text(detail));
  row.optional(evidence, (hash) => row.raw(hash));
}

/** Hash by which a row covers its evidence. `jobHash`: SHA-256 of its job, where that is known. */
export function evidenceHash(evidence: Evidence, jobHash: Uint8Array = sha256(evidence.job)): Uint8Array {
  const out = new Canonical();
  out.u32(EVIDENCE_MARK).u8(EVIDENCE_VERSION).text(evidence.check);
  out.optional(evidence.expected, (expected) => out.text(expected));
  out.optional(evidence.computed, (computed) => out.text(computed));
  out.raw(jobHash);
  out.optional(evidence.omitted, ({ part, reason, sha256: hash, length }) => {
    out.text(part).text(reason).raw(hash).u64(BigInt(length));
  });
  return sha256(out.done());
}

/** The hash by which rows of earlier releases cover theirs. */
function earlierEvidenceHash(evidence: Evidence): Uint8Array {
  const out = new Canonical();
  out.text(evidence.check);
  out.optional(evidence.expected, (expected) => out.text(expected));
  out.optional(evidence.computed, (computed) => out.text(computed));
  out.bytes(evidence.job);
  return sha256(out.done());
}

/** The hashes by which a row may cover this evidence: it is intact when the row has one of them. */
export function* evidenceHashes(evidence: Evidence, jobHash?: Uint8Array): IterableIterator<Uint8Array> {
  yield evidenceHash(evidence, jobHash);
  if (!evidence.omitted) yield earlierEvidenceHash(evidence);
}

/** Whether `hash`, which a row has, covers this evidence. */
export function coversEvidence(hash: Uint8Array, evidence: Evidence): boolean {
  for (const given of evidenceHashes(evidence)) if (equalBytes(given, hash)) return true;
  return false;
}
