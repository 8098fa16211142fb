// Handlers of the byte streams: the same reads and writes, with keys and values as framed messages.
import { be16, be32, be64, concatBytes } from '../../proof/bytes.js';
import type { TxHeader } from '../../proof/types.js';
import { loadSchema, methodDefinition } from '../../wire/schema.js';
import { selected } from '../serve/core.js';
import type { Access, Call, LedgerCore } from '../serve/core.js';
import type { Database } from '../engine/database.js';
import { MessageEncoder } from '../wire/encoder.js';
import { LedgerRefusal, refuse } from '../errors.js';
import { execAll } from '../kv/exec-all.js';
import { assertNotAhead, idOf, verifiableGet, verifiableTx } from '../engine/proofs.js';
import { get, history, scan, zScan } from '../kv/reads.js';
import { MessageReader } from '../wire/stream-framing.js';
import { wireHeader } from '../wire/to-wire.js';
import { encodeEntries, encodeHeader } from '../wire/tx-codec.js';
import { bytes } from '../wire/messages.js';
import type {
  KeyValueRequest,
  RequestId,
  WireEntry,
  WireVerifiableEntry,
  WireZEntry,
  ZAddRequest,
} from '../wire/messages.js';
import { set } from '../kv/writes.js';

/** Answers with an object, which `messages` turns into what is streamed. */
export interface ServerStreamHandler {
  readonly answer: (core: LedgerCore, call: Call) => object;
  readonly messages: (answer: object) => Iterable<Uint8Array>;
}

/** Answers once the caller has sent everything. */
export type ClientStreamHandler = (core: LedgerCore, call: Call, received: readonly Uint8Array[]) => object;

/** Most bytes of values in one stream. */
const MAX_VALUES_BYTES = 1 << 25;
/** Most bytes that are held for a stream: values, keys and lengths. */
export const MAX_STREAM_BYTES = 2 * MAX_VALUES_BYTES;

/** In place of which a truncated transaction says that it has hashes for values. */
const VALUES_ARE_THERE = new Uint8Array([0]);

const encoder = new MessageEncoder(loadSchema());
const encodeEntry = encoder.serializerOf('immudb.schema.Entry');
const encodeVerifiableTx = encoder.serializerOf('immudb.schema.VerifiableTx');
const encodeInclusionProof = encoder.serializerOf('immudb.schema.InclusionProof');
const zAddMethod = methodDefinition('immudb.schema.ImmuService', 'ZAdd');

function reading(
  answer: (db: Database, request: never, core: LedgerCore) => object,
  messages: ServerStreamHandler['messages'],
  access: Access = 'read',
): ServerStreamHandler {
  return {
    answer: (core, call) => answer(selected(core, call, access), call.request as never, core),
    messages,
  };
}

function keysAndValues(answer: object): Uint8Array[] {
  const { entries } = answer as { entries: WireEntry[] };
  return entries.flatMap((entry) => [bytes(entry.key), bytes(entry.value)]);
}

function members(answer: object): Uint8Array[] {
  const { entries } = answer as { entries: WireZEntry[] };
  return entries.flatMap(({ set: name, key, score = 0, atTx = 0, entry }) => {
    const bits = new Uint8Array(8);
    new DataView(bits.buffer).setFloat64(0, score);
    return [bytes(name), bytes(key), bits, be64(BigInt(atTx)), bytes(entry?.value)];
  });
}

/** The entry goes without value, metadata and revision, as immudb sends it. */
function verifiable(answer: object): Uint8Array[] {
  const { entry = {}, verifiableTx: tx = {}, inclusionProof = {} } = answer as WireVerifiableEntry;
  const { tx: id, key, referencedBy, value } = entry;
  return [
    encodeEntry({ tx: id, key, referencedBy }),
    encodeVerifiableTx(tx),
    encodeInclusionProof(inclusionProof),
    bytes(value),
  ];
}

export const serverStreams: Readonly<Record<string, ServerStreamHandler>> = {
  streamGet: reading(get, (answer) => {
    const { key, value } = answer as WireEntry;
    return [bytes(key), bytes(value)];
  }),
  streamVerifiableGet: reading((db, request, core) => verifiableGet(db, request, core.signer), verifiable),
  streamScan: reading(scan, keysAndValues),
  streamHistory: reading(history, keysAndValues),
  streamZScan: reading(zScan, members),
  exportTx: reading(exported, ({ tx }: { tx?: Uint8Array }) => [bytes(tx)], 'admin'),
};

/** Version 0 knows no metadata, and few entries. */
function exportedHeader(header: TxHeader): Uint8Array {
  if (header.version !== 0) return encodeHeader(header);
  const { id, prevAlh, ts, version, nentries, eH, blTxId, blRoot } = header;
  const start = concatBytes(be64(id), prevAlh, be64(ts), be16(version), be16(nentries));
  return concatBytes(start, eH, be64(blTxId), blRoot);
}

/** A whole transaction as replicas take it. */
function exported(db: Database, { tx }: { tx?: RequestId }): object {
  const id = BigInt(tx ?? 0);
  if (id === 0n) throw refuse.illegalArguments();
  if (id > BigInt(db.last)) throw refuse.because('no new transactions');
  const header = exportedHeader(db.log.header(Number(id)));
  const entries = encodeEntries(db.log.entries(Number(id)));
  return { tx: concatBytes(be32(header.length), header, entries, be16(1), VALUES_ARE_THERE) };
}

function readPairs(reader: MessageReader, counted = 0): KeyValueRequest[] {
  const pairs: KeyValueRequest[] = [];
  let total = counted;
  for (let key = reader.next(); key; key = reader.next()) {
    const value = reader.next();
    // An empty value ends the batch: immudb's reader cannot tell it from the end of the stream.
    pairs.push({ key, value: bytes(value) });
    if (!value) break;
    total += value.length;
    if (total > MAX_VALUES_BYTES) throw refuse.streamTooLong();
  }
  return pairs;
}

/** Refusals of the write itself come in immudb's words for streams. */
function streamed<T>(words: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof LedgerRefusal)) throw error;
    if (error.message === refuse.valueTooLong().message) throw refuse.streamValueTooLong();
    const { message } =
      error.message === refuse.duplicateKeys().message ? refuse.duplicateKeysInWords() : error;
    throw refuse.because(`${words}: ${message}`);
  }
}

function writing(
  access: Access,
  write: (db: Database, reader: MessageReader, core: LedgerCore) => object,
): ClientStreamHandler {
  return (core, call, received) => write(selected(core, call, access), new MessageReader(received), core);
}

export const clientStreams: Readonly<Record<string, ClientStreamHandler>> = {
  streamSet: writing('write', (db, reader) => {
    const KVs = readPairs(reader);
    return wireHeader(streamed('StreamSet receives following error', () => set(db, { KVs })));
  }),
  streamVerifiableSet: writing('write', (db, reader, core) => {
    const since = reader.next();
    if (!since) throw refuse.because('EOF');
    if (since.length < 8) throw refuse.because('unexpected EOF');
    const proveSinceTx = new DataView(since.buffer, since.byteOffset, 8).getBigUint64(0).toString();
    const KVs = readPairs(reader, since.length);
    return streamed('StreamVerifiableSet received the following error', () => {
      assertNotAhead(db, proveSinceTx);
      return verifiableTx(db, idOf(set(db, { KVs })), proveSinceTx, core.signer);
    });
  }),
  streamExecAll: writing('write', (db, reader) =>
    wireHeader(execAll(db, { Operations: readOperations(reader) })),
  ),
};

const OPERATION = { keyValue: 1, zAdd: 2, reference: 4 } as const;

function readOperations(reader: MessageReader): { kv?: KeyValueRequest; zAdd?: ZAddRequest }[] {
  const operations: { kv?: KeyValueRequest; zAdd?: ZAddRequest }[] = [];
  for (let kind = reader.next(); kind; kind = reader.next()) {
    if (kind[0] === OPERATION.reference) throw refuse.referenceOperation();
    if (kind[0] === OPERATION.keyValue) {
      const key = reader.next();
      if (!key) break;
      const value = reader.next();
      if (!value) throw refuse.because('EOF');
      operations.push({ kv: { key, value } });
    } else if (kind[0] === OPERATION.zAdd) {
      operations.push({ zAdd: zAddMethod.requestDeserialize(Buffer.from(bytes(reader.next()))) });
    }
  }
  return operations;
}
