// Settings of a database as the wire has them: defaults, what a caller may set, and what the ledger acts on.
import type { DatabaseFormat, DatabaseLimits } from './database.js';
import { refuse } from '../errors.js';

/** Wrapped values, e.g. `{ maxKeyLen: { value: 256 } }`, and groups of such. Absent = default. */
export interface WireSettings {
  [name: string]: { value?: unknown; [name: string]: unknown } | null | undefined;
}

/** Shortest retention of values, in milliseconds. */
export const DAY_MS = 24 * 60 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;

const values = (of: Record<string, number | boolean | string>): Record<string, { value: unknown }> =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, { value }]));

const DEFAULTS: WireSettings = {
  ...values({
    ...{ fileSize: 1 << 29, maxKeyLen: 1024, maxValueLen: 1 << 25, maxTxEntries: 1024 },
    ...{ excludeCommitTime: false, maxConcurrency: 30, maxIOConcurrency: 1, txLogCacheSize: 1000 },
    ...{ vLogMaxOpenedFiles: 10, txLogMaxOpenedFiles: 10, commitLogMaxOpenedFiles: 10 },
    ...{ writeTxHeaderVersion: 1, autoload: true, readTxPoolSize: 128, syncFrequency: 20 },
    ...{ writeBufferSize: 1 << 22, maxActiveTransactions: 1000, mvccReadSetLimit: 100_000 },
    ...{ vLogCacheSize: 0, embeddedValues: false, preallocFiles: false },
  }),
  indexSettings: values({
    ...{ flushThreshold: 100_000, syncThreshold: 1_000_000, cacheSize: 1 << 27, maxNodeSize: 4096 },
    ...{ maxActiveSnapshots: 100, renewSnapRootAfter: 1000, compactionThld: 2, delayDuringCompaction: 10 },
    ...{ nodesLogMaxOpenedFiles: 10, historyLogMaxOpenedFiles: 1, commitLogMaxOpenedFiles: 1 },
    ...{ flushBufferSize: 4096, cleanupPercentage: 0, maxBulkSize: 1, bulkPreparationTimeout: 20 },
  }),
  ahtSettings: values({ syncThreshold: 100_000, writeBufferSize: 1 << 24 }),
  truncationSettings: values({ retentionPeriod: 0, truncationFrequency: DAY_MS }),
  replicationSettings: values({
    ...{ replica: false, primaryDatabase: '', primaryHost: '', primaryPort: 0, primaryUsername: '' },
    ...{ primaryPassword: '', syncReplication: false, syncAcks: 0, prefetchTxBufferSize: 0 },
    ...{ replicationCommitConcurrency: 0, allowTxDiscarding: false, skipIntegrityCheck: false },
    waitForIndexing: false,
  }),
};

/** Names that only the creation of a database may set, with the words for them. */
const PERMANENT: readonly (readonly [string, string])[] = [
  ['fileSize', 'file size'],
  ['maxKeyLen', 'max key length'],
  ['maxValueLen', 'max value length'],
  ['maxTxEntries', 'max number of entries per transaction'],
  ['embeddedValues', 'embedded values'],
  ['preallocFiles', 'prealloc files'],
];

/** Least and largest values, with the words of immudb for what lies beyond. */
const BOUNDS: readonly (readonly [string, number, number, string])[] = [
  ['maxConcurrency', 1, Infinity, 'MaxConcurrency'],
  ['syncFrequency', 0, Infinity, 'SyncFrequency'],
  ['maxActiveTransactions', 1, Infinity, 'MaxActiveTransactions'],
  ['mvccReadSetLimit', 1, Infinity, 'MVCCReadSetLimit'],
  ['writeTxHeaderVersion', 0, 1, 'WriteTxHeaderVersion'],
  ['maxIOConcurrency', 1, Infinity, 'MaxIOConcurrency'],
  ['writeBufferSize', 1, Infinity, 'WriteBufferSize'],
  ['maxTxEntries', 1, Infinity, 'MaxTxEntries'],
  ['maxKeyLen', 1, 1024, 'MaxKeyLen'],
  ['maxValueLen', 1, Infinity, 'MaxValueLen'],
  ['txLogMaxOpenedFiles', 1, Infinity, 'TxLogMaxOpenedFiles'],
];

/** Defaults overlaid with what a creation asks for. Throws on values that no database can have. */
export function newSettings(asked: WireSettings | null | undefined, database = ''): WireSettings {
  return validated(database, overlaid(DEFAULTS, given(asked)));
}

/** Overlays an update. Throws when it touches a permanent setting. */
export function updatedSettings(
  database: string,
  current: WireSettings,
  asked: WireSettings | null | undefined,
): WireSettings {
  const update = given(asked);
  for (const [name, words] of PERMANENT) {
    if (update[name]) {
      throw refuse.settingRefused(`${words} can not be changed after database creation ('${database}')`);
    }
  }
  if (update['indexSettings']?.['maxNodeSize'])
    throw refuse.settingRefused(`max node size can not be changed after database creation ('${database}')`);
  return validated(database, overlaid(current, update));
}

function given(asked: WireSettings | null | undefined): WireSettings {
  return Object.fromEntries(Object.entries(asked ?? {}).filter(([, value]) => value));
}

/** A group of settings keeps those that the update does not name. */
function overlaid(current: WireSettings, update: WireSettings): WireSettings {
  const groups = Object.keys(update).filter((name) => name.endsWith('Settings'));
  const merged = groups.map((name) => [name, { ...current[name], ...given(update[name] as WireSettings) }]);
  return { ...current, ...update, ...(Object.fromEntries(merged) as WireSettings) };
}

function validated(database: string, settings: WireSettings): WireSettings {
  const pool = numberOf(settings, 'readTxPoolSize');
  if (pool < 1) throw refuseFor(`invalid read tx pool size (${pool}) for database '${database}'`);
  const truncation = (settings['truncationSettings'] ?? {}) as WireSettings;
  if (isTooShort(numberOf(truncation, 'retentionPeriod')))
    throw refuseFor(
      `invalid retention period for database '${database}'. RetentionPeriod should at least '24' hours`,
    );
  if (numberOf(truncation, 'truncationFrequency') < HOUR_MS)
    throw refuseFor(
      `invalid truncation frequency for database '${database}'. TruncationFrequency should at least '1' hour`,
    );
  for (const [name, least, most, words] of BOUNDS) {
    const value = numberOf(settings, name);
    if (value < least || value > most)
      throw refuse.settingRefused(`illegal arguments: invalid options: invalid ${words}`);
  }
  return settings;
}

/** A period that is neither "none" nor a day. */
export function isTooShort(retentionMs: number): boolean {
  return retentionMs < 0 || (retentionMs > 0 && retentionMs < DAY_MS);
}

/** The words of a check that has put a status into them already. */
function refuseFor(why: string) {
  return refuse.settingRefused(`rpc error: code = InvalidArgument desc = illegal arguments: ${why}`);
}

export function limitsOf(settings: WireSettings): DatabaseLimits {
  return {
    maxKeyBytes: numberOf(settings, 'maxKeyLen'),
    maxValueBytes: numberOf(settings, 'maxValueLen'),
    maxTxEntries: numberOf(settings, 'maxTxEntries'),
  };
}

export function formatOf(settings: WireSettings): DatabaseFormat {
  return {
    headerVersion: numberOf(settings, 'writeTxHeaderVersion') === 0 ? 0 : 1,
    excludeCommitTime: settings['excludeCommitTime']?.value === true,
  };
}

export function isAutoloaded(settings: WireSettings): boolean {
  return settings['autoload']?.value !== false;
}

/** A wrapper whose value is absent means zero, as everywhere on the wire. */
function numberOf(settings: WireSettings, name: string): number {
  return Number(settings[name]?.value ?? 0);
}
