// Calls of which one side is streamed, in chunks of bytes, and that end in one answer all the same: bounded where it comes in,
// paced where it goes out.
import { Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { Chunk } from '../../wire/messages.js';
import type { WireMethod } from '../../wire/schema.js';
import { plain } from '../input/pooled-bytes.js';
import type { Begin } from './wire.js';

/** All bytes of the chunks that answer a request, in their order. */
export function collect(
  { path, ...method }: WireMethod,
  request: object,
  maxBytes: number,
): Begin<Uint8Array> {
  return (client, metadata, options, done) => {
    const { requestSerialize: to, responseDeserialize: from } = method;
    const call = client.makeServerStreamRequest(path, to, from, request, metadata, options);
    const parts: Uint8Array[] = [];
    let length = 0;
    let tooLong: ServiceError | undefined;
    let failed = false;
    call.on('data', ({ content }: Chunk) => {
      if (!content || tooLong) return;
      length += content.length;
      parts.push(content);
      if (length <= maxBytes) return;
      tooLong = tooLarge(maxBytes);
      call.cancel();
    });
    call.on('error', (error: ServiceError) => {
      failed = true;
      done(tooLong ?? error);
    });
    // Comes after an error too.
    call.on('end', () => {
      if (!failed) done(null, plain(Buffer.concat(parts)));
    });
    return call;
  };
}

/** Sends the chunks, each when the one before it was taken. One that cannot be had ends the call before it is complete. */
export function feed({ path, ...method }: WireMethod, chunks: Iterable<Uint8Array>): Begin<Uint8Array> {
  return (client, metadata, options, done) => {
    const { requestSerialize } = method;
    const call = client.makeClientStreamRequest(path, requestSerialize, plain, metadata, options, done);
    const source = chunks[Symbol.iterator]();
    const next = () => {
      for (;;) {
        const { value: content, done: ended } = source.next() as IteratorResult<Uint8Array, undefined>;
        if (ended === true) {
          call.end();
          return;
        }
        if (!call.write({ content })) {
          call.once('drain', next);
          return;
        }
      }
    };
    next();
    return call;
  };
}

/** In the words of grpc-js for an answer in one piece that is too large. */
function tooLarge(maxBytes: number): ServiceError {
  const details = `Received message larger than max (${maxBytes} bytes)`;
  const { RESOURCE_EXHAUSTED: code } = status;
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}
