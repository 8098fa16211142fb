// Finding the parts of an answer that lies are about, whatever call it answers.
import type {
  WireDualProof,
  WireEntry,
  WireInclusionProof,
  WireTx,
  WireTxHeader,
  WireVerifiableTx,
  WireZEntry,
} from './messages.js';

/** Fields that answers have at their top, of those that parts are found by. */
interface AnyAnswer {
  entry?: WireEntry;
  verifiableTx?: WireVerifiableTx;
  inclusionProof?: WireInclusionProof;
  txs?: WireTx[];
}

/** A copy that may be changed: nothing in it is shared with the ledger's memory. */
export function copyOf<T>(value: T): T {
  if (value instanceof Uint8Array) return Uint8Array.from(value) as T;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, copyOf(field)])) as T;
}

/** The verifiable part of an answer. */
export function verifiableIn(answer: object): WireVerifiableTx | undefined {
  if ('dualProof' in answer) return answer as WireVerifiableTx;
  const { verifiableTx } = answer as AnyAnswer;
  return verifiableTx;
}

export function dualProofIn(answer: object): WireDualProof | undefined {
  return verifiableIn(answer)?.dualProof;
}

/** Transactions shown: of a verifiable answer, of TxById, of TxScan. */
export function txsIn(method: string, answer: object): WireTx[] {
  const verifiable = verifiableIn(answer);
  if (verifiable?.tx) return [verifiable.tx];
  if (method === 'TxById') return [answer];
  return (answer as AnyAnswer).txs ?? [];
}

/** Headers shown, those of proofs included. */
export function headersIn(method: string, answer: object): WireTxHeader[] {
  const proof = dualProofIn(answer);
  const headers = [
    ...txsIn(method, answer).map((tx) => tx.header),
    proof?.sourceTxHeader,
    proof?.targetTxHeader,
  ];
  if ('prevAlh' in answer) headers.push(answer as WireTxHeader);
  return headers.filter((header) => header !== undefined);
}

/** Entries found by key. */
export function entriesIn(method: string, answer: object): WireEntry[] {
  if (method === 'Get') return [answer];
  const { entry } = answer as AnyAnswer;
  if (entry) return [entry];
  const listed = resultsIn(method, answer).map((one) => ('entry' in one ? one.entry : one));
  const resolved = txsIn(method, answer).flatMap((tx) => [
    ...(tx.kvEntries ?? []),
    ...(tx.zEntries ?? []).flatMap((member) => member.entry ?? []),
  ]);
  return [...(listed as WireEntry[]), ...resolved];
}

/** List of results of GetAll, Scan, History and ZScan. */
export function resultsIn(method: string, answer: object): (WireEntry | WireZEntry)[] {
  if (!['GetAll', 'Scan', 'History', 'ZScan'].includes(method)) return [];
  const { entries } = answer as { entries?: (WireEntry | WireZEntry)[] };
  return entries ?? [];
}

/** Proof of an entry; a dual proof has a list under the same name. */
export function inclusionProofIn(answer: object): WireInclusionProof | undefined {
  return (answer as AnyAnswer).inclusionProof;
}
