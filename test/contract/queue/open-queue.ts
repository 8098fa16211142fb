// What a queue is held to the contract by: a way to make one, to open it again, and to write into its tables by hand.
import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { rangesOf } from '#dist/audit.js';
import type {
  AuditQueue,
  AuditTask,
  RangeLease,
  RangeReport,
  SignedRangeReport,
  TxRange,
} from '#dist/audit.js';
import { reportSigner } from '#dist/client/audit/ranges/report-key.js';
import { noCounts } from '#dist/verify/stretch-counts.js';

export type Queue = AuditQueue & AsyncDisposable;

/** Somewhere that a queue can be, where none is. */
export interface Place {
  make(task: AuditTask, ranges: readonly TxRange[]): Promise<Queue>;
  open(): Promise<Queue>;
  /** Statements on the tables, as somebody who may write to them. */
  tamper(sql: string): Promise<void>;
}

export type NewPlace = () => Promise<Place>;

const pair = generateKeyPairSync('ed25519');
export const KEY = pair.publicKey;
export const signed = reportSigner(pair.privateKey);
export const signedByOther = reportSigner(generateKeyPairSync('ed25519').privateKey);

export const TASK: AuditTask = {
  ...{
    database: 'billing',
    under: { tx: 40n, alh: new Uint8Array(32).fill(7) },
    values: true,
    maxFindings: 5,
  },
};

/** A queue of so many ranges, and others on the same tables. */
export async function queueOf(newPlace: NewPlace, count: number, task = TASK) {
  const place = await newPlace();
  const ranges = rangesOf(1n, task.under.tx, count);
  const queue = closing(await place.make(task, ranges));
  return { place, ranges, queue, another: async () => closing(await place.open()) };
}

export function closing(queue: Queue): Queue {
  onTestFinished(() => queue.close());
  return queue;
}

export async function leased(queue: AuditQueue, leaseMs = 60_000): Promise<RangeLease> {
  const lease = await queue.lease('w', leaseMs);
  if (typeof lease === 'string') throw new Error(lease);
  return lease;
}

/** Longer than this. */
export const past = (ms: number) => delay(ms + 60);

/** A report of a range in which nothing was found. */
export function reportOf({ first, last }: TxRange, more: Partial<RangeReport> = {}): RangeReport {
  const txs = Number(last - first + 1n);
  return {
    ...{ kind: 'range', version: 1, server: 's', database: TASK.database, signed: false },
    under: { tx: String(TASK.under.tx), alh: '07'.repeat(32) },
    ...{
      first: String(first),
      last: String(last),
      to: String(last),
      begin: '00'.repeat(32),
      end: '07'.repeat(32),
    },
    ...{
      withValues: TASK.values,
      maxFindings: TASK.maxFindings,
      checked: { ...noCounts(), txs },
      txsWrong: 0,
    },
    ...{ valuesGone: { values: 0, upTo: '0' }, truncatedUpTo: '0', valuesRefused: [], findings: [] },
    ...{ findingsTotal: 0, bytes: 1, startedAt: '2026-11-29T00:00:00.000Z', durationMs: 1 },
    ...more,
  };
}

/** Hands in a report of the lowest range that is free. */
export async function handIn(
  queue: AuditQueue,
  report: (range: TxRange) => SignedRangeReport = (range) => signed(reportOf(range)),
): Promise<RangeLease> {
  const lease = await leased(queue);
  if (!(await queue.finish(lease, report(lease)))) throw new Error('it was not taken');
  return lease;
}
