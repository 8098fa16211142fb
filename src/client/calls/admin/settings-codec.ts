// Settings of a database as the wire has them: each value in a wrapper of its own, under names without units.
import { ArgumentError } from '../../../errors.js';
import { flag, knownNames, optionsObject, text, whole, wrongType } from '../../input/option-checks.js';
import type { DatabaseNullableSettings } from '../../../wire/messages.js';
import type {
  DatabaseSettings,
  HistoryTreeSettings,
  IndexSettings,
  ReplicationSettings,
  TruncationSettings,
} from './database-settings.js';

/** How a value is checked, and sent. */
type Kind = 'whole' | 'size' | 'flag' | 'ms' | 'percent' | 'text' | 'secret';

interface Field {
  readonly wire: string;
  readonly kind: Kind;
  /** By the creation of the database. */
  readonly isFixed: boolean;
}

interface Group {
  readonly wire: string;
  readonly fields: Fields;
}

type Fields = Readonly<Record<string, Field | Group>>;

const field = (wire: string, kind: Kind): Field => ({ wire, kind, isFixed: false });
const fixed = (wire: string, kind: Kind): Field => ({ wire, kind, isFixed: true });

const INDEX = {
  maxNodeBytes: fixed('maxNodeSize', 'whole'),
  flushThreshold: field('flushThreshold', 'whole'),
  syncThreshold: field('syncThreshold', 'whole'),
  cacheBytes: field('cacheSize', 'whole'),
  flushBufferBytes: field('flushBufferSize', 'whole'),
  cleanupPercentage: field('cleanupPercentage', 'percent'),
  compactionThreshold: field('compactionThld', 'whole'),
  delayDuringCompactionMs: field('delayDuringCompaction', 'whole'),
  maxActiveSnapshots: field('maxActiveSnapshots', 'whole'),
  renewSnapshotAfterMs: field('renewSnapRootAfter', 'ms'),
  maxBulkSize: field('maxBulkSize', 'whole'),
  bulkPreparationTimeoutMs: field('bulkPreparationTimeout', 'ms'),
  nodesLogMaxOpenedFiles: field('nodesLogMaxOpenedFiles', 'whole'),
  historyLogMaxOpenedFiles: field('historyLogMaxOpenedFiles', 'whole'),
  commitLogMaxOpenedFiles: field('commitLogMaxOpenedFiles', 'whole'),
} satisfies Record<keyof IndexSettings, Field>;

const HISTORY_TREE = {
  syncThreshold: field('syncThreshold', 'whole'),
  writeBufferBytes: field('writeBufferSize', 'whole'),
} satisfies Record<keyof HistoryTreeSettings, Field>;

const TRUNCATION = {
  retentionMs: field('retentionPeriod', 'ms'),
  frequencyMs: field('truncationFrequency', 'ms'),
} satisfies Record<keyof TruncationSettings, Field>;

const REPLICATION = {
  replica: field('replica', 'flag'),
  primaryDatabase: field('primaryDatabase', 'text'),
  primaryHost: field('primaryHost', 'text'),
  primaryPort: field('primaryPort', 'whole'),
  primaryUsername: field('primaryUsername', 'text'),
  primaryPassword: field('primaryPassword', 'secret'),
  syncReplication: field('syncReplication', 'flag'),
  syncAcks: field('syncAcks', 'whole'),
  prefetchTxBufferSize: field('prefetchTxBufferSize', 'whole'),
  replicationCommitConcurrency: field('replicationCommitConcurrency', 'whole'),
  allowTxDiscarding: field('allowTxDiscarding', 'flag'),
  skipIntegrityCheck: field('skipIntegrityCheck', 'flag'),
  waitForIndexing: field('waitForIndexing', 'flag'),
} satisfies Record<keyof ReplicationSettings, Field>;

const DATABASE = {
  fileBytes: fixed('fileSize', 'size'),
  maxKeyBytes: fixed('maxKeyLen', 'size'),
  maxValueBytes: fixed('maxValueLen', 'size'),
  maxTxEntries: fixed('maxTxEntries', 'size'),
  embeddedValues: fixed('embeddedValues', 'flag'),
  preallocFiles: fixed('preallocFiles', 'flag'),
  excludeCommitTime: field('excludeCommitTime', 'flag'),
  writeTxHeaderVersion: field('writeTxHeaderVersion', 'whole'),
  autoload: field('autoload', 'flag'),
  maxConcurrency: field('maxConcurrency', 'whole'),
  maxIOConcurrency: field('maxIOConcurrency', 'whole'),
  maxActiveTransactions: field('maxActiveTransactions', 'whole'),
  mvccReadSetLimit: field('mvccReadSetLimit', 'whole'),
  readTxPoolSize: field('readTxPoolSize', 'whole'),
  syncFrequencyMs: field('syncFrequency', 'ms'),
  writeBufferBytes: field('writeBufferSize', 'whole'),
  txLogCacheSize: field('txLogCacheSize', 'whole'),
  vLogCacheSize: field('vLogCacheSize', 'whole'),
  vLogMaxOpenedFiles: field('vLogMaxOpenedFiles', 'whole'),
  txLogMaxOpenedFiles: field('txLogMaxOpenedFiles', 'whole'),
  commitLogMaxOpenedFiles: field('commitLogMaxOpenedFiles', 'whole'),
  index: { wire: 'indexSettings', fields: INDEX },
  historyTree: { wire: 'ahtSettings', fields: HISTORY_TREE },
  truncation: { wire: 'truncationSettings', fields: TRUNCATION },
  replication: { wire: 'replicationSettings', fields: REPLICATION },
} satisfies Record<keyof DatabaseSettings, Field | Group>;

const MAX_UINT32 = 0xffff_ffff;

/** The server counts nanoseconds in 63 bits and does not notice when there are more: 292 years would become a few hours. */
const MAX_MS = (2n ** 63n - 1n) / 1_000_000n;

/** As they are sent. `change`: those that a database keeps for good are refused. Throws ArgumentError naming the wrong one. */
export function settingsToSend(settings: DatabaseSettings, change = false): DatabaseNullableSettings {
  return toWire('settings', settings, DATABASE, change);
}

function toWire(name: string, given: object, fields: Fields, change: boolean): object {
  optionsObject(name, given);
  knownNames(name, given, Object.keys(fields));
  const sent: Record<string, object> = {};
  for (const [own, known] of Object.entries(fields)) {
    const value: unknown = (given as Record<string, unknown>)[own];
    if (value === undefined) continue;
    const path = `${name}.${own}`;
    if ('fields' in known) {
      sent[known.wire] = toWire(path, value as object, known.fields, change);
      continue;
    }
    if (change && known.isFixed) throw new ArgumentError(path, `${path} is fixed when the database is made`);
    sent[known.wire] = { value: checked(path, value, known.kind) };
  }
  return sent;
}

function checked(path: string, value: unknown, kind: Kind): unknown {
  switch (kind) {
    case 'size':
      return whole(path, value, 1, MAX_UINT32);
    case 'whole':
      return whole(path, value, 0, MAX_UINT32);
    case 'flag':
      return flag(path, value);
    case 'ms':
      return milliseconds(path, value).toString();
    case 'percent':
      return percentage(path, value);
    case 'text':
      return text(path, value);
    case 'secret':
      // Not even its kind is shown.
      return typeof value === 'string' ? text(path, value) : wrongType(path, 'a string');
  }
}

/** 0n up to what the server can count. Throws ArgumentError. */
export function milliseconds(name: string, value: unknown, min = 0n): bigint {
  if (typeof value !== 'bigint') wrongType(name, 'a bigint (milliseconds)', value);
  if (value < min || value > MAX_MS)
    throw new ArgumentError(name, `${name} must be ${min}n to ${MAX_MS}n, in milliseconds`);
  return value;
}

/** 0 to 100. Throws ArgumentError. */
export function percentage(name: string, value: unknown): number {
  if (typeof value !== 'number') wrongType(name, 'a number from 0 to 100', value);
  if (!(value >= 0 && value <= 100)) throw new ArgumentError(name, `${name} must be a number from 0 to 100`);
  return value;
}

/** As the server gave them: what it did not give is left out, and so is the password of a primary. */
export function settingsOf(wire: DatabaseNullableSettings | undefined): DatabaseSettings {
  return fromWire(wire ?? {}, DATABASE);
}

function fromWire(given: object, fields: Fields): object {
  const shown: Record<string, unknown> = {};
  for (const [own, known] of Object.entries(fields)) {
    const value = (given as Record<string, { readonly value?: unknown } | null | undefined>)[known.wire];
    if (value === undefined || value === null) continue;
    if ('fields' in known) shown[own] = fromWire(value, known.fields);
    else if (known.kind !== 'secret') shown[own] = plain(value.value, known.kind);
  }
  return shown;
}

/** On the wire a zero is left out. */
function plain(value: unknown, kind: Kind): unknown {
  switch (kind) {
    case 'flag':
      return value ?? false;
    case 'ms':
      return BigInt((value as string | undefined) ?? 0);
    case 'text':
      return value ?? '';
    default:
      return value ?? 0;
  }
}
