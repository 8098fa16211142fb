// Where the store lives by default, on each platform.
import { syncBuiltinESMExports } from 'node:module';
import os, { homedir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { openArchive, openForReading } from '#dist/audit.js';
import { defaultStorePath } from '#dist/store/default-path.js';

beforeEach(() => {
  for (const name of ['IMMU_TS_STORE', 'XDG_DATA_HOME', 'LOCALAPPDATA']) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function on(platform: NodeJS.Platform): void {
  vi.spyOn(process, 'platform', 'get').mockReturnValue(platform);
}

describe('defaultStorePath', () => {
  it('is what the environment says', () => {
    vi.stubEnv('IMMU_TS_STORE', '/data/my.db');
    expect(defaultStorePath()).toBe('/data/my.db');
    vi.stubEnv('IMMU_TS_STORE', '');
    expect(defaultStorePath()).toMatch(/roots\.db$/);
  });

  it('follows XDG on Linux', () => {
    on('linux');
    const usual = join(homedir(), '.local', 'share', 'immu-ts', 'roots.db');
    expect(defaultStorePath()).toBe(usual);
    vi.stubEnv('XDG_DATA_HOME', '/xdg');
    expect(defaultStorePath()).toBe(join('/xdg', 'immu-ts', 'roots.db'));
    for (const ignored of ['', 'relative/path']) {
      vi.stubEnv('XDG_DATA_HOME', ignored);
      expect(defaultStorePath()).toBe(usual);
    }
  });

  it("is in the user's application data on macOS and Windows", () => {
    on('darwin');
    expect(defaultStorePath()).toBe(join(homedir(), 'Library', 'Application Support', 'immu-ts', 'roots.db'));
    on('win32');
    expect(defaultStorePath()).toBe(join(homedir(), 'AppData', 'Local', 'immu-ts', 'roots.db'));
    vi.stubEnv('LOCALAPPDATA', join('C:', 'Local'));
    expect(defaultStorePath()).toBe(join('C:', 'Local', 'immu-ts', 'roots.db'));
  });

  it('says what to write where a user has no home', () => {
    const homes: [string, () => string][] = [
      [
        'no entry in passwd',
        () => {
          throw Object.assign(new Error('uv_os_homedir returned ENOENT'), { code: 'ENOENT' });
        },
      ],
      ['an empty HOME', () => ''],
      ['a HOME that depends on where one is', () => 'here'],
    ];
    for (const [, home] of homes) {
      const mocked = vi.spyOn(os, 'homedir').mockImplementation(home);
      syncBuiltinESMExports();
      for (const [platform, variable] of [
        ['linux', 'XDG_DATA_HOME'],
        ['darwin', 'HOME'],
        ['win32', 'LOCALAPPDATA'],
      ] as const) {
        on(platform);
        const words = expect.objectContaining({ name: 'StoreError', code: 'STORE_FAILED' });
        expect(() => defaultStorePath()).toThrow(words);
        expect(() => defaultStorePath()).toThrow(
          new RegExp(`option store, or with IMMU_TS_STORE or ${variable}`),
        );
      }
      mocked.mockRestore();
      syncBuiltinESMExports();
    }
  });

  it('is asked for by a client when it is needed, and said as a rejection', async () => {
    const mocked = vi.spyOn(os, 'homedir').mockReturnValue('');
    syncBuiltinESMExports();
    const client = new ImmuClient();
    const outcome = client.audit.latest();
    await expect(outcome).rejects.toMatchObject({ name: 'StoreError', code: 'STORE_FAILED' });
    await client.close();
    mocked.mockRestore();
    syncBuiltinESMExports();
  });
});

describe('a path', () => {
  const bad: [unknown, RegExp][] = [
    ['~/roots.db', /join\(homedir\(\), "roots.db"\)/],
    ['~', /home folder/],
    ['~other/roots.db', /\.\/~other/],
    ['file:///data/roots.db', /fileURLToPath\("file:\/\/\/data\/roots.db"\)/],
    ['file:roots.db', /not a URL/],
    ['https://example.com/roots.db', /not a URL/],
    [new URL('file:///data/roots.db'), /not a URL/],
    ['', /path of a file/],
    [':memory:', /MemoryRootStore/],
    ['a\0b', /path of a file/],
  ];

  it.each(bad)('that is none is refused, with what to write instead: %s', async (path, words) => {
    for (const open of [SqliteRootStore.open, openForReading, openArchive])
      await expect(open(path as string)).rejects.toMatchObject({
        argument: 'path',
        message: expect.stringMatching(words),
      });
    const refused = expect.objectContaining({ argument: 'store', message: expect.stringMatching(words) });
    expect(() => new ImmuClient({ store: path as string })).toThrow(refused);
  });

  it('that only looks like one is taken', async () => {
    const folder = await mkdtemp(join(os.tmpdir(), 'immu-path-'));
    for (const name of ['a~', 'file', 'c:', 'x:y', 'über:all']) {
      const store = await SqliteRootStore.open(join(folder, name, 'roots.db'));
      await store.close();
    }
    await rm(folder, { recursive: true });
  });
});
