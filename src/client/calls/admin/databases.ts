// Databases of a server: made, changed, listed, loaded and unloaded, truncated, deleted.
import { ArgumentError, StoreError } from '../../../errors.js';
import type { BytesInput } from '../../input/bytes-input.js';
import { flag, optionsObject, text } from '../../input/option-checks.js';
import { databaseName } from '../../options/credentials.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import { resultOf } from '../../results/result.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { ChangedSettings, DatabaseSettings } from './database-settings.js';
import { timeOf } from './server-times.js';
import { milliseconds, settingsOf, settingsToSend } from './settings-codec.js';

export interface CreateDatabaseOptions extends CallOptions {
  readonly settings?: DatabaseSettings;
  /** An existing database is then no error. @default false */
  readonly ifNotExists?: boolean;
}

export interface DeleteDatabaseOptions extends CallOptions {
  /** The name of the database once more. */
  readonly confirm: BytesInput;
  /** Recorded with the end of trust. @default 'the database was deleted' */
  readonly reason?: string;
}

export interface TruncateDatabaseOptions extends CallOptions {
  /** Milliseconds: 0n, or at least a day. */
  readonly retentionMs: bigint;
}

export interface DatabaseInfo {
  readonly name: string;
  readonly loaded: boolean;
  readonly diskBytes: bigint;
  readonly transactions: bigint;
  readonly settings: DatabaseSettings;
  readonly createdAt: Date;
  /** Name of a user; empty for a database that the server made itself. */
  readonly createdBy: string;
}

/** Names of the options of {@link createDatabase}. */
export const CREATE_NAMES = ['settings', 'ifNotExists'];
/** Names of the options of {@link deleteDatabase}. */
export const DELETE_NAMES = ['confirm', 'reason'];
/** Names of the options of {@link truncateDatabase}. */
export const TRUNCATE_NAMES = ['retentionMs'];

const DAY_MS = 86_400_000n;

/** Creates a database; true unless it existed already (with `ifNotExists`). Needs SYS_ADMIN. */
export async function createDatabase(
  rpc: Rpc,
  name: BytesInput,
  options: CreateDatabaseOptions,
): Promise<boolean> {
  const { settings = {}, ifNotExists = false } = options;
  flag('ifNotExists', ifNotExists);
  const request = { name: databaseName(name), settings: settingsToSend(settings), ifNotExists };
  const { alreadyExisted } = await rpc.unary('CreateDatabaseV2', request, options);
  return alreadyExisted !== true;
}

/** Returns the settings as they are from now on. */
export async function updateDatabase(
  rpc: Rpc,
  database: string,
  settings: ChangedSettings,
  options: CallOptions,
): Promise<DatabaseSettings> {
  // Never without settings, though there be none: 1.11.1 ends itself then.
  const request = { database, settings: settingsToSend(settings, true) };
  const answer = await rpc.unary('UpdateDatabaseV2', request, options);
  return resultOf(settingsOf(answer.settings));
}

/** Settings of the database that calls go to. */
export async function databaseSettings(rpc: Rpc, options: CallOptions): Promise<DatabaseSettings> {
  const answer = await rpc.unary('GetDatabaseSettingsV2', {}, options);
  return resultOf(settingsOf(answer.settings));
}

/** The databases this user may see. */
export async function listDatabases(rpc: Rpc, options: CallOptions): Promise<DatabaseInfo[]> {
  const { databases = [] } = await rpc.unary('DatabaseListV2', {}, options);
  return databases.map((database) =>
    resultOf({
      name: database.name ?? '',
      loaded: database.loaded ?? false,
      diskBytes: BigInt(database.diskSize ?? 0),
      transactions: BigInt(database.numTransactions ?? 0),
      settings: settingsOf(database.settings),
      createdAt: timeOf(BigInt(database.created_at ?? 0) * 1000n),
      createdBy: database.created_by ?? '',
    }),
  );
}

export async function loadDatabase(rpc: Rpc, database: string, options: CallOptions): Promise<void> {
  await rpc.unary('LoadDatabase', { database }, options);
}

export async function unloadDatabase(rpc: Rpc, database: string, options: CallOptions): Promise<void> {
  await rpc.unary('UnloadDatabase', { database }, options);
}

/** The period of {@link truncateDatabase}. Throws ArgumentError. */
export function retention(options: TruncateDatabaseOptions): bigint {
  optionsObject('options', options);
  const { retentionMs } = options;
  return retentionMs === 0n ? retentionMs : milliseconds('retentionMs', retentionMs, DAY_MS);
}

export async function truncateDatabase(
  rpc: Rpc,
  database: string,
  retentionMs: bigint,
  options: CallOptions,
): Promise<void> {
  await rpc.unary('TruncateDatabase', { database, retentionPeriod: retentionMs.toString() }, options);
}

/** Name and reason of a deletion that is confirmed. Throws ArgumentError when it is not. */
export function confirmed(
  name: BytesInput,
  options: DeleteDatabaseOptions,
): { database: string; reason: string } {
  const database = databaseName(name);
  optionsObject('options', options);
  const { confirm, reason = 'the database was deleted' } = options;
  if (databaseName(confirm, 'confirm') !== database)
    throw new ArgumentError('confirm', `confirm must be the name of the database to delete: '${database}'`);
  return { database, reason: text('reason', reason) };
}

/** Deletes a database, and ends trust in it: one that is made under its name is another one. */
export async function deleteDatabase(
  rpc: Rpc,
  trust: DatabaseTrust,
  call: Call,
  { database, reason }: { database: string; reason: string },
): Promise<void> {
  await rpc.unary('DeleteDatabase', { database }, call.deadline.left);
  await trust.forget(call, reason).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${database} was deleted, but the end of trust in it is not recorded (${why}): call forgetTrust`;
    throw new StoreError('STORE_FAILED', message, { cause: error });
  });
}
