// A server that lies to an ingestion with `once`: about what is there, and about what it wrote. No record that is not proven to be
// there has a receipt, and none is passed over as refused.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { IngestError, VerificationError } from '#dist/index.js';
import type { ImmuClient, IngestOptions, IngestReceipt, IngestRecord } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import { Proxy, passOn } from '../adversary/proxy.js';
import { decodeAnswer, encodeAnswer } from '../adversary/attacks/support.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { openClient, openWire, rowsOf, text } from '../trust/support.js';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const records = range(20).map((i): IngestRecord => [`k${i}`, `value ${i}`]);
const isSet = (method: string) => /^(Verifiable)?Set$/.test(method);

const alreadyThere = () =>
  Object.assign(new Error('refused'), { code: 9, details: 'precondition failed: key already exists' });

describeServer('with once, a server', () => {
  let proxy: Proxy;
  let database: string;
  beforeEach(async () => {
    proxy = await Proxy.start(sharedImmudb());
    database = await freshDatabase();
  });
  afterEach(async () => {
    proxy.intercept = passOn;
    await proxy.close();
  });

  const open = () => openClient({ address: proxy.address, database });

  async function run(client: ImmuClient, options: IngestOptions = {}) {
    const receipts: IngestReceipt[] = [];
    const refused: number[] = [];
    const ingestion = client.ingest(records, {
      once: true,
      onProven: (proven) => void receipts.push(...proven),
      onRefused: ({ index }) => void refused.push(index),
      ...options,
    });
    const error = await ingestion.finished().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return { receipts, refused, error };
  }

  test('that refuses keys as being there, and shows none: no receipt, an error of its own', async () => {
    const { client } = await open();
    let asked = 0;
    proxy.intercept = ({ method, forward }) => {
      if (!isSet(method)) return forward();
      asked += 1;
      return Promise.reject(alreadyThere());
    };
    const { receipts, refused, error } = await run(client);
    expect(receipts).toEqual([]);
    expect(refused).toEqual([]);
    expect(error).toBeInstanceOf(IngestError);
    expect(error).toMatchObject({ code: 'SERVER_REFUSED', index: 0 });
    expect((error as Error).message).toContain('one of both is not so');
    // It is given up: not tried for ever.
    expect(asked).toBeLessThan(8);
  });

  test('that refuses them so twice, and then no more: all is written, once', async () => {
    const { client } = await open();
    let asked = 0;
    proxy.intercept = ({ method, forward }) =>
      isSet(method) && ++asked <= 2 ? Promise.reject(alreadyThere()) : forward();
    const { receipts, error } = await run(client);
    expect(error).toBeUndefined();
    expect(receipts.map(({ index, wasThere }) => [index, wasThere])).toEqual(
      range(20).map((i) => [i, undefined]),
    );
  });

  // What it shows of k3 when it is read back, whatever is there.
  const forged: readonly [lie: string, there: string | undefined, entry: object][] = [
    ['an entry that there is not, of the right value', undefined, { tx: '1', value: 'value 3' }],
    ['the right value, where there is another', 'another', { value: 'value 3' }],
    ['another value, where there is the right one', 'value 3', { value: 'another' }],
    ['the right value, in another transaction', 'value 3', { tx: '1' }],
    [
      'a reference where there is a value',
      'value 3',
      { referencedBy: { tx: '2', key: Buffer.from('k3'), atTx: '0' } },
    ],
    ['an expiry', 'value 3', { metadata: { expiration: { expiresAt: '99999999999' } } }],
  ];
  test.for(forged)('that shows, when records are read back, %s', async ([, there, change]) => {
    const { client, store } = await open();
    const wire = await openWire(database);
    await wire.call('Set', { KVs: [{ key: Buffer.from('other'), value: Buffer.from('v') }] });
    if (there !== undefined)
      await wire.call('Set', { KVs: [{ key: Buffer.from('k3'), value: Buffer.from(there) }] });
    const { value, ...fields } = change as { value?: string };
    proxy.intercept = async ({ method, forward }) => {
      if (isSet(method)) throw alreadyThere();
      if (method !== 'GetAll') return forward();
      // Where nothing is there it is an error.
      const answer = await forward().catch(() => Buffer.alloc(0));
      const { entries = [] } = decodeAnswer('GetAll', answer) as { entries?: { key: Buffer }[] };
      const given = entries.find(({ key }) => key.toString() === 'k3');
      const entry = { tx: '2', key: Buffer.from('k3'), value: Buffer.from(there ?? ''), revision: '1' };
      const lie = {
        ...entry,
        ...given,
        ...fields,
        ...(value !== undefined && { value: Buffer.from(value) }),
      };
      return encodeAnswer('GetAll', { entries: [lie] });
    };
    const { receipts, refused, error } = await run(client);
    expect(receipts).toEqual([]);
    expect(refused).toEqual([]);
    expect(error).toBeInstanceOf(IngestError);
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', index: 0 });
    expect((error as Error).cause).toBeInstanceOf(VerificationError);
    const [row] = await rowsOf(store, { outcome: 'failure' });
    expect(verifyEvidence(row!.evidence!)).toMatchObject({ outcome: 'reproduced' });
  });

  test('that hides, when it is read back, what was proven to be there', async () => {
    const { client } = await open();
    await client.verifiedSet('k3', 'value 3');
    proxy.intercept = async ({ method, forward }) => {
      if (isSet(method)) throw alreadyThere();
      return method === 'GetAll' ? encodeAnswer('GetAll', { entries: [] }) : forward();
    };
    const { receipts, refused, error } = await run(client);
    expect([receipts, refused]).toEqual([[], []]);
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED' });
  });

  test('that says that it wrote, and has not', async () => {
    const { client } = await open();
    await client.verifiedSet('k3', 'another');
    const before = await openWire(database);
    const { KVs } = { KVs: [{ key: Buffer.from('elsewhere'), value: Buffer.from('v') }] };
    proxy.intercept = async ({ method, forward }) => {
      if (!isSet(method)) return forward();
      // The header of a transaction that is there, and holds something else.
      return encodeAnswer('Set', await before.call('Set', { KVs }));
    };
    const { receipts, error } = await run(client);
    expect(receipts).toEqual([]);
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED' });
    expect(await client.get('k5')).toBeNull();
  });

  test('that checks no condition is found out by nobody, and writes twice: so the docstring says', async () => {
    const { client } = await open();
    await client.verifiedSet('k3', 'another');
    const { requestDeserialize, requestSerialize } = await import('#dist/wire/schema.js').then(
      ({ methodDefinition }) => methodDefinition('immudb.schema.ImmuService', 'Set'),
    );
    let dropped = 0;
    proxy.intercept = ({ method, request, forward }) => {
      if (method !== 'Set') return forward();
      const message = requestDeserialize(request) as { preconditions: unknown[] };
      dropped += message.preconditions.length;
      return forward(requestSerialize({ ...message, preconditions: [] }));
    };
    const { receipts, error } = await run(client);
    expect(error).toBeUndefined();
    expect(receipts).toHaveLength(20);
    expect(dropped).toBe(20);
    expect(text((await client.verifiedGet('k3'))?.value)).toBe('value 3');
  });
});
