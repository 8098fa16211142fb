// Writes that share a transaction, top to bottom: one Set for many callers → proven → every caller told. A lone verified write of
// few entries asks for its proof at once (VerifiableSet); else the header that answers is proven when the head reaches it.
import { ServerError } from '../../../errors.js';
import { Deadline } from '../../flow/deadline.js';
import type { WaitingCall } from '../../flow/waiting-call.js';
import type { Answered, GroupedWrite } from '../../group/write-groups.js';
import { OtherConnection } from '../../net/rpc.js';
import type { Rpc } from '../../net/rpc.js';
import { isNotDone } from '../../net/server-errors.js';
import { resultOf } from '../../results/result.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { ReservedTxs } from '../../trust/reserved-txs.js';
import { sendWrite } from '../../trust/write.js';
import type { Sent, VerifiedWrite } from '../../trust/write.js';
import { readTxHeader } from '../../../verify/wire/headers.js';
import { WireReader } from '../../../verify/wire/reader.js';
import { readSetRequest } from '../../../verify/wire/requests.js';
import { withoutTx } from './kv.js';
import type { Write } from './kv.js';

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
    /** In a transaction that holds nothing else: asked for with its proof, however many entries it has. */
    readonly ownTx = false,
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
  const plain = writers.filter((writer) => writer.kind === 'plain');
  const verified = writers.filter((writer) => writer.kind === 'verified');
  const [first] = verified;
  if (first) await assurePlace(first, verified);
  if (writers.every(({ settled }) => settled)) return NOTHING_LEFT;
  const deadline = longestOf(writers);
  try {
    if (!first) {
      await writePlain(room, plain, request, deadline);
      return NOTHING_LEFT;
    }
    const { answer, proven } = await writeVerified(room.rpc, first, {
      ...{ request, names, deadline, calls: verified.length },
      alone: writers.length === 1,
    });
    for (const writer of plain) tellWritten(writer, shownTx(answer));
    const told = proven.then(
      (written) => verified.forEach(({ call }) => call.resolve(written)),
      (error: unknown) => verified.forEach((writer) => writer.reject(error)),
    );
    return { told };
  } catch (error) {
    // Not sent: over the next connection another server may answer, which has to show first that it is none.
    if (error instanceof OtherConnection && writers.some((writer) => !writer.settled))
      return writeGroup(room, writers, request, names);
    if (error instanceof ServerError) throw error;
    for (const writer of writers) writer.reject(error);
    return NOTHING_LEFT;
  }
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

/** By the server's word: its tx is no other write's. */
async function writePlain(
  { rpc, writes, headTx }: WriteRoom,
  writers: readonly PlainWriter[],
  request: Uint8Array,
  deadline: Deadline,
): Promise<void> {
  const end = writes.reserve(headTx(), headTx);
  let answer: Uint8Array;
  try {
    answer = await rpc.raw('Set', request, deadline.left);
  } catch (error) {
    end(!isNotDone(error));
    throw error;
  }
  const tx = shownTx(answer);
  const isOurs = tx !== undefined && writes.claimPlain(tx.id);
  end(!isOurs);
  for (const writer of writers) tellWritten(writer, isOurs ? tx : undefined);
}

interface Group {
  readonly request: Uint8Array;
  readonly names: Iterable<string>;
  readonly deadline: Deadline;
  /** Verified writes in it. */
  readonly calls: number;
  /** It holds one write only. */
  readonly alone: boolean;
}

/** Goes on when its callers give up: whatever is written to its keys next has to come after it. */
function writeVerified(
  rpc: Rpc,
  { trust, from, ownTx, entryCount }: VerifiedWriter,
  { request, names, deadline, calls, alone }: Group,
): Promise<Sent> {
  const call: Call = { ...from, deadline };
  const over = rpc.connects;
  const options = () => (over === undefined ? deadline.left : { ...deadline.left, over });
  if (!ownTx && !(alone && entryCount <= MAX_ALONE)) {
    const question = { kind: 'written', request } as const;
    return sendWrite(trust, call, { question, names, calls }, () => rpc.raw('Set', request, options()));
  }
  const entries = readSetRequest(request);
  return sendWrite(trust, call, { question: { kind: 'set', entries }, names, calls }, (head) =>
    rpc.raw('VerifiableSet', { setRequest: { KVs: entries }, proveSinceTx: head.tx.toString() }, options()),
  );
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
  if (header) call.resolve(resultOf({ tx: header.id, timestamp: header.ts }));
  else call.reject(withoutTx());
}

/** As long as the one who waits longest. */
function longestOf(writers: readonly Writer[]): Deadline {
  const endsAt = writers.reduce((latest, { deadline }) => Math.max(latest, deadline.endsAt), 0);
  return new Deadline({}, Math.max(1, Math.ceil(endsAt - performance.now())));
}
