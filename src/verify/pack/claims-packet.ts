// Outcomes of plain reads on their way back from a thread. The raw entry travels once; its value and key are views of it.
import { equalBytes } from '../../proof/bytes.js';
import { referenceValue } from '../../proof/entry.js';
import type { PacketReader, PacketWriter } from './packet-cursor.js';
import { readRefuted, writeRefuted } from './refuted-packet.js';
import type { CheckedClaim, Claim, ShownClaim } from '../claims/claim.js';

const MISSING = 0;
const REFUTED = 1;
const VALUE = 2;
const REFERENCE = 3;

export function writeClaims(writer: PacketWriter, outcomes: readonly CheckedClaim[]): void {
  for (const outcome of outcomes) writeOutcome(writer, outcome);
}

/** `keys`: those that were asked for, one per outcome. */
export function readClaims(reader: PacketReader, keys: readonly Uint8Array[]): CheckedClaim[] {
  return keys.map((key) => readOutcome(reader, key));
}

/** Claims of an answer to which no keys were named: each with its key. */
export function writeKeyedClaims(writer: PacketWriter, claims: readonly ShownClaim[]): void {
  writer.u32(claims.length);
  for (const shown of claims) writeKeyedClaim(writer, shown);
}

export function readKeyedClaims(reader: PacketReader): ShownClaim[] {
  const claims: ShownClaim[] = [];
  for (let left = reader.u32(); left > 0; left--) claims.push(readKeyedClaim(reader));
  return claims;
}

export function writeKeyedClaim(writer: PacketWriter, shown: ShownClaim): void {
  writer.bytes(shown.claim.key);
  writeOutcome(writer, shown);
}

export function readKeyedClaim(reader: PacketReader): ShownClaim {
  const outcome = readOutcome(reader, reader.bytes());
  if (outcome.kind === 'missing' || outcome.kind === 'refuted') throw new RangeError('a claim is due');
  return outcome;
}

function writeOutcome(writer: PacketWriter, outcome: CheckedClaim): void {
  switch (outcome.kind) {
    case 'missing':
      writer.u8(MISSING);
      return;
    case 'refuted':
      writer.u8(REFUTED);
      writer.bytes(outcome.shown);
      writeRefuted(writer, outcome.refuted);
      return;
    case 'value':
      writer.u8(VALUE);
      writer.bytes(outcome.shown);
      writeView(writer, outcome.claim.value, outcome.shown);
      writeClaim(writer, outcome.claim);
      return;
    case 'reference':
      writer.u8(REFERENCE);
      writer.bytes(outcome.shown);
      writer.u64(outcome.atTx);
      writeView(writer, outcome.target.key, outcome.shown);
      writeView(writer, outcome.target.value, outcome.shown);
      writeClaim(writer, outcome.claim);
      writeClaim(writer, outcome.target);
      return;
  }
}

function readOutcome(reader: PacketReader, key: Uint8Array): CheckedClaim {
  const tag = reader.u8();
  if (tag === MISSING) return { kind: 'missing' };
  const shown = reader.bytes();
  if (tag === REFUTED) return { kind: 'refuted', shown, refuted: readRefuted(reader) };
  if (tag === VALUE) {
    const value = readView(reader, shown);
    return { kind: 'value', claim: readClaim(reader, key, value, false), shown };
  }
  if (tag !== REFERENCE) throw new RangeError(`claim ${tag} is not known`);
  const atTx = reader.u64();
  const targetKey = readView(reader, shown);
  const value = readView(reader, shown);
  const claim = readClaim(reader, key, referenceValue(atTx, targetKey), true);
  return { kind: 'reference', claim, atTx, target: readClaim(reader, targetKey, value, false), shown };
}

export function writeClaim(writer: PacketWriter, { tx, leaf, metadata, unprovenRevision }: Claim): void {
  writer.u64(tx);
  writer.raw(leaf);
  writer.u64(unprovenRevision);
  writer.kvMetadata(metadata);
}

export function readClaim(
  reader: PacketReader,
  key: Uint8Array,
  value: Uint8Array,
  isReference: boolean,
): Claim {
  const tx = reader.u64();
  const leaf = reader.digest();
  const unprovenRevision = reader.u64();
  const metadata = reader.kvMetadata();
  return metadata
    ? { tx, leaf, key, value, isReference, metadata, unprovenRevision }
    : { tx, leaf, key, value, isReference, unprovenRevision };
}

/** A part of `shown`, as its place there. An empty one may lie anywhere. */
export function writeView(writer: PacketWriter, part: Uint8Array, shown: Uint8Array): void {
  const at = part.length === 0 ? 0 : part.byteOffset - shown.byteOffset;
  if (at < 0 || !equalBytes(shown.subarray(at, at + part.length), part)) {
    throw new RangeError('not a view of the entry that was shown');
  }
  writer.u32(at);
  writer.u32(part.length);
}

export function readView(reader: PacketReader, shown: Uint8Array): Uint8Array {
  const at = reader.u32();
  const length = reader.u32();
  if (at + length > shown.length) throw new RangeError('a view beyond the entry that was shown');
  return shown.subarray(at, at + length);
}
