// The gRPC channel to one address: every call has a deadline, can be aborted, and ends when the channel is closed.
import { Client, credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import { ClosedError, TransportError } from '../errors.js';
import { methodDefinition } from '../wire-schema.js';
import type { ResolvedOptions, TlsOptions } from './options.js';
import type { RpcOptions } from './rpc.js';
import { toImmuError } from './server-errors.js';

const IDENTITY_HEADER = 'immudb-uuid';

export interface ChannelCall extends RpcOptions {
  readonly timeoutMs: number;
  readonly metadata: Metadata;
}

export type ChannelOptions = Pick<ResolvedOptions, 'address' | 'tls' | 'maxMessageBytes'>;

export class Channel {
  readonly address: string;
  readonly #client: Client;
  readonly #onIdentity: (server: string) => void;
  readonly #calls = new Set<ClientUnaryCall>();
  #closed = false;

  /** `onIdentity` is told the server's identity with every answer; what it throws is the outcome of that call. */
  constructor(options: ChannelOptions, onIdentity: (server: string) => void) {
    const { address, tls, maxMessageBytes } = options;
    this.address = address.text;
    this.#onIdentity = onIdentity;
    this.#client = new Client(address.text, channelCredentials(tls), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      // One client, one connection: a shared one would let a neighbour's close end our calls.
      'grpc.use_local_subchannel_pool': 1,
      ...(tls?.serverName !== undefined && {
        'grpc.ssl_target_name_override': tls.serverName,
        'grpc.default_authority': tls.serverName,
      }),
    });
  }

  unary(method: string, request: object, call: ChannelCall): Promise<object> {
    const definition = methodDefinition(call.service ?? 'immudb.schema.ImmuService', method);
    return this.#call(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      method,
      request,
      call,
    );
  }

  unaryRaw(method: string, request: object, call: ChannelCall): Promise<Uint8Array> {
    const definition = methodDefinition(call.service ?? 'immudb.schema.ImmuService', method);
    return this.#call(definition.path, definition.requestSerialize, asIs, method, request, call);
  }

  #call<Answer>(
    path: string,
    serialize: (request: object) => Buffer,
    deserialize: (bytes: Buffer) => Answer,
    method: string,
    request: object,
    options: ChannelCall,
  ): Promise<Answer> {
    if (this.#closed) return Promise.reject(new ClosedError('the client'));
    const { signal, timeoutMs, idempotent, metadata } = options;
    const known = { method, address: this.address, idempotent, timeoutMs, ...(signal && { signal }) };
    if (signal?.aborted) {
      return Promise.reject(
        new TransportError('ABORTED', `${method} was aborted before it was sent`, { cause: signal.reason }),
      );
    }
    return new Promise<Answer>((resolve, reject) => {
      let objection: unknown;
      const call = this.#client.makeUnaryRequest(
        path,
        serialize,
        deserialize,
        request,
        metadata,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          this.#calls.delete(call);
          signal?.removeEventListener('abort', onAbort);
          if (objection !== undefined) reject(objection as Error);
          else if (error) reject(this.#closed ? new ClosedError('the client') : toImmuError(error, known));
          else resolve(answer as Answer);
        },
      );
      const onAbort = () => call.cancel();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#calls.add(call);
      call.on('metadata', (answered: Metadata) => {
        const server = answered.get(IDENTITY_HEADER)[0];
        try {
          if (typeof server === 'string') this.#onIdentity(server);
        } catch (error) {
          objection = error;
          call.cancel();
        }
      });
    });
  }

  /** Ends every call under way with ClosedError. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }
}

function asIs(bytes: Buffer): Uint8Array {
  return bytes;
}

function channelCredentials(tls: TlsOptions | undefined): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const { ca, key, cert } = tls;
  return credentials.createSsl(pem(ca), pem(key), pem(cert));
}

function pem(value: string | Uint8Array | undefined): Buffer | null {
  return value === undefined ? null : Buffer.from(value as Uint8Array);
}
