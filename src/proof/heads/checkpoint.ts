// What a log says of its tree (C2SP's tlog-checkpoint: origin, size, root), and what a witness signs when it cosigns that
// (tlog-cosignature, Ed25519).
import { MAX_ID, be64, concatBytes } from '../bytes.js';
import { ProofFailure } from '../failure.js';
import { EMPTY_HASH, HASH_SIZE } from '../hash.js';
import { assertDigest, assertId, assertSame } from '../guard.js';
import { fromBase64, toBase64 } from './base64.js';

/** A tree, and whose it is. */
export interface TreeHead {
  readonly origin: string;
  /** Number of leaves. */
  readonly size: bigint;
  readonly root: Uint8Array;
}

const NUMBER = /^(0|[1-9][0-9]{0,18})$/;

/** The number that a line says in decimal, in its one form; undefined for any other line, and beyond 2^63-1. */
export function decimal(line: string): bigint | undefined {
  if (!NUMBER.test(line)) return undefined;
  const value = BigInt(line);
  return value > MAX_ID ? undefined : value;
}

/** The text that is signed. Requires an origin of one line. */
export function checkpointText({ origin, size, root }: TreeHead): string {
  assertId(size, 'note.checkpoint', 0n);
  assertDigest(root, 'note.checkpoint');
  return `${origin}\n${size.toString()}\n${toBase64(root)}\n`;
}

/**
 * The tree that a note's text is about. Further lines are passed over: no witness vouches for them.
 *
 * @throws ProofFailure `note.checkpoint` unless it is a checkpoint's
 */
export function parseCheckpointText(text: string): TreeHead {
  if (!text.endsWith('\n')) throw malformed('its last line does not end');
  const lines = text.slice(0, -1).split('\n');
  const [origin = '', count = '', hash = ''] = lines;
  if (lines.length < 3 || lines.includes(''))
    throw malformed('it has fewer than three lines, or an empty one');
  const size = decimal(count);
  const root = fromBase64(hash);
  if (size === undefined) throw malformed('its second line is not the size of a tree');
  if (root?.length !== HASH_SIZE) throw malformed('its third line is not the root of a tree');
  if (size === 0n) assertSame(root, EMPTY_HASH, 'note.checkpoint', 'another root than that of no leaves');
  return { origin, size, root };
}

/** What a cosignature is over. `time`: unix seconds, 1 to 2^63-1. */
export function cosignedBytes(text: string, time: bigint): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${time.toString()}\n${text}`);
}

const SIGNATURE_SIZE = 64;
const TIME_SIZE = 8;

export interface TimedSignature {
  /** Unix seconds, by the clock of the one who signed. */
  readonly time: bigint;
  /** Ed25519. */
  readonly signature: Uint8Array;
}

/** @throws ProofFailure `note.cosignature` for another length, no time, or one beyond 2^63-1 */
export function parseTimedSignature(bytes: Uint8Array): TimedSignature {
  const length = TIME_SIZE + SIGNATURE_SIZE;
  if (bytes.length !== length)
    throw new ProofFailure('note.cosignature', 'not a time and a signature', length, bytes.length);
  const time = new DataView(bytes.buffer, bytes.byteOffset, TIME_SIZE).getBigUint64(0);
  assertId(time, 'note.cosignature');
  return { time, signature: bytes.slice(TIME_SIZE) };
}

export function timedSignature({ time, signature }: TimedSignature): Uint8Array {
  return concatBytes(be64(time), signature);
}

function malformed(why: string): ProofFailure {
  return new ProofFailure('note.checkpoint', `the note is not a checkpoint: ${why}`);
}
