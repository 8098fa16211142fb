// How the rooms of the client ask the server something, without knowing channels or sessions.
import type { ServiceName } from '../wire-schema.js';
import type { CallOptions } from './options.js';

export interface RpcOptions extends CallOptions {
  /** May be sent again whatever it ended with. Writes are sent again only where they are certain not to have been done. */
  readonly idempotent: boolean;
  /** @default 'immudb.schema.ImmuService' */
  readonly service?: ServiceName;
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
