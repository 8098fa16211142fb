// Settings of a database as the wire has them: defaults, what a caller may set, and what the ledger acts on.
import type { DatabaseFormat, DatabaseLimits } from './database.js';
import { refuse } from '../errors.js';

/** Wrapped values, e.g. `{ maxKeyLen: { value: 256 } }`, and groups of such. Absent = default. */
export interface WireSettings {
  [name: string]: { value?: unknown; [name: string]: unknown } | null | undefined;
}

const DEFAULTS: WireSettings = {
  fileSize: { value: 1 << 29 },
  maxKeyLen: { value: 1024 },
  maxValueLen: { value: 1 << 25 },
  maxTxEntries: { value: 1024 },
  excludeCommitTime: { value: false },
  maxConcurrency: { value: 30 },
  maxIOConcurrency: { value: 1 },
  txLogCacheSize: { value: 1000 },
  vLogMaxOpenedFiles: { value: 10 },
  txLogMaxOpenedFiles: { value: 10 },
  commitLogMaxOpenedFiles: { value: 10 },
  writeTxHeaderVersion: { value: 1 },
  autoload: { value: true },
  readTxPoolSize: { value: 128 },
  syncFrequency: { value: 20 },
  writeBufferSize: { value: 1 << 22 },
  maxActiveTransactions: { value: 1000 },
  mvccReadSetLimit: { value: 100_000 },
  vLogCacheSize: { value: 0 },
  embeddedValues: { value: false },
  preallocFiles: { value: false },
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

/** Defaults overlaid with what a creation asks for. Throws on values that no database can have. */
export function newSettings(asked: WireSettings | null | undefined): WireSettings {
  return validated({ ...DEFAULTS, ...given(asked) });
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
  return validated({ ...current, ...update });
}

function given(asked: WireSettings | null | undefined): WireSettings {
  return Object.fromEntries(Object.entries(asked ?? {}).filter(([, value]) => value));
}

function validated(settings: WireSettings): WireSettings {
  const { maxKeyBytes, maxValueBytes, maxTxEntries } = limitsOf(settings);
  const version = numberOf(settings, 'writeTxHeaderVersion');
  if (maxKeyBytes < 1 || maxKeyBytes > 1024) throw refuse.settingRefused('invalid max key length');
  if (maxValueBytes < 1) throw refuse.settingRefused('invalid max value length');
  if (maxTxEntries < 1) throw refuse.settingRefused('invalid max number of entries per transaction');
  if (version > 1) throw refuse.settingRefused('invalid tx header version');
  return settings;
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
