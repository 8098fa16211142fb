// One stretch of trust in a database: from a first head until it is forgotten. What is proven, what was seen and where the
// server stands belong to it, and end with it.
import { ClosedError } from '../../errors.js';
import type { StoreError } from '../../errors.js';
import type { Context, Job, Question, Root } from '../../verify/verifier.js';
import { PATIENT_MS, askAgainIfSilent } from './head/ask-again.js';
import { establish } from './head/establish.js';
import { Follower } from './latest/follower.js';
import type { Latest } from './latest/latest.js';
import { HeadMover } from './head/head-mover.js';
import type { TrustLog } from './log/trust-log.js';
import type { Claimed } from './log/jobs.js';
import { ProvenHistory } from './known/proven-history.js';
import { newestState } from './head/newest-state.js';
import type { ProofSource, ProvenBy } from './known/proof-source.js';
import { Standing } from './head/standing.js';
import type { DatabaseTrustOptions } from './database-trust-options.js';

export interface Epoch {
  readonly mover: HeadMover;
  readonly known: ProvenHistory;
  readonly standing: Standing;
  readonly follower?: Follower;
  /** What is latest, once it is followed. */
  latest?: Latest;
}

/** What an epoch needs of the trust that it is of. */
export interface EpochOptions extends DatabaseTrustOptions {
  readonly trustLog: TrustLog;
  readonly contextFor: (head: Root | null) => Context;
  /** Sends a question that names the head; a server that does not reach it is reported. */
  readonly ask: <T>(operation: string, head: Root, send: () => Promise<T>) => Promise<T>;
  /** Checks an answer; a refusal is recorded and thrown. */
  readonly check: <Q extends Question>(
    operation: string,
    question: Q,
    head: Root,
    answer: Uint8Array,
  ) => Promise<ProvenBy<Q>>;
  readonly job: (question: Question, head: Root | null, answer: Uint8Array) => Job;
  readonly claimJob: (claimed: Claimed) => Job;
  /** Another process has forgotten this trust: ends it, and returns what callers are told. */
  readonly forgotten: (epoch: Epoch) => Promise<StoreError>;
}

/** Finds the first head and starts what works under it. */
export async function beginEpoch(options: EpochOptions): Promise<Epoch> {
  const { rpc, store, verifier, cacheBytes, keepHeaders, followMs, publicKey, trustLog, contextFor } =
    options;
  const startedFrom = performance.now();
  const { head, isFirstUse } = await establish(options, {});
  const source: ProofSource = {
    head: () => mover.head,
    ask: (operation, under, send) =>
      askAgainIfSilent(() => options.ask(operation, under, () => send(rpc)), {}, PATIENT_MS),
    check: options.check,
    job: options.job,
    fork: (operation, question, under, answer, other) =>
      trustLog.contradicted(operation, under, other, options.job(question, under, answer)),
  };
  const known: ProvenHistory = new ProvenHistory(source, {
    cacheBytes,
    ...(keepHeaders && { keep: { ...keepHeaders, store, verifier, trustLog } }),
    reach: (tx, task) =>
      mover.reach({
        ...{ tx, operation: task.operation, startedAt: task.startedAt },
        job: options.claimJob(task),
      }),
    refuse: (task, check, detail) => {
      const refuted = { check, detail, tx: task.claim.tx };
      return trustLog.refuse('failure', task.operation, mover.head, refuted, options.claimJob(task));
    },
  });
  const mover: HeadMover = new HeadMover(head, {
    ...{ rpc, verifier, trustLog, contextFor, headers: known.headers, ask: options.ask },
    signed: publicKey !== undefined,
    writesOnTheWay: () => options.writes?.onTheWay ?? 0,
    ...(options.several && { movedAt: options.several.movedAt }),
    forgotten: () => options.forgotten(epoch),
  });
  const standing = new Standing({
    prove: async (operation) => {
      if (options.several) await options.several.assertKnown();
      const state = await newestState({ rpc, trustLog, contextFor }, operation, mover.head, {});
      await mover.reach({ tx: state.tx, job: state.job, operation, startedAt: performance.now() });
    },
    connection: () => rpc.connects ?? 0,
    onRefused: (connection) => options.several?.refused(connection),
    onDoubt: () => options.writes?.forgetPlain(),
    again: (refusal, operation) => trustLog.again(refusal, operation),
  });
  if (isFirstUse) standing.note(startedFrom);
  else if (options.several) standing.doubt();
  await known.start();
  const follower = followMs > 0 ? follow(mover, known, standing, followMs) : undefined;
  const epoch: Epoch = { mover, known, standing, ...(follower && { follower }) };
  return epoch;
}

function follow(mover: HeadMover, known: ProvenHistory, standing: Standing, everyMs: number): Follower {
  const operation = 'follow';
  return new Follower({
    everyMs,
    head: () => mover.head,
    reach: async () => standing.assure(operation, performance.now()),
    prefetch: (from, to) => known.prefetch(from, to, operation),
  });
}

/** Ends what works by itself; what it counted has been written. */
export function endEpoch({ mover, known, follower, latest }: Epoch, error: StoreError): void {
  follower?.close();
  void latest?.end(error);
  known.drop();
  mover.end(error);
}

/** Ends it and keeps what is to be kept. `error`: what those who wait for the head are told; absent: they go on. */
export async function closeEpoch(
  { mover, known, follower, latest }: Epoch,
  error?: StoreError,
): Promise<void> {
  follower?.close();
  const ended = latest?.end(error ?? new ClosedError('the client'), error === undefined);
  if (error) mover.end(error);
  await known.close();
  await ended;
}
