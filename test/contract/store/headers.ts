// Blocks of headers: kept per database, bounded, forgotten with trust. A store may do without.
import { describe, expect, it } from 'vitest';
import type { HeaderBlock, HeaderStore } from '#dist/index.js';
import type { RootStore } from '#dist/store/root-store.js';
import { KEY, alh, entry, refusal } from '../../store/support.js';
import type { Keeping, OpenStore } from './open-store.js';

export const OTHERS = [
  { ...KEY, database: 'other' },
  { ...KEY, server: 'server-2' },
];
export const BIG = 1 << 30;

/** Block `n`, of 150 bytes. */
export function block(n: number, fields: Partial<HeaderBlock> = {}): HeaderBlock {
  const first = BigInt(n) * 1024n + 1n;
  return {
    first,
    last: first + 1023n,
    head: { tx: 9_999_999n, alh: alh(5n) },
    proof: new Uint8Array(50).fill(n),
    headers: new Uint8Array(60).fill(n + 1),
    columns: new Uint8Array(40).fill(n + 2),
    ...fields,
  };
}

/** A head above all blocks, here and in the other databases. */
export async function trusting(store: RootStore): Promise<void> {
  for (const key of [KEY, ...OTHERS]) {
    await store.advance(null, entry(9_999_999n, { ...key, outcome: 'first-use' }));
  }
}

export const firsts = async (store: Keeping) =>
  (await store.headers.list()).map(({ first }) => Number(first / 1024n));

export function headers(open: OpenStore<Keeping>): void {
  describe('blocks of headers', () => {
    it('gives back what it was given, and keeps a copy of it', async () => {
      const store = await open();
      await trusting(store);
      const given = block(3);
      await store.headers.save(KEY, given, BIG);
      given.headers.fill(0);
      given.head.alh.fill(0);
      const loaded = await store.headers.load(KEY, 3073n);
      expect(loaded).toEqual(block(3));
      loaded?.proof.fill(0);
      expect(await store.headers.load(KEY, 3073n)).toEqual(block(3));
      expect(await store.headers.list()).toEqual([{ ...KEY, first: 3073n, last: 4096n, bytes: 150 }]);
      expect(await store.audit.verify()).toMatchObject({ ok: true });
    });

    it('has nothing that was not kept, and not for another database or server', async () => {
      const store = await open();
      await trusting(store);
      await store.headers.save(KEY, block(0), BIG);
      for (const key of OTHERS) {
        expect(await store.headers.load(key, 1n)).toBeNull();
        await store.headers.drop(key, 1n);
      }
      expect(await store.headers.load(KEY, 1025n)).toBeNull();
      await store.headers.save(OTHERS[0]!, block(0, { proof: new Uint8Array(1) }), BIG);
      expect(await store.headers.load(KEY, 1n)).toEqual(block(0));
      expect(await store.headers.list({ database: 'other' })).toMatchObject([
        { database: 'other', bytes: 101 },
      ]);
      expect(await store.headers.list({ server: KEY.server })).toHaveLength(2);
      expect(await store.headers.list({ server: 'nobody' })).toEqual([]);
    });

    it('lets a block grow, not shrink, and go', async () => {
      const store = await open();
      await trusting(store);
      await store.headers.save(KEY, block(0, { last: 10n }), BIG);
      await store.headers.save(KEY, block(0, { last: 20n, proof: new Uint8Array(7) }), BIG);
      await store.headers.save(KEY, block(0, { last: 15n }), BIG);
      expect(await store.headers.load(KEY, 1n)).toEqual(block(0, { last: 20n, proof: new Uint8Array(7) }));
      await store.headers.drop(KEY, 1n);
      await store.headers.drop(KEY, 1n);
      expect([await store.headers.load(KEY, 1n), await store.headers.list()]).toEqual([null, []]);
    });

    it('takes no more room than it may: what was used longest ago goes', async () => {
      const store = await open();
      await trusting(store);
      for (const n of [0, 1, 2, 3]) await store.headers.save(KEY, block(n), 600);
      await store.headers.load(KEY, 1n);
      await store.headers.save(OTHERS[0]!, block(7), 600);
      expect(await firsts(store)).toEqual([2, 3, 0, 7]);
      await store.headers.save(KEY, block(8), 300);
      expect(await firsts(store)).toEqual([7, 8]);
      await store.headers.save(KEY, block(9), 100);
      expect(await firsts(store)).toEqual([]);
    });

    it('forgets them with trust, of that database alone; keeps none where nothing is trusted', async () => {
      const store = await open();
      await trusting(store);
      for (const key of [KEY, ...OTHERS]) await store.headers.save(key, block(0), BIG);
      await store.forget(entry(9_999_999n, { outcome: 'forget', operation: 'forgetTrust' }));
      expect(await store.headers.load(KEY, 1n)).toBeNull();
      for (const key of OTHERS) expect(await store.headers.load(key, 1n)).toEqual(block(0));
      // What was on its way when trust was forgotten.
      await store.headers.save(KEY, block(1), BIG);
      await store.advance(null, entry(5000n, { outcome: 'first-use' }));
      await store.headers.save(KEY, block(2), BIG);
      expect(await store.headers.list(KEY)).toEqual([]);
      await store.headers.save(KEY, block(2, { head: { tx: 5000n, alh: alh(5n) } }), BIG);
      expect(await store.headers.list(KEY)).toHaveLength(1);
    });

    it.each<[string, (headers: HeaderStore) => Promise<unknown>]>([
      ['first', (headers) => headers.load(KEY, -1n)],
      ['server', (headers) => headers.load({ database: 'x' } as never, 1n)],
      ['block.first', (headers) => headers.save(KEY, block(0, { first: 0n }), BIG)],
      ['block.last', (headers) => headers.save(KEY, block(1, { last: 5n }), BIG)],
      ['block.last', (headers) => headers.save(KEY, block(0, { head: { tx: 1000n, alh: alh(1n) } }), BIG)],
      [
        'block.head',
        (headers) => headers.save(KEY, block(0, { head: { tx: 2000n, alh: alh(1n).subarray(1) } }), BIG),
      ],
      ['block.proof', (headers) => headers.save(KEY, block(0, { proof: 'x' as never }), BIG)],
      ['block.columns', (headers) => headers.save(KEY, block(0, { columns: [] as never }), BIG)],
      ['block', (headers) => headers.save(KEY, null as never, BIG)],
      ['maxBytes', (headers) => headers.save(KEY, block(0), -1)],
      ['server', (headers) => headers.list({ server: 5 as never })],
    ])('refuses a bad %s by name', async (argument, call) => {
      const store = await open();
      expect(await refusal(call(store.headers))).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
    });

    it('is closed with the store', async () => {
      const { headers, close } = await open().then((store) => ({
        headers: store.headers,
        close: () => store.close(),
      }));
      await close();
      for (const call of [headers.load(KEY, 1n), headers.save(KEY, block(0), BIG), headers.list()]) {
        expect(await refusal(call)).toMatchObject({ code: 'CLOSED' });
      }
    });
  });
}
