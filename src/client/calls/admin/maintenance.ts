// The upkeep of one database: its index, and how busy the server says it is.
import type { CallOptions } from '../../input/call-options.js';
import { flag, optionsObject } from '../../input/option-checks.js';
import type { Rpc } from '../../net/rpc.js';
import { timeOf } from './server-times.js';
import { percentage } from './settings-codec.js';
import { resultOf } from '../../results/result.js';

export interface FlushIndexOptions extends CallOptions {
  /** Of old nodes of the index that are rewritten on the way, to be given up by the next compaction: 0 to 100. @default 0 */
  readonly cleanupPercentage?: number;
  /** Returns when the index is on the disk. @default false */
  readonly synced?: boolean;
}

export interface DatabaseHealth {
  readonly pendingRequests: bigint;
  /** Of the kinds that the server counts: sets and scans among them, gets not. Null: none since the database was loaded. */
  readonly lastRequestCompletedAt: Date | null;
}

/** Names of the options of {@link flushIndex}. */
export const FLUSH_NAMES = ['cleanupPercentage', 'synced'];

/** What is sent. Throws ArgumentError. */
export function flushRequest(options: FlushIndexOptions) {
  optionsObject('options', options);
  const { cleanupPercentage = 0, synced = false } = options;
  return {
    cleanupPercentage: percentage('cleanupPercentage', cleanupPercentage),
    synced: flag('synced', synced),
  };
}

export async function flushIndex(
  rpc: Rpc,
  request: ReturnType<typeof flushRequest>,
  options: CallOptions,
): Promise<void> {
  await rpc.unary('FlushIndex', request, options);
}

export async function compactIndex(rpc: Rpc, options: CallOptions): Promise<void> {
  await rpc.unary('CompactIndex', {}, options);
}

export async function databaseHealth(rpc: Rpc, options: CallOptions): Promise<DatabaseHealth> {
  const answer = await rpc.unary('DatabaseHealth', {}, options);
  const completedAt = BigInt(answer.lastRequestCompletedAt ?? 0);
  return resultOf({
    pendingRequests: BigInt(answer.pendingRequests ?? 0),
    // Servers say "never" as the first moment of the year 1.
    lastRequestCompletedAt: completedAt > 0n ? timeOf(completedAt) : null,
  });
}
