// Questions in packed jobs: the format is in packet.ts.
import type { PacketReader, PacketWriter } from './packet-cursor.js';
import { HASH_SIZE } from '../../proof/hash.js';
import { ROOT_SIZE, frontierSize, kvMetadataSize } from './packet-cursor.js';
import type { Question, TxFacts, WrittenEntry } from '../verifier.js';

const GET = 1;
const SET = 2;
const TX = 3;
const SEGMENT = 4;
const CLAIMS = 5;
const CLAIM = 6;
const WRITTEN = 7;
const BLOCK = 8;
const LEAVES = 9;
const TX_LEAVES = 10;
const STRETCH = 11;
const STATE = 12;
const GONE = 13;
const AT_TX = 1;
const NO_REFERENCE = 2;
const AT_REVISION = 4;
const FRONTIER = 1;
const SINGLE = 1;
const AFTER = 1;
const VALUES = 2;
const DIGESTS = 4;
const SHOWN = 1;
const FACTS_SIZE = 8 + 1 + 4 + 32;

export function questionSize(question: Question): number {
  switch (question.kind) {
    case 'get':
      return (
        2 +
        8 * Number(question.atTx !== undefined) +
        8 * Number(question.atRevision !== undefined) +
        4 +
        question.key.length
      );
    case 'set': {
      let size = 5;
      for (const { key, value, metadata } of question.entries) {
        size += kvMetadataSize(metadata) + 8 + key.length + value.length;
      }
      return size;
    }
    case 'tx':
      return 9;
    case 'segment':
      return 1 + ROOT_SIZE + 8 + 1 + (question.frontier ? frontierSize(question.frontier) : 0);
    case 'claims': {
      let size = 6;
      for (const key of question.keys) size += 4 + key.length;
      return size;
    }
    case 'claim':
      return 9 + 8 + question.key.length + question.shown.length;
    case 'gone':
      return 18 + 4 + question.key.length + (question.shown ? 4 + question.shown.length : 0);
    case 'written':
      return 5 + question.request.length;
    case 'block':
      return 17 + 4 + question.proof.length;
    case 'leaves':
      return 5 + FACTS_SIZE * question.txs.length;
    case 'stretch':
      return (
        18 +
        (question.after ? HASH_SIZE : 0) +
        4 +
        question.proof.length +
        (question.digests ? 4 + question.digests.length : 0)
      );
    case 'state':
      return 1;
  }
}

export function writeQuestion(writer: PacketWriter, question: Question): void {
  switch (question.kind) {
    case 'get':
      writer.u8(GET);
      writer.u8(
        (question.atTx === undefined ? 0 : AT_TX) |
          (question.noReference === true ? NO_REFERENCE : 0) |
          (question.atRevision === undefined ? 0 : AT_REVISION),
      );
      if (question.atTx !== undefined) writer.u64(question.atTx);
      if (question.atRevision !== undefined) writer.i64(question.atRevision);
      writer.bytes(question.key);
      return;
    case 'set':
      writer.u8(SET);
      writer.u32(question.entries.length);
      for (const { key, value, metadata } of question.entries) {
        writer.kvMetadata(metadata);
        writer.bytes(key);
        writer.bytes(value);
      }
      return;
    case 'tx':
      writer.u8(question.leaves === true ? TX_LEAVES : TX);
      writer.u64(question.tx);
      return;
    case 'segment':
      writer.u8(SEGMENT);
      writer.root(question.after);
      writer.u64(question.to);
      writer.u8(question.frontier ? FRONTIER : 0);
      if (question.frontier) writer.frontier(question.frontier);
      return;
    case 'claims':
      writer.u8(CLAIMS);
      writer.u8(question.single === true ? SINGLE : 0);
      writer.u32(question.keys.length);
      for (const key of question.keys) writer.bytes(key);
      return;
    case 'claim':
      writer.u8(CLAIM);
      writer.u64(question.tx);
      writer.bytes(question.key);
      writer.bytes(question.shown);
      return;
    case 'gone':
      writer.u8(GONE);
      writer.u64(question.tx);
      writer.u64(question.floor);
      writer.u8(question.shown ? SHOWN : 0);
      writer.bytes(question.key);
      if (question.shown) writer.bytes(question.shown);
      return;
    case 'written':
      writer.u8(WRITTEN);
      writer.bytes(question.request);
      return;
    case 'block':
      writer.u8(BLOCK);
      writer.u64(question.first);
      writer.u64(question.last);
      writer.bytes(question.proof);
      return;
    case 'leaves':
      writer.u8(LEAVES);
      writer.u32(question.txs.length);
      for (const { tx, version, nentries, eH } of question.txs) {
        writer.u64(tx);
        writer.u8(version);
        writer.u32(nentries);
        writer.raw(eH);
      }
      return;
    case 'stretch':
      writer.u8(STRETCH);
      writer.u64(question.first);
      writer.u64(question.last);
      writer.u8(
        (question.after ? AFTER : 0) |
          (question.values === true ? VALUES : 0) |
          (question.digests ? DIGESTS : 0),
      );
      if (question.after) writer.raw(question.after);
      writer.bytes(question.proof);
      if (question.digests) writer.bytes(question.digests);
      return;
    case 'state':
      writer.u8(STATE);
      return;
  }
}

export function readQuestion(reader: PacketReader): Question {
  const kind = reader.u8();
  switch (kind) {
    case GET: {
      const flags = reader.u8();
      const atTx = (flags & AT_TX) !== 0 ? reader.u64() : undefined;
      const atRevision = (flags & AT_REVISION) !== 0 ? reader.i64() : undefined;
      const key = reader.bytes();
      return {
        kind: 'get',
        key,
        ...(atTx !== undefined && { atTx }),
        ...(atRevision !== undefined && { atRevision }),
        ...((flags & NO_REFERENCE) !== 0 && { noReference: true }),
      };
    }
    case SET: {
      const count = reader.u32();
      const entries: WrittenEntry[] = [];
      for (let i = 0; i < count; i++) {
        const metadata = reader.kvMetadata();
        entries.push({ key: reader.bytes(), value: reader.bytes(), ...(metadata && { metadata }) });
      }
      return { kind: 'set', entries };
    }
    case TX:
      return { kind: 'tx', tx: reader.u64() };
    case TX_LEAVES:
      return { kind: 'tx', tx: reader.u64(), leaves: true };
    case CLAIMS: {
      const single = (reader.u8() & SINGLE) !== 0;
      const keys: Uint8Array[] = [];
      for (let left = reader.u32(); left > 0; left--) keys.push(reader.bytes());
      return { kind: 'claims', keys, ...(single && { single }) };
    }
    case CLAIM:
      return { kind: 'claim', tx: reader.u64(), key: reader.bytes(), shown: reader.bytes() };
    case GONE: {
      const tx = reader.u64();
      const floor = reader.u64();
      const isShown = (reader.u8() & SHOWN) !== 0;
      return { kind: 'gone', tx, floor, key: reader.bytes(), ...(isShown && { shown: reader.bytes() }) };
    }
    case WRITTEN:
      return { kind: 'written', request: reader.bytes() };
    case BLOCK:
      return { kind: 'block', first: reader.u64(), last: reader.u64(), proof: reader.bytes() };
    case LEAVES: {
      const txs: TxFacts[] = [];
      for (let left = reader.u32(); left > 0; left--) {
        txs.push({ tx: reader.u64(), version: reader.u8(), nentries: reader.u32(), eH: reader.digest() });
      }
      return { kind: 'leaves', txs };
    }
    case SEGMENT: {
      const after = reader.root();
      const to = reader.u64();
      const frontier = (reader.u8() & FRONTIER) !== 0 ? reader.frontier() : undefined;
      return { kind: 'segment', after, to, ...(frontier && { frontier }) };
    }
    case STRETCH: {
      const first = reader.u64();
      const last = reader.u64();
      const flags = reader.u8();
      const after = (flags & AFTER) !== 0 ? reader.digest() : undefined;
      const proof = reader.bytes();
      const digests = (flags & DIGESTS) !== 0 ? reader.bytes() : undefined;
      return {
        kind: 'stretch',
        first,
        last,
        proof,
        ...(after && { after }),
        ...((flags & VALUES) !== 0 && { values: true }),
        ...(digests && { digests }),
      };
    }
    case STATE:
      return { kind: 'state' };
    default:
      throw new RangeError(`question ${kind} is not known`);
  }
}
