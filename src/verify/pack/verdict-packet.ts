// Verdicts as flat bytes, on their way back from a thread. One tagged item per job, in the order of the jobs.
// Never stored, so never versioned. What the main thread knows from its own question is not sent, a target that
// is the same as the item before it had is not sent again, and of a chain each hash is sent once.
import { equalBytes } from '../../proof/bytes.js';
import type { TxMetadata } from '../../proof/types.js';
import { PacketReader, PacketWriter } from './packet-cursor.js';
import { readClaims, writeClaims } from './claims-packet.js';
import { readCounts, writeCounts } from '../stretch-counts.js';
import { readHeaderPack, writeHeaderPack } from './header-pack.js';
import { readRefuted, readText, writeRefuted, writeText } from './refuted-packet.js';
import type { Job, Proven, ProvenTarget, ProvenTx, Verdict } from '../verifier.js';

/** What a thread says about one job. `defect`: checking it broke for a reason that is ours, not the server's. */
export type Outcome =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'defect'; readonly message: string };

type Found = Extract<Proven, { kind: 'get' }>['found'];

const DEFECT = 0;
const REFUTED = 1;
const VALUE = 2;
const REFERENCE = 3;
const SET = 4;
const TX = 5;
const SEGMENT = 6;
const CLAIMS = 7;
const CLAIM = 8;
const WRITTEN = 9;
const BLOCK = 10;
const LEAVES = 11;
const STRETCH = 12;
const SHORT_STRETCH = 13;
const STATE = 14;
const GONE = 15;

const ENDS = ['deleted', 'expired', 'reference'] as const;

const TRUNCATED = 1;
const EXTRA = 2;
/** The target is the one of the item before. */
const SAME_AS_BEFORE = 1;
/** The target is the subject. */
const IS_SUBJECT = 2;
const HAS_FRONTIER = 4;
const HAS_SIGNATURE = 8;
const HAS_LEAVES = 16;

/** In a thread: all outcomes of one message in one buffer, to be transferred. */
export function packOutcomes(outcomes: readonly Outcome[]): ArrayBuffer {
  const writer = new PacketWriter(1024 * outcomes.length);
  let before: ProvenTarget | undefined;
  for (const outcome of outcomes) {
    if (outcome.kind === 'defect') {
      writer.u8(DEFECT);
      writeText(writer, outcome.message);
    } else if (!outcome.verdict.ok) {
      writer.u8(REFUTED);
      writeRefuted(writer, outcome.verdict.refuted);
    } else {
      before = writeProven(writer, outcome.verdict.proven, before);
    }
  }
  return writer.finish().buffer;
}

/**
 * On the main thread: the outcomes of `jobs`, in order; values and hashes are views of `buffer`.
 * Throws RangeError when the buffer does not hold exactly that many.
 */
export function unpackOutcomes(buffer: ArrayBuffer, jobs: readonly { readonly job: Job }[]): Outcome[] {
  const reader = new PacketReader(new Uint8Array(buffer));
  const outcomes: Outcome[] = [];
  let before: ProvenTarget | undefined;
  for (const { job } of jobs) {
    const tag = reader.u8();
    if (tag === DEFECT) outcomes.push({ kind: 'defect', message: readText(reader) });
    else if (tag === REFUTED)
      outcomes.push({ kind: 'verdict', verdict: { ok: false, refuted: readRefuted(reader) } });
    else {
      const proven = readProven(reader, tag, job, before);
      if ('target' in proven) before = proven.target;
      outcomes.push({ kind: 'verdict', verdict: { ok: true, proven } });
    }
  }
  if (!reader.done) throw new RangeError('bytes are left over');
  return outcomes;
}

/** Returns the target that the next item may refer to. */
function writeProven(
  writer: PacketWriter,
  proven: Proven,
  before: ProvenTarget | undefined,
): ProvenTarget | undefined {
  switch (proven.kind) {
    case 'get':
      writer.u8(proven.found.kind === 'value' ? VALUE : REFERENCE);
      writeEnds(writer, proven, before);
      writeFound(writer, proven.found);
      writeLeaves(writer, proven.leaves);
      return proven.target;
    case 'tx':
      writer.u8(TX);
      writeEnds(writer, proven, before);
      writeLeaves(writer, proven.leaves);
      return proven.target;
    case 'set':
    case 'claim':
      writer.u8(proven.kind === 'set' ? SET : CLAIM);
      writeEnds(writer, proven, before);
      return proven.target;
    case 'gone':
      writer.u8(GONE);
      writeEnds(writer, proven, before);
      writer.u8(ENDS.indexOf(proven.how));
      if (proven.expiresAt !== undefined) writer.i64(proven.expiresAt);
      if (proven.reference) {
        writer.u64(proven.reference.atTx);
        writer.bytes(proven.reference.key);
      }
      return proven.target;
    case 'segment':
      writer.u8(SEGMENT);
      writer.u32(proven.headers.length);
      for (const header of proven.headers) {
        writer.raw(header.alh);
        writeTxRest(writer, header);
      }
      writer.u8(proven.frontier ? HAS_FRONTIER : 0);
      if (proven.frontier) writer.frontier(proven.frontier);
      return before;
    case 'claims':
      writer.u8(CLAIMS);
      writeClaims(writer, proven.outcomes);
      return before;
    case 'written':
      writer.u8(WRITTEN);
      writeTx(writer, proven.subject);
      writer.u64(proven.tree.size);
      writer.raw(proven.tree.root);
      return before;
    case 'block':
      writer.u8(BLOCK);
      writeHeaderPack(writer, proven.headers);
      return before;
    case 'leaves':
      writer.u8(LEAVES);
      for (const leaves of proven.leaves) writer.bytes(leaves);
      return before;
    case 'stretch':
      writer.u8(STRETCH);
      writer.raw(proven.prevAlh);
      writer.raw(proven.alh);
      writeCounts(writer, proven.counts);
      writer.u64(proven.truncatedUpTo);
      return before;
    case 'short-stretch':
      writer.u8(SHORT_STRETCH);
      return before;
    case 'state':
      writer.u8(STATE);
      writer.root(proven.claimed);
      return before;
  }
}

function readProven(
  reader: PacketReader,
  tag: number,
  { question }: Job,
  before: ProvenTarget | undefined,
): Proven {
  if (tag === SEGMENT && question.kind === 'segment') {
    let prevAlh = question.after.alh;
    let tx = question.after.tx;
    const count = reader.u32();
    const headers: ProvenTx[] = [];
    for (let i = 0; i < count; i++) {
      const alh = reader.digest();
      headers.push(readTxRest(reader, ++tx, alh, prevAlh));
      prevAlh = alh;
    }
    const frontier = (reader.u8() & HAS_FRONTIER) !== 0 ? reader.frontier() : undefined;
    return { kind: 'segment', headers, ...(frontier && { frontier }) };
  }
  if (tag === CLAIMS && question.kind === 'claims')
    return { kind: 'claims', outcomes: readClaims(reader, question.keys) };
  if (tag === WRITTEN && question.kind === 'written') {
    const subject = readTx(reader);
    return { kind: 'written', subject, tree: { size: reader.u64(), root: reader.digest() } };
  }
  if (tag === BLOCK && question.kind === 'block') return { kind: 'block', headers: readHeaderPack(reader) };
  if (tag === LEAVES && question.kind === 'leaves')
    return { kind: 'leaves', leaves: question.txs.map(() => reader.bytes()) };
  if (tag === STRETCH && question.kind === 'stretch') {
    const prevAlh = reader.digest();
    const alh = reader.digest();
    return { kind: 'stretch', prevAlh, alh, counts: readCounts(reader), truncatedUpTo: reader.u64() };
  }
  if (tag === SHORT_STRETCH && question.kind === 'stretch') return { kind: 'short-stretch' };
  if (tag === STATE && question.kind === 'state') return { kind: 'state', claimed: reader.root() };
  const ends = readEnds(reader, before);
  if (tag === VALUE && question.kind === 'get')
    return { kind: 'get', ...ends, found: readValue(reader, question.key), ...readLeaves(reader) };
  if (tag === REFERENCE && question.kind === 'get')
    return { kind: 'get', ...ends, found: readReference(reader), ...readLeaves(reader) };
  if (tag === SET && question.kind === 'set') return { kind: 'set', ...ends };
  if (tag === CLAIM && question.kind === 'claim') return { kind: 'claim', ...ends };
  if (tag === GONE && question.kind === 'gone') return { kind: 'gone', ...ends, ...readEnd(reader) };
  if (tag === TX && question.kind === 'tx') return { kind: 'tx', ...ends, ...readLeaves(reader) };
  throw new RangeError(`outcome ${tag} is no answer to a ${question.kind} question`);
}

interface Ends {
  readonly subject: ProvenTx;
  readonly target: ProvenTarget;
}

function writeEnds(writer: PacketWriter, { subject, target }: Ends, before: ProvenTarget | undefined): void {
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

function readEnds(reader: PacketReader, before: ProvenTarget | undefined): Ends {
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

function writeTx(writer: PacketWriter, tx: ProvenTx): void {
  writer.root(tx);
  writer.raw(tx.prevAlh);
  writeTxRest(writer, tx);
}

function readTx(reader: PacketReader): ProvenTx {
  const { tx, alh } = reader.root();
  return readTxRest(reader, tx, alh, reader.digest());
}

function writeTxRest(writer: PacketWriter, { eH, ts, version, nentries, metadata }: ProvenTx): void {
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

function readTxRest(reader: PacketReader, tx: bigint, alh: Uint8Array, prevAlh: Uint8Array): ProvenTx {
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

function readEnd(
  reader: PacketReader,
): Pick<Extract<Proven, { kind: 'gone' }>, 'how' | 'expiresAt' | 'reference'> {
  const how = ENDS[reader.u8()];
  if (how === 'expired') return { how, expiresAt: reader.i64() };
  if (how === 'reference') {
    const atTx = reader.u64();
    return { how, reference: { atTx, key: reader.bytes() } };
  }
  if (how === undefined) throw new RangeError('an end that is not known');
  return { how };
}

function writeLeaves(writer: PacketWriter, leaves: Uint8Array | undefined): void {
  writer.u8(leaves ? HAS_LEAVES : 0);
  if (leaves) writer.bytes(leaves);
}

function readLeaves(reader: PacketReader): { leaves?: Uint8Array } {
  return reader.u8() === HAS_LEAVES ? { leaves: reader.bytes() } : {};
}

function writeFound(writer: PacketWriter, found: Found): void {
  if (found.kind === 'value') {
    writer.kvMetadata(found.entry.metadata);
    writer.u64(found.entry.unprovenRevision);
    writer.bytes(found.entry.value);
    return;
  }
  const { claimed } = found;
  writer.bytes(found.key);
  writer.u64(found.atTx);
  writer.kvMetadata(found.metadata);
  writer.u64(claimed.tx);
  writer.kvMetadata(claimed.metadata);
  writer.u64(claimed.unprovenRevision);
  writer.bytes(claimed.value);
}

function readValue(reader: PacketReader, key: Uint8Array): Found {
  const metadata = reader.kvMetadata();
  const unprovenRevision = reader.u64();
  const value = reader.bytes();
  return { kind: 'value', entry: { key, value, ...(metadata && { metadata }), unprovenRevision } };
}

function readReference(reader: PacketReader): Found {
  const key = reader.bytes();
  const atTx = reader.u64();
  const metadata = reader.kvMetadata();
  const tx = reader.u64();
  const claimedMetadata = reader.kvMetadata();
  const unprovenRevision = reader.u64();
  const value = reader.bytes();
  return {
    kind: 'reference',
    key,
    atTx,
    ...(metadata && { metadata }),
    claimed: { key, value, ...(claimedMetadata && { metadata: claimedMetadata }), unprovenRevision, tx },
  };
}
