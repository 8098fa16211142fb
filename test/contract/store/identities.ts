// Identities of addresses: bound once, in the log.
import { describe, expect, it } from 'vitest';
import { rows } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

export function identities(open: OpenStore): void {
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

    it('have their rows in the chain', async () => {
      const store = await open();
      await store.bindIdentity('a:1', 'one');
      await store.bindIdentity('a:1', 'two');
      await store.rebindIdentity('a:1', 'two');
      const bound = await rows(store, { outcome: 'identity' });
      expect(bound.map(({ server, detail, operation }) => [server, detail, operation])).toEqual([
        ['one', 'a:1', 'bindIdentity'],
        ['two', 'a:1', 'rebindIdentity'],
      ]);
      expect(await rows(store)).toEqual([]);
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 2n });
    });
  });
}
