// Transactions as replicas are sent them: whole, in immudb's own format; by the server's word, and proven.

import type { Root } from '../../../verify/verifier.js';
import { transactionEntry } from '../../../verify/transaction-entry.js';
import { readExport } from '../../../verify/wire/exported-tx.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import type { CallOptions } from '../../input/call-options.js';
import { collected } from './chunks.js';
import type { Session } from '../../net/session.js';
import { isServerBehind, isTxNotFound } from '../../net/server-errors.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { askHeaderUnder } from '../../trust/trust-wire.js';
import { readPlain } from '../../results/plain-answer.js';
import { headerFields, notAsked } from './transaction.js';
import type { Transaction } from './transaction.js';
import { isAbsent } from './verified-tx.js';
import { resultOf } from '../../results/result.js';

/** A whole transaction: values of documents and of what has expired, which reads do not show, among its entries. */
export interface ExportedTx extends Transaction {
  /** Its values were given up by a truncation: entries have the hashes of their values only. */
  readonly valuesTruncated: boolean;
  /** The transaction as it was exported: what `replicateTx` takes. */
  readonly bytes: Uint8Array;
}

export interface VerifiedExportedTx extends ExportedTx {
  /** Trusted head under which it was proven. */
  readonly root: Root;
}

/** Keys and values of one transaction: twice what its values may have. */
export const MAX_EXPORT_BYTES = 1 << 26;
const LENGTH_BYTES = 8;

/** Null when the server says that there is none, or none yet. */
export async function exportTx(
  session: Session,
  tx: bigint,
  options: CallOptions,
): Promise<ExportedTx | null> {
  const payload = await askExport(session, tx, options);
  return payload && readPlain(() => exportedTx(payload, tx));
}

/** Each transaction as a call of its own, to the newest one. */
export async function* exportTxs(
  enter: (tx: bigint) => Promise<ExportedTx | null>,
  from: bigint,
  to: bigint,
): AsyncGenerator<ExportedTx, void, undefined> {
  for (let tx = from; tx <= to; tx++) {
    const exported = await enter(tx);
    if (!exported) return;
    yield exported;
  }
}

/** Null when the server says that there is none, and its newest state, which extends the trusted head, ends before it. */
export async function verifiedExportTx(
  session: Session,
  trust: DatabaseTrust,
  call: Call,
  tx: bigint,
): Promise<VerifiedExportedTx | null> {
  const { deadline } = call;
  await trust.ready(call);
  for (;;) {
    const head = await trust.head(call);
    const asked = askExport(session, tx, deadline.left);
    asked.catch(() => undefined);
    let proof: Uint8Array;
    try {
      proof = await trust.ask(call, head, () => askHeaderUnder(session, tx, head, deadline.left));
    } catch (error) {
      if (!isServerBehind(error)) throw error;
      if (await isAbsent(trust, call, tx, head)) return null;
      continue;
    }
    const payload = await asked;
    if (!payload) throw await trust.refuse(call.operation, withheld(tx));
    const { subject } = await trust.prove(call, { kind: 'exported', tx, proof }, head, payload);
    trust.known.headers.add(subject);
    return resultOf({ ...exportedTx(payload, tx), root: trust.root });
  }
}

function withheld(tx: bigint) {
  const detail = `the server says that it has no tx ${tx.toString()} to export, which it has proven`;
  return { check: 'trust.unproven-tx', detail, tx };
}

/** The one message that is streamed: its length, then so many bytes. Null: no such transaction. */
export async function askExport(
  session: Session,
  tx: bigint,
  options: CallOptions,
): Promise<Uint8Array | null> {
  const request = { tx: tx.toString() };
  let streamed: Uint8Array;
  try {
    streamed = await collected(session, 'exportTx', request, MAX_EXPORT_BYTES + LENGTH_BYTES, options);
  } catch (error) {
    if (isTxNotFound(error)) return null;
    throw error;
  }
  const { buffer, byteOffset, length } = streamed;
  if (length < LENGTH_BYTES) notAsked('an export that ends too early');
  const framed = new DataView(buffer, byteOffset, LENGTH_BYTES).getBigUint64(0);
  if (framed !== BigInt(length - LENGTH_BYTES)) notAsked('an export of another length than it says');
  return streamed.subarray(LENGTH_BYTES);
}

/** Throws ProofFailure for what is none. */
function exportedTx(payload: Uint8Array, tx: bigint): ExportedTx {
  const { header, entries, truncated } = readExport(payload);
  if (header.id !== tx) notAsked(`tx ${header.id.toString()} instead of ${tx.toString()}`);
  return resultOf({
    ...headerFields(header),
    entries: entries.map(({ key, metadata, hValue, value }) =>
      transactionEntry({
        rawKey: copyBytes(key),
        valueHash: copyBytes(hValue),
        ...(metadata && { metadata }),
        ...(!truncated && { rawValue: value }),
      }),
    ),
    valuesTruncated: truncated,
    bytes: payload,
  });
}
