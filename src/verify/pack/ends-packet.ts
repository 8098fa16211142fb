// Proven headers on their way back from a thread. A target that is the same as the one before it is not sent again.
import { equalBytes } from '../../proof/bytes.js';
import type { TxMetadata } from '../../proof/types.js';
import type { BoundEnds, ProvenTarget, ProvenTx } from '../terms.js';
import type { PacketReader, PacketWriter } from './packet-cursor.js';

const TRUNCATED = 1;
const EXTRA = 2;
/** The target is the one of the item before. */
const SAME_AS_BEFORE = 1;
/** The target is the subject. */
const IS_SUBJECT = 2;
const HAS_FRONTIER = 4;
const HAS_SIGNATURE = 8;
const HAS_LEAVES = 16;

export function writeEnds(
  writer: PacketWriter,
  { subject, target }: BoundEnds,
  before: ProvenTarget | undefined,
): void {
  writeTx(writer, subject);
  if (before && sameTarget(target, before)) {
    writer.u8(SAME_AS_BEFORE);
    return;
  }
  const isSubject = target.tx === subject.tx;
  writer.u8(
    (isSubject ? IS_SUBJECT : 0) |
      (target.frontier ? HAS_FRONTIER : 0) |
      (target.signature ? HAS_SIGNATURE : 0),
  );
  if (!isSubject) writeTx(writer, target);
  if (target.frontier) writer.frontier(target.frontier);
  if (target.signature) writer.bytes(target.signature);
}

export function readEnds(reader: PacketReader, before: ProvenTarget | undefined): BoundEnds {
  const subject = readTx(reader);
  const flags = reader.u8();
  if ((flags & SAME_AS_BEFORE) !== 0) {
    if (!before) throw new RangeError('no target before this one');
    return { subject, target: before };
  }
  const tx = (flags & IS_SUBJECT) !== 0 ? subject : readTx(reader);
  const frontier = (flags & HAS_FRONTIER) !== 0 ? reader.frontier() : undefined;
  const signature = (flags & HAS_SIGNATURE) !== 0 ? reader.bytes() : undefined;
  return { subject, target: { ...tx, ...(frontier && { frontier }), ...(signature && { signature }) } };
}

/** Both are proven: the alh fixes every field of the header, and the header fixes the frontier. */
function sameTarget(a: ProvenTarget, b: ProvenTarget): boolean {
  return (
    a.tx === b.tx &&
    equalBytes(a.alh, b.alh) &&
    (a.frontier === undefined) === (b.frontier === undefined) &&
    a.signature === undefined &&
    b.signature === undefined
  );
}

export function writeTx(writer: PacketWriter, tx: ProvenTx): void {
  writer.root(tx);
  writer.raw(tx.prevAlh);
  writeTxRest(writer, tx);
}

export function readTx(reader: PacketReader): ProvenTx {
  const { tx, alh } = reader.root();
  return readTxRest(reader, tx, alh, reader.digest());
}

export function writeTxRest(writer: PacketWriter, { eH, ts, version, nentries, metadata }: ProvenTx): void {
  writer.raw(eH);
  writer.i64(ts);
  writer.u8(version);
  writer.u32(nentries);
  const truncatedTxId = metadata?.truncatedTxId;
  const extra = metadata?.extra;
  writer.u8((truncatedTxId === undefined ? 0 : TRUNCATED) | (extra ? EXTRA : 0));
  if (truncatedTxId !== undefined) writer.u64(truncatedTxId);
  if (extra) writer.bytes(extra);
}

export function readTxRest(reader: PacketReader, tx: bigint, alh: Uint8Array, prevAlh: Uint8Array): ProvenTx {
  const eH = reader.digest();
  const ts = reader.i64();
  const version = reader.u8();
  const nentries = reader.u32();
  const flags = reader.u8();
  if (flags === 0) return { tx, alh, prevAlh, ts, version, nentries, eH };
  const metadata: TxMetadata = {
    ...((flags & TRUNCATED) !== 0 && { truncatedTxId: reader.u64() }),
    ...((flags & EXTRA) !== 0 && { extra: reader.bytes() }),
  };
  return { tx, alh, prevAlh, ts, version, nentries, eH, metadata };
}

export function writeLeaves(writer: PacketWriter, leaves: Uint8Array | undefined): void {
  writer.u8(leaves ? HAS_LEAVES : 0);
  if (leaves) writer.bytes(leaves);
}

export function readLeaves(reader: PacketReader): { leaves?: Uint8Array } {
  return reader.u8() === HAS_LEAVES ? { leaves: reader.bytes() } : {};
}
