// What a mirror is told, checked.
import { ArgumentError } from '../../../errors.js';
import { optionsObject, text, whole } from '../../input/option-checks.js';
import type { CallOptions } from '../../input/call-options.js';
import { tableName } from '../sql/tables.js';

export interface MirrorOptions extends CallOptions {
  /**
   * The SQLite file that is written: a new one, or a mirror of the same database, which is gone on with where it is as it was left, and
   * written anew where it is not ({@link Mirror.beginning}). What others put into it is lost.
   */
  readonly path: string;
  /** Which tables. @default all, those that are still to come too; none where only `collections` are named */
  readonly tables?: readonly string[];
  /** Which collections of documents. @default all, those that are still to come too; none where only `tables` are named */
  readonly collections?: readonly string[];
  /** Least pause between two transactions of the file, in milliseconds. @default 50 */
  readonly everyMs?: number;
}

export const MIRROR_NAMES = ['path', 'tables', 'collections', 'everyMs'];

export interface ResolvedMirrorOptions {
  readonly path: string;
  /** Lower case; undefined: all. */
  readonly tables: ReadonlySet<string> | undefined;
  /** Undefined: all. */
  readonly collections: ReadonlySet<string> | undefined;
  readonly everyMs: number;
}

const MAX_TABLES = 10_000;
const MAX_PAUSE_MS = 3_600_000;

/** Throws ArgumentError naming the option that is wrong. */
export function checkMirrorOptions(options: MirrorOptions): ResolvedMirrorOptions {
  optionsObject('options', options);
  const { path, tables, collections, everyMs = 50 } = options;
  const file = text('path', path);
  if (file === '' || file.startsWith(':') || file.startsWith('file:') || file.includes('\0'))
    throw new ArgumentError('path', 'path must be that of a file');
  return {
    path: file,
    tables: namesOf('tables', tables, collections, tableName),
    collections: namesOf('collections', collections, tables, (name) => text('collections', name)),
    everyMs: whole('everyMs', everyMs, 1, MAX_PAUSE_MS),
  };
}

/** Where only the `others` are named there are none of these. */
function namesOf(
  argument: string,
  names: readonly string[] | undefined,
  others: readonly string[] | undefined,
  read: (name: unknown) => string,
): ReadonlySet<string> | undefined {
  if (names === undefined) return others && new Set();
  if (!Array.isArray(names) || names.length < 1 || names.length > MAX_TABLES)
    throw new ArgumentError(argument, `${argument} must be an array of 1 to ${MAX_TABLES} names`);
  return new Set(Array.from(names as readonly unknown[], read));
}
