// What can be asked for by filter, tx and order.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { RootsQuery, RootStore } from '#dist/store/root-store.js';
import { KEY, alh, climb, entry, event, refusal, rows } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

const root = (tx: bigint, salt = 0) => ({ tx, alh: alh(tx, salt) });

export function queries(open: OpenStore): void {
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

  describe('rootAt', () => {
    it('is the newest root at or below a tx, since trust was last forgotten', async () => {
      const store = await open();
      await store.advance(null, entry(3n, { outcome: 'first-use' }));
      await store.advance(root(3n), entry(9n));
      await store.record(event(9n));
      await store.record(event(7n, { outcome: 'failure' }));
      await store.advance(null, entry(20n, { database: 'other' }));
      const at = async (tx: bigint, filter = {}) => (await store.audit.rootAt(tx, filter))?.tx ?? null;
      expect(await at(2n)).toBeNull();
      expect(await at(3n, KEY)).toBe(3n);
      expect(await at(8n, KEY)).toBe(3n);
      expect(await at(9n, KEY)).toBe(9n);
      expect(await at(2n ** 63n - 1n, KEY)).toBe(9n);
      expect(await at(100n)).toBe(20n);
      expect(await at(100n, { database: 'nowhere' })).toBeNull();
      await store.forget(entry(9n, { outcome: 'forget' }));
      expect(await at(100n, KEY)).toBeNull();
      await store.advance(null, entry(4n, { outcome: 'first-use' }));
      expect(await at(100n, KEY)).toBe(4n);
      expect(await at(3n, KEY)).toBeNull();
      expect(await refusal(store.audit.rootAt(-1n))).toMatchObject({ argument: 'tx' });
    });
  });
}
