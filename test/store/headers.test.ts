// Blocks of headers in a store's file, in one that older releases made too.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SqliteRootStore } from '#dist/index.js';
import { openArchive } from '#dist/audit.js';
import { openSqlite } from '#dist/sqlite/open.js';
import { BIG, block, firsts, trusting } from '../contract/store/headers.js';
import { KEY, alh, climb, closing, entry, folder, newStore, refusal, toSchema } from './support.js';

describe('in a file', () => {
  it('are there when it is opened again, with the order of their use', async () => {
    const path = join(await folder(), 'roots.db');
    const store = await newStore(path);
    await trusting(store);
    for (const n of [0, 1, 2]) await store.headers.save(KEY, block(n), BIG);
    await store.headers.load(KEY, 1n);
    // The next write of any kind writes down what was used.
    await store.record(entry(9_999_999n, { outcome: 'calls' }));
    await store.close();
    const again = await newStore(path);
    expect(await firsts(again)).toEqual([1, 2, 0]);
    expect(await again.headers.load(KEY, 2049n)).toEqual(block(2));
  });

  it('are shared by those who have it open', async () => {
    const path = join(await folder(), 'roots.db');
    const [one, two] = [await newStore(path), await newStore(path)];
    await trusting(one);
    await Promise.all([one.headers.save(KEY, block(0), BIG), two.headers.save(KEY, block(1), BIG)]);
    expect([await two.headers.load(KEY, 1n), await one.headers.load(KEY, 1025n)]).toEqual([
      block(0),
      block(1),
    ]);
    await two.forget(entry(9_999_999n, { outcome: 'forget', operation: 'forgetTrust' }));
    expect(await one.headers.load(KEY, 1n)).toBeNull();
  });

  it('of the first schema: opens, keeps its log, and takes headers from then on', async () => {
    const path = join(await folder(), 'roots.db');
    const store = await newStore(path);
    await climb(store, 0, 5);
    await store.close();
    toSchema(path, 1);
    const again = await newStore(path);
    expect(await again.head(KEY)).toEqual({ tx: 5n, alh: alh(5n) });
    expect(await again.audit.verify()).toMatchObject({ ok: true, rows: 5n });
    await again.headers.save(KEY, block(0, { last: 3n, head: { tx: 5n, alh: alh(5n) } }), BIG);
    expect(await again.headers.list()).toHaveLength(1);
    await again.close();
    const db = openSqlite(path, { readonly: true });
    expect(db.pragma('user_version', { simple: true })).toBe(4);
    db.close();
  });

  it('of the first schema with a table of this one: refused, as one that we did not make', async () => {
    const path = join(await folder(), 'roots.db');
    await (await newStore(path)).close();
    const db = openSqlite(path);
    db.pragma('user_version = 1');
    db.close();
    expect(await refusal(SqliteRootStore.open(path))).toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('that an older release archived: reads on', async () => {
    const at = await folder();
    const store = await newStore(join(at, 'roots.db'));
    await climb(store, 0, 8);
    const path = join(at, 'old.db');
    await store.audit.archive({ path, through: 4n });
    toSchema(path, 1);
    const archive = closing(await openArchive(path));
    expect(await archive.audit.verify()).toMatchObject({ ok: true, rows: 4n });
    expect(await refusal(archive.audit.archive({ path: join(at, 'again.db'), through: 2n }))).toMatchObject({
      code: 'STORE_FAILED',
    });
    await archive.close();
    const db = openSqlite(path);
    db.exec('CREATE VIEW strange AS SELECT 1');
    db.close();
    expect(await refusal(openArchive(path))).toMatchObject({ code: 'STORE_DAMAGED' });
  });
});
