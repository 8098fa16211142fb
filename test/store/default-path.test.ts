// Where the store lives by default, on each platform.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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
});
