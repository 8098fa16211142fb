// The forms of writes: byte for byte what proto-loader's serializer makes, read back as they were, and the keys they are about.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keysOf, requestOf } from '#dist/client/group/write-group.js';
import { DELETE, EXEC_ALL, SET, SET_REFERENCE, Z_ADD } from '#dist/client/group/write-forms.js';
import type { WriteForm } from '#dist/client/group/write-form.js';
import type { Condition } from '#dist/client/input/conditions.js';
import type {
  SentEntry,
  SentMember,
  SentOp,
  SentReference,
  SentVersion,
} from '#dist/verify/wire/requests.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { utf8 } from '../../verify/support/test-chain.js';

const bytes = (maxLength: number, minLength = 1) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => new Uint8Array(array));
const key = bytes(200);
const id = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n });
const version: fc.Arbitrary<SentVersion> = fc.oneof(fc.constant(0n), fc.constant('thisTx' as const), id);
const entry: fc.Arbitrary<SentEntry> = fc
  .record({
    key,
    value: bytes(400, 0),
    expiresAt: fc.option(id, { nil: undefined }),
    nonIndexable: fc.boolean(),
  })
  .map(({ expiresAt, nonIndexable, ...rest }) =>
    expiresAt === undefined && !nonIndexable
      ? rest
      : {
          ...rest,
          metadata: {
            ...(expiresAt !== undefined && { expiresAt }),
            ...(nonIndexable && { nonIndexable }),
          },
        },
  );
const reference: fc.Arbitrary<SentReference> = fc.record({ key, to: key, atTx: version });
const score = fc.double({ noNaN: true });
const member: fc.Arbitrary<SentMember> = fc.record({ set: key, score, key, atTx: version });
const op: fc.Arbitrary<SentOp> = fc.oneof(
  entry.map((set) => ({ set })),
  reference.map((one) => ({ reference: one })),
  member.map((zAdd) => ({ zAdd })),
);
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ kind: fc.constantFrom('mustExist' as const, 'mustNotExist' as const), key }),
  fc.record({ kind: fc.constant('notModifiedAfter' as const), key, tx: id }),
);

// The same for the serializer.

const kv = ({ key, value, metadata }: SentEntry) => ({
  key: Buffer.from(key),
  ...(value.length > 0 && { value: Buffer.from(value) }),
  ...(metadata && {
    metadata: {
      ...(metadata.expiresAt !== undefined && { expiration: { expiresAt: String(metadata.expiresAt) } }),
      ...(metadata.nonIndexable && { nonIndexable: true }),
    },
  }),
});
const bound = (atTx: SentVersion) => ({
  ...(typeof atTx === 'bigint' && atTx > 0n && { atTx: String(atTx) }),
  ...(atTx !== 0n && { boundRef: true }),
});
const ref = ({ key, to, atTx }: SentReference) => ({
  ...{ key: Buffer.from(key), referencedKey: Buffer.from(to) },
  ...bound(atTx),
});
const zAdd = ({ set, score, key, atTx }: SentMember) => ({
  ...{ set: Buffer.from(set), score, key: Buffer.from(key) },
  ...bound(atTx),
});
const operation = (one: SentOp) => {
  if ('set' in one) return { kv: kv(one.set) };
  return 'reference' in one ? { ref: ref(one.reference) } : { zAdd: zAdd(one.zAdd) };
};
const precondition = ({ kind, key, tx }: Condition) => {
  if (kind === 'mustExist') return { keyMustExist: { key: Buffer.from(key) } };
  if (kind === 'mustNotExist') return { keyMustNotExist: { key: Buffer.from(key) } };
  return { keyNotModifiedAfterTX: { key: Buffer.from(key), txID: String(tx) } };
};

interface Case<E> {
  readonly form: WriteForm<E>;
  readonly entries: fc.Arbitrary<E[]>;
  readonly message: (entries: readonly E[]) => object;
}

const CASES = {
  Set: {
    form: SET,
    entries: fc.array(entry, { maxLength: 12 }),
    message: (entries: readonly SentEntry[]) => ({ KVs: entries.map(kv) }),
  } satisfies Case<SentEntry>,
  Delete: {
    form: DELETE,
    entries: fc.array(key, { maxLength: 12 }),
    message: (keys: readonly Uint8Array[]) => ({ keys: keys.map((one) => Buffer.from(one)) }),
  } satisfies Case<Uint8Array>,
  ExecAll: {
    form: EXEC_ALL,
    entries: fc.array(op, { maxLength: 12 }),
    message: (ops: readonly SentOp[]) => ({ Operations: ops.map(operation) }),
  } satisfies Case<SentOp>,
  SetReference: {
    form: SET_REFERENCE,
    entries: reference.map((one) => [one]),
    message: ([one]: readonly SentReference[]) => ref(one!),
  } satisfies Case<SentReference>,
  ZAdd: {
    form: Z_ADD,
    entries: member.map((one) => [one]),
    message: ([one]: readonly SentMember[]) => zAdd(one!),
  } satisfies Case<SentMember>,
};

test.each(Object.entries(CASES) as unknown as [string, Case<unknown>][])(
  '%s: what the serializer makes, and read back as it was',
  (method, { form, entries, message }) => {
    const { requestSerialize, requestDeserialize } = methodDefinition('immudb.schema.ImmuService', method);
    expect(form.method).toBe(method);
    fc.assert(
      fc.property(entries, fc.array(condition, { maxLength: 3 }), fc.boolean(), (sent, given, noWait) => {
        const conditions = form.conditionTag === undefined ? [] : given;
        const request = requestOf({ form, entries: sent, conditions, bytes: 0, noWait });
        const wire = {
          ...message(sent),
          ...(noWait && { noWait }),
          ...(conditions.length > 0 && { preconditions: conditions.map(precondition) }),
        };
        const decode = (encoded: Uint8Array) => requestDeserialize(Buffer.from(encoded));
        // Fields stand in another order where there are preconditions and noWait.
        expect(decode(request)).toEqual(decode(new Uint8Array(requestSerialize(wire))));
        if (conditions.length === 0) expect(request).toEqual(new Uint8Array(requestSerialize(wire)));
        expect(form.read(request)).toEqual(sent);
      }),
    );
  },
);

test('a delete that waits for a tx', () => {
  const { requestDeserialize } = methodDefinition('immudb.schema.ImmuService', 'Delete');
  const request = requestOf({ form: DELETE, entries: [utf8('k')], conditions: [], bytes: 1, sinceTx: 300n });
  expect(requestDeserialize(Buffer.from(request))).toMatchObject({ sinceTx: '300' });
  expect(DELETE.read(request)).toEqual([utf8('k')]);
});

test('an embedded message whose length takes more than a byte', () => {
  for (const length of [100, 126, 127, 128, 129, 16_383, 16_384, 20_000]) {
    const ops: SentOp[] = [
      { set: { key: utf8('k'), value: new Uint8Array(length).fill(7) } },
      { reference: { key: utf8('r'), to: new Uint8Array(length).fill(8), atTx: 1n } },
    ];
    expect(EXEC_ALL.read(requestOf({ form: EXEC_ALL, entries: ops, conditions: [], bytes: 0 }))).toEqual(ops);
  }
});

test('the keys that a write is about', () => {
  const none = { conditions: [], bytes: 0 };
  expect(keysOf({ form: SET, entries: [{ key: utf8('k'), value: utf8('v') }], ...none })).toEqual({
    written: ['k'],
    needed: undefined,
  });
  const conditions: Condition[] = [{ kind: 'mustExist', key: utf8('c') }];
  expect(keysOf({ form: SET, entries: [{ key: utf8('k'), value: utf8('v') }], ...none, conditions })).toEqual(
    {
      written: ['k'],
      needed: ['c'],
    },
  );
  expect(
    keysOf({
      ...{ form: EXEC_ALL, ...none },
      entries: [
        { set: { key: utf8('k'), value: utf8('v') } },
        { reference: { key: utf8('r'), to: utf8('t'), atTx: 0n } },
        { zAdd: { set: utf8('s'), score: 1, key: utf8('m'), atTx: 0n } },
      ],
    }),
  ).toEqual({ written: ['k', 'r', expect.any(String)], needed: ['t', 'm'] });
});

test('members have names that no key has, and that differ where the server tells them apart', () => {
  const name = (set: string, key: string, atTx: SentVersion, score = 1) =>
    Z_ADD.nameOf({ set: utf8(set), score, key: utf8(key), atTx });
  expect(name('s', 'k', 0n).charCodeAt(0)).toBeGreaterThan(255);
  expect(name('s', 'k', 0n, 2)).toBe(name('s', 'k', 0n));
  expect(
    new Set([name('s', 'k', 0n), name('s', 'k', 5n), name('s', 'k', 'thisTx'), name('s', 'l', 0n)]).size,
  ).toBe(4);
});

test('how what was written ends its key', () => {
  const key = utf8('k');
  const value = utf8('v');
  expect(SET.endingOf?.({ key, value })).toBeUndefined();
  expect(SET.endingOf?.({ key, value, metadata: { expiresAt: 5n } })).toBe(5n);
  expect(SET.endingOf?.({ key, value, metadata: { expiresAt: 5n, nonIndexable: true } })).toBe('unread');
  expect(DELETE.endingOf?.(key)).toBe('deleted');
  expect(EXEC_ALL.endingOf?.({ reference: { key, to: key, atTx: 0n } })).toBeUndefined();
  expect(EXEC_ALL.endingOf?.({ set: { key, value, metadata: { expiresAt: 5n } } })).toBe(5n);
  expect(EXEC_ALL.endingOf?.({ zAdd: { set: key, score: 1, key, atTx: 0n } })).toBe('unread');
});
