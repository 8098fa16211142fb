// Lies that change a true answer: values, entries, metadata, leaves, lengths of proofs, scanned ranges.
import {
  dualProofIn,
  entriesIn,
  headersIn,
  inclusionProofIn,
  resultsIn,
  txsIn,
} from '../wire/answer-parts.js';
import type { Call } from '../serve/core.js';
import type {
  EntriesLie,
  MetadataLie,
  ProofLengthLie,
  SubstituteLeafLie,
  SwapValueLie,
  TxScanLie,
} from './lies.js';
import { txScan } from '../kv/tx-reads.js';
import { id } from '../wire/messages.js';
import type { TxScanRequest, WireTx } from '../wire/messages.js';

/** Changes the answer in place; false when there was nothing to lie about. */
export type AnswerLie = (answer: object, call: Call) => boolean;

const SOME_DIGEST = new Uint8Array(32).fill(0x5a);

export function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes.length === 0 ? [0] : bytes);
  copy[copy.length - 1] = (copy[copy.length - 1] as number) ^ 1;
  return copy;
}

export function swapValue({ value }: SwapValueLie): AnswerLie {
  return (answer, { method }) => {
    const entries = entriesIn(method, answer);
    for (const entry of entries) entry.value = value ?? flipped(entry.value ?? new Uint8Array(0));
    const raw = txsIn(method, answer).flatMap((tx) => (tx.entries ?? []).filter((entry) => entry.value));
    for (const entry of raw) entry.value = value ?? flipped(entry.value as Uint8Array);
    return entries.length + raw.length > 0;
  };
}

export function changeEntries({ kind, index = 0, adjustCount = false }: EntriesLie): AnswerLie {
  return (answer, { method }) => {
    let done = false;
    const change = (list: object[] | undefined): void => {
      const chosen = list?.[index];
      if (!list || !chosen) return;
      if (kind === 'drop-entry') list.splice(index, 1);
      else list.push(structuredClone(chosen));
      done = true;
    };
    change(resultsIn(method, answer));
    for (const tx of txsIn(method, answer)) {
      change(tx.entries);
      change(tx.kvEntries);
      change(tx.zEntries);
      if (adjustCount && countAnew(method, answer, tx)) done = true;
    }
    return done;
  };
}

/** Whether that makes a difference. */
function countAnew(method: string, answer: object, tx: WireTx): boolean {
  const shown = tx.entries?.length ?? 0;
  const wrong = headersIn(method, answer).filter(
    ({ id, nentries }) => id === tx.header?.id && nentries !== shown,
  );
  for (const header of wrong) header.nentries = shown;
  return wrong.length > 0;
}

export function changeMetadata({ of, metadata, extra }: MetadataLie): AnswerLie {
  return (answer, { method }) => {
    if (of === 'header') {
      const headers = headersIn(method, answer);
      for (const header of headers) header.metadata = { extra: extra ?? SOME_DIGEST };
      return headers.length > 0;
    }
    const entries =
      of === 'entry'
        ? entriesIn(method, answer).map((entry) => entry.referencedBy ?? entry)
        : txsIn(method, answer).flatMap((tx) => tx.entries ?? []);
    for (const entry of entries) {
      if (metadata) entry.metadata = metadata;
      else delete entry.metadata;
    }
    return entries.length > 0;
  };
}

export function substituteLeaf({ leaf, digest = SOME_DIGEST }: SubstituteLeafLie): AnswerLie {
  return (answer, { method }) => {
    const proof = dualProofIn(answer);
    switch (leaf) {
      case 'entry-position': {
        const inclusion = inclusionProofIn(answer);
        if (!inclusion) return false;
        const width = inclusion.width ?? 0;
        inclusion.leaf = width > 1 ? ((inclusion.leaf ?? 0) + 1) % width : 1;
        return true;
      }
      case 'entry-digest': {
        const entry = txsIn(method, answer)[0]?.entries?.[0];
        if (entry) entry.hValue = digest;
        return entry !== undefined;
      }
      case 'tree':
        if (proof) proof.targetBlTxAlh = digest;
        return proof !== undefined;
      case 'chain': {
        const terms = proof?.linearProof?.terms;
        if (terms) terms[0] = digest;
        return terms !== undefined;
      }
    }
  };
}

/** The terms of a part of the proofs; an absent list is an empty one. */
function termsOf(answer: object, part: ProofLengthLie['proof']): Uint8Array[] | undefined {
  if (part === 'entry-inclusion') {
    const inclusion = inclusionProofIn(answer);
    return inclusion && (inclusion.terms ??= []);
  }
  const proof = dualProofIn(answer);
  if (!proof) return undefined;
  switch (part) {
    case 'inclusion':
      return (proof.inclusionProof ??= []);
    case 'consistency':
      return (proof.consistencyProof ??= []);
    case 'last-inclusion':
      return (proof.lastInclusionProof ??= []);
    case 'linear':
      return ((proof.linearProof ??= {}).terms ??= []);
    case 'linear-advance':
      return ((proof.LinearAdvanceProof ??= {}).linearProofTerms ??= []);
  }
}

export function changeLength({ kind, proof, at = 'end', term = SOME_DIGEST }: ProofLengthLie): AnswerLie {
  return (answer) => {
    const terms = termsOf(answer, proof);
    if (!terms || (kind === 'truncate-proof' && terms.length === 0)) return false;
    if (kind === 'extend-proof') terms.splice(at === 'start' ? 0 : terms.length, 0, term);
    else terms.splice(at === 'start' ? 0 : terms.length - 1, 1);
    return true;
  };
}

export function changeScan({ how }: TxScanLie): AnswerLie {
  return (answer, call) => {
    const list = answer as { txs?: WireTx[] };
    const txs = list.txs ?? [];
    if (call.method !== 'TxScan' || txs.length === 0) return false;
    const middle = Math.floor(txs.length / 2);
    switch (how) {
      case 'gap':
        txs.splice(middle, 1);
        return true;
      case 'repeat':
        txs.splice(middle, 0, txs[middle] as WireTx);
        return true;
      case 'reverse':
        txs.reverse();
        return txs.length > 1;
      case 'short':
        txs.pop();
        return true;
      case 'shift': {
        const request = call.request as TxScanRequest;
        const from = id(request.initialTx) + (request.desc === true ? -1n : 1n);
        if (!call.served || from < 1n || from > BigInt(call.served.last)) return false;
        list.txs = txScan(call.served, { ...request, initialTx: from.toString() }).txs;
        return true;
      }
    }
  };
}
