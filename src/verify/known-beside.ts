// Answers that hold by themselves and were refused for what this client knew beside them: a newer version, another write's
// transaction, what the entry behind a reference really holds. What they prove is in the evidence; what was known is the log's word.
import { toHex } from '../proof/bytes.js';
import { ProofFailure } from '../proof/failure.js';
import type { KVMetadata } from '../proof/types.js';
import type { ReportedCheck } from './check-names.js';
import { txOfVersion } from './claims/version.js';
import type { Job, Proven, Refuted } from './verifier.js';
import { readShownEntry } from './wire/answers.js';

interface Failed {
  readonly check: string;
  readonly expected?: string;
  readonly computed?: string;
}

/** Bytes of a value that stand in a refusal. */
export const SHOWN_VALUE_BYTES = 64;

/** Check of an entry that reads of a key cannot lead to. */
export const OUTSIDE_INDEX = 'get.non-indexable' satisfies ReportedCheck;

/** The refusal of a plain answer, when the entry that it showed is one for which it was refused. */
export function shownOutsideIndex({ check }: Failed, { question }: Job): Refuted | null {
  if (check !== OUTSIDE_INDEX || question.kind !== 'claim') return null;
  try {
    const { metadata, referencedBy } = readShownEntry(question.shown).entry;
    const isOutside = metadata?.nonIndexable === true || referencedBy?.metadata?.nonIndexable === true;
    return isOutside ? { check, detail: 'the entry shown is not indexed' } : null;
  } catch (error) {
    if (error instanceof ProofFailure) return null;
    throw error;
  }
}

/** The refusal, when the answer proves what it was refused for; null when it does not. */
export function knownBeside({ check, expected, computed }: Failed, proven: Proven): Refuted | null {
  switch (check as ReportedCheck) {
    case 'get.stale': {
      if (expected === undefined || computed === undefined || !/^\d{1,20}$/.test(expected)) return null;
      const isOlder = txsIn(proven).some((tx) => tx.toString() === computed && tx < BigInt(expected));
      return isOlder
        ? { check, detail: `the answer proves the version of tx ${computed}`, expected, computed }
        : null;
    }
    case 'history.stale': {
      if (proven.kind !== 'history' || expected === undefined || !/^\d{1,20}$/.test(expected)) return null;
      const txs = proven.versions.map(txOfVersion);
      const newest = txs.reduce((newer, tx) => (tx > newer ? tx : newer), 0n);
      if (newest >= BigInt(expected)) return null;
      return { check, detail: 'the answer shows no version as new', expected, computed: newest.toString() };
    }
    case 'history.time': {
      if (proven.kind !== 'gone' || computed === undefined) return null;
      const shown = proven.expiresAt === undefined ? proven.how : proven.expiresAt.toString();
      if (shown !== expected || shown === computed) return null;
      return { check, detail: 'the entry has another time in its transaction', expected, computed };
    }
    case OUTSIDE_INDEX: {
      if (proven.kind !== 'get' && proven.kind !== 'streamed') return null;
      const shown = metadataIn(proven);
      const isOutside = shown.some((metadata) => metadata?.nonIndexable === true);
      return isOutside ? { check, detail: 'the answer is an entry that is not indexed' } : null;
    }
    case 'set.tx-shared': {
      const isShown = txsIn(proven).some((tx) => tx.toString() === computed);
      if (!isShown || computed === undefined) return null;
      return { check, detail: `the answer proves the write to be tx ${computed}`, computed };
    }
    case 'get.reference-value': {
      if (proven.kind !== 'get' || proven.found.kind !== 'value' || computed === undefined) return null;
      const value = toHex(proven.found.entry.value.subarray(0, SHOWN_VALUE_BYTES));
      if (value !== expected || value === computed) return null;
      return { check, detail: 'the entry that the reference leads to has another value', expected, computed };
    }
    default:
      return null;
  }
}

/** Of the entries that an answer proves, or leads to. */
function metadataIn(proven: Extract<Proven, { kind: 'get' | 'streamed' }>): (KVMetadata | undefined)[] {
  if (proven.kind === 'streamed') return [proven.found.metadata];
  const { found } = proven;
  return found.kind === 'value' ? [found.entry.metadata] : [found.metadata, found.claimed.metadata];
}

/** Txs of the entries that an answer proves, or leads to. */
function txsIn(proven: Proven): bigint[] {
  if (!('subject' in proven)) return [];
  const { subject } = proven;
  if (proven.kind === 'streamed' && proven.found.kind === 'reference')
    return [subject.tx, proven.found.claimedTx];
  const behind = proven.kind === 'get' && proven.found.kind === 'reference' ? [proven.found.claimed.tx] : [];
  return [subject.tx, ...behind];
}
