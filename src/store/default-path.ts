// Where the root store lives when the user does not say.
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * `$IMMU_TS_STORE`, or `immu-ts/roots.db` in the platform's folder for a user's application data: `$XDG_DATA_HOME` or
 * `~/.local/share`, `~/Library/Application Support` on macOS, `%LOCALAPPDATA%` on Windows.
 */
export function defaultStorePath(): string {
  const { IMMU_TS_STORE } = process.env;
  if (IMMU_TS_STORE) return IMMU_TS_STORE;
  return join(dataFolder(), 'immu-ts', 'roots.db');
}

function dataFolder(): string {
  const { LOCALAPPDATA, XDG_DATA_HOME } = process.env;
  switch (process.platform) {
    case 'win32':
      return LOCALAPPDATA || join(homedir(), 'AppData', 'Local');
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support');
    default:
      // The XDG specification: a path that is not absolute is to be ignored.
      return XDG_DATA_HOME && isAbsolute(XDG_DATA_HOME) ? XDG_DATA_HOME : join(homedir(), '.local', 'share');
  }
}
