// Looking at a store that nobody trusts any more: it opens whatever is broken in it, says what and where, shows what is left,
// and is left as it is.
import { createHash } from 'node:crypto';
import { copyFile, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { SqliteRootStore } from '#dist/index.js';
import { openForReading } from '#dist/audit.js';
import type { ReadStore } from '#dist/audit.js';
import { openSqlite } from '#dist/sqlite/open.js';
import { hasSmallDisk, onReadOnlyDisk } from '../support/small-disk.js';
import {
  KEY,
  addHiddenTrigger,
  alh,
  child,
  climb,
  closing,
  edit,
  entry,
  event,
  folder,
  newStore,
  refusal,
  rows,
} from './support.js';

if (!hasSmallDisk) console.warn('test/store/reading: nothing can be mounted here: read-only disks NOT RUN');

let path: string;

/** Row 1 binds an identity, rows 2 to 10 are roots, row 11 has evidence, row 12 is a root. Closed. */
beforeEach(async () => {
  const store = await newStore();
  ({ path } = store);
  await store.bindIdentity('a:1', KEY.server);
  await climb(store, 0, 9);
  await store.record(event(9n, { outcome: 'failure', evidence: { check: 'c', job: new Uint8Array(9) } }));
  await store.advance({ tx: 9n, alh: alh(9n) }, entry(10n));
  await store.close();
});

const opened = async (at = path): Promise<ReadStore> => closing(await openForReading(at));
const seqs = async (store: ReadStore) =>
  (await rows(store, { outcome: 'all' })).map(({ seq }) => Number(seq));
const to = (last: number, ...without: number[]) =>
  Array.from({ length: last }, (_, i) => i + 1).filter((seq) => !without.includes(seq));
const digest = async (file: string) =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

function sql(text: string): void {
  const db = openSqlite(path);
  db.pragma('foreign_keys = OFF');
  db.exec(text);
  db.close();
}

describe('a store that is damaged', () => {
  const HEAD = 'the head of defaultdb';
  const CHANGED = 'the row was changed';
  const UNREADABLE = 'the row cannot be read: it is left out';
  const damages: [string, () => unknown, [number | null, string][], number[], number | null][] = [
    ['a row edited', () => edit(path, 'UPDATE audit SET calls = 7 WHERE seq = 5'), [[5, CHANGED]], to(12), 5],
    [
      'two rows edited',
      () => edit(path, 'UPDATE audit SET calls = 7 WHERE seq IN (5, 9)'),
      [
        [5, CHANGED],
        [9, CHANGED],
      ],
      to(12),
      5,
    ],
    ['a row removed', () => edit(path, 'DELETE FROM audit WHERE seq = 5'), [[5, 'missing']], to(12, 5), 5],
    [
      'rows removed',
      () => edit(path, 'DELETE FROM audit WHERE seq IN (5, 6, 7)'),
      [[5, 'rows up to 7 are missing']],
      to(12, 5, 6, 7),
      5,
    ],
    [
      'the newest row removed',
      () => edit(path, 'DELETE FROM audit WHERE seq = 12'),
      [
        [12, 'the newest rows are missing'],
        [11, HEAD],
      ],
      to(11),
      12,
    ],
    [
      'a row that holds what is never written',
      () => edit(path, 'UPDATE audit SET calls = calls + 4294967296 WHERE seq = 5'),
      [
        [5, 'never written'],
        [5, UNREADABLE],
      ],
      to(12, 5),
      5,
    ],
    [
      'a name removed',
      () => edit(path, "DELETE FROM client WHERE text = 'client-1'"),
      [
        [2, 'never written'],
        [2, UNREADABLE],
        [12, UNREADABLE],
      ],
      [1],
      2,
    ],
    ['a head moved', () => edit(path, 'UPDATE head SET tx = 6'), [[12, HEAD]], to(12), 12],
    ['the marker missing', () => rm(`${path}.id`), [[null, 'is missing']], to(12), null],
    [
      'the marker of another store',
      async () => copyFile(`${await another()}.id`, `${path}.id`),
      [[null, 'is another store than']],
      to(12),
      null,
    ],
    [
      'a marker that holds nothing',
      () => writeFile(`${path}.id`, 'gone'),
      [[null, 'the marker']],
      to(12),
      null,
    ],
    [
      'a trigger',
      () => sql('CREATE TRIGGER t DELETE ON head BEGIN SELECT 1; END'),
      [[null, 'trigger t']],
      to(12),
      null,
    ],
    [
      'a trigger under a name of SQLite',
      () => addHiddenTrigger(path),
      [[null, 'trigger sqlite_t']],
      to(12),
      null,
    ],
    ['no schema version', () => sql('PRAGMA user_version = 0'), [[null, 'schema version']], to(12), null],
    [
      'a schema version below zero',
      () => sql('PRAGMA user_version = -3'),
      [[null, 'schema version']],
      to(12),
      null,
    ],
    [
      'an index removed',
      () => sql('DROP INDEX checkpoint_by_seq'),
      [[null, 'checkpoint_by_seq']],
      to(12),
      null,
    ],
    [
      'its id lost',
      () => edit(path, "UPDATE store SET id = x'00'"),
      [
        [null, 'its store id'],
        [1, 'does not start'],
      ],
      to(12),
      1,
    ],
  ];

  async function another(): Promise<string> {
    const store = await newStore();
    await store.close();
    return store.path;
  }

  it.each(damages)('opens, and is told of: %s', async (_what, damage, wanted, shown, brokenAt) => {
    await damage();
    const before = await digest(path);
    const store = await opened();
    const seen = await seqs(store);
    const found = await store.damage();
    for (const [seq, words] of wanted) {
      const at = seq === null ? null : BigInt(seq);
      expect(
        found.filter((each) => each.seq === at && each.finding.includes(words)),
        words,
      ).toHaveLength(1);
    }
    expect(seen).toEqual(shown);
    const verdict = await store.audit.verify();
    expect(verdict).toMatchObject(brokenAt === null ? { ok: true } : { ok: false, seq: BigInt(brokenAt) });
    await store.close();
    // Not even the marker is made good.
    expect(await digest(path)).toBe(before);
    const marker = await readFile(`${path}.id`, 'utf8').catch(() => null);
    if (_what === 'the marker missing') expect(marker).toBeNull();
  });

  it('shows pages of which nothing can be read as what they are', async () => {
    const store = await newStore();
    await Promise.all(Array.from({ length: 1400 }, (_, i) => store.record(event(BigInt(i)))));
    await store.close();
    edit(store.path, 'UPDATE audit SET calls = calls + 4294967296 WHERE seq BETWEEN 20 AND 1300');
    const reading = await opened(store.path);
    expect(await seqs(reading)).toEqual([...to(19), ...to(1400).slice(1300)]);
    expect((await rows(reading, { order: 'desc', limit: 120 })).map(({ seq }) => Number(seq)).at(-1)).toBe(1);
    const found = await reading.damage();
    expect(found).toHaveLength(1000);
    expect(found[0]).toMatchObject({ seq: 20n });
  });

  it('says that a write-ahead log was cut off, and shows the rows before', async () => {
    const at = join(await folder(), 'roots.db');
    const writer = child('writer.mjs', at, '0');
    await writer.printed(60);
    writer.process.kill('SIGKILL');
    await writer.gone;
    const before = await opened(at);
    const whole = await seqs(before);
    await before.close();
    const { size } = await stat(`${at}-wal`);
    await truncate(`${at}-wal`, Math.floor(size / 2) - 100);
    const store = await opened(at);
    const [cut] = await store.damage();
    expect(cut).toMatchObject({ seq: null });
    expect(cut?.finding).toContain('ends in the middle of a page');
    const left = await seqs(store);
    expect(left.length).toBeLessThan(whole.length);
    expect(left).toEqual(whole.slice(0, left.length));
  });

  it.each<[string, string, () => unknown]>([
    ['missing', 'STORE_MISSING', () => rm(path)],
    ['empty', 'STORE_DAMAGED', () => truncate(path, 0)],
    ['text', 'STORE_DAMAGED', () => writeFile(path, 'this is no database at all'.repeat(99))],
    ['cut off', 'STORE_DAMAGED', async () => truncate(path, (await stat(path)).size - 4096)],
    ['something else', 'STORE_FOREIGN', () => rm(path).then(() => sql('CREATE TABLE x (y)'))],
  ])('is refused when nothing of it can be read: %s', async (_what, code, damage) => {
    await damage();
    expect(await refusal(openForReading(path))).toMatchObject({ name: 'StoreError', code });
  });
});

describe('a store that is whole', () => {
  it('is read while clients go on writing, and takes nothing itself', async () => {
    const live = await newStore(path);
    const store = await opened();
    expect(await store.damage()).toEqual([]);
    expect(await seqs(store)).toEqual(to(12));
    await live.advance({ tx: 10n, alh: alh(10n) }, entry(11n));
    expect(await seqs(store)).toEqual(to(13));
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 13n });
    for (const refused of [
      store.audit.checkpoint(),
      store.audit.archive({ path: `${path}.old`, keepRows: 1 }),
    ]) {
      expect(await refusal(refused)).toMatchObject({ name: 'StoreError', code: 'STORE_FAILED' });
    }
    // Nothing that a client could take for trust.
    for (const name of ['head', 'advance', 'record', 'forget', 'identity'])
      expect(store).not.toHaveProperty(name);
    await store.close();
    expect(await refusal(store.damage())).toMatchObject({ code: 'CLOSED' });
    expect(await live.audit.verify()).toMatchObject({ ok: true });
  });

  it('is opened in earnest afterwards as before', async () => {
    await (await opened()).close();
    const store = closing(await SqliteRootStore.open(path, { create: 'never' }));
    expect((await store.head(KEY))?.tx).toBe(10n);
  });
});

describe.runIf(hasSmallDisk)('a store where nothing can be written', () => {
  const look = async (at: string) => {
    const script = fileURLToPath(new URL('fixtures/read-only.mjs', import.meta.url));
    const temporary = await folder();
    const seen = await onReadOnlyDisk(
      dirname(at),
      'env',
      `TMPDIR=${temporary}`,
      process.execPath,
      script,
      at,
    );
    expect(seen).toMatchObject({ failed: 'StoreError STORE_FAILED', isCopy: true, path: at });
    expect(seen).toMatchObject({ ok: true, damage: [], whileOpen: [], after: [] });
    return (seen as { seqs: number[] }).seqs;
  };

  it('is read as a copy, which leaves nothing behind', async () => {
    expect(await look(path)).toEqual(to(12));
  });

  it('with the rows that are in its write-ahead log only', async () => {
    // As a process leaves it that was killed, or that goes on elsewhere.
    const live = await newStore(path);
    await live.record(event(1n));
    const copy = join(await folder(), 'roots.db');
    for (const suffix of ['', '-wal', '.id']) await copyFile(path + suffix, copy + suffix);
    expect(await look(copy)).toEqual(to(13));
  });
});
