// A disk that gets full while rows are archived, for real: whatever step it is, nothing is lost, nothing half made looks whole,
// the store goes on, and the next attempt succeeds.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SqliteRootStore } from '#dist/index.js';
import { hasSmallDisk, onSmallDisk } from '../support/small-disk.js';
import { alh, entry, event, folder, rows } from './support.js';

const SCRIPT = fileURLToPath(new URL('fixtures/full-disk.mjs', import.meta.url));
const ROWS = 4600n;
const THROUGH = 4500;
const NEVER = [
  ['copy', 1],
  ['copy', 2],
  ['copy', 3],
  ['publish', 1],
] as const;
const STEPS = [...NEVER, ['switch', 1], ['free', 1], ['free', 2]] as const;

interface Seen {
  readonly first: { readonly code?: string; readonly message?: string; readonly lastSeq?: number };
  readonly filled: boolean;
  readonly folder: readonly string[];
  readonly isThere: boolean;
  readonly isWhole: boolean;
  readonly rowsWhileFull: number;
  readonly writeWhileFull: string;
  readonly writes: readonly boolean[];
  readonly verified: boolean;
  readonly again: { readonly lastSeq?: number };
  readonly verifiedAgain: readonly boolean[];
  readonly folderAgain: readonly string[];
  readonly hashes: readonly string[];
}

if (!hasSmallDisk) console.warn('test/store/full-disk.slow: no small disk can be mounted here: NOT RUN');

describe.skipIf(!hasSmallDisk)('a disk that gets full while rows are archived', () => {
  let template: string;
  let before: string[];

  beforeAll(async () => {
    template = join(await mkdtemp(join(tmpdir(), 'immu-ts-full-')), 'roots.db');
    const store = await SqliteRootStore.open(template);
    const writes: Promise<unknown>[] = [];
    for (let tx = 1n; tx <= ROWS; tx++) {
      const from = tx === 1n ? null : { tx: tx - 1n, alh: alh(tx - 1n) };
      if (tx % 9n === 0n)
        writes.push(
          store.record(event(tx, { outcome: 'failure', evidence: { check: 'c', job: new Uint8Array(900) } })),
        );
      writes.push(store.advance(from, entry(tx)));
    }
    await Promise.all(writes);
    before = (await rows(store, { outcome: 'all' })).map(({ hash }) => Buffer.from(hash).toString('hex'));
    await store.close();
  });
  afterAll(() => rm(dirname(template), { recursive: true }));

  async function run(
    disk: 'archive' | 'both',
    stage: string,
    step: number,
  ): Promise<Seen & { path: string }> {
    const small = join(await folder(), 'small');
    await mkdir(small);
    const path = join(disk === 'both' ? small : await folder(), 'roots.db');
    const archive = join(small, 'old.db');
    const command = [SCRIPT, template, path, archive, small, String(THROUGH), stage, String(step)];
    const seen = (await onSmallDisk({ folder: small, kib: 16_384 }, process.execPath, ...command)) as Seen;
    return { ...seen, path: archive };
  }

  function holds(seen: Seen): void {
    expect(seen.filled).toBe(true);
    // What has the archive's name is whole, and nothing else is left.
    expect(seen.isThere).toBe(seen.isWhole);
    expect(seen.folder).toEqual(seen.isThere ? ['old.db'] : []);
    expect(seen.writes).toEqual([true, true]);
    expect(seen.verified).toBe(true);
    expect(seen.again).toEqual({ firstSeq: 1, lastSeq: THROUGH });
    expect(seen.verifiedAgain).toEqual([true, true]);
    expect(seen.folderAgain).toEqual(['old.db']);
    expect(seen.hashes).toEqual(before);
  }

  it.each(NEVER)('the disk of the archive, before step %s %i', async (stage, step) => {
    const seen = await run('archive', stage, step);
    holds(seen);
    // A copy that is complete needs no more room.
    if (stage === 'publish' || seen.isThere) expect(seen.first.lastSeq).toBe(THROUGH);
    else {
      expect(seen.first).toMatchObject({ code: 'STORE_FAILED' });
      expect(seen.first.message).toContain(`the archive ${seen.path} cannot be made`);
      expect(seen.rowsWhileFull).toBe(before.length);
    }
    // The log is on another disk.
    expect(seen.writeWhileFull).toBe('written');
  });

  it.each(STEPS)('the disk of both, before step %s %i', async (stage, step) => {
    const seen = await run('both', stage, step);
    holds(seen);
    // Rows that are already written come before the full disk: what is asked for then fails, or finds room of the log's.
    expect(['written', 'STORE_FAILED']).toContain(seen.writeWhileFull);
    expect(seen.first).toMatchObject({ code: 'STORE_FAILED' });
    const isMade = stage !== 'copy';
    expect(seen.isThere).toBe(isMade);
    const words = {
      copy: 'cannot be made',
      publish: 'call again',
      switch: 'call again',
      free: 'not freed yet',
    };
    expect(seen.first.message).toContain(`the archive ${seen.path}`);
    expect(seen.first.message).toContain(words[stage]);
    expect(seen.rowsWhileFull).toBe(stage === 'free' ? before.length - THROUGH + 1 : before.length);
  });
});
