// What a mirror is told, checked.
import { ArgumentError } from '../../../errors.js';
import { optionsObject, text, whole } from '../../input/option-checks.js';
import type { CallOptions } from '../../input/call-options.js';
import { tableName } from '../sql/tables.js';

export interface MirrorOptions extends CallOptions {
  /**
   * The SQLite file that is written: a new one, or a mirror of the same database, which is then written anew. What others put into it
   * is lost.
   */
  readonly path: string;
  /** Which tables. @default all, those that are still to come too */
  readonly tables?: readonly string[];
  /** Least pause between two transactions of the file, in milliseconds. @default 50 */
  readonly everyMs?: number;
}

export const MIRROR_NAMES = ['path', 'tables', 'everyMs'];

export interface ResolvedMirrorOptions {
  readonly path: string;
  /** Lower case; undefined: all. */
  readonly tables: ReadonlySet<string> | undefined;
  readonly everyMs: number;
}

const MAX_TABLES = 10_000;
const MAX_PAUSE_MS = 3_600_000;

/** Throws ArgumentError naming the option that is wrong. */
export function checkMirrorOptions(options: MirrorOptions): ResolvedMirrorOptions {
  optionsObject('options', options);
  const { path, tables, everyMs = 50 } = options;
  const file = text('path', path);
  if (file === '' || file.startsWith(':') || file.startsWith('file:') || file.includes('\0'))
    throw new ArgumentError('path', 'path must be that of a file');
  if (tables !== undefined && (!Array.isArray(tables) || tables.length < 1 || tables.length > MAX_TABLES))
    throw new ArgumentError('tables', `tables must be an array of 1 to ${MAX_TABLES} names`);
  return {
    path: file,
    tables: tables && new Set(Array.from(tables as readonly unknown[], tableName)),
    everyMs: whole('everyMs', everyMs, 1, MAX_PAUSE_MS),
  };
}
