// Where the root store lives when the user does not say.
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { StoreError } from '../errors.js';

/**
 * `$IMMU_TS_STORE`, or `immu-ts/roots.db` in the platform's folder for a user's application data: `$XDG_DATA_HOME` or
 * `~/.local/share`, `~/Library/Application Support` on macOS, `%LOCALAPPDATA%` on Windows.
 *
 * @throws StoreError STORE_FAILED when the user has no such folder, nor a home
 */
export function defaultStorePath(): string {
  const { IMMU_TS_STORE } = process.env;
  if (IMMU_TS_STORE) return IMMU_TS_STORE;
  return join(dataFolder(), 'immu-ts', 'roots.db');
}

/** The environment says where it is. */
export function isPlaceGiven(): boolean {
  const { IMMU_TS_STORE } = process.env;
  return IMMU_TS_STORE !== undefined && IMMU_TS_STORE !== '';
}

function dataFolder(): string {
  const { LOCALAPPDATA, XDG_DATA_HOME } = process.env;
  switch (process.platform) {
    case 'win32':
      return LOCALAPPDATA || join(home('LOCALAPPDATA'), 'AppData', 'Local');
    case 'darwin':
      return join(home('HOME'), 'Library', 'Application Support');
    default:
      // The XDG specification: a path that is not absolute is to be ignored.
      return XDG_DATA_HOME && isAbsolute(XDG_DATA_HOME)
        ? XDG_DATA_HOME
        : join(home('XDG_DATA_HOME'), '.local', 'share');
  }
}

/** A container's user may have none: then nobody knows where the store was the last time. */
function home(variable: string): string {
  let found = '';
  let cause: unknown;
  try {
    found = homedir();
  } catch (error) {
    cause = error;
  }
  if (isAbsolute(found)) return found;
  const words = `say where the root store is: with the option store, or with IMMU_TS_STORE or ${variable} in the environment`;
  throw new StoreError('STORE_FAILED', `this user has no home folder: ${words}`, { cause });
}
