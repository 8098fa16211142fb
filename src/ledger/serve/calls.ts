// How the calls of each kind run: session and identity first, then the answer or its refusal.
import { Metadata } from '@grpc/grpc-js';
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedHandleCall,
  sendUnaryData,
} from '@grpc/grpc-js';
import { sessionIdOf } from './core.js';
import type { Call, Handler, LedgerCore } from './core.js';
import { refuse, statusOf } from '../errors.js';
import { MAX_STREAM_BYTES } from '../services/streams.js';
import type { ClientStreamHandler, ServerStreamHandler } from '../services/streams.js';
import { chunksOf } from '../wire/stream-framing.js';
import type { Turns } from './turns.js';

/** Stands between the calls and the truth. */
export interface Intermediary {
  before(call: Call): object | undefined;
  after(call: Call, answer: object): object;
  /** Identity to put on the next answer. */
  serverId(): string;
}

export interface ServedLedger extends LedgerCore {
  readonly intermediary: Intermediary;
  readonly turns: Turns;
}

/** In place of a message that cannot be read. */
export const UNREADABLE = Object.freeze({});

interface Chunk {
  readonly content?: Uint8Array;
}

/** What every call has, whatever its kind. */
interface AnyCall {
  readonly metadata: Metadata;
  sendMetadata(metadata: Metadata): void;
}

export function unary(
  method: string,
  handler: Handler,
  ledger: ServedLedger,
  opensSession: boolean,
): UntypedHandleCall {
  const serve = (wire: ServerUnaryCall<object, object>, respond: sendUnaryData<object>): void => {
    try {
      const call: Call = { method, request: wire.request, metadata: wire.metadata };
      greet(ledger, wire, call, !opensSession);
      if (
        !opensSession &&
        sessionIdOf(call) !== undefined &&
        !ledger.sessions.find(sessionIdOf(call) ?? '')
      ) {
        throw refuse.sessionNotFound();
      }
      respond(
        null,
        answered(ledger, call, () => handler(ledger, call)),
      );
    } catch (error) {
      respond(statusOf(error));
    }
  };
  return (wire: ServerUnaryCall<object, object>, respond: sendUnaryData<object>): void => {
    ledger.turns.take(() => serve(wire, respond));
  };
}

export function serverStream(
  method: string,
  handler: ServerStreamHandler,
  ledger: ServedLedger,
): UntypedHandleCall {
  return (wire: ServerWritableStream<object, Chunk>): void => {
    try {
      const call: Call = { method, request: wire.request, metadata: wire.metadata };
      greet(ledger, wire, call, true);
      const answer = answered(ledger, call, () => handler.answer(ledger, call));
      for (const message of handler.messages(answer)) {
        for (const content of chunksOf(message)) wire.write({ content });
      }
      wire.end();
    } catch (error) {
      wire.emit('error', statusOf(error));
    }
  };
}

export function clientStream(
  method: string,
  handler: ClientStreamHandler,
  ledger: ServedLedger,
): UntypedHandleCall {
  return (wire: ServerReadableStream<Chunk, object>, respond: sendUnaryData<object>): void => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    let ended = false;
    const end = (answer: () => object): void => {
      if (ended) return;
      ended = true;
      try {
        respond(null, answer());
      } catch (error) {
        respond(statusOf(error));
      }
    };
    const call: Call = { method, request: {}, metadata: wire.metadata };
    try {
      greet(ledger, wire, call, true);
    } catch (error) {
      end(() => {
        throw error;
      });
    }
    wire.on('data', (chunk: Chunk) => {
      const { content } = chunk;
      if (chunk === UNREADABLE) {
        end(() => {
          throw refuse.unreadableMessage();
        });
        return;
      }
      length += content?.length ?? 0;
      if (length <= MAX_STREAM_BYTES) chunks.push(content ?? new Uint8Array(0));
      else
        end(() => {
          throw refuse.streamTooLong();
        });
    });
    const finish = () => end(() => answered(ledger, call, () => handler(ledger, call, chunks)));
    wire.on('end', finish);
    // As immudb does, most of the time: a stream that is cancelled is taken for one that has ended.
    wire.on('cancelled', finish);
  };
}

/** A method that the ledger does not serve. */
export function outOfScope(method: string, ledger: ServedLedger): UntypedHandleCall {
  const refusal = statusOf(refuse.outOfScope(method));
  return ((wire: ServerDuplexStream<object, object>, respond?: sendUnaryData<object>): void => {
    wire.sendMetadata(identity(ledger));
    if (respond) respond(refusal);
    else wire.emit('error', refusal);
  }) as UntypedHandleCall;
}

function answered(ledger: ServedLedger, call: Call, answer: () => object): object {
  const { intermediary } = ledger;
  return intermediary.after(call, intermediary.before(call) ?? answer());
}

/** Keeps the session alive and sends our identity; an empty session id is refused before that. */
function greet(ledger: ServedLedger, wire: AnyCall, call: Call, needsSession: boolean): void {
  const id = sessionIdOf(call);
  if (needsSession && id === '') throw refuse.emptySessionId();
  wire.sendMetadata(identity(ledger));
  const session = id === undefined ? undefined : ledger.sessions.find(id);
  if (session) session.lastActivityMs = Date.now();
}

function identity(ledger: ServedLedger): Metadata {
  const metadata = new Metadata();
  metadata.set('immudb-uuid', ledger.intermediary.serverId());
  return metadata;
}
