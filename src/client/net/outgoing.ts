// A stream on its way to the server: sent no faster than it is taken, and taken back when it ends before it is complete.
//
// A server takes a stream that is cancelled, or whose deadline has passed, for one that has ended: it commits what has come,
// a value cut short too (docs/protocol.md §25). So no deadline of ours is told to the server, and who gives up sends a message that
// is none: the server then refuses the whole of it, in words that are on the list of not-done.ts.
import type { ClientWritableStream, ServiceError } from '@grpc/grpc-js';
import { ImmuError, TransportError } from '../../errors.js';
import type { UpMethod } from '../../wire/methods.js';
import { wireMethod } from '../../wire/schema.js';
import { status } from '../../wire/status.js';
import { plain } from '../input/pooled-bytes.js';
import { saysNotDone } from './not-done.js';
import { asNotDone, asTakenBack, ownStatus } from './server-errors.js';
import type { Begin } from './wire.js';

/** No message of any kind: it begins with a field whose number does not end. */
const NO_MESSAGE = Buffer.from([0xff, 0xff, 0xff]);
/** So long the server is waited for to refuse what is taken back, in milliseconds. */
const TAKE_BACK_MS = 3000;

/** What a stream is written to. Its methods reject when the stream is over, whatever ended it: who writes then stops. */
export interface Body {
  /** Sends a message in its wire form, which is not changed any more, when there is room for it. */
  send(message: Buffer): Promise<void>;
  /** Waits for what is sent next, no longer than the stream lasts. */
  race<T>(work: Promise<T>): Promise<T>;
}

/** Writes a stream. Resolves when it is complete; what it rejects with takes the stream back. */
export type WriteBody = (body: Body) => Promise<void>;

type Reason = 'given-up' | 'late' | 'failed';

const OVER = new Error('the stream is over');

export class Outgoing implements Body {
  readonly #method: UpMethod;
  readonly #write: WriteBody;
  #call: ClientWritableStream<Buffer> | undefined;
  #timers: NodeJS.Timeout[] = [];
  /** The stream is complete, and the answer is waited for. */
  #complete = false;
  #takenBack: Reason | undefined;
  #certain = false;
  #failed: { readonly error: unknown } | undefined;
  #isOver = false;
  readonly #over: Promise<never>;
  #end: () => void = () => undefined;

  constructor(method: UpMethod, write: WriteBody) {
    this.#method = method;
    this.#write = write;
    this.#over = new Promise((_, reject) => (this.#end = () => reject(OVER)));
    this.#over.catch(() => undefined);
  }

  /** Sends the stream, and gives the answer. */
  async finished(send: (begin: Begin<Uint8Array>) => Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      return await send(this.#begin);
    } catch (error) {
      if (this.#takenBack !== 'failed' || !this.#failed) throw error;
      throw this.#certain ? asNotDone(this.#failed.error) : uncertain(this.#method, this.#failed.error);
    }
  }

  readonly #begin: Begin<Uint8Array> = (client, metadata, { deadline }, done) => {
    const { path } = wireMethod(this.#method);
    const call = client.makeClientStreamRequest<Buffer, Uint8Array>(
      path,
      asIs,
      plain,
      metadata,
      {},
      (error, answer) => {
        this.#stop();
        const end = this.#ending(error);
        if (end) done(end);
        else done(null, answer);
      },
    );
    this.#call = call;
    this.#after(Math.max(1, Number(deadline) - Date.now()), () => this.#takeBack('late'));
    void this.#run(call);
    return {
      cancel: () => this.#takeBack('given-up'),
      on: (event, listener) => call.on(event, listener),
    };
  };

  async #run(call: ClientWritableStream<Buffer>): Promise<void> {
    try {
      await this.#write(this);
    } catch (error) {
      if (error === OVER) return;
      this.#failed = { error };
      this.#takeBack('failed');
      return;
    }
    if (this.#isOver || this.#takenBack) return;
    this.#complete = true;
    call.end();
  }

  async send(message: Buffer): Promise<void> {
    if (this.#isOver || this.#takenBack || !this.#call) throw OVER;
    const call = this.#call;
    if (!call.write(message)) await this.race(new Promise((resolve) => call.once('drain', resolve)));
  }

  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#over]);
  }

  /** Nothing more is sent; the server is made to refuse what was. Too late where the stream is complete. */
  #takeBack(reason: Reason): void {
    if (this.#isOver || this.#takenBack || !this.#call) return;
    this.#takenBack = reason;
    this.#end();
    const call = this.#call;
    if (this.#complete) {
      call.cancel();
      return;
    }
    call.write(NO_MESSAGE);
    this.#after(TAKE_BACK_MS, () => call.cancel());
  }

  #stop(): void {
    this.#isOver = true;
    this.#end();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #after(ms: number, work: () => void): void {
    this.#timers.push(setTimeout(work, ms));
  }

  /** What the call ended with, as the caller has to see it; null for an answer to all of it. */
  #ending(error: ServiceError | null): ServiceError | null {
    const reason = this.#takenBack;
    if (reason === undefined) {
      if (error || this.#complete) return error;
      return ownStatus(status.UNAVAILABLE, 'the server answered before it had all of it');
    }
    if (error === null) return ownStatus(status.UNAVAILABLE, 'taken back, and answered all the same');
    this.#certain = saysNotDone(this.#method, error.code, error.details);
    const code = reason === 'late' ? status.DEADLINE_EXCEEDED : status.CANCELLED;
    const ended = ownStatus(code, 'the stream ended before it was complete');
    return this.#certain ? asTakenBack(ended) : ended;
  }
}

function asIs(message: Buffer): Buffer {
  return message;
}

/** What went wrong on our side may have come too late. */
function uncertain(method: string, cause: unknown): TransportError {
  const why = cause instanceof ImmuError ? cause.message : 'its source failed';
  return new TransportError(
    'OUTCOME_UNKNOWN',
    `${method} ended before it was complete (${why}), and the server did not say that it wrote nothing: read the keys back`,
    { cause },
  );
}
