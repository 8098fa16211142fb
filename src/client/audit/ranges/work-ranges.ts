// A worker of an audit: takes ranges from a queue, audits them, and hands in their reports, until none is left.
import { setTimeout as delay } from 'node:timers/promises';
import { ArgumentError, ImmuError, StoreError, VerificationError } from '../../../errors.js';
import type { SigningKey } from '../../../store/audit-log.js';
import { checkOptions } from '../../input/call-options.js';
import { text, whole } from '../../input/option-checks.js';
import type { ClientAudit } from '../client-audit.js';
import type { AuditOptions } from '../options.js';
import type { RangeProgress } from '../report.js';
import type { AuditQueue, AuditTask, RangeLease } from './queue.js';
import { publicKeyOf } from './report-key.js';

export interface WorkOptions extends Pick<AuditOptions, 'signal' | 'timeoutMs' | 'inFlight'> {
  /** An Ed25519 private key: signs the reports. */
  readonly key: SigningKey;
  /** Who works, as the queue says it. @default 'worker' */
  readonly worker?: string;
  /**
   * A range is another worker's when this one was not heard of for so long; it is heard of three times as often.
   *
   * @default 30 000
   */
  readonly leaseMs?: number;
  readonly onProgress?: (progress: RangeProgress) => void;
}

export interface WorkOutcome {
  /** Ranges whose reports were taken. */
  readonly ranges: number;
  /** Ranges that somebody else had meanwhile: they are not lost, and were done twice. */
  readonly overtaken: number;
  /** Ranges that were given back, and why: a server that did not answer, say. */
  readonly givenBack: readonly string[];
}

const NAMES = ['key', 'worker', 'leaseMs', 'inFlight', 'onProgress'];
/** How often a worker looks whether there is something for it again. */
const LOOK_MS = 200;
/** What one worker says of why it could not, at most. */
const MAX_WHYS = 100;

/**
 * Works on the ranges of a queue until there is none left, each under a lease. A range that ends with an error is given back, for
 * others or another time, up to 20 times; what the audit finds is no error, but in its report.
 *
 * @param audit of a client of the database: `client.audit`, `client.database('x').audit`
 * @throws ArgumentError when the client is of another database than the audit, or its server does not have the root yet
 * @throws VerificationError FORK_DETECTED when the root of the audit is not on the trusted history here, SERVER_BEHIND_TRUST and the like
 * @throws TransportError ABORTED; StoreError when the queue cannot be used
 *
 * @example
 * await using queue = await SqliteAuditQueue.open('/tmp/audit.queue');
 * await workRanges(client.audit, queue, { key: privateKeyPem });
 */
export async function workRanges(
  audit: Pick<ClientAudit, 'range'>,
  queue: AuditQueue,
  options: WorkOptions,
): Promise<WorkOutcome> {
  checkOptions(options, NAMES);
  const { key, worker = 'worker', leaseMs = 30_000, signal } = options;
  text('worker', worker);
  whole('leaseMs', leaseMs, 100, 86_400_000);
  publicKeyOf('key', key);
  const task = await queue.task();
  const outcome = { ranges: 0, overtaken: 0, givenBack: [] as string[] };
  for (;;) {
    signal?.throwIfAborted();
    const lease = await queue.lease(worker, leaseMs);
    if (lease === 'over') return outcome;
    if (lease === 'later') {
      await delay(LOOK_MS, undefined, signal && { signal });
      continue;
    }
    const end = await workOne(audit, queue, task, lease, { ...options, leaseMs });
    if (end === 'done') outcome.ranges++;
    else if (end === 'overtaken') outcome.overtaken++;
    else if (outcome.givenBack.length < MAX_WHYS) outcome.givenBack.push(end.why);
  }
}

async function workOne(
  audit: Pick<ClientAudit, 'range'>,
  queue: AuditQueue,
  { database, under, values, maxFindings }: AuditTask,
  lease: RangeLease,
  { key, leaseMs, signal, timeoutMs, inFlight, onProgress }: WorkOptions & { readonly leaseMs: number },
): Promise<'done' | 'overtaken' | { readonly why: string }> {
  const ending = new AbortController();
  const lost = { isOvertaken: false };
  let isRenewing = false;
  const renewing = setInterval(() => {
    if (isRenewing) return;
    isRenewing = true;
    queue.renew(lease, leaseMs).then(
      (isOurs) => {
        isRenewing = false;
        lost.isOvertaken ||= !isOurs;
        if (!isOurs) ending.abort();
      },
      // The next time, or when the report is handed in.
      () => (isRenewing = false),
    );
  }, leaseMs / 3);
  const { first, last } = lease;
  try {
    const signed = await audit.range({
      ...{ first, last, under, key, values, maxFindings },
      signal: signal ? AbortSignal.any([signal, ending.signal]) : ending.signal,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(inFlight !== undefined && { inFlight }),
      ...(onProgress && { onProgress }),
    });
    const { report } = signed;
    if (report.database !== database)
      throw new ArgumentError('queue', `queue is of database ${database}, not of ${report.database}`);
    if (report.to !== report.last) return await givenBack(queue, lease, `it ended at tx ${report.to}`);
    return (await queue.finish(lease, signed)) ? 'done' : 'overtaken';
  } catch (error) {
    if (lost.isOvertaken && signal?.aborted !== true) return 'overtaken';
    if (signal?.aborted === true || isOfWorker(error)) {
      await queue.giveBack(lease).catch(() => undefined);
      throw error;
    }
    if (!(error instanceof ImmuError)) {
      await queue.giveBack(lease, 'its worker ended').catch(() => undefined);
      throw error;
    }
    return await givenBack(queue, lease, `${error.code}: ${error.message}`);
  } finally {
    clearInterval(renewing);
  }
}

/** It would be told the same of every range, and others would not: its own store, server, database or trusted history. */
function isOfWorker(error: unknown): boolean {
  if (error instanceof ArgumentError) return ['queue', 'under'].includes(error.argument);
  return error instanceof StoreError || error instanceof VerificationError;
}

async function givenBack(queue: AuditQueue, lease: RangeLease, why: string) {
  await queue.giveBack(lease, why);
  // Whatever it was, it is not over at once.
  await delay(LOOK_MS);
  return { why };
}
