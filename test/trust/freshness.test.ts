// What a server cannot do any more: hide what was proven, serve a restored backup as nulls, show less behind a reference than
// was proven before, or let one transaction stand for two writes.
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore, VerificationError } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import type { ImmuClientOptions, VerifiedEntry } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy, passOn } from '../adversary/proxy.js';
import type { Interceptor, Passing } from '../adversary/proxy.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import type { Decoded, WireClient } from '../support/wire-client.js';
import { Gate } from './fake-immudb.js';
import { USER, openWire, rejection, rowsOf, text } from './support.js';

const bytes = (value: string) => Buffer.from(value);

function codec(method: string) {
  const { responseSerialize, responseDeserialize, requestDeserialize } = methodDefinition(
    'immudb.schema.ImmuService',
    method,
  );
  return {
    encode: (answer: object): Buffer => responseSerialize(answer),
    decode: (answer: Buffer): Decoded => responseDeserialize(answer),
    request: (request: Buffer): Decoded => requestDeserialize(request),
  };
}

function refusal(details: string): Error {
  return Object.assign(new Error(details), { code: status.UNKNOWN, details });
}

/** Passes everything on, but for the methods that are named. */
function only(handlers: Readonly<Record<string, (passing: Passing) => Promise<Buffer>>>): Interceptor {
  return (passing) => handlers[passing.method]?.(passing) ?? passing.forward();
}

describeServer('a server behind a proxy that chooses what is seen', () => {
  let proxy: Proxy;
  let database: string;
  let wire: WireClient;
  let store: MemoryRootStore;
  let client: ImmuClient;

  function open(options: ImmuClientOptions = {}): ImmuClient {
    const opened = new ImmuClient({
      address: proxy.address,
      credentials: { ...USER, database },
      store,
      ...options,
    });
    onTestFinished(() => opened.close().catch(() => undefined));
    return opened;
  }

  beforeEach(async () => {
    proxy = await Proxy.start(sharedImmudb());
    database = await freshDatabase();
    wire = await openWire(database);
    store = new MemoryRootStore();
    client = open();
  });
  afterEach(() => proxy.close());

  /** The same keys by the three ways of reading; none waits for the other two to fail. */
  const ways = {
    lone: (keys: readonly string[]) => client.verifiedGet(keys[0]!).then((entry) => [entry]),
    grouped: (keys: readonly string[]) => Promise.all(keys.map((key) => client.verifiedGet(key))),
    together: (keys: readonly string[]) => client.verifiedGetAll(keys),
  } satisfies Record<string, (keys: readonly string[]) => Promise<(VerifiedEntry | null)[]>>;
  const eachWay = Object.entries(ways);

  const hidden = only({
    Get: () => Promise.reject(refusal('key not found')),
    VerifiableGet: () => Promise.reject(refusal('tbtree: key not found')),
    GetAll: () => Promise.resolve(codec('GetAll').encode({ entries: [] })),
  });

  async function refused(work: Promise<unknown>, check: string): Promise<void> {
    const error = await rejection(work);
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.evidence.check).toBe(check);
    const [row] = await rowsOf(store, { outcome: 'all', order: 'desc', limit: 1 });
    expect(row!.evidence?.check).toBe(check);
    expect(verifyEvidence(row!.evidence!)).toMatchObject({ outcome: 'reproduced' });
  }

  describe('a null of a key that was proven', () => {
    test.each(eachWay)('is refused where nothing that ended the key is shown (%s)', async (_, read) => {
      await client.verifiedSetAll({ a: '1', b: '2' });
      proxy.intercept = hidden;
      await refused(read(['a', 'b']), 'gone.alive');
      const lies: [Interceptor, string][] = [
        [only({ History: () => Promise.reject(refusal('tbtree: key not found')) }), 'gone.history'],
        [only({ History: () => Promise.resolve(Buffer.alloc(0)) }), 'gone.history'],
        [only({ History: () => Promise.resolve(Buffer.from([0xff, 0xff, 0xff])) }), 'wire.truncated'],
      ];
      for (const [lie, check] of lies) {
        proxy.intercept = (passing) => (passing.method === 'History' ? lie(passing) : hidden(passing));
        await refused(read(['a', 'b']), check);
      }
      proxy.intercept = passOn;
      expect(text((await read(['a', 'b']))[0]?.value)).toBe('1');
    });

    test.each(eachWay)('is refused with a deletion older than what was proven (%s)', async (_, read) => {
      await client.verifiedSet('a', '1');
      await wire.call('Delete', { keys: [bytes('a')] });
      const old = await wire.call('History', { key: bytes('a'), limit: 16, desc: true });
      await client.verifiedSet('a', 'anew');
      proxy.intercept = (passing) =>
        passing.method === 'History' ? Promise.resolve(codec('History').encode(old)) : hidden(passing);
      await refused(read(['a', 'never']), 'gone.stale');
    });

    test.each(eachWay)(
      'stands on the proof of its deletion, which is asked for once (%s)',
      async (_, read) => {
        await client.verifiedSetAll({ a: '1', b: '2' });
        await wire.call('Delete', { keys: [bytes('a')] });
        await wire.call('Delete', { keys: [bytes('b')] });
        const asked: string[] = [];
        proxy.intercept = ({ method, forward }) => {
          asked.push(method);
          return forward();
        };
        expect((await read(['a', 'b'])).every((entry) => entry === null)).toBe(true);
        const histories = asked.filter((method) => method === 'History').length;
        expect(histories).toBeGreaterThan(0);
        expect((await read(['a', 'b'])).every((entry) => entry === null)).toBe(true);
        expect(asked.filter((method) => method === 'History')).toHaveLength(histories);
        expect(await rowsOf(store, { outcome: ['failure', 'fork', 'rollback'] })).toEqual([]);
      },
    );

    test.each(eachWay)('stands on the proof of its expiry (%s)', async (_, read) => {
      const expiresAt = Math.floor(Date.now() / 1000) + 2;
      await wire.call('Set', {
        KVs: ['a', 'b'].map((key) => ({
          key: bytes(key),
          value: bytes('1'),
          metadata: { expiration: { expiresAt: `${expiresAt}` } },
        })),
      });
      expect(text((await read(['a', 'b']))[0]?.value)).toBe('1');
      await expect
        .poll(() => read(['a', 'b']), { timeout: 10_000, interval: 200 })
        .not.toContainEqual(expect.objectContaining({ tx: expect.any(BigInt) as bigint }));
      expect(await rowsOf(store, { outcome: ['failure', 'fork', 'rollback'] })).toEqual([]);
    });

    test('stands on a deletion that was over before it was asked for: written anew meanwhile', async () => {
      await client.verifiedSet('a', '1');
      await wire.call('Delete', { keys: [bytes('a')] });
      proxy.intercept = only({
        History: async ({ forward }) => {
          await wire.call('Set', { KVs: [{ key: bytes('a'), value: bytes('anew') }] });
          return forward();
        },
      });
      expect(await client.verifiedGet('a')).toBeNull();
      expect(text((await client.verifiedGet('a'))?.value)).toBe('anew');
    });

    test.each(eachWay)('of a reference stands on what ended its target (%s)', async (_, read) => {
      await wire.call('Set', { KVs: [{ key: bytes('target'), value: bytes('1') }] });
      for (const key of ['a', 'b'])
        await wire.call('SetReference', { key: bytes(key), referencedKey: bytes('target') });
      expect(text((await read(['a', 'b']))[0]?.value)).toBe('1');
      proxy.intercept = hidden;
      await refused(read(['a', 'b']), 'gone.alive');
      proxy.intercept = passOn;
      await wire.call('Delete', { keys: [bytes('target')] });
      expect((await read(['a', 'b'])).every((entry) => entry === null)).toBe(true);
    });
  });

  describe('floors', () => {
    /** Shows the version of `tx` behind every reference, and of every key that is read plainly. */
    const showing = (tx: string, value: string): Interceptor => {
      const change = (entry: Decoded) => Object.assign(entry, { tx, value: bytes(value) });
      return only({
        VerifiableGet: async ({ forward, request }) => {
          const asked = codec('VerifiableGet').request(request).keyRequest;
          const answer = codec('VerifiableGet').decode(await forward());
          if (!BigInt(asked.atTx ?? 0)) change(answer.entry);
          return codec('VerifiableGet').encode(answer);
        },
        Get: async ({ forward }) => codec('Get').encode(change(codec('Get').decode(await forward()))),
        GetAll: async ({ forward }) => {
          const answer = codec('GetAll').decode(await forward());
          for (const entry of answer.entries) change(entry);
          return codec('GetAll').encode(answer);
        },
      });
    };

    async function referenced(): Promise<string> {
      const { id } = await wire.call('Set', { KVs: [{ key: bytes('target'), value: bytes('old') }] });
      for (const key of ['a', 'b'])
        await wire.call('SetReference', { key: bytes(key), referencedKey: bytes('target') });
      return id as string;
    }

    test.each(eachWay)(
      'hold for what a reference leads to, proven by the key itself (%s)',
      async (_, read) => {
        const old = await referenced();
        await client.verifiedSet('target', 'new');
        proxy.intercept = showing(old, 'old');
        await refused(read(['a', 'b']), 'get.stale');
        proxy.intercept = passOn;
        expect(text((await read(['a', 'b']))[0]?.value)).toBe('new');
      },
    );

    test.each(eachWay)('hold for a key that was proven behind a reference (%s)', async (_, read) => {
      const old = await referenced();
      await wire.call('Set', { KVs: [{ key: bytes('target'), value: bytes('new') }] });
      expect(text((await client.verifiedGet('a'))?.value)).toBe('new');
      const shown = await wire.call('Get', { key: bytes('target'), atTx: old });
      proxy.intercept = only({
        // The older version with its own honest proof.
        VerifiableGet: async ({ request }) => {
          const { keyRequest, proveSinceTx } = codec('VerifiableGet').request(request);
          const answer = await wire.call('VerifiableGet', {
            keyRequest: { key: keyRequest.key, atTx: old },
            proveSinceTx,
          });
          return codec('VerifiableGet').encode(answer);
        },
        Get: () => Promise.resolve(codec('Get').encode(shown)),
        GetAll: () => Promise.resolve(codec('GetAll').encode({ entries: [shown] })),
      });
      await refused(read(['target']), 'get.stale');
    });

    test('do not refuse an honest answer that something proven on the way has overtaken', async () => {
      await referenced();
      expect(text((await client.verifiedGet('a'))?.value)).toBe('old');
      let first = true;
      proxy.intercept = only({
        VerifiableGet: async ({ forward }) => {
          const answer = await forward();
          if (first) {
            first = false;
            await client.verifiedSet('target', 'new');
          }
          return answer;
        },
      });
      expect(text((await client.verifiedGet('a'))?.value)).toBe('new');
      expect(await rowsOf(store, { outcome: ['failure', 'fork', 'rollback'] })).toEqual([]);
    });

    test.each(eachWay)('no entry that is not indexed is a value, nor a floor (%s)', async (_, read) => {
      const { id } = await wire.call('Set', {
        KVs: [{ key: bytes('a'), value: bytes('not indexed'), metadata: { nonIndexable: true } }],
      });
      const shown = await wire.call('Get', { key: bytes('a'), atTx: id });
      const lone = only({
        Get: () => Promise.resolve(codec('Get').encode(shown)),
        GetAll: () => Promise.resolve(codec('GetAll').encode({ entries: [shown] })),
        VerifiableGet: async ({ request }) => {
          const { keyRequest, proveSinceTx } = codec('VerifiableGet').request(request);
          const asked = { keyRequest: { key: keyRequest.key, atTx: id }, proveSinceTx };
          return codec('VerifiableGet').encode(await wire.call('VerifiableGet', asked));
        },
      });
      await client.verifiedGet('b');
      proxy.intercept = lone;
      const error = await rejection(read(['a', 'b']));
      expect(error.evidence.check).toMatch(/^(get|claim)\.non-indexable$/);
      proxy.intercept = passOn;
      // By its transaction it can be read, and that locks nothing.
      expect(text((await client.verifiedGet('a', { atTx: BigInt(id as string) }))?.value)).toBe(
        'not indexed',
      );
      expect(await client.verifiedGet('a')).toBeNull();
    });
  });

  describe('a write that was never executed', () => {
    /** Answers verified writes with the tx that wrote the same before. */
    const answeredWith = (tx: string): Interceptor =>
      only({
        VerifiableSet: async ({ request }) => {
          const { proveSinceTx } = codec('VerifiableSet').request(request);
          const answer = await wire.call('VerifiableTxById', { tx, proveSinceTx });
          return codec('VerifiableSet').encode(answer);
        },
        Set: async () => {
          const { header } = await wire.call('TxById', { tx });
          return codec('Set').encode(header);
        },
      });
    const pairs = Array.from({ length: 10 }, (_, i) => [`k${i}`, 'same'] as const);

    const writes: [string, (client: ImmuClient) => Promise<unknown>][] = [
      ['lone', (writing) => writing.verifiedSet('k', 'same')],
      ['grouped', (writing) => writing.verifiedSetAll(pairs)],
    ];
    const before: [string, (writing: ImmuClient, grouped: boolean) => Promise<unknown>][] = [
      ['a plain write', (w, grouped) => (grouped ? w.setAll(pairs) : w.set('k', 'same'))],
      ['a verified write', (w, grouped) => (grouped ? w.verifiedSetAll(pairs) : w.verifiedSet('k', 'same'))],
    ];

    for (const [kind, write] of writes) {
      test.each(before)(`is not proven by %s of the same content (${kind})`, async (_, first) => {
        await client.verifiedSet('first', 'x');
        await first(client, kind === 'grouped');
        const { txId } = await wire.call('CurrentState');
        proxy.intercept = answeredWith(txId as string);
        const error = await rejection(write(client));
        expect(error).toBeInstanceOf(VerificationError);
        expect(['set.tx-shared', 'set.tx', 'written.tx']).toContain(error.evidence.check);
        expect((await wire.call('CurrentState')).txId).toBe(txId);
        proxy.intercept = passOn;
        await write(client);
      });

      test(`is not proven by a write whose answer was lost (${kind})`, async () => {
        await client.verifiedSet('first', 'x');
        const lost = async ({ forward }: Passing) => {
          await forward();
          throw Object.assign(new Error('gone'), { code: status.UNAVAILABLE, details: 'gone' });
        };
        proxy.intercept = only({ VerifiableSet: lost, Set: lost });
        expect((await rejection(write(client))).code).toBe('OUTCOME_UNKNOWN');
        const { txId } = await wire.call('CurrentState');
        proxy.intercept = answeredWith(txId as string);
        const error = await rejection(write(client));
        expect(error).toBeInstanceOf(VerificationError);
        proxy.intercept = passOn;
        await write(client);
      });
    }

    test('a group of plain writes reserves its tx too', async () => {
      client = open({ group: true });
      await client.verifiedSet('first', 'x');
      await Promise.all(pairs.map(([key, value]) => client.set(key, value)));
      const { txId } = await wire.call('CurrentState');
      proxy.intercept = answeredWith(txId as string);
      expect(await rejection(client.verifiedSetAll(pairs))).toBeInstanceOf(VerificationError);
    });

    test('forgetting trust forgets what was reserved: honest writes in these txs are taken', async () => {
      await client.verifiedSet('a', '1');
      await client.forgetTrust('made anew');
      for (const value of ['2', '3', '4']) await client.verifiedSet('a', value);
      expect(await rowsOf(store, { outcome: ['failure', 'fork', 'rollback'] })).toEqual([]);
    });

    test('under way when trust is forgotten is of unknown outcome, whatever is trusted then', async () => {
      const { tx } = await client.verifiedSetAll(pairs);
      const held = new Gate();
      proxy.intercept = only({
        Set: async (passing) => {
          await held.pass();
          return answeredWith(tx.toString())(passing);
        },
      });
      const writing = rejection(client.verifiedSetAll(pairs));
      await held.arrived();
      proxy.intercept = passOn;
      await client.forgetTrust('on purpose');
      await client.verifiedGet('k0');
      held.open();
      expect(['OUTCOME_UNKNOWN', 'VERIFICATION_FAILED']).toContain((await writing).code);
    });
  });

  test('a proof that does not come is asked for again: writes behind it go on', async () => {
    await client.verifiedSet('first', 'x');
    let stalled = 0;
    proxy.intercept = only({
      VerifiableTxById: ({ forward }) => (stalled++ === 0 ? new Promise(() => undefined) : forward()),
    });
    const written = await Promise.all(
      Array.from({ length: 20 }, (_, i) => client.verifiedSet(`k${i}`, 'v', { timeoutMs: 20_000 })),
    );
    expect(new Set(written.map(({ tx }) => tx)).size).toBe(1);
    expect(stalled).toBeGreaterThan(1);
  });
});
