// How the rooms of the client ask the server something, without knowing channels or sessions.
import { TransportError } from '../../errors.js';
import type { ServiceName } from '../../wire/schema.js';
import type { CallOptions } from '../input/call-options.js';

export interface RpcOptions extends CallOptions {
  /** May be sent again whatever it ended with. Writes are sent again only where they are certain not to have been done. */
  readonly idempotent: boolean;
  /**
   * Only over this connection (see {@link Rpc.connects}), also when it is sent again: over another one it is not sent, and
   * rejects with {@link OtherConnection}.
   */
  readonly over?: number;
  /** @default 'immudb.schema.ImmuService' */
  readonly service?: ServiceName;
}

/** The connection that the call was to be sent over is gone: nothing was sent. */
export class OtherConnection extends TransportError {
  constructor(method: string) {
    super('UNAVAILABLE', `the connection was lost before ${method} was sent`);
  }
}

/** Calls in one database of one server. */
export interface Rpc {
  /** Another number whenever the connection to the server was lost: what answers next may be another one, or an older copy. */
  readonly connects?: number;
  /** Decoded answer: 64-bit fields as decimal strings, absent fields absent. */
  unary(method: string, request: object, options: RpcOptions): Promise<object>;
  /** Answer as it came, for those who decode elsewhere. */
  unaryRaw(method: string, request: object, options: RpcOptions): Promise<Uint8Array>;
  /** The same for a request that is in its wire form already. */
  unaryEncoded(method: string, request: Uint8Array, options: RpcOptions): Promise<Uint8Array>;
  /** Told when a user's password was changed: whoever logs in as that user does so with the new one from now on. */
  passwordChanged?(user: string, password: string): void;
}
