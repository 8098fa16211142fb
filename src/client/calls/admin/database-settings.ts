// Settings of a database, by their public names; how the wire has them is in settings-codec.ts.

/**
 * Settings of a database; what is left out has the server's default when a database is made, and stays as it is when it is
 * updated. Most of what is updated acts when the database is loaded the next time.
 */
export interface DatabaseSettings {
  /** Of a file of the log, in bytes; fixed for good. @default 512 MiB */
  readonly fileBytes?: number;
  /** Raw key bytes, prefix included; fixed for good. At most 1024. @default 1024 */
  readonly maxKeyBytes?: number;
  /** Raw value bytes, prefix included; fixed for good. @default 32 MiB */
  readonly maxValueBytes?: number;
  /** Fixed for good. @default 1024 */
  readonly maxTxEntries?: number;
  /** Values are kept in the log of transactions; fixed for good. @default false */
  readonly embeddedValues?: boolean;
  /** Files are made with their full size; fixed for good. @default false */
  readonly preallocFiles?: boolean;
  /** Header times are 0 and hashes so reproducible. @default false */
  readonly excludeCommitTime?: boolean;
  /** 0 knows no metadata, so neither deletions nor expiration. @default 1 */
  readonly writeTxHeaderVersion?: number;
  /** Loaded when the server starts. @default true */
  readonly autoload?: boolean;
  /** Commits at a time. @default 30 */
  readonly maxConcurrency?: number;
  /** @default 1 */
  readonly maxIOConcurrency?: number;
  /** @default 1000 */
  readonly maxActiveTransactions?: number;
  /** Reads that an SQL transaction remembers. @default 100,000 */
  readonly mvccReadSetLimit?: number;
  /** Buffers for reading transactions; each proof takes some. @default 128 */
  readonly readTxPoolSize?: number;
  /** How long commits wait for one flush, in milliseconds. @default 20n */
  readonly syncFrequencyMs?: bigint;
  /** @default 4 MiB */
  readonly writeBufferBytes?: number;
  /** Transactions. @default 1000 */
  readonly txLogCacheSize?: number;
  /** 0: off. @default 0 */
  readonly vLogCacheSize?: number;
  /** @default 10 */
  readonly vLogMaxOpenedFiles?: number;
  /** @default 10 */
  readonly txLogMaxOpenedFiles?: number;
  /** @default 10 */
  readonly commitLogMaxOpenedFiles?: number;
  readonly index?: IndexSettings;
  readonly historyTree?: HistoryTreeSettings;
  readonly truncation?: TruncationSettings;
  readonly replication?: ReplicationSettings;
}

/** The index of keys. */
export interface IndexSettings {
  /** Of a node, in bytes; fixed for good. @default 4096 */
  readonly maxNodeBytes?: number;
  /** Entries between two flushes. @default 100,000 */
  readonly flushThreshold?: number;
  /** Entries between two flushes to the disk. @default 1,000,000 */
  readonly syncThreshold?: number;
  /** @default 128 MiB */
  readonly cacheBytes?: number;
  /** @default 4096 */
  readonly flushBufferBytes?: number;
  /** Of old nodes that a flush rewrites: 0 to 100. @default 0 */
  readonly cleanupPercentage?: number;
  /** Snapshots before a compaction is worth it. @default 2 */
  readonly compactionThreshold?: number;
  /** @default 10 */
  readonly delayDuringCompactionMs?: number;
  /** @default 100 */
  readonly maxActiveSnapshots?: number;
  /** @default 1000n */
  readonly renewSnapshotAfterMs?: bigint;
  /** Transactions that are indexed at once. @default 1 */
  readonly maxBulkSize?: number;
  /** @default 20n */
  readonly bulkPreparationTimeoutMs?: bigint;
  /** @default 10 */
  readonly nodesLogMaxOpenedFiles?: number;
  /** @default 1 */
  readonly historyLogMaxOpenedFiles?: number;
  /** @default 1 */
  readonly commitLogMaxOpenedFiles?: number;
}

/** The tree over all transactions. */
export interface HistoryTreeSettings {
  /** Transactions between two flushes to the disk. @default 100,000 */
  readonly syncThreshold?: number;
  /** @default 16 MiB */
  readonly writeBufferBytes?: number;
}

/** Values that are given up after a while, by the server itself. */
export interface TruncationSettings {
  /** 0n: never; else at least a day, in milliseconds. @default 0n */
  readonly retentionMs?: bigint;
  /** At least an hour, in milliseconds. @default a day */
  readonly frequencyMs?: bigint;
}

/** What a database is replicated from, and how. */
export interface ReplicationSettings {
  /** Takes its transactions from a primary, and no others. @default false */
  readonly replica?: boolean;
  readonly primaryDatabase?: string;
  readonly primaryHost?: string;
  readonly primaryPort?: number;
  readonly primaryUsername?: string;
  /** Sent, and never given back: the server shows it to whoever may read the database, this client to nobody. */
  readonly primaryPassword?: string;
  /** @default false */
  readonly syncReplication?: boolean;
  /** On a primary: of how many replicas it waits for. */
  readonly syncAcks?: number;
  /** On a replica. @default 100 */
  readonly prefetchTxBufferSize?: number;
  /** On a replica. @default 10 */
  readonly replicationCommitConcurrency?: number;
  /** On a replica: it gives up transactions of its own that its primary has not. @default false */
  readonly allowTxDiscarding?: boolean;
  /** On a replica. @default false */
  readonly skipIntegrityCheck?: boolean;
  /** On a replica. @default false */
  readonly waitForIndexing?: boolean;
}

type Fixed =
  'fileBytes' | 'maxKeyBytes' | 'maxValueBytes' | 'maxTxEntries' | 'embeddedValues' | 'preallocFiles';

/** Settings that a database can be given after it was made. */
export type ChangedSettings = Omit<DatabaseSettings, Fixed | 'index'> & {
  readonly index?: Omit<IndexSettings, 'maxNodeBytes'>;
};
