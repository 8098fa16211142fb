// Numbers at the ends of their types and bytes of no length, in every field of every answer: what comes of them is a verdict,
// with a row, and never our own complaint about an argument that no caller gave.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifiedGet } from '#dist/client/calls/kv/verified-get.js';
import { ArgumentError, ImmuClient, MemoryRootStore, StoreError, VerificationError } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { check } from '#dist/verify/check.js';
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { DATABASE, TestChain, bytesOf, utf8 } from '../verify/support/test-chain.js';
import { FakeImmudb, callOf, trusting } from './fake-immudb.js';
import { rowsOf } from './support.js';

type Answer = Record<string, unknown>;

const EXTREMES = ['-9223372036854775808', '9223372036854775807', '18446744073709551615', '0'];
const LENGTHS = [0, 33];

interface Change {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** Every change of one scalar of an answer; of a list the first and the last element stand for all. */
function changesOf(value: unknown, path: readonly (string | number)[] = []): Change[] {
  if (value instanceof Uint8Array) return LENGTHS.map((length) => ({ path, value: Buffer.alloc(length, 7) }));
  if (
    typeof value === 'bigint' ||
    typeof value === 'number' ||
    (typeof value === 'string' && /^-?\d+$/.test(value))
  )
    return EXTREMES.map((extreme) => ({
      path,
      value: typeof value === 'bigint' ? BigInt(extreme) : extreme,
    }));
  if (Array.isArray(value)) {
    const places = [...new Set([0, value.length - 1])].filter((place) => place >= 0);
    return places.flatMap((place) => changesOf(value[place], [...path, place]));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => changesOf(part, [...path, name]));
}

function apply(answer: Answer, { path, value }: Change): void {
  const last = path.at(-1) as string;
  const holder = path.slice(0, -1).reduce<Answer>((at, step) => at[step] as Answer, answer);
  holder[last] = value;
}

let ledger: EmbeddedLedger;
beforeAll(async () => {
  ledger = await EmbeddedLedger.start();
  await using client = clientOf();
  for (let i = 1; i <= 6; i++) await client.set(`k${i}`, `v${i}`);
  await client.setAll([
    ['a', '1'],
    ['b', '2'],
  ]);
});
afterAll(() => ledger.close());

const clientOf = (store = new MemoryRootStore()) =>
  new ImmuClient({
    address: ledger.address,
    store,
    credentials: { user: 'immudb', password: 'immudb' },
    keepAliveMs: 0,
  });

const calls: [string, (client: ImmuClient) => Promise<unknown>][] = [
  ['VerifiableGet', (client) => client.verifiedGet('a')],
  ['VerifiableSet', (client) => client.verifiedSet('s', 'v')],
  ['GetAll', (client) => client.verifiedGetAll(['k1', 'k2', 'a', 'b'])],
  ['Set', (client) => Promise.all(['x', 'y', 'z'].map((key) => client.verifiedSet(key, 'v')))],
  ['VerifiableTxById', (client) => client.verifiedGetAll(['k1', 'k2', 'a', 'b'])],
  ['CurrentState', (client) => client.verifiedGet('k1')],
  ['CurrentState', (client) => client.audit.prove()],
  ['TxScan', (client) => client.audit.database({ values: true })],
];

test.for(calls)('%s: every extreme ends in a verdict', { timeout: 240_000 }, async ([method, run]) => {
  const changes: Change[] = [];
  const look = ledger.lie({
    kind: 'mutate',
    methods: [method],
    mutate: (answer) => {
      if (changes.length === 0) changes.push(...changesOf(answer));
      return undefined;
    },
  });
  {
    await using honest = clientOf();
    await run(honest);
  }
  look.stop();
  expect(changes.length).toBeGreaterThan(method === 'CurrentState' ? 4 : 20);
  let refused = 0;
  for (const change of changes) {
    const lie = ledger.lie({
      kind: 'mutate',
      methods: [method],
      mutate: (answer) => {
        apply(answer, change);
        return undefined;
      },
    });
    const store = new MemoryRootStore();
    await using client = clientOf(store);
    const outcome = await run(client).then(
      (value) => value,
      (error: unknown) => error,
    );
    lie.stop();
    const what = `${change.path.join('.')} = ${String(change.value)}`;
    expect(outcome instanceof ArgumentError ? outcome.message : '', what).toBe('');
    expect(outcome instanceof StoreError ? outcome.message : '', what).toBe('');
    if (!(outcome instanceof VerificationError)) continue;
    refused += 1;
    expect(outcome.cause, what).toBe(undefined);
    expect((await rowsOf(store, { outcome: ['failure', 'fork', 'rollback'] })).length, what).toBeGreaterThan(
      0,
    );
  }
  if (method !== 'TxScan') expect(refused).toBeGreaterThan(2);
});

describe('a history that is consistent, of what no honest one holds', () => {
  test('a header of the earliest time that 64 bits can say: refused at first contact, with a row', async () => {
    const chain = new TestChain();
    chain.commit([{ key: plainKey(utf8('k')), value: plainValue(utf8('v')) }], {
      ts: -0x7fff_ffff_ffff_ffffn,
    });
    const store = new MemoryRootStore();
    const { trust } = await trusting(new FakeImmudb(chain), undefined, { store });
    expect(trust.headTx).toBe(1n);
    const bad = new FakeImmudb(chain);
    // The chain that is looked at cannot be made: its own check refuses it.
    bad.intercept = ({ method, answer }) => {
      const bytes = answer();
      return method === 'VerifiableTxById' ? withTime(bytes) : bytes;
    };
    const refused = new MemoryRootStore();
    await expect(trusting(bad, undefined, { store: refused })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      evidence: { check: 'header.ts' },
    });
    expect(await rowsOf(refused, { outcome: 'failure' })).toHaveLength(1);
  });

  test.each([
    ['once: it was put back meanwhile', [9n], undefined],
    ['and then another: put back and grown meanwhile, and so once more', [9n, 5n], 5n],
    ['again: refused', [9n, 9n], 9n],
    ['again, of ever older ones: refused', [9n, 8n], 8n],
  ])('a newest tx at first contact that the server cannot prove, said %s', async (_, said, refused) => {
    const fake = new FakeImmudb(new TestChain().grow(4));
    fake.intercept = ({ method, answer }) => {
      if (method !== 'CurrentState') return answer();
      const state = said.shift();
      return state === undefined
        ? answer()
        : bytesOf('state', { db: DATABASE, txId: `${state}`, txHash: new Uint8Array(32) });
    };
    const store = new MemoryRootStore();
    const outcome = trusting(fake, undefined, { store });
    if (refused === undefined) expect((await outcome).trust.headTx).toBe(4n);
    else await expect(outcome).rejects.toMatchObject({ evidence: { check: 'state.tx', tx: refused } });
    expect(await rowsOf(store, { outcome: 'failure' })).toHaveLength(refused === undefined ? 0 : 1);
  });

  test.each([
    ['once: it was put back meanwhile, and grew to the same tx', 1, undefined],
    ['and says it again: refused, with the answer that proves another', 2, 'state.alh'],
  ])(
    'another hash of its newest tx at first contact than the server proves, said %s',
    async (_, times, check) => {
      const fake = new FakeImmudb(new TestChain().grow(4));
      const other = new TestChain();
      for (let tx = 1; tx <= 4; tx++) other.set(['k', `other ${tx}`]);
      let left = times;
      fake.intercept = ({ method, answer }) =>
        method === 'CurrentState' && left-- > 0
          ? bytesOf('state', { db: DATABASE, txId: '4', txHash: other.root(4n).alh })
          : answer();
      const store = new MemoryRootStore();
      const outcome = trusting(fake, undefined, { store });
      if (check === undefined) expect((await outcome).trust.headTx).toBe(4n);
      else await expect(outcome).rejects.toMatchObject({ evidence: { check, tx: 4n } });
      expect(await rowsOf(store, { outcome: 'failure' })).toHaveLength(check === undefined ? 0 : 1);
    },
  );

  test('a reference to the empty key: refused, lone and in a group, with a row', async () => {
    const chain = new TestChain().grow(2);
    const reference = Uint8Array.of(1, ...new Uint8Array(8), 0);
    chain.commit([{ key: plainKey(utf8('ref')), value: reference }]);
    chain.set(['', 'the empty key']);
    const fake = new FakeImmudb(chain);
    const { trust, store } = await trusting(fake);
    const through = { tx: '4', key: Buffer.alloc(0), value: utf8('the empty key') };
    const referencedBy = { tx: '3', key: utf8('ref'), atTx: '0' };
    fake.intercept = ({ method, answer }) => {
      if (method === 'VerifiableGet') {
        const shown = chain.verifiableEntry('ref', 3n, 4n);
        return bytesOf('get', { ...shown, entry: { ...through, referencedBy } });
      }
      return answer();
    };
    const lone = verifiedGet(fake, trust, callOf(), utf8('ref'), {});
    await expect(lone).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      evidence: { check: 'entry.reference-key' },
    });
    expect(await rowsOf(store, { outcome: 'failure' })).toHaveLength(1);
    const question = { kind: 'claims', keys: [utf8('ref')] } as const;
    const answer = bytesOf('claims', { entries: [{ ...through, referencedBy }] });
    expect(check(trust.job(question, trust.root, answer))).toMatchObject({
      proven: { outcomes: [{ kind: 'refuted', refuted: { check: 'entry.reference-key' } }] },
    });
  });
});

/** The same answer with the time of every header −2^63. */
function withTime(bytes: Uint8Array): Uint8Array {
  const time = varint(BigInt.asUintN(64, -0x7fff_ffff_ffff_ffffn));
  const earliest = varint(BigInt.asUintN(64, -0x8000_0000_0000_0000n));
  expect(time.length).toBe(earliest.length);
  const changed = Buffer.from(bytes);
  let found = 0;
  for (let at = changed.indexOf(time); at >= 0; at = changed.indexOf(time, at + 1)) {
    earliest.copy(changed, at);
    found += 1;
  }
  expect(found).toBeGreaterThan(0);
  return changed;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    if (rest < 0x80n) return Buffer.from([...bytes, low]);
    bytes.push(low | 0x80);
  }
}
