// Verified writes in a group, top to bottom: one Set for many callers → the entries root that this client computes
// itself, in the answered header → that header proven under the head → every caller told.
import { ServerError, TransportError } from '../../errors.js';
import type { Root } from '../../worker/verifier.js';
import type { Deadline } from '../deadline.js';
import type { Answered, GroupedWrite } from '../group/write-groups.js';
import type { WaitingCall } from '../group/waiting-call.js';
import type { Write } from '../kv.js';
import type { Rpc } from '../rpc.js';
import type { Call } from '../trust/call.js';
import type { DatabaseTrust } from '../trust/database-trust.js';
import { readTxHeader } from '../../worker/wire/headers.js';
import { WireReader } from '../../worker/wire/reader.js';
import { readSetRequest } from '../../worker/wire/requests.js';
import { verifiedRpc } from './verified-rpc.js';
import { unproven, verifiedSet } from './verified-set.js';
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

  get settled(): boolean {
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

/**
 * Writes a group in one transaction; resolves when the server has answered. Plain writers are told its word; verified ones
 * when the transaction is proven and its root durable: then `told` resolves.
 *
 * @throws ServerError when nothing was written
 */
export async function writeGroup(
  rpc: Rpc,
  writers: readonly Writer[],
  request: Uint8Array,
  names: Iterable<string>,
): Promise<Answered> {
  const verified = writers.filter((writer) => writer.kind === 'verified');
  const [first] = verified;
  if (first && writers.length === 1 && first.entryCount <= MAX_ALONE) {
    await writeAlone(rpc, first, request);
    return NOTHING_LEFT;
  }
  const head = first?.trust.root;
  const end = head ? beginWrite(first.trust, head) : () => undefined;
  let answer: Uint8Array;
  try {
    answer = await rpc.unaryEncoded('Set', request, { ...timeLeft(writers), idempotent: false });
  } catch (error) {
    end();
    if (error instanceof ServerError) throw error;
    for (const writer of writers) writer.reject(error);
    return NOTHING_LEFT;
  }
  for (const writer of writers) if (writer.kind === 'plain') tellWritten(writer, answer);
  if (!head) return NOTHING_LEFT;
  const told = proveWritten(verified, head, request, answer, names)
    .catch(unproven)
    .catch((error: unknown) => {
      for (const writer of verified) writer.reject(error);
    })
    .finally(end);
  return { told };
}

/** Until the write ends no other one may have its tx. */
function beginWrite(trust: DatabaseTrust, head: Root): () => void {
  const write = trust.writes.begin(head.tx);
  return () => trust.writes.end(write, trust.headTx);
}

async function writeAlone(
  rpc: Rpc,
  { trust, call, from }: VerifiedWriter,
  request: Uint8Array,
): Promise<void> {
  call.resolve(await verifiedSet(verifiedRpc(rpc), trust, from, readSetRequest(request)));
}

async function proveWritten(
  writers: readonly VerifiedWriter[],
  head: Root,
  request: Uint8Array,
  answer: Uint8Array,
  names: Iterable<string>,
): Promise<void> {
  const { trust, from } = writers[0] as VerifiedWriter;
  const { operation, startedAt } = from;
  const question = { kind: 'written', request } as const;
  const { subject, tree } = await trust.check(operation, question, head, answer);
  const { tx, alh, ts } = subject;
  const job = trust.job(question, head, answer);
  await trust.settle({ target: { ...subject, tree }, job, operation, startedAt, calls: writers.length });
  // Only now: a tx that was named and never proven is still to be had by an honest write.
  if (!trust.writes.claim(tx)) {
    throw await trust.refuse(operation, {
      check: 'set.tx-shared',
      detail: `the write was answered with tx ${tx.toString()}, which is that of another write`,
      tx,
    });
  }
  // One result for all of them: callers share the transaction.
  const written = Object.freeze({ tx, alh: new Uint8Array(alh), timestamp: ts, root: trust.root });
  for (const name of names) trust.seen.note(name, tx);
  for (const { call } of writers) call.resolve(written);
}

function tellWritten({ call }: PlainWriter, answer: Uint8Array): void {
  try {
    const { id, ts } = readTxHeader(new WireReader(answer));
    call.resolve({ tx: id, timestamp: ts });
  } catch (cause) {
    const message =
      'the server answered the write without a transaction: read the keys back with verifiedGet';
    call.reject(new TransportError('OUTCOME_UNKNOWN', message, { cause }));
  }
}

/** As long as the one who waits longest. */
function timeLeft(writers: readonly Writer[]): { timeoutMs: number } {
  const endsAt = writers.reduce((latest, { deadline }) => Math.max(latest, deadline.endsAt), 0);
  return { timeoutMs: Math.max(1, Math.ceil(endsAt - performance.now())) };
}
