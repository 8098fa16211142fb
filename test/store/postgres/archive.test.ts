// Archives of a log in PostgreSQL: files like those of the SQLite store, checked, found again by whoever asks twice.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openArchive } from '#dist/audit.js';
import { describePostgres, sharedPostgres } from '../../support/postgres.js';
import { KEY, alh, climb, closing, entry, event, folder, refusal, rows } from '../support.js';
import { newPostgresStore } from './support.js';

async function filled() {
  const server = await sharedPostgres();
  const schema = server.newSchema();
  const store = await newPostgresStore({ schema });
  await store.bindIdentity('a:1', KEY.server);
  await climb(store, 0, 2);
  await store.record(event(2n, { outcome: 'failure', evidence: { check: 'c', job: new Uint8Array(99) } }));
  await Promise.all(Array.from({ length: 600 }, (_, i) => store.record(event(2n, { detail: String(i) }))));
  await store.audit.checkpoint();
  await climb(store, 2, 5);
  return { server, schema, store, path: join(await folder(), 'old.db') };
}

describePostgres('an archive', () => {
  it('takes the oldest rows, and the log goes on behind it', async () => {
    const { server, schema, store, path } = await filled();
    const all = await rows(store, { outcome: 'all' });
    const [stats, heads] = [await store.audit.stats(), await store.head(KEY)];
    const made = await store.audit.archive({ path, through: 400n });
    expect(made).toMatchObject({ path, firstSeq: 1n, lastSeq: 400n, lastHash: all[399]?.hash });
    expect(await store.audit.archives()).toEqual([made]);
    const archive = closing(await openArchive(path));
    expect(await rows(archive, { outcome: 'all' })).toEqual(all.slice(0, 400));
    expect(await archive.audit.verify()).toMatchObject({ ok: true, rows: 400n });
    const left = await rows(store, { outcome: 'all' });
    expect(left.slice(0, -1)).toEqual(all.slice(400));
    expect(left.at(-1)).toMatchObject({ outcome: 'archive', detail: 'rows 1 to 400' });
    const startsAfter = { seq: archive.lastSeq, hash: archive.lastHash };
    expect(await store.audit.verify({ startsAfter })).toMatchObject({ ok: true, rows: BigInt(left.length) });
    expect(await store.head(KEY)).toEqual(heads);
    expect(await store.identity('a:1')).toBe(KEY.server);
    expect((await store.audit.stats())[0]?.rows).toBe(stats[0]!.rows - 399);
    expect(await store.audit.row(4n)).toBeNull();
    expect(await server.sql(`SELECT min(seq)::int AS low FROM ${schema}.audit`)).toEqual([{ low: 401 }]);
    // Once more is once; and on from there.
    expect(await store.audit.archive({ path, through: 400n })).toEqual(made);
    const next = await store.audit.archive({ path: `${path}.2`, keepRows: 3 });
    expect(next).toMatchObject({ firstSeq: 401n, lastSeq: 605n });
    await store.advance({ tx: 5n, alh: alh(5n) }, entry(6n));
    expect(await store.audit.verify()).toMatchObject({ ok: true });
    const second = closing(await openArchive(`${path}.2`));
    expect(await second.audit.verify({ startsAfter })).toMatchObject({ ok: true, rows: 205n });
    await newPostgresStore({ schema, storeId: store.storeId, notBefore: store.newest });
  });

  it('is not made of rows that were changed, nor in the place of another file', async () => {
    const { server, schema, store, path } = await filled();
    await writeFile(`${path}.other`, 'not an archive');
    expect((await refusal(store.audit.archive({ path: `${path}.other`, keepRows: 1 }))).code).toMatch(
      /^STORE_/,
    );
    await server.sql(`UPDATE ${schema}.audit SET calls = 7 WHERE seq = 50`);
    expect(await refusal(store.audit.archive({ path, keepRows: 1 }))).toMatchObject({
      code: 'STORE_DAMAGED',
    });
    expect([existsSync(path), existsSync(`${path}.draft`)]).toEqual([false, false]);
    expect(await rows(store, { outcome: 'all' })).toHaveLength(607);
  });

  it('by time, and where there is nothing to archive', async () => {
    const { store, path } = await filled();
    expect(await store.audit.archive({ path, before: 0 })).toBeNull();
    const before = Date.now() + 1000;
    expect(await store.audit.archive({ path, before })).toMatchObject({ lastSeq: 607n });
  });
});
