// The questions that trust itself asks the server: its newest transaction, the proof of a header, a run of headers.
import { ProofFailure } from '../../proof/failure.js';
import type { Root } from '../../verify/verifier.js';
import { WireReader } from '../../verify/wire/reader.js';
import type { CallOptions } from '../input/call-options.js';
import type { EntriesSpec, VerifiableTxRequest } from '../../wire/messages.js';
import type { Rpc } from '../net/rpc.js';

/** Leaves every kind of entry out: the smallest answer that still proves a header. */
const NO_ENTRIES: EntriesSpec = { kvEntriesSpec: { action: 'EXCLUDE' } };

/** Raw ImmutableState: the server's word about its newest transaction. */
export function askState(rpc: Rpc, options: CallOptions): Promise<Uint8Array> {
  return rpc.raw('CurrentState', {}, options);
}

/** Raw VerifiableTx without entries: dual proof between `tx` and `since`. */
export function askHeader(rpc: Rpc, tx: bigint, since: bigint, options: CallOptions): Promise<Uint8Array> {
  return askTx(rpc, { ...txRequest(tx, since), entriesSpec: NO_ENTRIES }, options);
}

/**
 * The same from a trusted head on. The empty database has no header to start from: there the proof starts at the first
 * transaction, whose header is checked to follow nothing.
 */
export function askHeaderUnder(rpc: Rpc, tx: bigint, head: Root, options: CallOptions): Promise<Uint8Array> {
  return askHeader(rpc, tx, startOf(head), options);
}

/** {@link askHeaderUnder} with all entries, as digests. */
export function askTxUnder(rpc: Rpc, tx: bigint, head: Root, options: CallOptions): Promise<Uint8Array> {
  return askTx(rpc, txRequest(tx, startOf(head)), options);
}

/**
 * The transaction of a raw VerifiableTx as a raw TxList, a view: it is the first field of either. Undefined where it does not come
 * first, as servers write it.
 */
export function listOfTx(verifiableTx: Uint8Array): Uint8Array | undefined {
  try {
    const reader = new WireReader(verifiableTx);
    if (reader.next() !== 1) return undefined;
    reader.span('VerifiableTx.tx');
    return verifiableTx.subarray(0, reader.at);
  } catch (error) {
    if (error instanceof ProofFailure) return undefined;
    throw error;
  }
}

/** Raw TxList with the headers of `count` transactions from `first` on. */
export function askHeaders(
  rpc: Rpc,
  first: bigint,
  count: number,
  options: CallOptions,
): Promise<Uint8Array> {
  const request = { initialTx: first.toString(), limit: count, entriesSpec: NO_ENTRIES };
  return rpc.raw('TxScan', request, options);
}

/** The same with all entries, as digests. */
export function askDigests(
  rpc: Rpc,
  first: bigint,
  count: number,
  options: CallOptions,
): Promise<Uint8Array> {
  return rpc.raw('TxScan', { initialTx: first.toString(), limit: count }, options);
}

/** Raw Entries: the newest `count` entries of a key, deletions and expired ones too, newest first. */
export function askHistory(
  rpc: Rpc,
  key: Uint8Array,
  count: number,
  options: CallOptions,
): Promise<Uint8Array> {
  return rpc.raw('History', { key, limit: count, desc: true }, options);
}

function askTx(rpc: Rpc, request: VerifiableTxRequest, options: CallOptions): Promise<Uint8Array> {
  return rpc.raw('VerifiableTxById', request, options);
}

function txRequest(tx: bigint, since: bigint): VerifiableTxRequest {
  return { tx: tx.toString(), proveSinceTx: since.toString(), keepReferencesUnresolved: true };
}

function startOf(head: Root): bigint {
  return head.tx === 0n ? 1n : head.tx;
}
