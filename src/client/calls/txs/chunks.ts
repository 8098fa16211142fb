// One message in chunks: what is streamed in answer put together, bounded, and bytes streamed to the server.
import { ServerError } from '../../../errors.js';
import { status } from '../../../wire/status.js';
import type { DownMethod, UpMethod } from '../../../wire/methods.js';
import type { Chunk, Methods } from '../../../wire/messages.js';
import { wireMethod } from '../../../wire/schema.js';
import type { CallOptions } from '../../input/call-options.js';
import type { StreamRpc } from '../../net/rpc.js';

/** immudb's own. */
const CHUNK_BYTES = 1 << 16;

/** The streams of chunks. */
type ChunksDown = { [M in DownMethod]: Methods[M]['answer'] extends Chunk ? M : never }[DownMethod];

/** All that is streamed in answer. Throws LIMIT_EXCEEDED where that is more than `maxBytes`. */
export function collected<M extends ChunksDown>(
  rpc: StreamRpc,
  method: M,
  request: Methods[M]['request'],
  maxBytes: number,
  options: CallOptions,
): Promise<Uint8Array> {
  return rpc.down(method, request, options, async (chunks) => {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (let chunk = await chunks.next(); chunk; chunk = await chunks.next()) {
      const { content } = chunk;
      if (!content) continue;
      length += content.length;
      if (length > maxBytes) throw tooLong(method, maxBytes);
      parts.push(content);
    }
    return new Uint8Array(Buffer.concat(parts, length));
  });
}

/** Streams these bytes, and resolves with the answer as it came. */
export function sent(
  rpc: StreamRpc,
  method: UpMethod,
  bytes: Uint8Array,
  options: CallOptions,
): Promise<Uint8Array> {
  const { requestSerialize } = wireMethod(method);
  return rpc.up(method, options, async (body) => {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
      await body.send(requestSerialize({ content: bytes.subarray(at, at + CHUNK_BYTES) }));
  });
}

function tooLong(method: string, maxBytes: number): ServerError {
  const message = `${method}: the answer is larger than ${maxBytes} bytes`;
  return new ServerError('LIMIT_EXCEEDED', message, { code: status.RESOURCE_EXHAUSTED, message });
}
