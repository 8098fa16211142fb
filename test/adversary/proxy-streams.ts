// Streams on their way through the proxy: what is streamed in answer is handed to a test as one message, and cut into chunks again;
// what is streamed in asking goes on as it comes.
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';

const CHUNK_BYTES = 1 << 16;
const VALUE = 3;

interface Field {
  readonly number: number;
  /** With its tag. */
  readonly raw: Buffer;
  readonly content: Buffer;
}

/** Fields of a message, in order. Those that are no bytes have no content. */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const from = at;
    const tag = varint();
    let content: Buffer = Buffer.alloc(0);
    if ((tag & 7) === 2) {
      const length = varint();
      content = message.subarray(at, at + length);
      at += length;
    } else if ((tag & 7) === 0) varint();
    else at += (tag & 7) === 1 ? 8 : 4;
    fields.push({ number: tag >>> 3, raw: message.subarray(from, at), content });
  }
  return fields;
}

function fieldOf(number: number, content: Buffer): Buffer {
  const header = [(number << 3) | 2];
  let rest = content.length;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) header.push((rest % 0x80) | 0x80);
  return Buffer.concat([Buffer.from([...header, rest]), content]);
}

function messagesOf(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64BE(at));
    messages.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return messages;
}

/** The answer to a stream as one message: a streamVerifiableGet's as that of a VerifiableGet, others as bytes. */
export function joined(method: string, chunks: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(chunks.flatMap((chunk) => fieldsOf(chunk).map(({ content }) => content)));
  if (method !== 'streamVerifiableGet') return bytes;
  const none = Buffer.alloc(0);
  const [entry = none, verifiableTx = none, inclusionProof = none, value = none] = messagesOf(bytes);
  return Buffer.concat([
    fieldOf(1, Buffer.concat([entry, fieldOf(VALUE, value)])),
    fieldOf(2, verifiableTx),
    fieldOf(3, inclusionProof),
  ]);
}

/** Chunks in their wire form of what {@link joined} joined. */
export function cut(method: string, answer: Buffer): Buffer[] {
  const messages = method === 'streamVerifiableGet' ? verifiableParts(answer) : undefined;
  const bytes = messages ? messages.map((message) => Buffer.concat([lengthOf(message), message])) : [answer];
  const chunks: Buffer[] = [];
  for (const each of bytes)
    for (let at = 0; at < each.length; at += CHUNK_BYTES)
      chunks.push(fieldOf(1, each.subarray(at, at + CHUNK_BYTES)));
  return chunks;
}

function verifiableParts(answer: Buffer): Buffer[] {
  const none = Buffer.alloc(0);
  const parts = fieldsOf(answer);
  const part = (number: number) => parts.findLast((field) => field.number === number)?.content ?? none;
  const entry = fieldsOf(part(1));
  const shown = entry.filter(({ number }) => number !== VALUE).map(({ raw }) => raw);
  const value = entry.findLast(({ number }) => number === VALUE)?.content ?? none;
  return [Buffer.concat(shown), part(2), part(3), value];
}

function lengthOf({ length }: Buffer): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

/** As grpc-js tells an error to a client. */
export function asStatus(error: unknown): { code: status; details: string } {
  const { code = status.INTERNAL, details = String(error) } = error as Partial<ServiceError>;
  return { code, details };
}
