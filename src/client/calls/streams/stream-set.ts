// Writes entries by stream in one transaction, plain and proven. What is proven is what left: values are hashed on their way.
import { ArgumentError, TransportError } from '../../../errors.js';
import { plainKey, runningValueHash } from '../../../proof/entry.js';
import { EMPTY_HASH } from '../../../proof/hash.js';
import { keyName } from '../../../verify/key-name.js';
import { uploadedRequest } from '../../../verify/writings/uploaded.js';
import type { UploadedEntry } from '../../../verify/writings/uploaded.js';
import type { TxHeader } from '../../../wire/messages.js';
import type { UpMethod } from '../../../wire/methods.js';
import { wireMethod } from '../../../wire/schema.js';
import type { Deadline } from '../../flow/deadline.js';
import type { Body } from '../../net/outgoing.js';
import type { Rpc, StreamRpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { writeAlone } from '../../trust/write.js';
import type { VerifiedWrite } from '../../trust/write.js';
import { writeOf } from '../kv/kv.js';
import type { Write } from '../kv/kv.js';
import { FrameWriter } from './frames.js';
import { partsOf, sourceFailure, toPiece } from './sources.js';
import type { OneEntry, Part, StreamEntries, WholePart } from './sources.js';

/** Writes entries by the server's word. */
export async function streamSet(
  rpc: StreamRpc,
  given: StreamEntries | OneEntry,
  deadline: Deadline,
): Promise<Write> {
  const upload = await Upload.begin(partsOf(given), deadline);
  const answer = await rpc.up('streamSet', deadline.left, (body) => upload.send(body));
  return writtenBy('streamSet', answer, upload.sent.length);
}

/** Writes entries in one transaction that holds nothing else, and proves that it holds exactly what left. */
export async function verifiedStreamSet(
  rpc: Rpc & StreamRpc,
  trust: DatabaseTrust,
  call: Call,
  given: StreamEntries | OneEntry,
): Promise<VerifiedWrite> {
  const upload = await Upload.begin(partsOf(given), call.deadline);
  return writeAlone(rpc, trust, call, upload.writing, (options) =>
    rpc.up('streamSet', options, (body) => upload.send(body)),
  );
}

/** What the header that answers a stream says of it: a transaction with all of its entries. */
export function writtenBy(method: UpMethod, answer: Uint8Array, count: number): Write {
  const header = wireMethod(method).responseDeserialize(Buffer.from(answer)) as TxHeader;
  if ((header.nentries ?? 0) !== count) {
    const message = `the server wrote ${header.nentries ?? 0} of the ${count} entries: read the keys back`;
    throw new TransportError('OUTCOME_UNKNOWN', message);
  }
  return writeOf(header);
}

type Sources = AsyncGenerator<Part | WholePart, void, undefined>;

/** Entries on their way out, and what has left. Sent once; what is wrong with them is found out on the way. */
export class Upload {
  readonly sent: UploadedEntry[] = [];
  readonly #names: string[] = [];
  readonly #parts: Sources;
  readonly #first: Part | WholePart;

  private constructor(first: Part | WholePart, parts: Sources) {
    this.#first = first;
    this.#parts = parts;
  }

  /** Waits for the first entry: before it is there, and is one, nothing is opened. */
  static async begin(parts: Sources, deadline: Deadline): Promise<Upload> {
    try {
      const first = await deadline.race(partFrom(parts), 'the first entry');
      if (!first) throw new ArgumentError('entries', 'entries must not be empty');
      return new Upload(first, parts);
    } catch (error) {
      leave(parts);
      throw error;
    }
  }

  /** What it has to have become, once all of it has left. */
  get writing() {
    const { sent } = this;
    return {
      get question() {
        return { kind: 'uploaded', request: uploadedRequest(sent) } as const;
      },
      names: this.#names,
      calls: 1,
    };
  }

  async send(body: Body): Promise<void> {
    const frames = new FrameWriter(body);
    try {
      let part: Part | WholePart | undefined = this.#first;
      for (; part; part = await body.race(partFrom(this.#parts))) {
        if ('messages' in part) await this.#sendWhole(frames, part);
        else await this.#sendPart(body, frames, part);
      }
    } finally {
      leave(this.#parts);
    }
  }

  async #sendWhole(frames: FrameWriter, { messages, rawKey }: WholePart): Promise<void> {
    for (const message of messages) await frames.whole(message);
    this.sent.push({ rawKey, size: 0n, hValue: EMPTY_HASH });
  }

  async #sendPart(body: Body, frames: FrameWriter, part: Part): Promise<void> {
    const running = runningValueHash();
    if (part.lead) await frames.whole(part.lead);
    await frames.whole(part.key);
    await frames.begin(part.size);
    let left = part.size;
    const pieces = piecesOf(part);
    try {
      for (;;) {
        const { value: piece, done } = await body.race(pieces.next());
        if (done === true) break;
        left -= piece.length;
        if (left < 0) throw wrongSize(part, 'more');
        await frames.piece(piece, (copy) => running.update(copy));
      }
    } finally {
      leave(pieces);
    }
    if (left > 0) throw wrongSize(part, 'fewer');
    await frames.end();
    this.#names.push(keyName(part.key));
    this.sent.push({
      rawKey: plainKey(part.key),
      size: BigInt(part.size),
      hValue: new Uint8Array(running.digest()),
    });
  }
}

function wrongSize({ prefix, size }: Part, than: 'more' | 'fewer'): ArgumentError {
  const what = `${prefix}size is ${size}, but ${prefix}value has ${than} bytes`;
  return new ArgumentError(`${prefix}size`, what);
}

async function partFrom(parts: Sources): Promise<Part | WholePart | undefined> {
  try {
    const { value, done } = await parts.next();
    return done === true ? undefined : value;
  } catch (error) {
    throw sourceFailure(error, 'entries');
  }
}

async function* piecesOf(part: Part): AsyncGenerator<Uint8Array, void, undefined> {
  const { pieces } = part;
  if (pieces instanceof Uint8Array || ArrayBuffer.isView(pieces)) {
    yield pieces as Uint8Array;
    return;
  }
  try {
    for await (const piece of pieces) yield toPiece(piece, part);
  } catch (error) {
    throw sourceFailure(error, `${part.prefix}value`);
  }
}

/** A source that waits for its own is not waited for. */
function leave(source: AsyncGenerator<unknown, void, undefined>): void {
  source.return().catch(() => undefined);
}
