// The checks of references, members of sorted sets and operations by their header: exactly what was sent, bound as it was.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainKey, plainValue, referenceValue, sortedSetKey } from '#dist/proof/entry.js';
import type { KVMetadata } from '#dist/proof/types.js';
import { methodDefinition } from '#dist/wire/schema.js';
import type { Verifier } from '#dist/verify/verifier.js';
import { TestChain, bytesOf, utf8, wireHeader } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

type Kind = 'executed' | 'referenced' | 'added';
const METHODS = { executed: 'ExecAll', referenced: 'SetReference', added: 'ZAdd' } as const;
const NOTHING = new Uint8Array(0);

interface Raw {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly metadata?: KVMetadata;
}

const requestOf = (kind: Kind, request: object) =>
  new Uint8Array(methodDefinition('immudb.schema.ImmuService', METHODS[kind]).requestSerialize(request));

const reference = (key: string, to: string, atTx = 0n): Raw => ({
  key: plainKey(utf8(key)),
  value: referenceValue(atTx, utf8(to)),
});
const member = (set: string, score: number, key: string, atTx = 0n): Raw => ({
  key: sortedSetKey(utf8(set), score, utf8(key), atTx),
  value: NOTHING,
});
const value = (key: string, content: string, metadata?: KVMetadata): Raw => ({
  key: plainKey(utf8(key)),
  value: plainValue(utf8(content)),
  ...(metadata && { metadata }),
});

const ref = (key: string, to: string, more: object = {}) => ({
  ...{ key: Buffer.from(key), referencedKey: Buffer.from(to) },
  ...more,
});
const zAdd = (set: string, score: number, key: string, more: object = {}) => ({
  ...{ set: Buffer.from(set), score, key: Buffer.from(key) },
  ...more,
});
const kv = (key: string, content: string, more: object = {}) => ({
  ...{ key: Buffer.from(key), value: Buffer.from(content) },
  ...more,
});
const ops = (...Operations: object[]) => ({ Operations });

/** Id of the tx that answers. */
const NEW = 5n;

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  /** What becomes of a request that was answered with a tx of these entries. */
  const answered = (kind: Kind, request: Uint8Array, entries: readonly Raw[]) => {
    const chain = new TestChain().grow(Number(NEW) - 1);
    chain.commit([...entries]);
    const answer = bytesOf(kind, wireHeader(chain.tx(NEW).header));
    return verifier.verify(jobOf({ kind, request }, chain.root(NEW - 1n), answer));
  };

  const cases: readonly [what: string, kind: Kind, request: object, entries: readonly Raw[]][] = [
    ['a reference', 'referenced', ref('r', 'k'), [reference('r', 'k')]],
    ['a bound one', 'referenced', ref('r', 'k', { atTx: '3', boundRef: true }), [reference('r', 'k', 3n)]],
    [
      'one that depends, and does not wait',
      'referenced',
      ref('r', 'k', { noWait: true, preconditions: [{ keyMustExist: { key: Buffer.from('k') } }] }),
      [reference('r', 'k')],
    ],
    ['a member', 'added', zAdd('s', 1.5, 'k'), [member('s', 1.5, 'k')]],
    ['a member at 0', 'added', zAdd('s', 0, 'k'), [member('s', 0, 'k')]],
    ['a member at −0', 'added', zAdd('s', -0, 'k'), [member('s', -0, 'k')]],
    ['a member at ∞', 'added', zAdd('s', Infinity, 'k'), [member('s', Infinity, 'k')]],
    [
      'a bound member that does not wait',
      'added',
      zAdd('s', 1, 'k', { atTx: '3', boundRef: true, noWait: true }),
      [member('s', 1, 'k', 3n)],
    ],
    [
      'operations, some bound to their own tx',
      'executed',
      {
        ...ops(
          { kv: kv('k', 'v') },
          { ref: ref('r', 'k', { boundRef: true }) },
          { zAdd: zAdd('s', -0, 'k', { boundRef: true }) },
          { ref: ref('q', 'k', { atTx: '3', boundRef: true }) },
          { ref: ref('p', 'k') },
          { kv: kv('e', '', { metadata: { expiration: { expiresAt: '9' }, nonIndexable: true } }) },
        ),
        ...{ noWait: true, preconditions: [{ keyMustExist: { key: Buffer.from('k') } }] },
      },
      [
        value('k', 'v'),
        reference('r', 'k', NEW),
        member('s', -0, 'k', NEW),
        reference('q', 'k', 3n),
        reference('p', 'k'),
        value('e', '', { expiresAt: 9n, nonIndexable: true }),
      ],
    ],
  ];

  it.each(cases)('accepts exactly what was sent: %s', async (_what, kind, request, entries) => {
    const { subject } = provenBy(await answered(kind, requestOf(kind, request), entries), kind);
    expect(subject).toMatchObject({ tx: NEW, nentries: entries.length });
  });

  it.each<[string, Kind, object, readonly Raw[], string]>([
    ['another key', 'referenced', ref('r', 'k'), [reference('q', 'k')], 'written.entries'],
    ['another target', 'referenced', ref('r', 'k'), [reference('r', 'l')], 'written.entries'],
    ['one that was bound', 'referenced', ref('r', 'k'), [reference('r', 'k', 1n)], 'written.entries'],
    [
      'one bound to another tx',
      'referenced',
      ref('r', 'k', { atTx: '3', boundRef: true }),
      [reference('r', 'k', 4n)],
      'written.entries',
    ],
    [
      'one that was not bound',
      'referenced',
      ref('r', 'k', { atTx: '3', boundRef: true }),
      [reference('r', 'k')],
      'written.entries',
    ],
    ['a value', 'referenced', ref('r', 'k'), [value('r', 'k')], 'written.entries'],
    [
      'one that expires',
      'referenced',
      ref('r', 'k'),
      [{ ...reference('r', 'k'), metadata: { expiresAt: 9n } }],
      'written.entries',
    ],
    ['one more', 'referenced', ref('r', 'k'), [reference('r', 'k'), value('x', '')], 'written.count'],
    ['another set', 'added', zAdd('s', 1, 'k'), [member('t', 1, 'k')], 'written.entries'],
    ['another score', 'added', zAdd('s', 1, 'k'), [member('s', 1 + Number.EPSILON, 'k')], 'written.entries'],
    ['0 for −0', 'added', zAdd('s', -0, 'k'), [member('s', 0, 'k')], 'written.entries'],
    ['another member', 'added', zAdd('s', 1, 'k'), [member('s', 1, 'l')], 'written.entries'],
    ['set and key joined otherwise', 'added', zAdd('s', 1, 'kk'), [member('sk', 1, 'k')], 'written.entries'],
    ['a bound member', 'added', zAdd('s', 1, 'k'), [member('s', 1, 'k', 1n)], 'written.entries'],
    [
      'a member with a value',
      'added',
      zAdd('s', 1, 'k'),
      [{ ...member('s', 1, 'k'), value: plainValue(NOTHING) }],
      'written.entries',
    ],
    [
      'a tx before for its own',
      'executed',
      ops({ kv: kv('k', 'v') }, { ref: ref('r', 'k', { boundRef: true }) }),
      [value('k', 'v'), reference('r', 'k', NEW - 1n)],
      'written.entries',
    ],
    [
      'no tx for its own',
      'executed',
      ops({ kv: kv('k', 'v') }, { zAdd: zAdd('s', 1, 'k', { boundRef: true }) }),
      [value('k', 'v'), member('s', 1, 'k')],
      'written.entries',
    ],
    [
      'another order',
      'executed',
      ops({ kv: kv('k', 'v') }, { ref: ref('r', 'k') }),
      [reference('r', 'k'), value('k', 'v')],
      'written.entries',
    ],
    [
      'one fewer',
      'executed',
      ops({ kv: kv('k', 'v') }, { ref: ref('r', 'k') }),
      [value('k', 'v')],
      'written.count',
    ],
    ['another value', 'executed', ops({ kv: kv('k', 'v') }), [value('k', 'w')], 'written.entries'],
    [
      'other metadata',
      'executed',
      ops({ kv: kv('k', 'v', { metadata: { nonIndexable: true } }) }),
      [value('k', 'v')],
      'written.entries',
    ],
    ['anything where nothing was sent', 'executed', ops(), [value('k', 'v')], 'written.count'],
  ])('refutes %s', async (_what, kind, request, entries, check) => {
    expect(failedCheck(await answered(kind, requestOf(kind, request), entries))).toBe(check);
  });

  it.each<[string, Kind, readonly number[], string]>([
    ['a field of a reference', 'referenced', [0x38, 0x01], 'wire.request'],
    ['a field of a member', 'added', [0x38, 0x01], 'wire.request'],
    ['a score of another type', 'added', [0x12, 0x00], 'wire.type'],
    ['a score that is cut off', 'added', [0x11, 0x00], 'wire.truncated'],
    ['a field of the whole', 'executed', [0x20, 0x01], 'wire.request'],
    ['an operation that is none', 'executed', [0x0a, 0x00], 'wire.missing'],
    ['an unknown operation', 'executed', [0x0a, 0x02, 0x22, 0x00], 'wire.request'],
    ['two operations in one', 'executed', [0x0a, 0x04, 0x0a, 0x00, 0x1a, 0x00], 'wire.repeated'],
    ['a field of an entry', 'executed', [0x0a, 0x04, 0x0a, 0x02, 0x20, 0x01], 'wire.request'],
    [
      'metadata twice',
      'executed',
      [0x0a, 0x0a, 0x0a, 0x08, 0x1a, 0x02, 0x18, 0x01, 0x1a, 0x02, 0x18, 0x01],
      'wire.repeated',
    ],
  ])('refutes a request with %s that is not checked', async (_what, kind, more, check) => {
    const [, , request, entries] = cases.find(([, of]) => of === kind)!;
    const changed = Buffer.concat([requestOf(kind, request), Buffer.from(more)]);
    expect(failedCheck(await answered(kind, changed, entries))).toBe(check);
  });
});
