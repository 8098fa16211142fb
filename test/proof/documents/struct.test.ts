// Documents as bytes: every document comes back as it was, as protobuf itself writes and reads it; and nothing else is one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeStruct } from '#dist/proof/documents/struct-reader.js';
import { encodeStruct } from '#dist/proof/documents/struct-writer.js';
import {
  MAX_READ_DEPTH,
  pathOf,
  sameFields,
  sameValue,
  setField,
  valueAt,
} from '#dist/proof/documents/values.js';
import type { DocumentFields, DocumentValue } from '#dist/proof/documents/values.js';
import { wireMethod } from '#dist/wire/schema.js';
import { checkFailedBy } from '../helpers.js';

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double(),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);
const { fields } = fc.letrec<{ value: DocumentValue; list: DocumentValue[]; fields: DocumentFields }>(
  (tie) => ({
    value: fc.oneof({ depthSize: 'small' }, leaf, tie('list'), tie('fields')),
    list: fc.array(tie('value'), { maxLength: 4 }),
    fields: fc
      .array(
        fc.tuple(
          fc.oneof(fc.constant('__proto__'), fc.string({ unit: 'grapheme', maxLength: 8 })),
          tie('value'),
        ),
        {
          maxLength: 5,
        },
      )
      .map((entries) => {
        const made: Record<string, DocumentValue> = {};
        for (const [name, value] of entries) setField(made, name, value);
        return made;
      }),
  }),
);

/** A Struct as protobufjs writes and reads it, inside of a message that has one. */
const { requestSerialize, requestDeserialize } = wireMethod('ReplaceDocuments');

describe('a document', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fields, (document) => {
        const back = decodeStruct(encodeStruct(document));
        expect(sameFields(back, document)).toBe(true);
        expect(sameFields(document, back)).toBe(true);
        expect(encodeStruct(back)).toEqual(encodeStruct(document));
      }),
      { numRuns: 500 },
    );
  });

  it('is read by protobuf itself, and read from it', () => {
    fc.assert(
      fc.property(fields, (document) => {
        const bytes = encodeStruct(document);
        const length =
          bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
        fc.pre(bytes.length < 16384 && !JSON.stringify(document).includes('__proto__'));
        const message = requestDeserialize(Buffer.from([0x12, ...length, ...bytes]));
        const again = new Uint8Array(requestSerialize(message));
        expect(sameFields(decodeStruct(again.subarray(1 + length.length)), document)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is refused where any byte is cut off, and read as nothing else where one is changed without being refused', () => {
    const bytes = encodeStruct({ a: [1, { b: 'text' }, null, true], c: { d: -0 }, '': 'x' });
    const honest = decodeStruct(bytes);
    for (let end = 1; end < bytes.length; end++) {
      const cut = bytes.subarray(0, end);
      const failed = checkFailedBy(() => decodeStruct(cut));
      // Between two fields it is a shorter document.
      if (failed === undefined) expect(Object.keys(decodeStruct(cut)).length).toBeLessThan(3);
      else expect(failed).toBe('document.struct');
    }
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ 0x01;
      const failed = checkFailedBy(() => expect(sameFields(decodeStruct(changed), honest)).toBe(false));
      if (failed !== undefined) expect(failed).toBe('document.struct');
    }
  });

  it('is no message that is something else', () => {
    const bad: number[][] = [
      [0x08, 0x01],
      [0x12, 0x00],
      [0x0a, 0x05, 0x0a, 0x01],
      [0x0a, 0x04, 0x0a, 0x02, 0xff, 0xfe],
      // A field twice.
      [0x0a, 0x03, 0x0a, 0x01, 0x61, 0x0a, 0x03, 0x0a, 0x01, 0x61],
      [0x0a, 0x06, 0x0a, 0x01, 0x61, 0x0a, 0x01, 0x62],
      // Values that are two at once, or of no known kind; a null that is none; a boolean of 2; a number cut off.
      [0x0a, 0x09, 0x0a, 0x01, 0x61, 0x12, 0x04, 0x08, 0x00, 0x20, 0x01],
      [0x0a, 0x07, 0x0a, 0x01, 0x61, 0x12, 0x02, 0x38, 0x00],
      [0x0a, 0x07, 0x0a, 0x01, 0x61, 0x12, 0x02, 0x08, 0x01],
      [0x0a, 0x07, 0x0a, 0x01, 0x61, 0x12, 0x02, 0x20, 0x02],
      [0x0a, 0x08, 0x0a, 0x01, 0x61, 0x12, 0x03, 0x11, 0x00, 0x00],
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [0x0a, 0x80],
    ];
    for (const bytes of bad)
      expect([bytes, checkFailedBy(() => decodeStruct(Uint8Array.from(bytes)))]).toEqual([
        bytes,
        'document.struct',
      ]);
    // Of no kind at all: null, as the server takes it.
    expect(decodeStruct(Uint8Array.from([0x0a, 0x05, 0x0a, 0x01, 0x61, 0x12, 0x00]))).toEqual({ a: null });
    expect(decodeStruct(Uint8Array.from([0x0a, 0x03, 0x0a, 0x01, 0x61]))).toEqual({ a: null });
  });

  it('is read as deep as the bound, and no deeper', () => {
    const nested = (depth: number) => {
      let value: DocumentValue = 1;
      for (let i = 1; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
      return encodeStruct({ a: value });
    };
    expect(checkFailedBy(() => decodeStruct(nested(MAX_READ_DEPTH - 1)))).toBeUndefined();
    expect(checkFailedBy(() => decodeStruct(nested(MAX_READ_DEPTH + 2)))).toBe('document.struct');
  });

  it('is the same as another one to the last bit', () => {
    expect(sameValue(0, -0)).toBe(false);
    expect(sameValue(NaN, NaN)).toBe(true);
    expect(sameValue([1], { 0: 1 })).toBe(false);
    expect(sameValue({}, [])).toBe(false);
    expect(sameValue({ a: null }, {})).toBe(false);
    expect(sameValue({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
    expect(sameValue({ toString: 1 }, { valueOf: 1 })).toBe(false);
    expect(sameValue(null, {})).toBe(false);
  });

  it('has its fields by paths of up to three parts', () => {
    expect(pathOf('a')).toEqual(['a']);
    expect(pathOf('a.b.c.d')).toEqual(['a', 'b', 'c.d']);
    expect(valueAt({ a: { b: { 'c.d': 1 } } }, 'a.b.c.d')).toBe(1);
    expect(valueAt({ a: [1] }, 'a.0')).toBeUndefined();
    expect(valueAt({ a: {} }, 'a.toString')).toBeUndefined();
    expect(valueAt({ 'a.b': 1 }, 'a.b')).toBeUndefined();
  });
});
