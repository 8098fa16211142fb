// Streams of a database: values that come and go in pieces, as async iterables, Node streams or web streams.
import { streamGet } from '../calls/streams/stream-get.js';
import type { StreamedEntry } from '../calls/streams/stream-get.js';
import { streamExecAll, verifiedStreamExecAll } from '../calls/streams/stream-exec-all.js';
import type { StreamOps } from '../calls/streams/stream-exec-all.js';
import { streamSet, verifiedStreamSet } from '../calls/streams/stream-set.js';
import { OneEntry } from '../calls/streams/sources.js';
import type { StreamEntries, StreamEntry, ValueSource } from '../calls/streams/sources.js';
import { verifiedStreamGet } from '../calls/streams/verified-stream-get.js';
import type { VerifiedStream } from '../calls/streams/verified-value.js';
import type { Write } from '../calls/kv/kv.js';
import type { VerifiedWrite } from '../trust/write.js';
import { isBytesInput, toKey } from '../input/bytes-input.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { VERSION_NAMES, checkVersion } from '../input/get-options.js';
import type { GetOptions } from '../input/get-options.js';
import { flag, optionsObject } from '../input/option-checks.js';
import { STREAM_BYTES } from '../room/room.js';
import { TxCalls } from './txs.js';

/** How a value is streamed to the server. */
export interface StreamSetOptions extends CallOptions {
  /** Bytes of the value: required where it comes in pieces, because it is told before them. 1 to 33 554 431. */
  readonly size?: number;
}

export interface VerifiedStreamGetOptions extends GetOptions {
  /** The value is held, up to 32 MiB, and handed out when it is proven. @default false: as it comes, proven at its end */
  readonly buffer?: boolean;
}

export abstract class StreamCalls extends TxCalls {
  /**
   * Reads a value in pieces, as fast as they are taken; null when the server says that there is none. The server's word. The
   * deadline is that of the whole call, from asking to the last byte: give a slow reader a `timeoutMs` of its own. Leaving the
   * stream early (`break`) ends the call.
   *
   * @example
   * const entry = await client.streamGet('backup');
   * if (entry) await pipeline(entry.value, createWriteStream('backup.tar'));
   * @throws TransportError from the stream, when it breaks off; it is not asked for again
   */
  async streamGet(key: BytesInput, options: GetOptions = NO_OPTIONS): Promise<StreamedEntry | null> {
    const asked = toKey(key, 'key');
    const version = checkVersion(options);
    return this.room.stream<StreamedEntry | null>(options, VERSION_NAMES, (session, call, answer) =>
      streamGet(session, asked, version, call, answer),
    );
  }

  /**
   * Writes values in one transaction, all or none, from sources that give them in pieces, no faster than the server takes them. Each
   * has 1 byte to 32 MiB less one, together they have 32 MiB at most; a stream carries neither metadata nor preconditions. The size
   * of a value goes before it, so that it must be known. What ends early (an abort, the deadline, a source that fails or gives
   * another number of bytes) writes nothing, or says that this is not certain. Sent once.
   *
   * @example
   * const { size } = await stat('backup.tar');
   * await client.streamSet('backup', createReadStream('backup.tar'), { size });
   * @throws ArgumentError for what cannot be sent; LIMIT_EXCEEDED for too much
   * @throws ImmuError SOURCE_FAILED with what the source failed with as its cause
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written
   */
  async streamSet(entries: StreamEntries, options?: CallOptions): Promise<Write>;
  async streamSet(
    key: BytesInput,
    value: BytesInput | ValueSource,
    options?: StreamSetOptions,
  ): Promise<Write>;
  async streamSet(...given: readonly unknown[]): Promise<Write> {
    const { entries, options, own } = streamedInput(given);
    return this.room.sendStream(options, own, (session, deadline) => streamSet(session, entries, deadline));
  }

  /**
   * Sets, whose values may come in pieces like those of {@link streamSet}, and additions to sorted sets, in one transaction: all or
   * none. Keys that are added have to be there, or be set before in the same call. References cannot be sent so: `execAll`.
   *
   * @example
   * await client.streamExecAll([
   *   { set: { key: 'backup/17', value: createReadStream('backup.tar'), size } },
   *   { zAdd: { set: 'backups', score: Date.now(), key: 'backup/17' } },
   * ]);
   * @throws ArgumentError for what cannot be sent; LIMIT_EXCEEDED for too much
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written
   */
  async streamExecAll(ops: StreamOps, options: CallOptions = NO_OPTIONS): Promise<Write> {
    return this.room.sendStream(options, [], (session, deadline) => streamExecAll(session, ops, deadline));
  }

  /**
   * Reads a value in pieces and proves it. When this resolves, the entry's transaction, metadata and the hash of its value are
   * proven; the value is hashed as it flows and **proven at its end**: reading it ends with VerificationError where it is another one,
   * and `proven` resolves when all of it was read and is right. Do not act on bytes before that, or ask for them with `buffer`.
   * Neither absence nor that no newer version exists can be proven, nor which revision a version is.
   *
   * @example
   * const entry = await client.verifiedStreamGet('backup');
   * if (entry) {
   *   await pipeline(entry.value, createWriteStream('backup.part'));
   *   await entry.proven;
   *   await rename('backup.part', 'backup.tar');
   * }
   * @throws VerificationError when what comes before the value is not proven; with `buffer`, the value too
   */
  async verifiedStreamGet(
    key: BytesInput,
    options: VerifiedStreamGetOptions = NO_OPTIONS,
  ): Promise<VerifiedStream | null> {
    const asked = toKey(key, 'key');
    const version = checkVersion(options);
    const { buffer = false } = options;
    flag('buffer', buffer);
    return this.room.streamVerified<VerifiedStream | null>(
      'verifiedStreamGet',
      options,
      [...VERSION_NAMES, 'buffer'],
      ({ session, trust, call }, answer) =>
        verifiedStreamGet({ rpc: session, trust, call, key: asked, version, buffer }, answer),
    );
  }

  /**
   * Writes like {@link streamSet}, in a transaction that holds nothing else, and proves that it holds exactly what was sent, in the
   * one trusted history: keys, in their order, and values, by hashes that are made as they leave.
   *
   * @example
   * const { tx } = await client.verifiedStreamSet('backup', createReadStream('backup.tar'), { size });
   * @throws VerificationError when the server's answer does not prove the write
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written but could not be proven
   */
  async verifiedStreamSet(entries: StreamEntries, options?: CallOptions): Promise<VerifiedWrite>;
  async verifiedStreamSet(
    key: BytesInput,
    value: BytesInput | ValueSource,
    options?: StreamSetOptions,
  ): Promise<VerifiedWrite>;
  async verifiedStreamSet(...given: readonly unknown[]): Promise<VerifiedWrite> {
    const { entries, options, own } = streamedInput(given);
    return this.room.enterVerified(
      'verifiedStreamSet',
      options,
      own,
      ({ session, trust, call }) => verifiedStreamSet(session, trust, call, entries),
      STREAM_BYTES,
    );
  }

  /**
   * Does what {@link streamExecAll} does, in a transaction that holds nothing else, and proves that it holds exactly what these
   * operations store, in their order, in the one trusted history. Which score or value a sorted set shows later is not part of it.
   *
   * @throws VerificationError when the server's answer does not prove the write
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written but could not be proven
   */
  async verifiedStreamExecAll(ops: StreamOps, options: CallOptions = NO_OPTIONS): Promise<VerifiedWrite> {
    return this.room.enterVerified(
      'verifiedStreamExecAll',
      options,
      [],
      ({ session, trust, call }) => verifiedStreamExecAll(session, trust, call, ops),
      STREAM_BYTES,
    );
  }
}

interface StreamedInput {
  readonly entries: StreamEntries | OneEntry;
  readonly options: CallOptions;
  readonly own: readonly string[];
}

/** Entries, or one of them as a key and a value, its size among the options. */
function streamedInput(given: readonly unknown[]): StreamedInput {
  const [first] = given;
  if (!isBytesInput(first)) {
    const [, options = NO_OPTIONS] = given as [unknown, CallOptions?];
    return { entries: first as StreamEntries, options, own: [] };
  }
  const [, value, told] = given as [unknown, StreamEntry['value'], StreamSetOptions?];
  const options: StreamSetOptions = told === undefined ? NO_OPTIONS : told;
  optionsObject('options', options);
  const { size } = options;
  const entry = { key: first, value, ...(size !== undefined && { size }) };
  return { entries: new OneEntry(entry), options, own: ['size'] };
}
