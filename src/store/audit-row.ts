// The canonical bytes of an audit row, and the hash that chains it to the row before it.
//
// Version 1. Numbers are big-endian; `bytes` = u32 length ‖ bytes; texts are UTF-8 bytes; an optional field is u8 0
// (absent) or u8 1 ‖ field:
//
//   row = u8 1 ‖ u64 seq ‖ bytes server ‖ bytes database ‖ u64 tx ‖ bytes alh ‖ bytes outcome ‖ [u64 previousTx]
//         ‖ bytes operation ‖ u32 calls ‖ i64 headerTime ‖ [bytes signature] ‖ [bytes keyFingerprint]
//         ‖ i64 verifiedAt ‖ f64 durationMs ‖ bytes clientId ‖ [bytes detail] ‖ [32 bytes evidence hash]
//   evidence hash = SHA-256( bytes check ‖ [bytes expected] ‖ [bytes computed] ‖ bytes job )
//   row hash = SHA-256( previous row hash ‖ row ); the first row follows SHA-256( store id )
//
// A row covers its evidence by hash only, so that the chain can be walked without reading the evidence.
import { sha256 } from '../proof/hash.js';
import type { AuditEntry, Evidence } from './root-store.js';

const VERSION = 1;
const encoder = new TextEncoder();

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
  const row = new Canonical();
  row.raw(previousHash).u8(VERSION).u64(seq).text(entry.server).text(entry.database);
  row.u64(entry.tx).bytes(entry.alh).text(entry.outcome);
  row.optional(entry.previousTx, (tx) => row.u64(tx));
  row.text(entry.operation).u32(entry.calls).i64(entry.headerTime);
  row.optional(entry.signature, (signature) => row.bytes(signature));
  row.optional(entry.keyFingerprint, (fingerprint) => row.bytes(fingerprint));
  row.i64(BigInt(entry.verifiedAt)).f64(entry.durationMs).text(entry.clientId);
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

/** Appends fields to one growing buffer. */
class Canonical {
  #buffer = new Uint8Array(512);
  #view = new DataView(this.#buffer.buffer);
  #at = 0;

  u8(value: number): this {
    // Reserving may replace the buffer: it comes first, here and below.
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  i64(value: bigint): this {
    const at = this.#reserve(8);
    this.#view.setBigInt64(at, value);
    return this;
  }

  f64(value: number): this {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value);
    return this;
  }

  raw(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  bytes(value: Uint8Array): this {
    return this.u32(value.length).raw(value);
  }

  text(value: string): this {
    return this.bytes(encoder.encode(value));
  }

  optional<T>(value: T | null | undefined, write: (value: T) => void): void {
    if (value === null || value === undefined) {
      this.u8(0);
    } else {
      this.u8(1);
      write(value);
    }
  }

  done(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  #reserve(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#at, 2 * this.#buffer.length));
      larger.set(this.#buffer);
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
