// How the rooms of the client ask the server something, without knowing channels or sessions.
import { TransportError } from '../../errors.js';
import type { Methods } from '../../wire/messages.js';
import type { DownMethod, UnaryMethod, UpMethod } from '../../wire/methods.js';
import type { CallOptions } from '../input/call-options.js';
import type { Messages } from './incoming.js';
import type { WriteBody } from './outgoing.js';

export interface RpcOptions extends CallOptions {
  /**
   * Only over this connection (see {@link Rpc.connects}), also when it is sent again: over another one it is not sent, and
   * rejects with {@link OtherConnection}.
   */
  readonly over?: number;
  /** Asked by trust itself: not held up while it is proven where the server stands. */
  readonly proving?: true;
  /** Within this transaction of SQL, which is the session's. */
  readonly transactionId?: string;
}

/** The connection that the call was to be sent over is gone: nothing was sent. */
export class OtherConnection extends TransportError {
  constructor(method: string) {
    super('UNAVAILABLE', `the connection was lost before ${method} was sent`);
  }
}

/** Calls of which one side is a stream. Its deadline is that of the whole call, however fast or slow who reads or writes is. */
export interface StreamRpc {
  /**
   * Asks, and gives `use` what is streamed in answer; the stream ends with it. Sent again like every other call as long as nothing
   * has come, and never after.
   */
  down<M extends DownMethod, T>(
    method: M,
    request: Methods[M]['request'],
    options: RpcOptions,
    use: (messages: Messages<Methods[M]['answer']>) => Promise<T>,
  ): Promise<T>;
  /** The same, of messages that are read as they are taken, and may be as long as any answer. */
  downRaw<T>(
    method: DownMethod,
    request: object,
    options: RpcOptions,
    use: (messages: Messages<Uint8Array>) => Promise<T>,
  ): Promise<T>;
  /**
   * Has `write` send a stream, once, and gives the answer as it came. Where `write` rejects, the caller gives up or the time is
   * over, the stream is taken back: nothing of it is written, or the error says that this is not certain.
   */
  up(method: UpMethod, options: RpcOptions, write: WriteBody): Promise<Uint8Array>;
}

/** Calls in one database of one server. `REPEATABLE` has those that may be sent again whatever they ended with. */
export interface Rpc {
  /** Another number whenever the connection to the server was lost: what answers next may be another one, or an older copy. */
  readonly connects?: number;
  /** Decoded answer: 64-bit fields as decimal strings, absent fields absent. */
  unary<M extends UnaryMethod>(
    method: M,
    request: Methods[M]['request'],
    options: RpcOptions,
  ): Promise<Methods[M]['answer']>;
  /** Answer as it came, for those who decode elsewhere. The request may be in its wire form already. */
  raw<M extends UnaryMethod>(
    method: M,
    request: Methods[M]['request'] | Uint8Array,
    options: RpcOptions,
  ): Promise<Uint8Array>;
  /** Told when a user's password was changed: whoever logs in as that user does so with the new one from now on. */
  passwordChanged?(user: string, password: string): void;
}
