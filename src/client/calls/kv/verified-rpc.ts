// The RPC that a lone verified read sends, answered with raw bytes: answers are decoded where they are proven.
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import type { VerifiableGetRequest } from '../../../wire/messages.js';

export interface VerifiedRpc {
  /** What else has to be asked. */
  readonly plain: Rpc;
  get(request: VerifiableGetRequest, options: CallOptions): Promise<Uint8Array>;
}

export function verifiedRpc(rpc: Rpc): VerifiedRpc {
  return {
    plain: rpc,
    get: (request, options) => rpc.raw('VerifiableGet', request, options),
  };
}
