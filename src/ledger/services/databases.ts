// Handlers that create, load, unload, change and list databases.
import { administers, callerOf, selected } from '../serve/core.js';
import type { Call, Handler, LedgerCore } from '../serve/core.js';
import { DEFAULT_DB, SYSTEM_DB } from '../engine/databases.js';
import type { DatabaseRecord } from '../engine/databases.js';
import { KeyNotFound, LedgerRefusal, refuse } from '../errors.js';
import { DAY_MS, isTooShort, updatedSettings } from '../engine/settings.js';
import type { WireSettings } from '../engine/settings.js';
import { isSystemAdmin } from '../engine/users.js';
import type { User } from '../engine/users.js';

function caller(core: LedgerCore, call: Call, otherwise = refuse.noUserData): User {
  try {
    return callerOf(core, call).user;
  } catch (error) {
    if (error instanceof LedgerRefusal) throw otherwise();
    throw error;
  }
}

function assertNotReserved(name: string): void {
  if (name === DEFAULT_DB || name === SYSTEM_DB) throw refuse.databaseReserved();
}

function assertName(name: string): void {
  if (name.length < 1 || name.length > 128) throw refuse.because('database name length outside of limits');
  if (!/^[\p{Ll}\p{Nd}\p{P}\p{S}]*$/u.test(name))
    throw refuse.because('unrecognized character in database name');
  if (!/^[\p{Ll}\p{Nd}_]*$/u.test(name)) {
    throw refuse.because('punctuation marks and symbols are not allowed in database name');
  }
}

interface CreateRequest {
  name?: string;
  settings?: WireSettings | null;
  ifNotExists?: boolean;
}

function create(core: LedgerCore, call: Call, request: CreateRequest): object {
  const user = caller(core, call);
  if (!isSystemAdmin(user))
    throw refuse.because('loggedin user does not have permissions for this operation');
  assertNotReserved(request.name ?? '');
  const name = (request.name ?? '').toLowerCase();
  assertName(name);
  if (core.databases.wasDeleted(name)) {
    if (request.ifNotExists !== true) throw refuse.databaseExists();
    throw refuse.because('tbtree: key not found: while loading database settings');
  }
  const existing = core.databases.find(name);
  if (existing) {
    if (request.ifNotExists !== true) throw refuse.databaseExists();
    return { name, settings: existing.settings, alreadyExisted: true };
  }
  return { name, settings: core.databases.create(name, user.username, request.settings).settings };
}

/** The settings that the older calls can carry. */
function wrapped(request: object): WireSettings {
  const old = request as Record<string, unknown>;
  const names = ['fileSize', 'maxKeyLen', 'maxValueLen', 'maxTxEntries'];
  return Object.fromEntries(names.filter((name) => old[name]).map((name) => [name, { value: old[name] }]));
}

/** A database that the caller administers, by the name in the request. */
function administered(
  core: LedgerCore,
  call: Call,
  name: string,
  deleted: (name: string) => LedgerRefusal = refuse.databaseMissing,
): DatabaseRecord {
  assertNotReserved(name);
  const user = caller(core, call);
  if (!administers(user, name)) {
    throw refuse.because(
      `the database '${name}' does not exist or you do not have admin permission on this database`,
    );
  }
  const record = core.databases.find(name);
  if (!record) throw core.databases.wasDeleted(name) ? deleted(name) : refuse.databaseMissing();
  return record;
}

function named(call: Call): string {
  return (call.request as { database?: string }).database ?? '';
}

function update(
  core: LedgerCore,
  call: Call,
  name: string,
  settings: WireSettings | null | undefined,
): object {
  const record = administered(core, call, name);
  record.settings = updatedSettings(name, record.settings, settings);
  core.databases.save(record);
  return { database: name, settings: record.settings };
}

function visible(core: LedgerCore, call: Call): DatabaseRecord[] {
  const user = caller(core, call, refuse.pleaseLogin);
  if (isSystemAdmin(user)) return core.databases.list();
  return user.permissions.flatMap(({ database }) => core.databases.find(database) ?? []);
}

function settingsOf(core: LedgerCore, call: Call): { database: string; settings: WireSettings } {
  const { name } = selected(core, call, 'read');
  return { database: name, settings: core.databases.find(name)?.settings ?? {} };
}

export const databaseService: Record<string, Handler> = {
  CreateDatabase: (core, call) => {
    create(core, call, { name: (call.request as { databaseName?: string }).databaseName ?? '' });
    return {};
  },
  CreateDatabaseWith: (core, call) => {
    const { databaseName } = call.request as { databaseName?: string };
    create(core, call, { name: databaseName ?? '', settings: wrapped(call.request) });
    return {};
  },
  CreateDatabaseV2: (core, call) => create(core, call, call.request),
  LoadDatabase: (core, call) => {
    const record = administered(core, call, named(call), refuse.databaseDeleted);
    if (record.database) throw refuse.databaseLoaded();
    core.databases.load(record);
    return { database: record.name };
  },
  UnloadDatabase: (core, call) => {
    const record = administered(core, call, named(call), refuse.alreadyClosed);
    core.databases.unload(record);
    return { database: record.name };
  },
  DeleteDatabase: (core, call) => {
    const record = administered(core, call, named(call), () => new KeyNotFound());
    core.databases.delete(record);
    return { database: record.name };
  },
  TruncateDatabase: (core, call) => {
    const { name, database } = administered(core, call, named(call), refuse.alreadyClosed);
    const retentionMs = Number((call.request as { retentionPeriod?: string | number }).retentionPeriod ?? 0);
    if (isTooShort(retentionMs))
      throw refuse.settingRefused(
        `invalid retention period for database '${name}'. RetentionPeriod should at least '24h0m0s' hours`,
      );
    if (!database) throw refuse.alreadyClosed();
    const since = Date.now() - retentionMs;
    const seconds = Math.floor((since - (since % DAY_MS)) / 1000);
    if (!database.truncate(seconds)) throw refuse.because('retention period has not been reached');
    return { database: name };
  },
  UpdateDatabase: (core, call) => {
    const { databaseName } = call.request as { databaseName?: string };
    update(core, call, databaseName ?? '', wrapped(call.request));
    return {};
  },
  UpdateDatabaseV2: (core, call) =>
    update(core, call, named(call), (call.request as { settings?: WireSettings | null }).settings),
  DatabaseList: (core, call) => ({
    databases: visible(core, call).map(({ name }) => ({ databaseName: name })),
  }),
  DatabaseListV2: (core, call) => ({
    databases: visible(core, call).map((record) => ({
      name: record.name,
      settings: record.settings,
      loaded: record.database !== undefined,
      numTransactions: record.database?.last ?? 0,
      created_at: Math.floor(record.createdAtMs / 1000),
      created_by: record.createdBy,
    })),
  }),
  GetDatabaseSettings: (core, call) => {
    const { database, settings } = settingsOf(core, call);
    const names = ['fileSize', 'maxKeyLen', 'maxValueLen', 'maxTxEntries', 'excludeCommitTime'];
    return {
      databaseName: database,
      ...Object.fromEntries(names.map((name) => [name, settings[name]?.value])),
    };
  },
  GetDatabaseSettingsV2: settingsOf,
  // The index of this ledger has nothing to flush or to compact.
  FlushIndex: (core, call) => {
    const { name } = selected(core, call, 'admin');
    const { cleanupPercentage = 0 } = call.request as { cleanupPercentage?: number };
    if (cleanupPercentage < 0 || cleanupPercentage > 100)
      throw refuse.because('tbtree: illegal arguments: invalid cleanupPercentage');
    return { database: name };
  },
  CompactIndex: (core, call) => {
    selected(core, call, 'admin');
    return {};
  },
};
