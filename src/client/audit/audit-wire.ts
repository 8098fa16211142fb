// The questions of audits that nobody else asks.
import type { CallOptions } from '../input/call-options.js';
import type { Rpc } from '../net/rpc.js';

const RAW = { action: 'RAW_VALUE' };
const ALL_VALUES = { kvEntriesSpec: RAW, zEntriesSpec: RAW, sqlEntriesSpec: RAW };

/** Raw TxList of `count` transactions from `first` on, entries with their raw values where the server gives them. */
export function askValues(rpc: Rpc, first: bigint, count: number, options: CallOptions): Promise<Uint8Array> {
  const request = { initialTx: first.toString(), limit: count, entriesSpec: ALL_VALUES };
  return rpc.unaryRaw('TxScan', request, { ...options, idempotent: true });
}
