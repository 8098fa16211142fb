// The canonical bytes of an audit row, and the hash that chains it to the row before it.
//
// Version 1, in the terms of canonical.ts, `[field]` being optional:
//
//   row = u8 1 ‖ u64 seq ‖ bytes server ‖ bytes database ‖ u64 tx ‖ bytes alh ‖ bytes outcome ‖ [u64 previousTx]
//         ‖ bytes operation ‖ u32 calls ‖ i64 headerTime ‖ [bytes signature] ‖ [bytes keyFingerprint]
//         ‖ i64 verifiedAt ‖ f64 durationMs ‖ bytes clientId ‖ [bytes detail] ‖ [32 bytes evidence hash]
//   evidence hash = SHA-256( bytes check ‖ [bytes expected] ‖ [bytes computed] ‖ bytes job )
//   row hash = SHA-256( previous row hash ‖ row ); the first row follows SHA-256( store id )
//
// A row covers its evidence by hash only, so that the chain can be walked without reading the evidence.
import { sha256 } from '../proof/hash.js';
import type { AuditEntry, Evidence } from './audit-types.js';
import { Canonical } from './canonical.js';

const VERSION = 1;
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
  row.reset().raw(previousHash).u8(VERSION).u64(seq).name(entry.server).name(entry.database);
  row.u64(entry.tx).bytes(entry.alh).name(entry.outcome);
  row.optional(entry.previousTx, (tx) => row.u64(tx));
  row.name(entry.operation).u32(entry.calls).i64(entry.headerTime);
  row.optional(entry.signature, (signature) => row.bytes(signature));
  row.optional(entry.keyFingerprint, (fingerprint) => row.bytes(fingerprint));
  row.i64(BigInt(entry.verifiedAt)).f64(entry.durationMs).name(entry.clientId);
  row.optional(entry.detail, (detail) => row.text(detail));
  row.optional(evidence, (hash) => row.raw(hash));
  return sha256(row.done());
}

/** Hash by which a row covers its evidence. */
export function evidenceHash(evidence: Evidence): Uint8Array {
  const out = new Canonical();
  out.text(evidence.check);
  out.optional(evidence.expected, (expected) => out.text(expected));
  out.optional(evidence.computed, (computed) => out.text(computed));
  out.bytes(evidence.job);
  return sha256(out.done());
}
