// A stream of answers on its way in: taken one by one, no faster than they are asked for, and ended by who takes them.
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { WireMethod } from '../../wire/schema.js';
import { status } from '../../wire/status.js';
import { ownStatus } from './server-errors.js';
import type { Begin } from './wire.js';

/**
 * Longest message of a stream, in bytes. Servers cut theirs into 64 KiB; some are fetched ahead, and what those may hold is
 * bounded by this.
 */
export const MAX_PIECE_BYTES = 1 << 22;

/** What a consumer works with: the session's half of it is in session.ts. */
export interface Messages<Message> {
  /** The next message; undefined at the end. Throws what the stream ended with. One call at a time. */
  next(): Promise<Message | undefined>;
  /** Nothing more comes from the server, or nothing more is wanted. What has come can still be taken. Never rejects. */
  readonly over: Promise<void>;
}

type Send<Message> = (begin: Begin<undefined>) => Promise<Message>;

export class Incoming<Message> implements Messages<Message> {
  readonly over: Promise<void>;
  readonly #begin: Begin<undefined>;
  #call: ClientReadableStream<Message> | undefined;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;
  #settle: () => void = () => undefined;
  #first: () => void = () => undefined;

  /** `maxBytes`: of a message. */
  constructor(
    { path, requestSerialize, responseDeserialize }: WireMethod,
    request: object,
    maxBytes = MAX_PIECE_BYTES,
  ) {
    const deserialize = (bytes: Buffer): Message => {
      if (bytes.length > maxBytes) throw new RangeError(`a piece of ${bytes.length} bytes`);
      return responseDeserialize(bytes) as Message;
    };
    this.over = new Promise((resolve) => (this.#settle = resolve));
    this.#begin = (client, metadata, options, done) => {
      const { deadline, ...rest } = options;
      const args = [path, requestSerialize, deserialize, request, metadata, rest] as const;
      const call = client.makeServerStreamRequest(...args);
      this.#call = call;
      let failure: ServiceError | null = null;
      call.on('readable', () => {
        if (call.readableLength > 0) this.#first();
        this.#wake();
      });
      call.on('error', (error: ServiceError) => (failure = error));
      // Kept here: a server that keeps it too may end the stream a moment earlier, and does not say why.
      let isLate = false;
      const late = setTimeout(
        () => {
          isLate = true;
          call.cancel();
        },
        Math.max(1, Number(deadline) - Date.now()),
      );
      call.on('status', ({ code }) => {
        clearTimeout(late);
        if (code === status.OK) done(null);
        else done(isLate ? ownStatus(status.DEADLINE_EXCEEDED, 'time is up') : failure);
      });
      return call;
    };
  }

  /** Resolves with the first message, or the end; rejects when the stream ends with an error before. */
  opened(send: Send<undefined>): Promise<this> {
    return new Promise((resolve, reject) => {
      this.#first = () => resolve(this);
      const end = (failure?: { error: unknown }) => {
        this.#failure ??= failure;
        this.#isOver = true;
        this.#settle();
        this.#wake();
      };
      send(this.#begin).then(
        () => {
          end();
          resolve(this);
        },
        (error: unknown) => {
          end({ error });
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as it came
          reject(error);
        },
      );
    });
  }

  async next(): Promise<Message | undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      const message = this.#call?.read() as Message | null | undefined;
      if (message !== null && message !== undefined) return message;
      if (this.#isOver) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Ends the stream, unless it is over: what has come of one that is can still be taken. */
  cancel(): void {
    if (!this.#isOver) this.#call?.cancel();
  }
}
