// Lies about reads and writes in flight that take more than one change: whoever they are about is refused, whoever shared
// the request is told the truth.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { methodDefinition } from '#dist/wire/schema.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { Proxy, passOn } from './proxy.js';
import { NOTHING, callers, tell, tellWrite } from './scenario.js';
import type { AnswerMethod, CallerOutcome, Message } from './scenario.js';
import { cold, put, setStage, warm } from './stage.js';
import type { Stage } from './stage.js';

interface WireEntry {
  tx: string;
  key: Buffer;
  value: Buffer;
  referencedBy?: { tx: string; atTx?: string };
}

describeServer('particular lies', () => {
  let proxy: Proxy;
  let stage: Stage;

  beforeAll(async () => {
    proxy = await Proxy.start(sharedImmudb());
    stage = await setStage(proxy, sharedImmudb(), await freshDatabase());
  });
  afterEach(() => void (proxy.intercept = passOn));
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    await proxy.close();
  });

  const KEYS = ['single', 'many1', 'late1', 'target', 'free', 'absent'];
  type Change = (entries: Record<string, WireEntry>, all: WireEntry[]) => void;
  const entryLies: [lie: string, about: readonly string[], change: Change][] = [
    [
      'the values of two keys are exchanged',
      ['single', 'late1'],
      ({ single, late1 }) => exchange(single!, late1!, 'value'),
    ],
    [
      'the entries of two keys are exchanged',
      ['single', 'late1'],
      ({ single, late1 }) => exchange(single!, late1!, 'key'),
    ],
    [
      'two keys exchange their txs',
      ['single', 'late1'],
      ({ single, late1 }) => exchange(single!, late1!, 'tx'),
    ],
    [
      'a key gets the value of another of its tx',
      ['many1'],
      ({ many1 }) => void (many1!.value = Buffer.from('value 2')),
    ],
    ['an entry is of a tx that nobody has', ['single'], ({ single }) => void (single!.tx = '1000000')],
    [
      'an entry is of a tx beyond all numbers of txs',
      ['single'],
      ({ single }) => void (single!.tx = String(2n ** 62n)),
    ],
    [
      'an entry is of no tx at all, and with it the answer no answer',
      KEYS,
      ({ single }) => void (single!.tx = String(2n ** 64n - 1n)),
    ],
    ['an entry is of tx 0', ['single'], ({ single }) => void (single!.tx = '0')],
    [
      'a key is answered twice, another not at all',
      ['single', 'late1', 'absent'],
      ({ single }, all) => all.splice(all.findIndex(isOf('late1')), 1, { ...single! }),
    ],
    [
      'a stranger stands in the place of a key',
      ['single', 'absent'],
      ({ single }) => void (single!.key = Buffer.from('stranger')),
    ],
    [
      'a reference leads to another key',
      ['free'],
      ({ free, single }) => Object.assign(free!, { key: single!.key, value: single!.value, tx: single!.tx }),
    ],
    [
      'a free reference is said to be bound',
      ['free'],
      ({ free }) => void (free!.referencedBy!.atTx = free!.tx),
    ],
    [
      'a reference is shown as a value of its own',
      ['free'],
      ({ free }) => {
        free!.key = Buffer.from('free');
        delete free!.referencedBy;
      },
    ],
    [
      'what a reference leads to is of another tx',
      ['free'],
      ({ free, single }) => void (free!.tx = single!.tx),
    ],
    [
      'a value is said to be there that is not',
      ['absent'],
      ({ single }, all) => all.push({ ...single!, key: Buffer.from('absent') }),
    ],
  ];

  for (const state of ['cold', 'warm'] as const) {
    test.for(entryLies)(`${state}: %s`, async ([, about, change]) => {
      const { client } = stage;
      const honest = await read();
      await (state === 'cold' ? cold(client) : warm(client));
      lie('GetAll', ({ entries }) => {
        const all = entries as (WireEntry & { referencedBy?: { key?: Buffer } })[];
        change(Object.fromEntries(all.map((entry) => [nameOf(entry), entry])), all);
      });
      const told = await read();
      KEYS.forEach((key, i) => {
        if (about.includes(key)) expect(told[i], key).toMatchObject({ kind: 'refused' });
        else expect(told[i], key).toEqual(honest[i]);
      });
      // And all is well again when the lie stops.
      proxy.intercept = passOn;
      expect(await read()).toEqual(honest);
    });
  }

  function read(): Promise<CallerOutcome[]> {
    return callers(...KEYS.map((key) => stage.client.verifiedGet(key).then(tell)));
  }

  test('an older version than was proven before', async () => {
    const { client, wire, next } = stage;
    const key = `old${next()}`;
    const first = await put(wire, key, 'old');
    const old = (await wire.call('Get', { key: Buffer.from(key) })) as WireEntry;
    await client.verifiedSet(key, 'new');
    lie('GetAll', (answer) => {
      const entries = answer['entries'] as WireEntry[];
      entries.splice(entries.findIndex(isOf(key)), 1, old);
    });
    const [stale, neighbour] = await callers(
      client.verifiedGet(key).then(tell),
      client.verifiedGet('single').then(tell),
    );
    expect(old.tx).toBe(String(first));
    expect(stale).toMatchObject({ kind: 'refused', error: { evidence: { check: 'get.stale' } } });
    expect(neighbour).toMatchObject({ kind: 'told' });
    await expect(client.verifiedGetAll(['single', key])).rejects.toMatchObject({
      evidence: { check: 'get.stale' },
    });
  });

  test('a read of a key that is written at the same time never falls behind the write', async () => {
    const { client, wire, next } = stage;
    const key = `busy${next()}`;
    await put(wire, key, '0');
    for (let i = 1; i <= 5; i++) {
      const { tx } = await client.verifiedSet(key, String(i));
      const [entry] = await Promise.all([client.verifiedGet(key), client.verifiedGet('single')]);
      expect(entry?.tx).toBeGreaterThanOrEqual(tx);
    }
  });

  test('a header of an earlier write for writes together', async () => {
    await cold(stage.client);
    let earlier: Message | undefined;
    lie('Set', (answer) => {
      earlier ??= structuredClone(answer);
      Object.assign(answer, earlier);
    });
    expect(kinds(await writePair())).toEqual(['told', 'told']);
    expect(kinds(await writePair())).toEqual(['refused', 'refused']);
    proxy.intercept = passOn;
    expect(kinds(await writePair())).toEqual(['told', 'told']);
  });

  test('two groups in flight whose headers are exchanged', async () => {
    await cold(stage.client);
    const answers: Buffer[] = [];
    let bothIn = () => {};
    const both = new Promise<void>((resolve) => (bothIn = resolve));
    let met = 0;
    proxy.intercept = async ({ method, forward }) => {
      if (method !== 'Set') return forward();
      const place = met++;
      answers[place] = await forward();
      if (answers.filter(Boolean).length === 2) bothIn();
      await both;
      return answers[1 - place] as Buffer;
    };
    const big = (name: string) => Array.from({ length: 600 }, (_, i) => [`${name}${i}`, 'v'] as const);
    const settled = await callers(
      stage.client.verifiedSetAll(big(`x${stage.next()}-`)).then(() => 'written'),
      stage.client.verifiedSetAll(big(`y${stage.next()}-`)).then(() => 'written'),
    );
    expect(met).toBe(2);
    expect(kinds(settled)).toEqual(['refused', 'refused']);
  });

  test('equal writes answered with one tx', async () => {
    await cold(stage.client);
    const entries = Array.from({ length: 9 }, (_, i) => [`equal${i}`, 'v'] as const);
    // One is sent on its own with its proof, the other as a group: both are in flight, and only one is written.
    let toldGroup: ((header: Message) => void) | undefined;
    const header = new Promise<Message>((resolve) => (toldGroup = resolve));
    proxy.intercept = async ({ method, forward }) => {
      if (method === 'Set') {
        const { responseSerialize } = methodDefinition('immudb.schema.ImmuService', 'Set');
        return responseSerialize(await header);
      }
      const answer = await forward();
      if (method === 'VerifiableSet') toldGroup?.(decoded('VerifiableSet', answer).tx.header);
      return answer;
    };
    const settled = await callers(
      stage.client.verifiedSetAll(entries, { ownTx: true }).then(() => 'written'),
      stage.client.verifiedSetAll(entries).then(() => 'written'),
    );
    expect(kinds(settled).toSorted()).toEqual(['refused', 'told']);
    const refused = settled.find(({ kind }) => kind === 'refused');
    expect(refused).toMatchObject({ error: { evidence: { check: 'set.tx-shared' } } });
  });

  test('a tx that a refused write was answered with is still to be had by an honest one', async () => {
    await cold(stage.client);
    lie('Set', (answer) => void (answer['id'] = String(BigInt(answer['id'] as string) + 1n)));
    expect(kinds(await writePair())).toEqual(['refused', 'refused']);
    proxy.intercept = passOn;
    for (let i = 0; i < 3; i++) expect(kinds(await writePair())).toEqual(['told', 'told']);
  });

  test('a group that is answered as another was', async () => {
    const { client } = stage;
    await warm(client);
    let first: Buffer | undefined;
    proxy.intercept = async ({ method, forward }) => {
      const answer = await forward();
      if (method !== 'GetAll') return answer;
      return (first ??= answer);
    };
    const pair = (...keys: string[]) => callers(...keys.map((key) => client.verifiedGet(key).then(tell)));
    expect(kinds(await pair('single', 'many1'))).toEqual(['told', 'told']);
    expect(kinds(await pair('late1', 'bulk1'))).toEqual(['refused', 'refused']);
    const [same, other] = await pair('single', 'absent');
    expect(same).toMatchObject({ kind: 'told' });
    expect(other).toMatchObject({ kind: 'refused' });
  });

  test('nothing for everybody is believed of keys alone of which nothing was proven', async () => {
    lie('GetAll', (answer) => void (answer['entries'] = []));
    const told = await read();
    KEYS.forEach((key, i) => {
      if (key === 'absent') expect(told[i]).toEqual({ kind: 'told', told: NOTHING });
      else expect(told[i]).toMatchObject({ kind: 'refused' });
    });
  });

  function writePair(): Promise<CallerOutcome[]> {
    const { client, wire, next } = stage;
    const keys = [`p${next()}`, `p${next()}`];
    return callers(
      ...keys.map(async (key) => tellWrite(wire, await client.verifiedSet(key, 'v'), [[key, 'v']])),
    );
  }

  function lie(method: AnswerMethod, change: (answer: Message) => void): void {
    const { responseSerialize } = methodDefinition('immudb.schema.ImmuService', method);
    proxy.intercept = async (call) => {
      const bytes = await call.forward();
      if (call.method !== method) return bytes;
      const answer = decoded(method, bytes);
      change(answer);
      return responseSerialize(answer);
    };
  }
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- decoded messages are as loose as the wire
function decoded(method: AnswerMethod, bytes: Buffer): any {
  return methodDefinition('immudb.schema.ImmuService', method).responseDeserialize(bytes);
}

function nameOf(entry: WireEntry & { referencedBy?: { key?: Buffer } }): string {
  return (entry.referencedBy?.key ?? entry.key).toString();
}

function isOf(key: string): (entry: WireEntry) => boolean {
  return (entry) => nameOf(entry) === key;
}

function exchange(a: WireEntry, b: WireEntry, field: 'key' | 'value' | 'tx'): void {
  const kept = { [field]: a[field] };
  Object.assign(a, { [field]: b[field] });
  Object.assign(b, kept);
}

function kinds(outcomes: readonly CallerOutcome[]): string[] {
  return outcomes.map(({ kind }) => kind);
}
