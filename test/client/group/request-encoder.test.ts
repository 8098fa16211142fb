// Our encoder of SetRequests: byte for byte what proto-loader's serializer makes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestEncoder } from '#dist/client/group/request-encoder.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { readSetRequest } from '#dist/verify/wire/requests.js';

const { requestSerialize, requestDeserialize } = methodDefinition('immudb.schema.ImmuService', 'Set');

interface Pair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

function encode(entries: readonly Pair[], size?: number): Uint8Array {
  const encoder = new RequestEncoder(size);
  for (const { key, value } of entries) encoder.entry(0x0a, { key, value });
  expect(encoder.length).toBe(encoder.finish().length);
  return encoder.finish();
}

/** proto3 leaves an empty value out; the serializer is not given one then. */
function serialize(entries: readonly Pair[]): Uint8Array {
  const KVs = entries.map(({ key, value }) => ({
    key: Buffer.from(key),
    ...(value.length > 0 && { value: Buffer.from(value) }),
  }));
  return new Uint8Array(requestSerialize({ KVs }));
}

const filled = (length: number, byte = 7) => new Uint8Array(length).fill(byte);

test('is what the serializer makes, for any entries and any room at the start', () => {
  const entry = fc.record({
    key: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    value: fc.uint8Array({ maxLength: 400 }),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.integer({ min: 0, max: 64 }), (entries, size) => {
      const encoded = encode(entries, size);
      expect(encoded).toEqual(serialize(entries));
      expect(readSetRequest(encoded)).toEqual(entries);
    }),
  );
});

test.each([
  0, 1, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16_370, 16_383, 16_384, 2_097_151,
  2_097_152,
])('values of %d bytes, where lengths take one more byte', (length) => {
  const entries = [
    { key: filled(1), value: filled(length) },
    { key: filled(1023, 9), value: filled(3) },
  ];
  const encoded = encode(entries);
  expect(Buffer.compare(encoded, serialize(entries))).toBe(0);
  const { KVs } = requestDeserialize(Buffer.from(encoded)) as { KVs: { key: Buffer; value?: Buffer }[] };
  expect(KVs.map(({ key, value }) => [key.length, value?.length ?? 0])).toEqual([
    [1, length],
    [1023, 3],
  ]);
});

test('what was finished stays as it is while nothing is added', () => {
  const encoder = new RequestEncoder(0);
  expect(encoder.finish()).toEqual(new Uint8Array(0));
  encoder.entry(0x0a, { key: filled(3), value: filled(4) });
  const first = encoder.finish().slice();
  expect(encoder.finish()).toEqual(first);
  encoder.entry(0x0a, { key: filled(3, 8), value: filled(5) });
  expect(encoder.finish().subarray(0, first.length)).toEqual(first);
});

test('keys and values that are views are copied from where they lie', () => {
  const large = Uint8Array.from({ length: 100 }, (_, i) => i);
  const entries = [{ key: large.subarray(5, 8), value: Buffer.from(large.buffer, 20, 4) }];
  expect(readSetRequest(encode(entries))).toEqual([
    { key: new Uint8Array([5, 6, 7]), value: new Uint8Array([20, 21, 22, 23]) },
  ]);
});
