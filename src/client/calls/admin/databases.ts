// Databases of a server: making and listing them.
import type { BytesInput } from '../../input/bytes-input.js';
import { knownNames, optionsObject, whole, wrongType } from '../../input/option-checks.js';
import { databaseName } from '../../options/credentials.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import { resultOf } from '../../results/result.js';

/** Settings of a new database; what is left out keeps the server's default. Sizes are permanent. */
export interface DatabaseSettings {
  /** Raw key bytes, prefix included. */
  readonly maxKeyBytes?: number;
  /** Raw value bytes, prefix included. */
  readonly maxValueBytes?: number;
  readonly maxTxEntries?: number;
  /** Header times are 0 and hashes so reproducible. */
  readonly excludeCommitTime?: boolean;
}

export interface CreateDatabaseOptions extends CallOptions {
  readonly settings?: DatabaseSettings;
  /** An existing database is then no error. @default false */
  readonly ifNotExists?: boolean;
}

export interface DatabaseInfo {
  readonly name: string;
  readonly loaded: boolean;
  readonly diskBytes: bigint;
  readonly transactions: bigint;
}

/** Names of the options of {@link createDatabase}. */
export const CREATE_NAMES = ['settings', 'ifNotExists'];

/** Creates a database; true unless it existed already (with `ifNotExists`). Needs SYS_ADMIN. */
export async function createDatabase(
  rpc: Rpc,
  name: BytesInput,
  options: CreateDatabaseOptions,
): Promise<boolean> {
  const { settings = {}, ifNotExists = false } = options;
  checkSettings(settings);
  if (typeof ifNotExists !== 'boolean') wrongType('ifNotExists', 'true or false', ifNotExists);
  const nullable = {
    maxKeyLen: settings.maxKeyBytes,
    maxValueLen: settings.maxValueBytes,
    maxTxEntries: settings.maxTxEntries,
    excludeCommitTime: settings.excludeCommitTime,
  };
  const given = Object.entries(nullable).filter(([, value]) => value !== undefined);
  const request = {
    name: databaseName(name),
    settings: Object.fromEntries(given.map(([key, value]) => [key, { value }])),
    ifNotExists,
  };
  const { alreadyExisted } = await rpc.unary('CreateDatabaseV2', request, options);
  return alreadyExisted !== true;
}

function checkSettings(settings: DatabaseSettings): void {
  optionsObject('settings', settings);
  knownNames('settings', settings, ['maxKeyBytes', 'maxValueBytes', 'maxTxEntries', 'excludeCommitTime']);
  for (const name of ['maxKeyBytes', 'maxValueBytes', 'maxTxEntries'] as const) {
    if (settings[name] !== undefined) whole(`settings.${name}`, settings[name], 1, 0xffff_ffff);
  }
  const { excludeCommitTime } = settings;
  if (excludeCommitTime !== undefined && typeof excludeCommitTime !== 'boolean') {
    wrongType('settings.excludeCommitTime', 'true or false', excludeCommitTime);
  }
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
    }),
  );
}
