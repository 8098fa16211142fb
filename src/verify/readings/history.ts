// What is checked of a page of a key's history before its versions can be proven: versions of this key, each in a transaction of
// its own, in strict order. Deletions and expired entries are versions too. That none is left out cannot be proven.
import { ProofFailure } from '../../proof/failure.js';
import { assertKey, assertTx } from '../asserts.js';
import { txOfVersion, versionOf } from '../claims/version.js';
import type { ShownVersion } from '../claims/version.js';
import type { Kind } from '../kind.js';
import { readClaim, readView, writeClaim, writeView } from '../pack/claims-packet.js';
import type { PacketReader, PacketWriter } from '../pack/packet-cursor.js';
import type { Context } from '../terms.js';
import { readEntries } from '../wire/answers.js';
import { bytesWords } from '../words.js';
import { assertMax } from './scan.js';

/** Answer: Entries (History) of this key, at most `max` of them. */
export interface HistoryQuestion {
  readonly kind: 'history';
  readonly key: Uint8Array;
  /** The newest first. */
  readonly desc: boolean;
  /** Tx of the last version of the page before; 0: this is the first page. */
  readonly past: bigint;
  readonly max: number;
}

/** In the order of the answer. Nothing but key and order is proven yet. */
export interface HistoryProven {
  readonly kind: 'history';
  readonly versions: readonly ShownVersion[];
  /** Versions before them that the page before had shown: what is written meanwhile moves the newest ones on. */
  readonly repeated: number;
}

function checkHistory(question: HistoryQuestion, { now }: Context, answer: Uint8Array): HistoryProven {
  const { key, desc, past, max } = question;
  const versions: ShownVersion[] = [];
  let repeated = 0;
  let before = desc ? 0n : past;
  for (const shown of readEntries(answer, max, false)) {
    const version = versionOf(key, shown, now);
    const tx = txOfVersion(version);
    if (before !== 0n && (desc ? tx >= before : tx <= before))
      throw new ProofFailure('history.order', 'versions are out of order, or one is there twice', before, tx);
    before = tx;
    if (desc && past !== 0n && tx >= past) repeated += 1;
    else versions.push(version);
  }
  return { kind: 'history', versions, repeated };
}

const TAG = 51;
const PROVEN_TAG = 51;
const DESC = 1;

export const history: Kind<HistoryQuestion, HistoryProven> = {
  kind: 'history',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ key, past, max }) {
    assertKey(key, 'question.key');
    assertTx(past, 0n, 'question.past');
    assertMax(max);
  },

  size: ({ key }) => 14 + 4 + key.length,
  write(writer, { key, desc, past, max }) {
    writer.u8(TAG);
    writer.u8(desc ? DESC : 0);
    writer.u64(past);
    writer.u32(max);
    writer.bytes(key);
  },
  read(reader) {
    const desc = (reader.u8() & DESC) !== 0;
    return { kind: 'history', desc, past: reader.u64(), max: reader.u32(), key: reader.bytes() };
  },

  check: checkHistory,

  writeProven(writer, { versions, repeated }) {
    writer.u8(PROVEN_TAG);
    writer.u32(repeated);
    writer.u32(versions.length);
    for (const version of versions) writeVersion(writer, version);
  },
  readProven(reader, _tag, { key }) {
    const repeated = reader.u32();
    const versions: ShownVersion[] = [];
    for (let left = reader.u32(); left > 0; left--) versions.push(readVersion(reader, key));
    return { kind: 'history', versions, repeated };
  },

  words: ({ key, desc, max }) => `the ${desc ? 'last' : 'first'} ${max} versions of key ${bytesWords(key)}`,
};

const KINDS = ['value', 'deleted', 'expired'] as const;

function writeVersion(writer: PacketWriter, version: ShownVersion): void {
  writer.u8(KINDS.indexOf(version.kind));
  writer.bytes(version.shown);
  if (version.kind === 'expired') {
    writer.u64(version.tx);
    writer.u64(version.unprovenRevision);
    writer.kvMetadata(version.metadata);
    return;
  }
  writeView(writer, version.claim.value, version.shown);
  writeClaim(writer, version.claim);
}

function readVersion(reader: PacketReader, key: Uint8Array): ShownVersion {
  const kind = KINDS[reader.u8()];
  const shown = reader.bytes();
  if (kind === 'expired') {
    const tx = reader.u64();
    const unprovenRevision = reader.u64();
    const metadata = reader.kvMetadata();
    if (metadata?.expiresAt === undefined) throw new RangeError('an expired version has a time');
    const { expiresAt } = metadata;
    return { kind, tx, metadata: { ...metadata, expiresAt }, unprovenRevision, shown };
  }
  if (kind === undefined) throw new RangeError('a version that is not known');
  const value = readView(reader, shown);
  return { kind, claim: readClaim(reader, key, value, kind === 'deleted' && value.length === 0), shown };
}
