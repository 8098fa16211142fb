// The questions of audits that nobody else asks.
import type { EntriesSpec, EntryTypeSpec } from '../../wire/messages.js';
import type { CallOptions } from '../input/call-options.js';
import type { Rpc } from '../net/rpc.js';

const RAW: EntryTypeSpec = { action: 'RAW_VALUE' };
const ALL_VALUES: EntriesSpec = { kvEntriesSpec: RAW, zEntriesSpec: RAW, sqlEntriesSpec: RAW };

/** Raw TxList of `count` transactions from `first` on, entries with their raw values where the server gives them. */
export function askValues(rpc: Rpc, first: bigint, count: number, options: CallOptions): Promise<Uint8Array> {
  const request = { initialTx: first.toString(), limit: count, entriesSpec: ALL_VALUES };
  return rpc.raw('TxScan', request, options);
}
