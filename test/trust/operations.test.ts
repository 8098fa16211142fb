// References, members of sorted sets, and operations in one transaction: what is stored, what is proven, what is refused.
import { expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import type { Op } from '#dist/index.js';
import { plainKey, plainValue, referenceValue, sortedSetKey } from '#dist/proof/entry.js';
import { sha256 } from '#dist/proof/hash.js';
import { describeServer } from '../support/real.js';
import type { WireClient } from '../support/wire-client.js';
import { openClient, openWire, rejection, rowsOf, text } from './support.js';

const utf8 = (words: string) => new Uint8Array(Buffer.from(words));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const range = (length: number) => Array.from({ length }, (_, i) => i);

/** Raw entries of a tx as the server has them: key, and hash of the value. */
async function stored(wire: WireClient, tx: bigint): Promise<string[][]> {
  const { tx: found } = await wire.call('VerifiableTxById', { tx: String(tx), proveSinceTx: String(tx) });
  return (found.entries as { key: Uint8Array; hValue: Uint8Array }[]).map(({ key, hValue }) => [
    hex(key),
    hex(hValue),
  ]);
}

const reference = (key: string, to: string, atTx = 0n) => [
  hex(plainKey(utf8(key))),
  hex(sha256(referenceValue(atTx, utf8(to)))),
];
const member = (set: string, score: number, key: string, atTx = 0n) => [
  hex(sortedSetKey(utf8(set), score, utf8(key), atTx)),
  hex(sha256(new Uint8Array(0))),
];
const value = (key: string, content: string) => [
  hex(plainKey(utf8(key))),
  hex(sha256(plainValue(utf8(content)))),
];

const PLAIN_AND_PROVEN = [
  ['by the server’s word', 'setReference', 'zAdd', 'execAll', {}],
  ['by the server’s word, grouped', 'setReference', 'zAdd', 'execAll', { group: true }],
  ['proven', 'verifiedSetReference', 'verifiedZAdd', 'verifiedExecAll', {}],
] as const;

describeServer('references, sorted sets, operations', () => {
  test.each(PLAIN_AND_PROVEN)('%s: exactly what was asked for', async (_how, refer, add, exec, options) => {
    const { client, database } = await openClient(options);
    const wire = await openWire(database);
    const { tx: first } = await client.verifiedSet('target', 'first');
    await client.verifiedSet('target', 'second');
    for (const more of [{}, { noWait: true }]) {
      const suffix = 'noWait' in more ? '2' : '';
      const free = await client[refer](`free${suffix}`, 'target', more);
      const bound = await client[refer](`bound${suffix}`, 'target', { atTx: first, ...more });
      expect(await stored(wire, free.tx)).toEqual([reference(`free${suffix}`, 'target')]);
      expect(await stored(wire, bound.tx)).toEqual([reference(`bound${suffix}`, 'target', first)]);
      expect(text((await client.verifiedGet(`free${suffix}`))?.value)).toBe('second');
      expect(text((await client.verifiedGet(`bound${suffix}`))?.value)).toBe('first');
      for (const score of [1.5, -1, 0, -0, Infinity, -Infinity, 5e-324]) {
        const { tx } = await client[add](`set${suffix}`, score, 'target', more);
        expect(await stored(wire, tx)).toEqual([member(`set${suffix}`, score, 'target')]);
      }
      const old = await client[add](`set${suffix}`, 1, 'target', { atTx: first, ...more });
      expect(await stored(wire, old.tx)).toEqual([member(`set${suffix}`, 1, 'target', first)]);
    }
    const { tx } = await client[exec]([
      { set: { key: 'here', value: 'v' } },
      { reference: { key: 'this', to: 'here', atTx: 'thisTx' } },
      { reference: { key: 'that', to: 'target', atTx: first } },
      { reference: { key: 'any', to: 'target' } },
      { zAdd: { set: 'z', score: -0, key: 'here', atTx: 'thisTx' } },
      { zAdd: { set: 'z', score: 2, key: 'target' } },
      { set: { key: 'hidden', value: '', metadata: { nonIndexable: true } } },
    ]);
    expect(await stored(wire, tx)).toEqual([
      value('here', 'v'),
      reference('this', 'here', tx),
      reference('that', 'target', first),
      reference('any', 'target'),
      member('z', -0, 'here', tx),
      member('z', 2, 'target'),
      value('hidden', ''),
    ]);
    await client.verifiedSet('here', 'changed');
    expect(text((await client.verifiedGet('this'))?.value)).toBe('v');
    const self: Op[] = [
      { set: { key: 'self', value: 'v' } },
      { reference: { key: 'selfRef', to: 'self', atTx: 'thisTx' } },
    ];
    await client[exec](self, { noWait: true });
    expect(text((await client.verifiedGet('selfRef'))?.value)).toBe('v');
  });

  test.each(PLAIN_AND_PROVEN)(
    '%s: what leads nowhere, or to a reference, is refused',
    async (_how, refer, add, exec, options) => {
      const { client, database } = await openClient(options);
      const wire = await openWire(database);
      await client.verifiedSetAll({ target: 'v', other: 'v' });
      await client.verifiedSetReference('ref', 'target');
      const cases: [() => Promise<unknown>, object][] = [
        [() => client[refer]('r', 'missing'), { code: 'NOT_FOUND' }],
        [() => client[refer]('r', 'other', { atTx: 2n }), { code: 'NOT_FOUND' }],
        [() => client[refer]('r', 'other', { atTx: 99n }), { code: 'NOT_FOUND' }],
        [
          () => client[refer]('r', 'ref'),
          { code: 'SERVER_REFUSED', message: expect.stringMatching(/cannot be a reference/) as string },
        ],
        [
          () => client[refer]('other', 'target'),
          { code: 'SERVER_REFUSED', message: expect.stringMatching(/cannot be converted/) as string },
        ],
        [
          () => client[refer]('r', 'target', { preconditions: [{ mustNotExist: 'target' }] }),
          { code: 'PRECONDITION_FAILED' },
        ],
        [() => client[add]('s', 1, 'missing'), { code: 'NOT_FOUND' }],
        [() => client[add]('s', 1, 'ref'), { code: 'SERVER_REFUSED' }],
        [
          () => client[exec]([{ set: { key: 'k', value: 'v' } }, { reference: { key: 'r', to: 'missing' } }]),
          { code: 'NOT_FOUND' },
        ],
        [
          () => client[exec]([{ set: { key: 'k', value: 'v' } }], { preconditions: [{ mustExist: 'k' }] }),
          { code: 'PRECONDITION_FAILED' },
        ],
      ];
      const before = (await wire.call('CurrentState')).txId;
      for (const [start, error] of cases) expect(await rejection(start())).toMatchObject(error);
      // In flight together with one that is right, too.
      const together = cases.map(([start]) => start());
      const right = client[refer]('right', 'target');
      const outcomes = await Promise.allSettled([...together, right]);
      expect(outcomes.map(({ status }) => status)).toEqual([...cases.map(() => 'rejected'), 'fulfilled']);
      expect((await wire.call('CurrentState')).txId).toBe(String(BigInt(before) + 1n));
    },
  );
});

describeServer('writes of all forms in flight', () => {
  test('1,000 deletes, references and members share transactions, and each is proven', async () => {
    const { client, store } = await openClient();
    await client.verifiedSet('target', 'v');
    await Promise.all(range(1000).map((i) => client.verifiedSet(`k${i}`, 'v')));
    const ways: Record<string, (i: number) => Promise<{ tx: bigint }>> = {
      verifiedSetReference: (i) => client.verifiedSetReference(`r${i}`, 'target'),
      verifiedZAdd: (i) => client.verifiedZAdd('set', i, `k${i}`),
      verifiedDelete: (i) => client.verifiedDelete(`k${i}`),
    };
    for (const [operation, write] of Object.entries(ways)) {
      const written = await Promise.all(range(1000).map(write));
      expect(new Set(written.map(({ tx }) => tx)).size).toBeLessThan(30);
      const rows = (await rowsOf(store)).filter((row) => row.operation === operation);
      expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(1000);
    }
    const entries = await client.verifiedGetAll(range(1000).map((i) => `r${i}`));
    expect(entries.every((entry) => text(entry?.value) === 'v')).toBe(true);
    expect(await client.verifiedGetAll(range(1000).map((i) => `k${i}`))).toEqual(range(1000).map(() => null));
  });

  test('a delete of a missing key refuses only itself', async () => {
    const { client } = await openClient();
    await client.verifiedSetAll(range(40).map((i) => [`k${i}`, 'v'] as const));
    const outcomes = await Promise.allSettled(
      range(42).map((i) =>
        client.verifiedDelete(
          i === 7 || i === 30 ? `missing${i}` : `k${i - (i > 7 ? 1 : 0) - (i > 30 ? 1 : 0)}`,
        ),
      ),
    );
    const refused = outcomes.flatMap((outcome, i) =>
      outcome.status === 'rejected' ? [[i, (outcome.reason as { code: string }).code]] : [],
    );
    expect(refused).toEqual([
      [7, 'NOT_FOUND'],
      [30, 'NOT_FOUND'],
    ]);
    expect(await client.verifiedGetAll(range(40).map((i) => `k${i}`))).toEqual(range(40).map(() => null));
  });

  test('writes of one key keep their order across forms', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await Promise.all(
      range(5).flatMap((i) => [
        client.verifiedSet('key', String(i)),
        client.verifiedSet(`beside${i}`, 'v'),
        client.verifiedSetReference(`to${i}`, 'key'),
        client.verifiedZAdd('set', i, 'key'),
        client.verifiedDelete('key'),
      ]),
    );
    const { entries } = await wire.call('History', { key: Buffer.from('key') });
    expect(
      (entries as { value: Buffer; metadata?: { deleted?: boolean } }[]).map((entry) =>
        entry.metadata?.deleted ? 'deleted' : entry.value.toString(),
      ),
    ).toEqual(range(5).flatMap((i) => [String(i), 'deleted']));
    expect(await client.verifiedGet('key')).toBeNull();
  });

  test('a delete that waits for a tx goes alone', async () => {
    const { client } = await openClient();
    const { tx } = await client.verifiedSetAll({ a: '1', b: '1', c: '1' });
    const writes = await Promise.all([
      client.verifiedDelete('a', { sinceTx: tx }),
      client.verifiedDelete('b'),
      client.verifiedDelete('c', { noWait: true }),
    ]);
    expect(new Set(writes.map((write) => write.tx)).size).toBe(3);
    expect(await rejection(client.verifiedDelete('d', { sinceTx: 99n }))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('in its own tx, when asked for', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.verifiedSet('k', 'v');
    const writes = await Promise.all([
      ...range(3).map((i) => client.verifiedSetReference(`r${i}`, 'k', { ownTx: true })),
      ...range(3).map((i) => client.verifiedZAdd('z', i, 'k', { ownTx: true })),
      ...range(3).map((i) => client.verifiedExecAll([{ set: { key: `e${i}`, value: '' } }], { ownTx: true })),
    ]);
    expect(new Set(writes.map(({ tx }) => tx)).size).toBe(9);
    for (const { tx } of writes) expect(await stored(wire, tx)).toHaveLength(1);
    const deletes = await Promise.all(range(3).map((i) => client.verifiedDelete(`e${i}`, { ownTx: true })));
    expect(new Set(deletes.map(({ tx }) => tx)).size).toBe(3);
  });
});

describeServer('bad input', () => {
  const endless = function* (): Generator<Op> {
    for (let i = 0; ; i++) yield { set: { key: `k${i}`, value: '' } };
  };
  const set = (key: string): Op => ({ set: { key, value: '' } });
  test.each<[string, unknown, string, object?]>([
    ['nothing', [], 'ops'],
    ['no operations', 5, 'ops'],
    ['text', 'set', 'ops'],
    ['null', null, 'ops'],
    ['endless ones', endless(), 'ops'],
    ['one that is none', [set('a'), null], 'ops[1]'],
    ['one of no kind', [{}], 'ops[0]'],
    ['one of an unknown kind', [{ delete: 'k' }], 'ops[0]'],
    ['one of two kinds', [{ ...set('a'), zAdd: {} }], 'ops[0]'],
    ['a kind without its fields', [{ set: 'k' }], 'ops[0].set'],
    ['an unknown field', [{ set: { key: 'k', value: '', atTx: 1n } }], 'ops[0].set'],
    ['an empty key', [{ set: { key: '', value: '' } }], 'ops[0].set.key'],
    ['no value', [{ set: { key: 'k' } }], 'ops[0].set.value'],
    [
      'bad metadata',
      [{ set: { key: 'k', value: '', metadata: { expiresAt: 1 } } }],
      'ops[0].set.metadata.expiresAt',
    ],
    ['no target', [{ reference: { key: 'k' } }], 'ops[0].reference.to'],
    ['a tx of 0', [{ reference: { key: 'k', to: 't', atTx: 0n } }], 'ops[0].reference.atTx'],
    ['a tx by another word', [{ reference: { key: 'k', to: 't', atTx: 'this' } }], 'ops[0].reference.atTx'],
    ['NaN', [{ zAdd: { set: 's', score: NaN, key: 'k' } }], 'ops[0].zAdd.score'],
    ['no score', [{ zAdd: { set: 's', key: 'k' } }], 'ops[0].zAdd.score'],
    ['no set', [{ zAdd: { score: 1, key: 'k' } }], 'ops[0].zAdd.set'],
    ['a key twice', [set('a'), set('a')], 'ops'],
    ['a key as value and as reference', [set('a'), { reference: { key: 'a', to: 't' } }], 'ops'],
    ['a member twice', [1, 2].map((score) => ({ zAdd: { set: 's', score, key: 'k' } })), 'ops'],
    [
      'bound to what none before sets',
      [{ reference: { key: 'k', to: 'a', atTx: 'thisTx' } }, set('a')],
      'ops',
    ],
    [
      'noWait, and bound elsewhere',
      [set('a'), { zAdd: { set: 's', score: 1, key: 'a' } }],
      'noWait',
      { noWait: true },
    ],
    ['an unknown option', [set('a')], 'options', { metadata: {} }],
  ])('execAll of %s: nothing is sent', async (_what, ops, argument, options) => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    for (const method of ['execAll', 'verifiedExecAll'] as const) {
      const error = await rejection(client[method](ops as Op[], options));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.argument).toBe(argument);
    }
    expect((await wire.call('CurrentState')).txId ?? '0').toBe('0');
  });

  test('references, members and deletes: nothing is sent', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const bad = 5 as never;
    for (const [start, argument] of [
      [() => client.setReference('', 'k'), 'key'],
      [() => client.verifiedSetReference('k', ''), 'to'],
      [() => client.verifiedSetReference('k', bad), 'to'],
      [() => client.verifiedSetReference('k', 't', { atTx: bad }), 'atTx'],
      [() => client.setReference('k', 't', { atTx: 0n }), 'atTx'],
      [() => client.verifiedSetReference('k', 't', { atTx: 'thisTx' as never }), 'atTx'],
      [() => client.setReference('k', 't', { ownTx: true } as never), 'options'],
      [() => client.setReference('k', 't', { metadata: {} } as never), 'options'],
      [() => client.verifiedSetReference('k', 't', null as never), 'options'],
      [() => client.zAdd('', 1, 'k'), 'set'],
      [() => client.verifiedZAdd('s', NaN, 'k'), 'score'],
      [() => client.zAdd('s', '1' as never, 'k'), 'score'],
      [() => client.zAdd('s', 1n as never, 'k'), 'score'],
      [() => client.verifiedZAdd('s', 1, ''), 'key'],
      [() => client.verifiedZAdd('s', 1, 'k', { preconditions: [] } as never), 'options'],
      [() => client.zAdd('s', 1, 'k', { atTx: -1n }), 'atTx'],
      [() => client.verifiedDelete('k', { sinceTx: 0n }), 'sinceTx'],
      [() => client.delete('k', { sinceTx: 5 as never }), 'sinceTx'],
      [() => client.delete('k', { noWait: 'no' as never }), 'noWait'],
      [() => client.verifiedDelete('k', { preconditions: [] } as never), 'options'],
    ] as const) {
      const error = await rejection(start());
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.argument).toBe(argument);
    }
    expect((await wire.call('CurrentState')).txId ?? '0').toBe('0');
  });
});
