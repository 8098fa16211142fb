// Evidence in a store's file: each answer once, however many rows are about it; in archives; and that of earlier releases.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { SqliteRootStore } from '#dist/index.js';
import { openArchive, openForReading, verifyEvidence } from '#dist/audit.js';
import type { RootStore } from '#dist/index.js';
import { bytesOf, refused } from '../contract/store/evidence.js';
import { KEY, climb, closing, folder, inTable, newStore, rows } from './support.js';

const MIB = 1024 * 1024;
describe('one answer, many rows', () => {
  it('is in the file once, and in every page, row and archive', async () => {
    const store = await newStore();
    await climb(store, 0, 1);
    const shared = { check: 'c', job: bytesOf(7, MIB) };
    for (let i = 0; i < 40; i++) await store.record(refused({ ...shared, computed: String(i) }));
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 41n });
    const found = await rows(store, { outcome: 'failure' });
    expect(found.map(({ evidence }) => evidence?.computed)).toEqual(
      Array.from({ length: 40 }, (_, i) => String(i)),
    );
    expect(found.every(({ evidence }) => evidence?.job.length === MIB)).toBe(true);
    expect(inTable(store.path, 'evidence_blob')).toBe(1);

    const path = join(await folder(), 'archive.db');
    await store.audit.archive({ path, through: 20n });
    const archive = closing(await openArchive(path));
    expect(await archive.audit.verify()).toMatchObject({ ok: true, rows: 20n });
    expect((await archive.audit.evidence(20n))?.job).toEqual(shared.job);
    // Rows that are left need it too.
    expect(await store.audit.verify()).toMatchObject({ ok: true });
    expect((await store.audit.evidence(21n))?.job).toEqual(shared.job);
    await store.audit.archive({ path: join(await folder(), 'second.db'), through: 41n });
    expect(await store.audit.verify()).toMatchObject({ ok: true });
    expect(inTable(store.path, 'evidence_blob')).toBe(0);
    expect(inTable(store.path, 'evidence')).toBe(0);
  });
});

describe('of a release that kept the bytes in every row', () => {
  const FIXTURES = new URL('fixtures/schema-3/', import.meta.url);
  const recorded = async (name: string) => readFile(new URL(name, FIXTURES));

  async function unpacked(name: 'roots.db' | 'archive.db'): Promise<string> {
    const path = join(await folder(), name);
    await writeFile(path, gunzipSync(await recorded(`${name}.gz`)));
    if (name === 'roots.db') await writeFile(`${path}.id`, await recorded('roots.db.id'));
    return path;
  }

  const rerun = async (store: Pick<RootStore, 'audit'>, seq: bigint) =>
    verifyEvidence((await store.audit.evidence(seq))!).outcome;

  test('a store: opens, its evidence is run again, and new rows follow the old ones', async () => {
    const path = await unpacked('roots.db');
    const store = closing(await SqliteRootStore.open(path));
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 4n });
    expect(await rerun(store, 8n)).toBe('reproduced');
    expect(await rerun(store, 10n)).toBe('reproduced');
    const { evidence } = (await store.audit.row(8n))!;
    await store.record(refused(evidence!, { server: KEY.server }));
    await store.record(refused(evidence!, { server: KEY.server }));
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 6n });
    expect(await rerun(store, 13n)).toBe('reproduced');
    expect(inTable(path, 'evidence_blob')).toBe(1);
    const archive = join(await folder(), 'both.db');
    await store.audit.archive({ path: archive, through: 12n });
    const opened = closing(await openArchive(archive));
    expect(await opened.audit.verify()).toMatchObject({ ok: true });
    expect([await rerun(opened, 8n), await rerun(opened, 12n)]).toEqual(['reproduced', 'reproduced']);
  });

  test('a store that is only looked at, and an archive: as they are', async () => {
    const path = await unpacked('roots.db');
    const store = closing(await openForReading(path));
    expect(await store.damage()).toEqual([]);
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 4n });
    expect(await rerun(store, 10n)).toBe('reproduced');
    const archive = closing(await openArchive(await unpacked('archive.db')));
    expect(await archive.audit.verify()).toMatchObject({ ok: true, rows: 7n });
    expect(await rerun(archive, 7n)).toBe('reproduced');
  });
});
