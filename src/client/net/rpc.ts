// How the rooms of the client ask the server something, without knowing channels or sessions.
import { TransportError } from '../../errors.js';
import type { Methods } from '../../wire/messages.js';
import type { UnaryMethod } from '../../wire/methods.js';
import type { CallOptions } from '../input/call-options.js';

export interface RpcOptions extends CallOptions {
  /**
   * Only over this connection (see {@link Rpc.connects}), also when it is sent again: over another one it is not sent, and
   * rejects with {@link OtherConnection}.
   */
  readonly over?: number;
}

/** The connection that the call was to be sent over is gone: nothing was sent. */
export class OtherConnection extends TransportError {
  constructor(method: string) {
    super('UNAVAILABLE', `the connection was lost before ${method} was sent`);
  }
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
