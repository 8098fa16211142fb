// What comes before the value of a verified stream: three messages that prove where the entry is and what its value has to be.
import { concatAll } from '../../../proof/bytes.js';
import type { KeyRequest } from '../../../wire/messages.js';
import type { Job, ProvenTx, Question, Root } from '../../../verify/verifier.js';
import type { Rpc, StreamRpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { ProvenBy } from '../../trust/known/proof-source.js';
import { FrameFault, FrameReader } from './frames.js';

export type StreamedQuestion = Extract<Question, { kind: 'streamed' }>;

/** An entry of which all is proven but the bytes of its value. */
export interface ProvenHeader {
  readonly key: Uint8Array;
  readonly subject: ProvenTx;
  readonly found: ProvenBy<StreamedQuestion>['found'];
  /** Hash that the value has to have; absent where the entry is a reference. */
  readonly value?: Uint8Array;
  readonly question: StreamedQuestion;
  readonly head: Root;
  readonly answer: Uint8Array;
  readonly askedAt: bigint | undefined;
  readonly job: () => Job;
}

export type ProvenValue = ProvenHeader & { readonly value: Uint8Array };

/** A value that is still to come. */
export interface ComingValue {
  readonly frames: FrameReader;
  /** How many bytes, by the server's word. */
  readonly size: bigint;
  /** Nothing more comes from the server. */
  readonly over: Promise<void>;
}

interface Asking {
  readonly rpc: Rpc & StreamRpc;
  readonly trust: DatabaseTrust;
  readonly call: Call;
}

/** Longest message before the value, in bytes: the proof of a transaction with as many entries as one has. */
const MAX_HEADER_BYTES = 1 << 25;

/**
 * Asks for an entry by stream, and gives `use` what is proven of it; what is left in the stream is its value. The stream ends with
 * `use`.
 *
 * @throws VerificationError where it is not proven
 */
export async function askHeader<T>(
  { rpc, trust, call }: Asking,
  question: StreamedQuestion,
  version: Omit<KeyRequest, 'key'>,
  use: (header: ProvenHeader, rest: ComingValue) => Promise<T>,
): Promise<T> {
  const head = await trust.head(call);
  const request = { keyRequest: { key: question.key, ...version }, proveSinceTx: head.tx.toString() };
  return trust.ask(call, head, () =>
    rpc.down('streamVerifiableGet', request, call.deadline.left, async (chunks) => {
      const frames = new FrameReader(chunks);
      const { answer, size } = await readHeader(frames);
      const { askedAt } = call;
      const { subject, found } = await trust.prove(call, question, head, answer);
      const header: ProvenHeader = {
        key: question.key,
        subject,
        found,
        ...(found.kind === 'value' && { value: found.valueHash }),
        ...{ question, head, answer, askedAt },
        job: () => trust.job(question, head, answer, askedAt),
      };
      return use(header, { frames, size, over: chunks.over });
    }),
  );
}

/**
 * The three messages as the one that a VerifiableGet is answered with. What is cut off or too long is left out: what is not there is
 * refused when the answer is checked, with the rest as evidence.
 */
async function readHeader(frames: FrameReader): Promise<{ answer: Uint8Array; size: bigint }> {
  const parts: Uint8Array[] = [];
  let size = 0n;
  try {
    for (const field of [1, 2, 3]) {
      const message = await frames.whole('a proof', MAX_HEADER_BYTES);
      if (!message) break;
      parts.push(fieldHeader(field, message.length), message);
    }
    size = (await frames.length()) ?? 0n;
  } catch (error) {
    if (!(error instanceof FrameFault)) throw error;
  }
  return { answer: concatAll(parts), size };
}

/** Tag and length of a field that holds a message. */
function fieldHeader(field: number, length: number): Uint8Array {
  const bytes = [(field << 3) | 2];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return new Uint8Array(bytes);
}
