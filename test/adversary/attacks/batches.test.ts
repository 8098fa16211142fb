// A server that lies about a transaction of many records: whatever it wrote instead, none of them has a receipt.
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { verifyEvidence } from '#dist/audit.js';
import { ImmuClient, IngestError, MemoryRootStore, VerificationError } from '#dist/index.js';
import type { IngestBatch, IngestRecord } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { describeServer, freshDatabase, sharedImmudb } from '../../support/real.js';
import { Proxy, passOn } from '../proxy.js';

interface KeyValue {
  key: Buffer;
  value: Buffer;
  metadata?: { nonIndexable: boolean };
}
type Change = (KVs: KeyValue[]) => void;

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const { requestSerialize, requestDeserialize } = methodDefinition('immudb.schema.ImmuService', 'Set');

describeServer('a transaction of records', () => {
  let proxy: Proxy;
  let database: string;
  let run = 0;

  beforeAll(async () => {
    proxy = await Proxy.start(sharedImmudb());
    database = await freshDatabase();
  });
  afterEach(() => void (proxy.intercept = passOn));
  afterAll(() => proxy.close());

  async function open() {
    const store = new MemoryRootStore();
    const credentials = { user: 'immudb', password: 'immudb', database };
    const client = new ImmuClient({ address: proxy.address, store, credentials });
    await client.verifiedSet('first', 'v');
    return { client, store };
  }

  const records = (count: number): IngestRecord[] => {
    run += 1;
    return range(count).map((i) => [`b${run}/${i}`, `value ${i}`]);
  };

  async function taken(client: ImmuClient, source: Iterable<IngestRecord>) {
    const batches: IngestBatch[] = [];
    try {
      for await (const batch of client.ingest(source).batches()) batches.push(batch);
      return { batches, error: undefined };
    } catch (error) {
      return { batches, error };
    }
  }

  const lies: readonly [lie: string, check: string, change: Change][] = [
    ['two records are exchanged', 'written.entries', (KVs) => KVs.splice(3, 2, KVs[4]!, KVs[3]!)],
    [
      'the values of two records are exchanged',
      'written.entries',
      ([a, b]) => ([a!.value, b!.value] = [b!.value, a!.value]),
    ],
    ['a record is dropped', 'written.count', (KVs) => KVs.splice(7, 1)],
    ['the last record is dropped', 'written.count', (KVs) => KVs.pop()],
    [
      'a record is written twice, under another key',
      'written.count',
      (KVs) => KVs.push({ ...KVs[0]!, key: Buffer.from('twice') }),
    ],
    [
      'a record is written twice, in place of another',
      'written.entries',
      (KVs) => KVs.splice(5, 1, { ...KVs[4]!, key: Buffer.from('twice') }),
    ],
    ['a value is changed', 'written.entries', (KVs) => (KVs[19]!.value = Buffer.from('value 1'))],
    [
      'a record is kept from the index',
      'written.entries',
      (KVs) => (KVs[2]!.metadata = { nonIndexable: true }),
    ],
  ];

  test.for(lies)('%s', async ([, check, change]) => {
    const { client, store } = await open();
    proxy.intercept = ({ method, request, forward }) => {
      if (method !== 'Set') return forward();
      const message = requestDeserialize(request) as { KVs: KeyValue[] };
      change(message.KVs);
      return forward(requestSerialize(message));
    };
    const { batches, error } = await taken(client, records(20));
    expect(batches).toEqual([]);
    expect(error).toBeInstanceOf(IngestError);
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', index: 0 });
    const cause = (error as IngestError).cause as VerificationError;
    expect(cause).toBeInstanceOf(VerificationError);
    expect(cause.evidence).toMatchObject({ check });
    const { value: row } = await store.audit.roots({ outcome: 'failure' }).next();
    expect(verifyEvidence(row!.evidence)).toMatchObject({ outcome: 'reproduced' });
    await client.close();
  });

  test.for([
    ['of the batch before it', 0],
    ['of a batch that is on its way beside it', 1],
  ] as const)('the tx %s is answered', async ([, which]) => {
    const { client } = await open();
    const answers: Buffer[] = [];
    proxy.intercept = async ({ method, forward }) => {
      if (method !== 'Set') return forward();
      const own = await forward();
      answers.push(own);
      return answers.length === 3 ? answers[which]! : own;
    };
    // The same key again: a batch of its own, written after the one before.
    const same = records(20);
    const { batches, error } = await taken(client, [...same, ...same, ...same]);
    // Of two that are on their way and say the same, whichever comes second is refused.
    const proven = batches.map(({ first, last }) => [first, last]);
    const all = [[0, 19], [20, 39]]; // prettier-ignore
    if (which === 0) expect(proven).toEqual(all);
    expect(proven).toEqual(all.slice(0, proven.length));
    expect(proven.length).toBeGreaterThan(0);
    expect(error).toMatchObject({ index: proven.length * 20 });
    expect(['VERIFICATION_FAILED', 'FORK_DETECTED']).toContain((error as IngestError).code);
    await client.close();
  });

  test('two equal batches on their way are answered with one tx: one of them was not written', async () => {
    const { client } = await open();
    const only = records(20);
    let first: Buffer | undefined;
    proxy.intercept = async ({ method, forward }) => {
      if (method !== 'Set') return forward();
      return (first ??= await forward());
    };
    const { batches, error } = await taken(client, [...only, ...only]);
    expect(batches).toHaveLength(1);
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', index: 20 });
    await client.close();
  });

  test('a record that is refused ends it there: all before it are proven, in parts', async () => {
    const { client } = await open();
    const all = records(40);
    const bad = (all[29] as [string, string])[0];
    proxy.intercept = ({ method, request, forward }) => {
      if ((method !== 'Set' && method !== 'VerifiableSet') || !request.includes(`${bad}\x12`))
        return forward();
      return Promise.reject(
        Object.assign(new Error(), { code: status.UNKNOWN, details: 'max key length exceeded' }),
      );
    };
    const { batches, error } = await taken(client, all);
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', index: 29, resume: batches.at(-1)!.resume });
    let next = 0;
    for (const { first, last, count, tx } of batches) {
      expect([first, count]).toEqual([next, last - first + 1]);
      for (const i of [first, last]) {
        const [key, value] = all[i] as [string, string];
        const entry = await client.verifiedGet(key, { atTx: tx });
        expect(Buffer.from(entry!.value).toString()).toBe(value);
      }
      next = last + 1;
    }
    expect(next).toBe(29);
    await client.close();
  });
});
