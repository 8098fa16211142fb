// Jobs as flat bytes: how they travel to a thread, and how a refuted one is kept as evidence for later re-checking.
//
// Version 1, all numbers big-endian, `bytes` = u32 length ‖ bytes:
//
//   job      = u8 version ‖ u8 flags (1 head, 2 public key) ‖ [root head] ‖ i64 now ‖ u16 length ‖ database (UTF-8)
//              ‖ [bytes public key (SPKI)] ‖ question ‖ bytes answer
//   root     = u64 tx ‖ 32 bytes alh
//   question = u8 1 (get)     ‖ u8 flags (1 atTx, 2 no reference, 4 atRevision) ‖ [u64 atTx] ‖ [i64 atRevision] ‖ bytes key
//            | u8 2 (set)     ‖ u32 count ‖ count × (metadata ‖ bytes key ‖ bytes value)
//            | u8 3 (tx)      ‖ u64 tx
//            | u8 4 (segment) ‖ root after ‖ u64 to ‖ u8 flags (1 frontier) ‖ [frontier]
//            | u8 5 (claims)  ‖ u8 flags (1 single) ‖ u32 count ‖ count × bytes key
//            | u8 6 (claim)   ‖ u64 tx ‖ bytes key ‖ bytes shown
//            | u8 7 (written) ‖ bytes request
//            | u8 8 (block)   ‖ u64 first ‖ u64 last ‖ bytes proof
//            | u8 9 (leaves)  ‖ u32 count ‖ count × (u64 tx ‖ u8 version ‖ u32 entries ‖ 32 bytes entries root)
//            | u8 10 (tx with leaves) ‖ u64 tx
//            | u8 11 (stretch) ‖ u64 first ‖ u64 last ‖ u8 flags (1 after, 2 values, 4 digests) ‖ [32 bytes after]
//              ‖ bytes proof ‖ [bytes digests]
//            | u8 12 (state)
//            | u8 13 (gone)    ‖ u64 tx ‖ u64 floor ‖ u8 flags (1 shown) ‖ bytes key ‖ [bytes shown]
//            | u8 30 (uploaded) ‖ bytes request (count × (u16 length ‖ raw key ‖ u64 size ‖ 32 bytes hash of the raw value))
//            | u8 31 (streamed) ‖ u8 flags (1 atTx, 2 no reference, 4 value hash) ‖ [u64 atTx] ‖ [32 bytes value hash] ‖ bytes key
//   metadata = u8 flags (1 present, 2 deleted, 4 expires, 8 non-indexable) ‖ [i64 expires at]
//   frontier = u64 size ‖ u8 count ‖ count × 32 bytes
//   message  = count × (u32 length ‖ job)
//
// Evidence outlives releases: a change of this format gets a new version, and version 1 stays readable.
import { ArgumentError } from '../../errors.js';
import { PacketReader, PacketWriter, ROOT_SIZE } from './packet-cursor.js';
import { questionSize, readQuestion, writeQuestion } from './question-packet.js';
import type { Context, Job } from '../verifier.js';

const VERSION = 1;
const HEAD = 1;
const PUBLIC_KEY = 2;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

// Jobs in a row are about the same database: its name is encoded once.
let lastName = '';
let lastNameBytes: Uint8Array = new Uint8Array(0);

function nameBytes(database: string): Uint8Array {
  if (database !== lastName) {
    lastNameBytes = encoder.encode(database);
    lastName = database;
  }
  return lastNameBytes;
}

/** Size of the packed job in bytes. */
export function packedSize({ question, context, answer }: Job): number {
  return 2 + contextSize(context) + questionSize(question) + 4 + answer.length;
}

function contextSize({ head, database, publicKey }: Context): number {
  return (head ? ROOT_SIZE : 0) + 8 + 2 + nameBytes(database).length + (publicKey ? 4 + publicKey.length : 0);
}

/**
 * A job as bytes that stand alone: with them the check can be run again by anyone, at any time, offline
 * ({@link unpackJob}, then verify). Requires a job that passed `assertJob`.
 */
export function packJob(job: Job): Uint8Array {
  const writer = new PacketWriter(packedSize(job));
  writeJob(writer, job);
  return writer.finish();
}

/**
 * The job that {@link packJob} packed; keys, hashes and the answer are views of `bytes`.
 *
 * @throws ArgumentError when the bytes are no packed job of a version this release knows
 */
export function unpackJob(bytes: Uint8Array): Job {
  try {
    const reader = new PacketReader(bytes);
    const job = readJob(reader);
    if (!reader.done) throw new RangeError('bytes are left over');
    return job;
  } catch (cause) {
    throw new ArgumentError(
      'job',
      `not a packed job: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

/** A job with its {@link packedSize}. */
export interface SizedJob {
  readonly job: Job;
  readonly size: number;
}

/** Many jobs in one buffer, to be transferred to a thread. */
export function packJobs(jobs: readonly SizedJob[]): ArrayBuffer {
  let total = 0;
  for (const { size } of jobs) total += 4 + size;
  const writer = new PacketWriter(total);
  for (const { job, size } of jobs) {
    writer.u32(size);
    writeJob(writer, job);
  }
  return writer.finish().buffer;
}

/** The jobs of one message, in order; everything in them views the buffer. */
export function unpackJobs(buffer: ArrayBuffer): Job[] {
  const reader = new PacketReader(new Uint8Array(buffer));
  const jobs: Job[] = [];
  while (!reader.done) jobs.push(unpackJob(reader.bytes()));
  return jobs;
}

function writeJob(writer: PacketWriter, { question, context, answer }: Job): void {
  const { head, database, publicKey, now } = context;
  writer.u8(VERSION);
  writer.u8((head ? HEAD : 0) | (publicKey ? PUBLIC_KEY : 0));
  if (head) writer.root(head);
  writer.i64(now);
  const name = nameBytes(database);
  writer.u16(name.length);
  writer.raw(name);
  if (publicKey) writer.bytes(publicKey);
  writeQuestion(writer, question);
  writer.bytes(answer);
}

function readJob(reader: PacketReader): Job {
  const version = reader.u8();
  if (version !== VERSION) throw new RangeError(`version ${version} is not known`);
  const flags = reader.u8();
  const head = (flags & HEAD) !== 0 ? reader.root() : null;
  const now = reader.i64();
  const database = decoder.decode(reader.raw(reader.u16()));
  const publicKey = (flags & PUBLIC_KEY) !== 0 ? reader.bytes() : undefined;
  const question = readQuestion(reader);
  const answer = reader.bytes();
  return { question, context: { head, database, ...(publicKey && { publicKey }), now }, answer };
}
