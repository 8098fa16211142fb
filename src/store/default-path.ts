// Where the root store lives when the user does not say.
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * `$IMMU_TS_STORE`, or `immu-ts/roots.db` in the platform's folder for a user's application data.
 */
export function defaultStorePath(): string {
  const { IMMU_TS_STORE, LOCALAPPDATA, XDG_DATA_HOME } = process.env;
  if (IMMU_TS_STORE) return IMMU_TS_STORE;
  return join(dataFolder(XDG_DATA_HOME, LOCALAPPDATA), 'immu-ts', 'roots.db');
}

function dataFolder(xdg: string | undefined, localAppData: string | undefined): string {
  switch (process.platform) {
    case 'win32':
      return localAppData ?? join(homedir(), 'AppData', 'Local');
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support');
    default:
      return xdg ?? join(homedir(), '.local', 'share');
  }
}
