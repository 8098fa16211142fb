// The two RPCs that verified calls send, answered with raw bytes: answers are decoded where they are proven.
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';

export interface VerifiedRpc {
  /** What else has to be asked. */
  readonly plain: Rpc;
  get(request: object, options: CallOptions): Promise<Uint8Array>;
  /** `over`: the connection that it must be sent over, if any. */
  set(request: object, options: CallOptions, over: number | undefined): Promise<Uint8Array>;
}

export function verifiedRpc(rpc: Rpc): VerifiedRpc {
  return {
    plain: rpc,
    get: (request, options) => rpc.unaryRaw('VerifiableGet', request, { ...options, idempotent: true }),
    set: (request, options, over) =>
      rpc.unaryRaw('VerifiableSet', request, {
        ...options,
        idempotent: false,
        ...(over !== undefined && { over }),
      }),
  };
}
