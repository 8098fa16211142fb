// One suite over both stores: what every root store must do.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MemoryRootStore } from '#dist/store/memory/memory-root-store.js';
import type { AuditEntry, AuditOutcome, RootsQuery, RootStore } from '#dist/store/root-store.js';
import { KEY, alh, climb, closing, entry, event, newStore, refusal, rows } from './support.js';

const stores: Record<string, () => Promise<RootStore & AsyncDisposable>> = {
  MemoryRootStore: () => Promise.resolve(closing(new MemoryRootStore())),
  SqliteRootStore: () => newStore(),
};
const MAX = 2n ** 63n - 1n;
const root = (tx: bigint, salt = 0) => ({ tx, alh: alh(tx, salt) });

describe.each(Object.entries(stores))('%s', (_name, open) => {
  describe('heads', () => {
    it('has no head before first trust', async () => {
      const store = await open();
      expect(await store.head(KEY)).toBeNull();
      expect(await store.audit.latest()).toBeNull();
      expect(await rows(store)).toEqual([]);
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 0n });
    });

    it('moves a head up and logs each move', async () => {
      const store = await open();
      expect(await store.advance(null, entry(3n, { outcome: 'first-use' }))).toEqual({ moved: true });
      expect(await store.advance(root(3n), entry(9n))).toEqual({ moved: true });
      expect(await store.head(KEY)).toEqual(root(9n));
      const log = await rows(store);
      expect(log.map(({ seq, tx, outcome }) => [seq, tx, outcome])).toEqual([
        [1n, 3n, 'first-use'],
        [2n, 9n, 'root'],
      ]);
      expect(log[1]).toMatchObject(entry(9n));
    });

    it.each([
      ['none where there is one', null],
      ['an older tx', root(2n)],
      ['the same tx with another alh', root(4n, 1)],
    ])('does not move when the head is not what was expected: %s', async (_case, expected) => {
      const store = await open();
      await store.advance(null, entry(4n));
      expect(await store.advance(expected, entry(7n))).toMatchObject({ moved: false, current: root(4n) });
      expect(await store.head(KEY)).toEqual(root(4n));
      expect(await rows(store, { outcome: 'root' })).toHaveLength(1);
    });

    it('does not move from a root where there is none', async () => {
      const store = await open();
      expect(await store.advance(root(1n), entry(2n))).toEqual({ moved: false, current: null });
      expect(await rows(store)).toHaveLength(0);
    });

    it.each([4n, 3n, 0n])('refuses to move from tx 4 to tx %s', async (tx) => {
      const store = await open();
      await store.advance(null, entry(4n));
      const error = await refusal(store.advance(root(4n), entry(tx)));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'entry' });
      expect(await store.head(KEY)).toEqual(root(4n));
    });

    it('lets one of many movers in a turn win, and tells the others where the head is', async () => {
      const store = await open();
      await store.advance(null, entry(1n));
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.advance(root(1n), entry(BigInt(i + 2)))),
      );
      expect(outcomes.filter(({ moved }) => moved)).toHaveLength(1);
      expect(outcomes.filter((outcome) => !outcome.moved && outcome.current?.tx === 2n)).toHaveLength(19);
      expect(await rows(store)).toHaveLength(2);
    });

    it('keeps one head per server and database', async () => {
      const store = await open();
      const keys = [
        KEY,
        { ...KEY, database: 'other' },
        { ...KEY, server: 'server-2' },
        { server: 'server-1","defaultdb', database: '' },
        { server: 'ser\0ver', database: 'данные 🗄' },
      ];
      await Promise.all(keys.map((key, i) => store.advance(null, entry(BigInt(i + 5), key))));
      const heads = await Promise.all(keys.map((key) => store.head(key)));
      expect(heads.map((head) => head?.tx)).toEqual([5n, 6n, 7n, 8n, 9n]);
      expect((await rows(store)).map(({ server, database }) => ({ server, database }))).toEqual(keys);
    });

    it('forgets trust, says so in the log, and starts again lower', async () => {
      const store = await open();
      await climb(store, 0, 3);
      await store.forget(entry(3n, { outcome: 'forget', detail: 'on request' }));
      expect(await store.head(KEY)).toBeNull();
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 4n });
      expect(await store.advance(root(3n), entry(4n))).toEqual({ moved: false, current: null });
      expect(await store.advance(null, entry(2n, { outcome: 'first-use' }))).toEqual({ moved: true });
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 5n });
      expect((await store.audit.latest(KEY))?.tx).toBe(2n);
    });

    it('takes tx 0 and the largest id', async () => {
      const store = await open();
      await store.advance(null, entry(0n, { previousTx: null }));
      await store.advance(root(0n), entry(MAX, { previousTx: MAX, headerTime: -MAX, verifiedAt: 0 }));
      expect(await store.head(KEY)).toEqual(root(MAX));
      expect((await rows(store))[1]).toMatchObject({ tx: MAX, previousTx: MAX, headerTime: -MAX });
      expect(await rows(store, { txRange: { from: MAX, to: MAX } })).toHaveLength(1);
      expect(await store.audit.verify()).toMatchObject({ ok: true });
    });
  });

  describe('rows', () => {
    const full: AuditEntry = event(5n, {
      outcome: 'fork',
      calls: 0xffff_ffff,
      signature: new Uint8Array([1, 2, 3]),
      keyFingerprint: new Uint8Array(32).fill(9),
      durationMs: 0.1 + 0.2,
      detail: 'two histories: \0 🔀',
      evidence: { check: 'dual-proof', expected: 'aa', computed: 'bb', job: new Uint8Array([7, 0, 255]) },
    });

    it('gives back every field as it was written', async () => {
      const store = await open();
      await store.record(full);
      await store.record(event(5n, { signature: new Uint8Array(0), detail: '', durationMs: -0 }));
      await store.record(event(5n, { evidence: { check: '', job: new Uint8Array(0) } }));
      const [first, second, third] = await rows(store);
      expect(first).toEqual({ ...full, seq: 1n, hash: first?.hash });
      expect(second).toMatchObject({ signature: new Uint8Array(0), detail: '', durationMs: 0 });
      expect(second).not.toHaveProperty('evidence');
      expect(third?.evidence).toEqual({ check: '', job: new Uint8Array(0) });
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 3n, lastHash: third?.hash });
    });

    it('keeps what it was given when the caller changes it afterwards', async () => {
      const store = await open();
      const bytes = alh(1n);
      const job = new Uint8Array([1]);
      const recorded = store.record(event(1n, { alh: bytes, evidence: { check: 'c', job } }));
      bytes.fill(0);
      job.fill(0);
      await recorded;
      const [row] = await rows(store);
      row!.alh.fill(1);
      expect((await rows(store))[0]).toMatchObject({ alh: alh(1n), evidence: { job: new Uint8Array([1]) } });
      expect(await store.audit.verify()).toMatchObject({ ok: true });
    });

    it('starts every store with a chain of its own', async () => {
      const [one, two] = [await open(), await open()];
      await Promise.all([one.record(event(1n)), two.record(event(1n))]);
      expect((await rows(one))[0]?.hash).not.toEqual((await rows(two))[0]?.hash);
    });

    it('fails one bad item without its neighbours', async () => {
      const store = await open();
      const results = await Promise.allSettled([
        store.record(event(1n)),
        store.record(event(2n, { calls: -1 })),
        store.advance(null, entry(3n)),
        store.advance(null, entry(4n)),
        store.record(event(5n)),
      ]);
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
        'fulfilled',
      ]);
      expect((await rows(store)).map(({ tx }) => tx)).toEqual([1n, 3n, 5n]);
    });
  });

  describe('queries', () => {
    const other = { server: 'server-2', database: 'other' };

    async function filled(): Promise<RootStore> {
      const store = await open();
      await climb(store, 0, 4);
      await store.record(event(4n, { outcome: 'failure', operation: 'verifiedGet' }));
      await store.advance(null, entry(7n, { ...other, outcome: 'pinned' }));
      await store.record(event(4n, { operation: 'verifiedGet', verifiedAt: 5 }));
      await store.bindIdentity('a:1', 'server-1');
      return store;
    }

    const answers: [RootsQuery, number[]][] = [
      [{}, [1, 2, 3, 4, 5, 6, 7]],
      [{ order: 'desc' }, [7, 6, 5, 4, 3, 2, 1]],
      [{ limit: 2 }, [1, 2]],
      [{ limit: 0 }, []],
      [{ order: 'desc', limit: 3 }, [7, 6, 5]],
      [{ server: 'server-2' }, [6]],
      [{ database: 'defaultdb', limit: 5, order: 'desc' }, [7, 5, 4, 3, 2]],
      [{ server: 'server-1', database: 'other' }, []],
      [{ server: 'nobody' }, []],
      [{ operation: 'verifiedGet' }, [5, 7]],
      [{ operation: 'neverCalled' }, []],
      [{ outcome: 'failure' }, [5]],
      [{ outcome: ['failure', 'pinned'] }, [5, 6]],
      [{ outcome: [] }, [1, 2, 3, 4, 5, 6, 7]],
      [{ outcome: 'all' }, [1, 2, 3, 4, 5, 6, 7, 8]],
      [{ outcome: 'identity' }, [8]],
      [{ outcome: 'archive' }, []],
      [{ after: 5n }, [6, 7]],
      [{ after: 5n, order: 'desc' }, [4, 3, 2, 1]],
      [{ after: 0n, limit: 1 }, [1]],
      [{ after: 99n }, []],
      [{ after: 99n, order: 'desc', limit: 1 }, [7]],
      [{ after: 2n, operation: 'verifiedGet', limit: 1 }, [5]],
      [{ after: 7n, operation: 'verifiedGet', order: 'desc' }, [5]],
      [{ outcome: 'fork' }, []],
      [{ txRange: { from: 3n, to: 4n } }, [3, 4, 5, 7]],
      [{ txRange: { from: 5n } }, [6]],
      [{ txRange: { to: 1n } }, [1]],
      [{ txRange: { from: 4n, to: 3n } }, []],
      [{ txRange: {} }, [1, 2, 3, 4, 5, 6, 7]],
      [{ timeRange: { to: 1_700_000_000_001 } }, [1, 7]],
      [{ timeRange: { from: 1_700_000_000_003, to: 1_700_000_000_004 } }, [3, 4, 5]],
      [{ txRange: { from: 4n }, operation: 'verifiedSet', outcome: 'root', database: 'defaultdb' }, [4]],
    ];
    it('answers by any filter, in both orders', async () => {
      const store = await filled();
      for (const [query, seqs] of answers) {
        const found = (await rows(store, query)).map(({ seq }) => Number(seq));
        expect(found, inspect(query)).toEqual(seqs);
      }
    });

    it('finds the newest row that moved a head', async () => {
      const store = await filled();
      expect((await store.audit.latest())?.seq).toBe(6n);
      expect((await store.audit.latest(KEY))?.seq).toBe(4n);
      expect((await store.audit.latest({ database: 'other' }))?.seq).toBe(6n);
      expect(await store.audit.latest({ server: 'nobody' })).toBeNull();
    });

    it('stops when the reader does', async () => {
      const store = await filled();
      const seen: bigint[] = [];
      for await (const row of store.audit.roots()) {
        seen.push(row.seq);
        if (row.seq === 2n) break;
      }
      expect(seen).toEqual([1n, 2n]);
    });

    const badQueries: [string, unknown][] = [
      ['query', null],
      ['query', 'all'],
      ['server', 7],
      ['database', '\ud800'],
      ['operation', () => 'x'],
      ['txRange', { from: 1 }],
      ['txRange', { to: 2n ** 63n }],
      ['txRange', { from: -1n }],
      ['txRange', 5n],
      ['timeRange', { from: 1n }],
      ['timeRange', { to: NaN }],
      ['timeRange', null],
      ['outcome', 'success'],
      ['outcome', ['root', 'success']],
      ['order', 'up'],
      ['limit', -1],
      ['limit', 1.5],
      ['limit', '5'],
      ['after', 5],
      ['after', -1n],
      ['outcome', ['all']],
    ];
    it('refuses a query that makes no sense, and names what', async () => {
      const store = await filled();
      for (const [argument, value] of badQueries) {
        const query = (argument === 'query' ? value : { [argument]: value }) as RootsQuery;
        const refused = { code: 'INVALID_ARGUMENT', argument };
        expect(await refusal(rows(store, query)), inspect(query)).toMatchObject(refused);
        if (['query', 'server', 'database'].includes(argument)) {
          expect(await refusal(store.audit.latest(query)), inspect(query)).toMatchObject(refused);
        }
      }
    });
  });

  describe('identities', () => {
    it('binds an address once, and again only on request', async () => {
      const store = await open();
      expect(await store.identity('a:1')).toBeNull();
      expect(await store.bindIdentity('a:1', 'one')).toBe('one');
      expect(await store.bindIdentity('a:1', 'two')).toBe('one');
      expect(await store.identity('a:1')).toBe('one');
      await store.rebindIdentity('a:1', 'two');
      expect(await store.identity('a:1')).toBe('two');
      await store.rebindIdentity('b:1', 'new');
      expect(await store.identity('b:1')).toBe('new');
    });

    it('lets one of many binders in a turn win', async () => {
      const store = await open();
      const bound = await Promise.all(['x', 'y', 'z'].map((server) => store.bindIdentity('a:1', server)));
      expect(bound).toEqual(['x', 'x', 'x']);
    });
  });

  describe('bad arguments', () => {
    const hostile: [string, unknown][] = [
      ['server', undefined],
      ['database', 5],
      ['database', 'lone \udc00'],
      ['operation', null],
      ['clientId', Symbol('x')],
      ['detail', 7],
      ['tx', 1],
      ['tx', -1n],
      ['tx', MAX + 1n],
      ['previousTx', undefined],
      ['previousTx', MAX + 1n],
      ['headerTime', 1.5],
      ['headerTime', MAX + 1n],
      ['alh', 'ab'.repeat(32)],
      ['alh', new Uint8Array(31)],
      ['alh', new Uint16Array(32)],
      ['calls', 2 ** 32],
      ['calls', 0.5],
      ['calls', 1n],
      ['verifiedAt', Infinity],
      ['verifiedAt', new Date()],
      ['durationMs', NaN],
      ['durationMs', -1],
      ['signature', 'sig'],
      ['keyFingerprint', [1, 2]],
      ['outcome', 'success'],
      ['outcome', () => 'root'],
      ['evidence', 'none'],
      ['evidence.check', { check: 5, job: new Uint8Array(1) }],
      ['evidence.job', { check: 'c', job: 'bytes' }],
      ['evidence.expected', { check: 'c', expected: 5, job: new Uint8Array(1) }],
    ];

    it('refuses an entry that cannot be stored as it is, and names the field', async () => {
      const store = await open();
      for (const [argument, value] of hostile) {
        const field = argument.split('.')[0]!;
        const bad = { ...event(1n), [field]: value };
        const calls: [AuditOutcome, (e: AuditEntry) => Promise<unknown>][] = [
          ['root', (e) => store.advance(null, e)],
          ['calls', (e) => store.record(e)],
          ['forget', (e) => store.forget(e)],
        ];
        for (const [outcome, call] of calls) {
          const error = await refusal(call(field === 'outcome' ? bad : { ...bad, outcome }));
          expect(error, inspect([argument, value])).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
        }
      }
      expect(await rows(store)).toHaveLength(0);
    });

    it('refuses outcomes that would make heads and log disagree', async () => {
      const store = await open();
      for (const outcome of ['root', 'first-use', 'pinned', 'forget'] as const) {
        expect(await refusal(store.record(entry(1n, { outcome })))).toMatchObject({ argument: 'outcome' });
      }
      for (const outcome of ['calls', 'failure', 'forget'] as const) {
        const error = await refusal(store.advance(null, entry(1n, { outcome })));
        expect(error).toMatchObject({ argument: 'outcome' });
      }
      expect(await refusal(store.forget(entry(1n)))).toMatchObject({ argument: 'outcome' });
    });

    const badCalls: [string, (store: RootStore) => Promise<unknown>][] = [
      ['entry', (store) => store.record(null as never)],
      ['key', (store) => store.head(null as never)],
      ['key', (store) => store.head('defaultdb' as never)],
      ['database', (store) => store.head({ server: 's' } as never)],
      ['server', (store) => store.head({ server: () => 's', database: 'd' } as never)],
      ['expected', (store) => store.advance(undefined as never, entry(1n))],
      ['expected', (store) => store.advance({ tx: 1, alh: alh(1n) } as never, entry(2n))],
      ['expected', (store) => store.advance({ tx: 1n, alh: new Uint8Array(3) }, entry(2n))],
      ['address', (store) => store.identity(7 as never)],
      ['address', (store) => store.bindIdentity(null as never, 's')],
      ['server', (store) => store.bindIdentity('a', undefined as never)],
      ['server', (store) => store.rebindIdentity('a', (() => 's') as never)],
    ];
    it('refuses other arguments of a wrong kind, and names them', async () => {
      const store = await open();
      for (const [argument, call] of badCalls) {
        const error = await refusal(call(store));
        expect(error, call.toString()).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
      }
    });
  });

  describe('closing', () => {
    it('refuses every call after it, however often it is closed', async () => {
      const store = await open();
      await climb(store, 0, 2);
      const iterator = store.audit.roots();
      await Promise.all([store.close(), store.close()]);
      await store.close();
      const calls = [
        store.head(KEY),
        store.advance(root(2n), entry(3n)),
        store.record(event(1n)),
        store.forget(entry(1n, { outcome: 'forget' })),
        store.identity('a'),
        store.bindIdentity('a', 'b'),
        store.rebindIdentity('a', 'b'),
        store.audit.latest(),
        store.audit.verify(),
        iterator.next(),
      ];
      for (const call of calls) expect(await refusal(call)).toMatchObject({ code: 'CLOSED' });
    });

    it('closes at the end of its scope', async () => {
      let leaked: RootStore;
      {
        await using store = await open();
        await store.record(event(1n));
        leaked = store;
      }
      expect(await refusal(leaked.head(KEY))).toMatchObject({ code: 'CLOSED' });
    });
  });
});
