// A stream of entries by what it must have become. The values are not kept: what was sent is their lengths and their hashes, made
// while they left.
import { ByteReader, ByteWriter } from '../../proof/byte-cursor.js';
import { digestOf } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { HASH_SIZE } from '../../proof/hash.js';
import { leafHash } from '../../proof/tree/merkle.js';
import { bytesWords } from '../words.js';
import { writing } from './written.js';

/** One entry of a stream: its raw key, the bytes of its value as they were handed in, and the hash of its raw value. */
export interface UploadedEntry {
  readonly rawKey: Uint8Array;
  readonly size: bigint;
  readonly hValue: Uint8Array;
}

/** What was sent, as evidence keeps it: `count × (u16 length ‖ raw key ‖ u64 size ‖ 32 bytes hash of the raw value)`. */
export function uploadedRequest(entries: readonly UploadedEntry[]): Uint8Array {
  let size = 0;
  for (const { rawKey } of entries) size += 2 + rawKey.length + 8 + HASH_SIZE;
  const bytes = new Uint8Array(size);
  const writer = new ByteWriter(size, () => bytes);
  for (const { rawKey, size: length, hValue } of entries) {
    writer.u16(rawKey.length).raw(rawKey).u64(length).raw(hValue);
  }
  return bytes;
}

function entriesOf(request: Uint8Array): UploadedEntry[] {
  const reader = new ByteReader(request);
  const entries: UploadedEntry[] = [];
  try {
    while (!reader.done) {
      const rawKey = reader.raw(reader.u16());
      entries.push({ rawKey, size: reader.u64(), hValue: reader.raw(HASH_SIZE) });
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProofFailure('wire.request', 'a list of streamed entries that ends early');
  }
  return entries;
}

export const uploaded = writing({
  kind: 'uploaded',
  tag: 30,
  provenTag: 30,
  leaves: (request, { version }) =>
    entriesOf(request).map(({ rawKey, hValue }) => leafHash(digestOf(version, rawKey, undefined, hValue))),
  words(request) {
    const [first, ...more] = entriesOf(request);
    const what = first
      ? `${bytesWords(first.rawKey.subarray(1))} = ${first.size.toString()} bytes`
      : 'nothing';
    return `to write ${what}${more.length > 0 ? ` and ${more.length} more` : ''}, by stream`;
  },
});
