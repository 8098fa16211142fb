// A verified write, top to bottom: a tx is reserved → sent once → what was sent is proven, in a tx that no other write has.
import { ImmuError, TransportError, VerificationError } from '../../errors.js';
import type { PortableProof } from '../../verify/portable/format.js';
import type { Question, Root } from '../../verify/verifier.js';
import type { Deadline } from '../flow/deadline.js';
import { OtherConnection } from '../net/rpc.js';
import type { Rpc, RpcOptions } from '../net/rpc.js';
import { isNotDone } from '../net/server-errors.js';
import { resultOf } from '../results/result.js';
import type { Call } from './call.js';
import type { DatabaseTrust } from './database-trust.js';
import type { End, NotedKeys } from './known/newest-versions.js';

/** A write that is proven to be in the one trusted history. */
export interface VerifiedWrite {
  /** Transaction that holds exactly the entries sent. */
  readonly tx: bigint;
  readonly alh: Uint8Array;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  /** Trusted head under which it was proven. */
  readonly root: Root;
  /** With `includeProof`: what anyone can check it by. */
  readonly proof?: PortableProof;
}

export interface Writing {
  /** What the answer has to prove: exactly what is sent, in a tx newer than the head. */
  readonly question: Extract<Question, { kind: 'set' } | { request: Uint8Array }>;
  /** Keys that it writes, by their `keyName`: the tx is a floor for reads of them. */
  readonly names: Iterable<string>;
  /** How it ends some of these keys; of `unread` ones the tx is no floor: reads do not lead to what it wrote of them. */
  readonly endings?: ReadonlyMap<string, End | 'unread'>;
  /** Instead of `names`, where they are many and all stand for values that stay. */
  readonly keys?: () => NotedKeys;
  /** How many calls share it. */
  readonly calls: number;
}

/** The server has answered, and has most likely written. */
export interface Sent {
  readonly answer: Uint8Array;
  /**
   * Resolves when the write is proven and its root durable. Rejects with VerificationError where it is not proven, else with
   * OUTCOME_UNKNOWN.
   */
  readonly proven: Promise<VerifiedWrite>;
}

/**
 * A write of its own, proven: the server is found to stand where it is trusted, then it is sent, once. Order with other writes
 * that are in flight is not kept.
 *
 * @throws VerificationError when the server does not stand there, or the answer does not prove the write
 * @throws TransportError OUTCOME_UNKNOWN when it may have been written, but that could not be proven
 */
export async function writeAlone(
  rpc: Rpc,
  trust: DatabaseTrust,
  call: Call,
  writing: Writing,
  send: (options: RpcOptions, head: Root) => Promise<Uint8Array>,
): Promise<VerifiedWrite> {
  for (;;) {
    try {
      await trust.ready(call, true);
      const options = overThisConnection(rpc, call.deadline);
      return await (
        await sendWrite(trust, call, writing, (head) => send(options(), head))
      ).proven;
    } catch (error) {
      // Not sent: over the next connection another server may answer, which has to show first that it is none.
      if (!(error instanceof OtherConnection)) throw error;
    }
  }
}

/** Options for what is sent over the connection of now, and over no other. */
export function overThisConnection({ connects: over }: Rpc, deadline: Deadline): () => RpcOptions {
  return () => (over === undefined ? deadline.left : { ...deadline.left, over });
}

/**
 * Sends a write, once. Requires that the server was just found to stand where it is trusted, and that `send` sends over the
 * connection over which it was.
 *
 * @throws ServerError, TransportError as they come where it was not answered: `isNotDone` tells whether it was not done
 */
export async function sendWrite(
  trust: DatabaseTrust,
  call: Call,
  writing: Writing,
  send: (head: Root) => Promise<Uint8Array>,
): Promise<Sent> {
  const head = await trust.head(call);
  const end = trust.writes.reserve(head.tx, () => trust.headTx);
  try {
    const answer = await trust.ask(call, head, () => send(head));
    const proven = prove(trust, call, writing, head, answer);
    proven.then(
      () => end(false),
      () => end(true),
    );
    return { answer, proven: proven.catch(unproven) };
  } catch (error) {
    end(!isNotDone(error));
    throw error;
  }
}

async function prove(
  trust: DatabaseTrust,
  call: Call,
  { question, names, endings, keys, calls }: Writing,
  head: Root,
  answer: Uint8Array,
): Promise<VerifiedWrite> {
  const { known } = trust;
  const { subject } = await trust.prove(call, question, head, answer, calls);
  const { tx, alh, ts } = subject;
  // Only now: a tx that was named and never proven is still to be had by an honest write.
  if (!trust.writes.claim(tx)) {
    const detail = `the write was answered with tx ${tx.toString()}, which is that of another write`;
    const refuted = { check: 'set.tx-shared', detail, computed: tx.toString(), tx };
    throw await trust.refuse(call.operation, refuted, trust.job(question, head, answer));
  }
  if (keys) known.seen.noteAll(keys(), tx);
  else
    for (const name of names) {
      const end = endings?.get(name);
      if (end !== 'unread') known.seen.note(name, tx, end);
    }
  return Object.freeze(resultOf({ tx, alh: new Uint8Array(alh), timestamp: ts, root: trust.root }));
}

/** The server has answered, so it has most likely written: a failure on our side must not look like "not done". */
function unproven(error: unknown): never {
  if (error instanceof VerificationError) throw error;
  const why = error instanceof ImmuError ? `${error.code}: ${error.message}` : 'unexpected failure';
  throw new TransportError(
    'OUTCOME_UNKNOWN',
    `the server answered the write, but it could not be proven (${why}); read the keys back with verifiedGet`,
    { cause: error },
  );
}
