// Writes that share a transaction, top to bottom: one request for many callers → proven → every caller told. A lone verified Set of
// few entries asks for its proof at once (VerifiableSet); else the header that answers is proven when the head reaches it.
import { ServerError } from '../../../errors.js';
import { Deadline } from '../../flow/deadline.js';
import { RequestEncoder } from '../../group/request-encoder.js';
import type { WriteContent, WriteMethod } from '../../group/write-form.js';
import { requestOf } from '../../group/write-group.js';
import type { GroupRequest } from '../../group/write-group.js';
import type { Answered } from '../../group/write-groups.js';
import type { CallOptions } from '../../input/call-options.js';
import { OtherConnection } from '../../net/rpc.js';
import type { Rpc } from '../../net/rpc.js';
import { isNotDone } from '../../net/server-errors.js';
import { resultOf } from '../../results/result.js';
import type { Call } from '../../trust/call.js';
import type { ReservedTxs } from '../../trust/reserved-txs.js';
import { overThisConnection, sendWrite } from '../../trust/write.js';
import type { Sent } from '../../trust/write.js';
import { readTxHeader } from '../../../verify/wire/headers.js';
import { WireReader } from '../../../verify/wire/reader.js';
import { readSetRequest } from '../../../verify/wire/requests.js';
import { withoutTx } from './kv.js';
import type { Write } from './kv.js';
import type { PlainWriter, ProvenWriter, Writer } from './writers.js';

/** A lone Set of up to this many entries is answered with its proof; the answer holds every entry's digest. */
const MAX_ALONE = 8;

const NOTHING_LEFT: Answered = { told: Promise.resolve() };

/** What is asked of the header that answers. */
const QUESTIONS = {
  Set: 'written',
  Delete: 'deleted',
  ExecAll: 'executed',
  SetReference: 'referenced',
  ZAdd: 'added',
} as const satisfies Record<WriteMethod, string>;

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
  group: GroupRequest,
): Promise<Answered> {
  const plain = writers.filter((writer) => writer.kind === 'plain');
  const verified = writers.filter((writer) => writer.kind === 'verified');
  const [first] = verified;
  if (first) await assurePlace(first, verified);
  if (writers.every(({ settled }) => settled)) return NOTHING_LEFT;
  const deadline = longestOf(writers);
  try {
    if (!first) {
      await writePlain(room, plain, group, deadline);
      return NOTHING_LEFT;
    }
    const isAlone = writers.length === 1;
    const { answer, proven } = await writeVerified(
      room.rpc,
      first,
      group,
      deadline,
      verified.reduce((sum, { calls }) => sum + calls, 0),
      isAlone,
    );
    for (const writer of plain) tellWritten(writer, writeShown(answer));
    const told = proven.then(
      (written) => verified.forEach((writer) => writer.tell(written)),
      (error: unknown) => verified.forEach((writer) => writer.reject(error)),
    );
    return { told };
  } catch (error) {
    // Not sent: over the next connection another server may answer, which has to show first that it is none.
    if (error instanceof OtherConnection && writers.some((writer) => !writer.settled))
      return writeGroup(room, writers, group);
    if (error instanceof ServerError) throw error;
    for (const writer of writers) writer.reject(error);
    return NOTHING_LEFT;
  }
}

/** The server stands where it is trusted, and so does trust itself: nothing is sent before. */
async function assurePlace({ trust, from }: ProvenWriter, verified: readonly ProvenWriter[]): Promise<void> {
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
  { form, request }: GroupRequest,
  deadline: Deadline,
): Promise<void> {
  const end = writes.reserve(headTx(), headTx);
  let answer: Uint8Array;
  try {
    answer = await rpc.raw(form.method, request, deadline.left);
  } catch (error) {
    end(!isNotDone(error));
    throw error;
  }
  const written = writeShown(answer);
  const isOurs = written !== undefined && writes.claimPlain(written.tx);
  end(!isOurs);
  for (const writer of writers) tellWritten(writer, isOurs ? written : undefined);
}

/** Goes on when its callers give up: whatever is written to its keys next has to come after it. */
function writeVerified(
  rpc: Rpc,
  { trust, from, ownTx }: ProvenWriter,
  { form: { method }, request, count, names, endings, keys }: GroupRequest,
  deadline: Deadline,
  calls: number,
  isAlone: boolean,
): Promise<Sent> {
  const call: Call = { ...from, deadline };
  const written = { names, endings, calls, ...(keys && { keys }) };
  const options = overThisConnection(rpc, deadline);
  if (method === 'Set' && (ownTx || (isAlone && count <= MAX_ALONE))) {
    const question = { kind: 'set', entries: readSetRequest(request) } as const;
    return sendWrite(trust, call, { question, ...written }, (head) =>
      rpc.raw('VerifiableSet', verifiableSet(request, head.tx), options()),
    );
  }
  const question = { kind: QUESTIONS[method], request };
  return sendWrite(trust, call, { question, ...written }, () => rpc.raw(method, request, options()));
}

/** The Set, and the tx that it is to be proven from. */
function verifiableSet(request: Uint8Array, headTx: bigint): Uint8Array {
  const encoder = new RequestEncoder(request.length + 32);
  encoder.bytes(0x0a, request);
  if (headTx > 0n) encoder.id(0x10, headTx);
  return encoder.finish();
}

/** What the header that answers a write says of it; undefined when it shows none. */
function writeShown(answer: Uint8Array): Write | undefined {
  try {
    const { id, ts } = readTxHeader(new WireReader(answer));
    return resultOf({ tx: id, timestamp: ts });
  } catch {
    return undefined;
  }
}

/** `written`: none when the server shows none, or that of another write. */
function tellWritten({ call }: PlainWriter, written: Write | undefined): void {
  if (written) call.resolve(resultOf({ ...written }));
  else call.reject(withoutTx());
}

/** As long as the one who waits longest. */
function longestOf(writers: readonly Writer[]): Deadline {
  const endsAt = writers.reduce((latest, { deadline }) => Math.max(latest, deadline.endsAt), 0);
  return new Deadline({}, Math.max(1, Math.ceil(endsAt - performance.now())));
}

/** A write in a transaction that holds nothing else, by the server's word. */
export async function writeContent(rpc: Rpc, content: WriteContent, options: CallOptions): Promise<Write> {
  const written = writeShown(await rpc.raw(content.form.method, requestOf(content), options));
  if (!written) throw withoutTx();
  return written;
}
