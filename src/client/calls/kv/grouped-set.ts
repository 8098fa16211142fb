// Verified writes in a group, top to bottom: one Set for many callers → the entries root that this client computes
// itself, in the answered header → that header proven under the head → every caller told.
import { ServerError } from '../../../errors.js';
import type { Root } from '../../../verify/verifier.js';
import type { Deadline } from '../../flow/deadline.js';
import type { Answered, GroupedWrite } from '../../group/write-groups.js';
import type { WaitingCall } from '../../flow/waiting-call.js';
import { withoutTx } from './kv.js';
import type { Write } from './kv.js';
import { OtherConnection } from '../../net/rpc.js';
import type { Rpc } from '../../net/rpc.js';
import { isNotDone } from '../../net/server-errors.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { ReservedTxs } from '../../trust/reserved-txs.js';
import { readTxHeader } from '../../../verify/wire/headers.js';
import { WireReader } from '../../../verify/wire/reader.js';
import { readSetRequest } from '../../../verify/wire/requests.js';
import { verifiedRpc } from './verified-rpc.js';
import { refuseShared, unproven, verifiedSet } from './verified-set.js';
import type { VerifiedWrite } from './verified-set.js';

/** A lone write of up to this many entries is answered with its proof; the answer holds every entry's digest. */
const MAX_ALONE = 8;

/** One caller of verifiedSet or verifiedSetAll. */
export class VerifiedWriter implements GroupedWrite {
  readonly kind = 'verified';

  constructor(
    readonly trust: DatabaseTrust,
    readonly call: WaitingCall<VerifiedWrite>,
    readonly entryCount: number,
    readonly from: Call,
  ) {}

  get deadline(): Deadline {
    return this.call.deadline;
  }

  /** A write that waits is told when trust is forgotten, or the server refused: it has not been sent, and is not any more. */
  get settled(): boolean {
    const held = this.call.settled ? undefined : this.trust.heldBack(this.from);
    if (held) this.call.reject(held);
    return this.call.settled;
  }

  reject(error: unknown): void {
    this.call.reject(error);
  }
}

/** One caller of set, on a client that groups plain writes too. */
export class PlainWriter implements GroupedWrite {
  readonly kind = 'plain';

  constructor(
    readonly call: WaitingCall<Write>,
    readonly entryCount: number,
  ) {}

  get deadline(): Deadline {
    return this.call.deadline;
  }

  get settled(): boolean {
    return this.call.settled;
  }

  reject(error: unknown): void {
    this.call.reject(error);
  }
}

const NOTHING_LEFT: Answered = { told: Promise.resolve() };

export type Writer = VerifiedWriter | PlainWriter;

/** Where a group is sent, and where it notes the tx that it gets. */
export interface WriteRoom {
  readonly rpc: Rpc;
  readonly writes: ReservedTxs;
  /** Tx of the trusted head; 0 before there is one. */
  readonly headTx: () => bigint;
}

/**
 * Writes a group in one transaction; resolves when the server has answered. Plain writers are told its word; verified ones
 * when the transaction is proven and its root durable: then `told` resolves.
 *
 * @throws ServerError when nothing was written, for certain
 * @throws VerificationError, StoreError when nothing was sent
 */
export async function writeGroup(
  room: WriteRoom,
  writers: readonly Writer[],
  request: Uint8Array,
  names: Iterable<string>,
): Promise<Answered> {
  const verified = writers.filter((writer) => writer.kind === 'verified');
  const [first] = verified;
  if (first) await assurePlace(first, verified);
  if (writers.every(({ settled }) => settled)) return NOTHING_LEFT;
  if (first && writers.length === 1 && first.entryCount <= MAX_ALONE) {
    await writeAlone(room.rpc, first, request);
    return NOTHING_LEFT;
  }
  const over = first && room.rpc.connects;
  const head = first?.trust.root;
  const end = beginWrite(first ? { ...room, writes: first.trust.writes } : room, head);
  let answer: Uint8Array;
  try {
    const call = { ...timeLeft(writers), ...(over !== undefined && { over }) };
    answer = await room.rpc.raw('Set', request, call);
  } catch (error) {
    end(!isNotDone(error));
    // Not sent: over the next connection another server may answer, which has to show first that it is none.
    if (error instanceof OtherConnection && writers.some((writer) => !writer.settled))
      return writeGroup(room, writers, request, names);
    if (error instanceof ServerError) throw error;
    for (const writer of writers) writer.reject(error);
    return NOTHING_LEFT;
  }
  if (!head) {
    const tx = shownTx(answer);
    const isOurs = tx !== undefined && room.writes.claimPlain(tx.id);
    end(!isOurs);
    for (const writer of writers) if (writer.kind === 'plain') tellWritten(writer, isOurs ? tx : undefined);
    return NOTHING_LEFT;
  }
  for (const writer of writers) if (writer.kind === 'plain') tellWritten(writer, shownTx(answer));
  const told = proveWritten(verified, head, request, answer, names)
    .then(() => end(false))
    .catch((error: unknown) => {
      end(true);
      return unproven(error);
    })
    .catch((error: unknown) => {
      for (const writer of verified) writer.reject(error);
    });
  return { told };
}

/** The server stands where it is trusted, and so does trust itself: nothing is sent before. */
async function assurePlace(
  { trust, from }: VerifiedWriter,
  verified: readonly VerifiedWriter[],
): Promise<void> {
  await trust.assureWrites(from.operation);
  for (const writer of verified) {
    const held = trust.heldBack(writer.from);
    if (held) throw held;
  }
}

/** Until the write ends no other one may have its tx. What is returned is told whether it may be done as a tx not known. */
function beginWrite({ writes, headTx }: WriteRoom, head: Root | undefined): (mayBeDone: boolean) => void {
  const write = writes.begin(head ? head.tx : headTx());
  return (mayBeDone) => {
    if (mayBeDone) writes.doubt();
    writes.end(write, headTx());
  };
}

/** Goes on when its caller gives up: whatever is written to its key next has to come after it. */
async function writeAlone(
  rpc: Rpc,
  { trust, call, from }: VerifiedWriter,
  request: Uint8Array,
): Promise<void> {
  const alone = { ...from, deadline: from.deadline.withoutSignal };
  call.resolve(await verifiedSet(verifiedRpc(rpc), trust, alone, readSetRequest(request)));
}

async function proveWritten(
  writers: readonly VerifiedWriter[],
  head: Root,
  request: Uint8Array,
  answer: Uint8Array,
  names: Iterable<string>,
): Promise<void> {
  const { trust, from } = writers[0] as VerifiedWriter;
  const { known } = trust;
  const { operation, startedAt } = from;
  const question = { kind: 'written', request } as const;
  const { subject, tree } = await trust.check(operation, question, head, answer);
  const { tx, alh, ts } = subject;
  const job = trust.job(question, head, answer);
  const target = { ...subject, tree };
  await trust.settle(from, { target, job, operation, startedAt, calls: writers.length });
  // Only now: a tx that was named and never proven is still to be had by an honest write.
  if (!trust.writes.claim(tx)) throw await refuseShared(trust, operation, tx, job);
  // One result for all of them: callers share the transaction.
  const written = Object.freeze({ tx, alh: new Uint8Array(alh), timestamp: ts, root: trust.root });
  for (const name of names) known.seen.note(name, tx);
  for (const { call } of writers) call.resolve(written);
}

/** Header of the answer to a Set; undefined when it shows none. */
function shownTx(answer: Uint8Array): { readonly id: bigint; readonly ts: bigint } | undefined {
  try {
    return readTxHeader(new WireReader(answer));
  } catch {
    return undefined;
  }
}

/** `header`: none when the server shows none, or that of another write. */
function tellWritten({ call }: PlainWriter, header: ReturnType<typeof shownTx>): void {
  if (header) call.resolve({ tx: header.id, timestamp: header.ts });
  else call.reject(withoutTx());
}

/** As long as the one who waits longest. */
function timeLeft(writers: readonly Writer[]): { timeoutMs: number } {
  const endsAt = writers.reduce((latest, { deadline }) => Math.max(latest, deadline.endsAt), 0);
  return { timeoutMs: Math.max(1, Math.ceil(endsAt - performance.now())) };
}
