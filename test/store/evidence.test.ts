// Evidence in a store: each answer once, however many rows are about it; bounded; in archives; and that of earlier releases.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { MemoryRootStore, SqliteRootStore } from '#dist/index.js';
import { openArchive, openForReading, verifyEvidence } from '#dist/audit.js';
import type { Evidence, RootStore } from '#dist/index.js';
import { EVIDENCE_BYTES_PER_HOUR } from '#dist/store/log/evidence-budget.js';
import { KEY, climb, closing, event, folder, inTable, newStore, rows } from './support.js';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const sha256 = async (bytes: Uint8Array) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)));

/** `length` bytes that no other number gives. */
function bytesOf(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

const refused = (evidence: Evidence, fields: object = {}) =>
  event(1n, { outcome: 'failure', evidence, ...fields });

describe.each<[string, () => Promise<RootStore>]>([
  ['a file', () => newStore()],
  ['memory', async () => Promise.resolve(new MemoryRootStore())],
])('in %s', (_, open) => {
  it('comes back as it went in, whatever of it is not kept', async () => {
    const store = await open();
    const omitted = {
      part: 'answer',
      reason: 'size',
      sha256: new Uint8Array(32).fill(3),
      length: 7,
    } as const;
    const all: Evidence[] = [
      { check: 'c', expected: 'e', computed: 'f', job: bytesOf(1, 9) },
      { check: 'c', job: bytesOf(1, 9), omitted },
      { check: 'c', job: new Uint8Array(0), omitted: { ...omitted, part: 'job' } },
      { check: 'log.fork', job: new Uint8Array(0) },
    ];
    for (const evidence of all) await store.record(refused(evidence));
    expect((await rows(store)).map(({ evidence }) => evidence)).toEqual(all);
    for (const [i, evidence] of all.entries())
      expect(await store.audit.evidence(BigInt(i + 1))).toEqual(evidence);
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 4n });
  });

  it.for<[string, object]>([
    ['part', { part: 'question' }],
    ['reason', { reason: 'none' }],
    ['sha256', { sha256: new Uint8Array(31) }],
    ['length', { length: -1 }],
    ['part', { part: 'job' }],
  ])('what is said to be left out is checked: its %s', async ([field, change]) => {
    const store = await open();
    const omitted = { part: 'answer', reason: 'size', sha256: new Uint8Array(32), length: 7, ...change };
    const evidence = { check: 'c', job: bytesOf(1, 9), omitted } as Evidence;
    await expect(store.record(refused(evidence))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: `evidence.omitted.${field}`,
    });
  });

  it('beyond the budget of a database and an hour rows are written without bytes, and say so', async () => {
    const store = await open();
    const fitting = EVIDENCE_BYTES_PER_HOUR / (16 * MIB);
    const verifiedAt = 400_000 * HOUR_MS;
    for (let i = 0; i < fitting; i++)
      await store.record(refused({ check: 'c', job: bytesOf(i, 16 * MIB) }, { verifiedAt }));
    const late = bytesOf(99, 1000);
    const question = {
      part: 'answer',
      reason: 'size',
      sha256: new Uint8Array(32).fill(9),
      length: 5,
    } as const;
    await store.record(refused({ check: 'late', job: late }, { verifiedAt: verifiedAt + 1 }));
    await store.record(refused({ check: 'late', job: bytesOf(98, 9), omitted: question }, { verifiedAt }));
    // What is there already costs nothing; others, and later ones, have budgets of their own.
    await store.record(refused({ check: 'again', job: bytesOf(0, 16 * MIB) }, { verifiedAt }));
    await store.record(refused({ check: 'other', job: late }, { verifiedAt, database: 'other' }));
    await store.record(
      refused({ check: 'later', job: bytesOf(97, 9) }, { verifiedAt: verifiedAt + HOUR_MS }),
    );
    const kept = [];
    for (let seq = fitting + 1; seq <= fitting + 5; seq++) kept.push(await store.audit.evidence(BigInt(seq)));
    expect(kept.map((evidence) => evidence?.job.length)).toEqual([0, 0, 16 * MIB, 1000, 9]);
    expect(kept[0]?.omitted).toEqual({
      ...{ part: 'job', reason: 'budget', length: 1000 },
      sha256: await sha256(late),
    });
    expect(kept[1]?.omitted).toEqual({ ...question, reason: 'budget' });
    expect(kept.slice(2).every((evidence) => evidence?.omitted === undefined)).toBe(true);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
    expect(verifyEvidence(kept[0]!)).toMatchObject({
      outcome: 'not-kept',
      reason: expect.stringContaining('1000 bytes') as string,
    });
  }, 60_000);
});

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
