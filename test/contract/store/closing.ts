// After a store was closed.
import { describe, expect, it } from 'vitest';
import type { RootStore } from '#dist/store/root-store.js';
import { KEY, alh, climb, entry, event, refusal } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

const root = (tx: bigint, salt = 0) => ({ tx, alh: alh(tx, salt) });

export function afterClosing(open: OpenStore): void {
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
}
