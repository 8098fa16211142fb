// Transactions of a database, in order, each proven under the trusted head: the rows that their entries are, asked for in stretches.
import { ImmuError } from '../../../errors.js';
import type { VerificationError } from '../../../errors.js';
import type { Root } from '../../../verify/verifier.js';
import { equalBytes } from '../../../proof/bytes.js';
import { Deadline } from '../../flow/deadline.js';
import { inOrder } from '../../flow/in-order.js';
import { StretchPlan, halves } from './stretch-plan.js';
import type { Stretch } from './stretch-plan.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../call.js';
import type { ProofSource } from '../known/proof-source.js';
import { askDigests, askHeaderUnder } from '../trust-wire.js';

/** What following needs of the trust that it goes on under. */
export interface FollowedTrust {
  readonly root: Root;
  /** Moves the head to where the server is now. Rejects when the server stands elsewhere than where it is trusted. */
  assertStanding(operation: string): Promise<void>;
  ask<T>(call: Call, head: Root, send: () => Promise<T>): Promise<T>;
  readonly check: ProofSource['check'];
  refuse(
    operation: string,
    detail: { check: string; detail: string; tx?: bigint },
  ): Promise<VerificationError>;
}

export interface StretchesOptions {
  readonly trust: FollowedTrust;
  readonly rpc: Rpc;
  readonly operation: string;
  readonly timeoutMs: number;
  readonly maxMessageBytes: number;
  /** Stretches on their way at a time. */
  readonly lanes: number;
}

/** A stretch that was proven. */
export interface Followed extends Stretch {
  /** Alh of its last tx. */
  readonly alh: Uint8Array;
  readonly rows: Uint8Array;
}

interface Shown extends Followed {
  readonly prevAlh: Uint8Array;
  readonly bytes: number;
}

/**
 * Proves all transactions after `from` up to the trusted head, and hands their rows to `take`, in order. Returns the last root.
 *
 * @throws VerificationError where the server does not show them, recorded with the answer
 */
export async function followTo(
  options: StretchesOptions,
  from: Root,
  head: Root,
  take: (followed: Followed) => Promise<void>,
): Promise<Root> {
  const plan = new StretchPlan({ first: from.tx + 1n, last: head.tx }, options.maxMessageBytes);
  let at = from;
  await inOrder({
    lanes: options.lanes,
    next: () => plan.next(),
    work: async (stretch: Stretch) => {
      const shown = await ask(options, stretch, head);
      const bytes = shown.reduce((sum, each) => sum + each.bytes, 0);
      plan.learn(stretch, bytes);
      return shown;
    },
    commit: async (shown) => {
      for (const stretch of shown) {
        if (!equalBytes(stretch.prevAlh, at.alh)) await refuseUnlinked(options, stretch, head, at);
        await take(stretch);
        at = { tx: stretch.last, alh: stretch.alh };
      }
      return true;
    },
  });
  return at;
}

/** In parts where an answer would be too large. */
async function ask(options: StretchesOptions, stretch: Stretch, head: Root): Promise<Shown[]> {
  try {
    return [await askOnce(options, stretch, head)];
  } catch (error) {
    const isOne = stretch.first === stretch.last;
    if (isOne || !(error instanceof ImmuError) || error.code !== 'LIMIT_EXCEEDED') throw error;
    const [first, second] = halves(stretch);
    return [...(await ask(options, first, head)), ...(await ask(options, second, head))];
  }
}

async function askOnce(
  { trust, rpc, operation, timeoutMs }: StretchesOptions,
  { first, last }: Stretch,
  head: Root,
  after?: Uint8Array,
): Promise<Shown> {
  const call = callOf(operation, timeoutMs);
  const count = Number(last - first) + 1;
  const [answer, proof] = await Promise.all([
    trust.ask(call, head, () => askDigests(rpc, first, count, call.deadline.left)),
    trust.ask(call, head, () => askHeaderUnder(rpc, last, head, call.deadline.left)),
  ]);
  const question = { kind: 'stretch', first, last, proof, rows: true, ...(after && { after }) } as const;
  const proven = await trust.check(operation, question, head, answer);
  if (!proven.rows) throw new Error('a stretch of digests has rows');
  const { prevAlh, alh, rows } = proven;
  // Copies: they may be views of a message that holds much else.
  const ends = { prevAlh: new Uint8Array(prevAlh), alh: new Uint8Array(alh) };
  return { first, last, ...ends, rows, bytes: answer.length };
}

/** Both stretches hold and do not follow each other: asked for again with what it must follow, the answer shows it. */
async function refuseUnlinked(
  options: StretchesOptions,
  { first }: Stretch,
  head: Root,
  { alh }: Root,
): Promise<never> {
  await askOnce(options, { first, last: first }, head, alh);
  const detail = `tx ${first.toString()} was shown not to follow the one before it, and asked for again it does`;
  throw await options.trust.refuse(options.operation, { check: 'stretch.after', detail, tx: first });
}

export function callOf(operation: string, timeoutMs: number): Call {
  const deadline = new Deadline({}, timeoutMs);
  return { operation, startedAt: deadline.startedAt, deadline };
}
