// How a follower begins: where it was told to, or where one before it ended.
import { KeptIndex } from './kept-index.js';
import type { KeptIndexOptions } from './kept-index.js';
import type { IndexState } from './index-file.js';
import { Latest } from './latest.js';
import type { LatestOptions } from './latest.js';
import { SqliteIndex } from './sqlite-index.js';

/** What a caller says of it. */
export interface FollowTerms extends Omit<LatestOptions, 'trust' | 'rpc' | 'kept' | 'restored' | 'log'> {
  /** A file for the index. */
  readonly keep?: string | undefined;
}

/**
 * @throws StoreError STORE_FOREIGN when the file is of something else
 */
export async function beginLatest(
  options: Omit<LatestOptions, 'kept' | 'restored'>,
  keep: KeptIndexOptions | undefined,
): Promise<Latest> {
  if (!keep) return new Latest(options);
  const kept = new KeptIndex(keep);
  const state = await kept.load();
  if (state && !serves(state, options)) {
    state.index.close();
    return new Latest({ ...options, kept });
  }
  return new Latest({ ...options, kept, ...(state && { restored: state }) });
}

/** Whether what was kept has all that is asked for. */
function serves(
  { from, index, salt }: IndexState,
  options: Pick<LatestOptions, 'from' | 'ordered'>,
): boolean {
  if (options.ordered && (salt !== undefined || !(index instanceof SqliteIndex))) return false;
  return from.tx <= (options.from?.tx ?? 0n);
}
