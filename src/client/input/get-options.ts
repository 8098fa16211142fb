// Which version a read asks for: shared by get and verifiedGet.
import type { KeyRequest } from '../../wire/messages.js';
import { ArgumentError } from '../../errors.js';
import { optionsObject } from './option-checks.js';
import { NO_OPTIONS } from './call-options.js';
import type { CallOptions } from './call-options.js';

/** Names of a read's own options. */
export const VERSION_NAMES = ['atTx', 'sinceTx', 'atRevision'];

/** At most one of `atTx` and (`sinceTx`, `atRevision`). */
export interface GetOptions extends CallOptions {
  /** The version written by exactly this tx. */
  readonly atTx?: bigint;
  /** The server must have indexed this tx before it answers. */
  readonly sinceTx?: bigint;
  /** 1 = first version, -1 = the one before the latest, 0 = the latest. */
  readonly atRevision?: bigint;
}

export interface LatestOptions extends CallOptions {
  /** The latest version, proven to be that: where the database is followed. */
  readonly latest: true;
}

/** @throws ArgumentError when `latest` is not true, or a version is named beside it */
export function isLatest(options: CallOptions): options is LatestOptions {
  if (options === NO_OPTIONS || typeof options !== 'object' || (options as object | null) === null)
    return false;
  const { latest } = options as { readonly latest?: unknown };
  if (latest === undefined) return false;
  if (latest !== true) throw new ArgumentError('latest', 'latest must be true');
  return true;
}

/** The options beside it. */
export function besideLatest(options: LatestOptions): CallOptions {
  for (const name in options) if (name !== 'latest') return options;
  return NO_OPTIONS;
}

export interface Version {
  readonly atTx?: bigint;
  readonly sinceTx?: bigint;
  readonly atRevision?: bigint;
}

const LATEST: Version = {};

/** Throws ArgumentError naming the option. */
export function checkVersion(options: GetOptions): Version {
  if (options === NO_OPTIONS) return LATEST;
  optionsObject('options', options);
  const { atTx, sinceTx, atRevision } = options;
  if (atTx === undefined && sinceTx === undefined && atRevision === undefined) return LATEST;
  const asked = Object.entries({ atTx, sinceTx, atRevision }).filter(([, value]) => value !== undefined);
  for (const [name, value] of asked as [string, unknown][]) {
    if (typeof value !== 'bigint')
      throw new ArgumentError(name, `${name} must be a bigint, not ${typeof value}`);
    if (name !== 'atRevision' && value < 1n) {
      throw new ArgumentError(name, `${name} must be 1 or more, not ${value.toString()}`);
    }
    if (BigInt.asIntN(64, value) !== value)
      throw new ArgumentError(name, `${name} is out of range: ${value.toString()}`);
  }
  if (atTx !== undefined && asked.length > 1) {
    throw new ArgumentError(
      'atTx',
      'atTx names one version: it cannot be combined with sinceTx or atRevision',
    );
  }
  return Object.fromEntries(asked.filter(([name, value]) => name !== 'atRevision' || value !== 0n));
}

/** Whether a version was asked for, rather than the latest. */
export function hasVersion({ atTx, sinceTx, atRevision }: Version): boolean {
  return atTx !== undefined || sinceTx !== undefined || atRevision !== undefined;
}

/** The version as a KeyRequest has it. */
export function versionFields(version: Version): Pick<KeyRequest, keyof Version> {
  return Object.fromEntries(
    Object.entries(version).map(([name, value]: [string, bigint]) => [name, value.toString()]),
  );
}
