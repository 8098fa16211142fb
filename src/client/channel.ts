// The gRPC channel to one address: every call has a deadline, can be aborted, and ends when the channel is closed.
import { Client, connectivityState } from '@grpc/grpc-js';
import type { ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import { ClosedError, TransportError } from '../errors.js';
import { methodDefinition } from '../wire-schema.js';
import { Chain } from './chain.js';
import { channelCredentials, nameOverride } from './channel-credentials.js';
import { Deadline } from './deadline.js';
import { InFlightGate } from './in-flight-gate.js';
import type { ResolvedOptions } from './options.js';
import { plain } from './pooled-bytes.js';
import type { RpcOptions } from './rpc.js';
import { toImmuError } from './server-errors.js';

const IDENTITY_HEADER = 'immudb-uuid';

/**
 * A connection that carries calls is pinged this often, to find out that its other end is gone. Go servers drop
 * clients that ping more often than every five minutes.
 */
const PING_MS = 310_000;
const PING_TIMEOUT_MS = 20_000;

export interface ChannelCall extends RpcOptions {
  readonly timeoutMs: number;
  readonly metadata: Metadata;
  /** Logging out while the channel closes: allowed when nothing else is any more. */
  readonly farewell?: boolean;
}

export type ChannelOptions = Pick<
  ResolvedOptions,
  'address' | 'tls' | 'maxMessageBytes' | 'connectTimeoutMs' | 'maxInFlight'
>;

export class Channel {
  readonly address: string;
  readonly #client: Client;
  readonly #connectTimeoutMs: number;
  readonly #onIdentity: (server: string) => void;
  readonly #calls = new Chain<ClientUnaryCall>();
  readonly #naps = new Map<() => void, NodeJS.Timeout>();
  readonly #gate: InFlightGate;
  #connecting: Promise<void> | undefined;
  #stopConnecting: (() => void) | undefined;
  #connects = 0;
  #closing = false;
  #closed = false;

  /**
   * `onIdentity` is told the server's identity with every answer; what it throws is the outcome of that call.
   * Connects at the first call. Throws ArgumentError when the TLS options cannot be used.
   */
  constructor(options: ChannelOptions, onIdentity: (server: string) => void) {
    const { address, tls, maxMessageBytes } = options;
    this.address = address.text;
    this.#connectTimeoutMs = options.connectTimeoutMs;
    this.#onIdentity = onIdentity;
    this.#gate = new InFlightGate(options.maxInFlight, 'the client');
    // The scheme is spelled out, or a host named like one (`unix`, `dns`) would be taken for it.
    this.#client = new Client(`dns:${address.text}`, channelCredentials(tls, address.host), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.keepalive_time_ms': PING_MS,
      'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
      // One client, one connection: a shared one would let a neighbour's close end our calls.
      'grpc.use_local_subchannel_pool': 1,
      ...nameOverride(tls, address.host),
    });
  }

  /** Changes when a new connection had to be made: what the server kept for the old one may be gone. */
  get connects(): number {
    return this.#isReady ? this.#connects : this.#connects + 1;
  }

  unary(method: string, request: object, call: ChannelCall): Promise<object> {
    const definition = methodDefinition(call.service ?? 'immudb.schema.ImmuService', method);
    const { path, requestSerialize, responseDeserialize } = definition;
    return this.#call(
      { path, serialize: requestSerialize, deserialize: responseDeserialize },
      method,
      request,
      call,
    );
  }

  /** The answer's bytes as they came; a view that nobody else holds. */
  unaryRaw(method: string, request: object, call: ChannelCall): Promise<Uint8Array> {
    const { path, requestSerialize } = methodDefinition(call.service ?? 'immudb.schema.ImmuService', method);
    return this.#call({ path, serialize: requestSerialize, deserialize: plain }, method, request, call);
  }

  /** {@link unaryRaw} for a request that is in its wire form already. */
  unaryEncoded(method: string, request: Uint8Array, call: ChannelCall): Promise<Uint8Array> {
    const { path } = methodDefinition(call.service ?? 'immudb.schema.ImmuService', method);
    return this.#call({ path, serialize: encoded, deserialize: plain }, method, request, call);
  }

  async #call<Answer>(
    wire: Wire<Answer>,
    method: string,
    request: object,
    options: ChannelCall,
  ): Promise<Answer> {
    const deadline = new Deadline(options, options.timeoutMs);
    if (options.signal?.aborted) throw aborted(method, options.signal);
    this.#assertOpen(options);
    if (options.farewell) {
      // Not worth a connection of its own.
      if (!this.#isReady) throw new ClosedError(`the connection to ${this.address}`);
      return this.#send(wire, method, request, options, deadline);
    }
    await this.#gate.enter(deadline, `${method} to be sent, after too many calls in flight`);
    try {
      this.#assertOpen(options);
      if (!this.#isReady) await this.#connect(method, deadline);
      this.#assertOpen(options);
      return await this.#send(wire, method, request, options, deadline);
    } finally {
      this.#gate.leave();
    }
  }

  #send<Answer>(
    { path, serialize, deserialize }: Wire<Answer>,
    method: string,
    request: object,
    options: ChannelCall,
    deadline: Deadline,
  ): Promise<Answer> {
    const { signal, timeoutMs, idempotent, metadata, farewell } = options;
    const known = { method, address: this.address, idempotent, timeoutMs, ...(signal && { signal }) };
    return new Promise<Answer>((resolve, reject) => {
      let objection: Error | undefined;
      const call = this.#client.makeUnaryRequest(
        path,
        serialize,
        deserialize,
        request,
        metadata,
        { deadline: Date.now() + (deadline.left.timeoutMs ?? timeoutMs) },
        (error, answer) => {
          this.#calls.delete(link);
          signal?.removeEventListener('abort', onAbort);
          if (objection !== undefined) reject(objection);
          else if (!error) resolve(answer as Answer);
          else if (this.#closing && !farewell) reject(new ClosedError('the client'));
          else reject(toImmuError(error, known));
        },
      );
      const onAbort = () => call.cancel();
      signal?.addEventListener('abort', onAbort, { once: true });
      const link = this.#calls.add(call);
      call.on('metadata', (answered: Metadata) => {
        const server = answered.get(IDENTITY_HEADER)[0];
        try {
          if (typeof server === 'string') this.#onIdentity(server);
        } catch (error) {
          objection = error instanceof Error ? error : new Error(String(error));
          call.cancel();
        }
      });
    });
  }

  get #isReady(): boolean {
    return !this.#closed && this.#client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** Waits until there is a connection or a reason why there is none: nothing was sent when this rejects. */
  #connect(method: string, deadline: Deadline): Promise<void> {
    this.#connecting ??= this.#settled()
      .then(() => {
        this.#connects += 1;
      })
      .finally(() => (this.#connecting = undefined));
    return deadline.race(this.#connecting, `a connection to ${this.address} (${method})`);
  }

  #settled(): Promise<void> {
    const channel = this.#client.getChannel();
    const until = Date.now() + this.#connectTimeoutMs;
    return new Promise((resolve, reject) => {
      this.#stopConnecting = resolve;
      const look = () => {
        const state = channel.getConnectivityState(!this.#closed);
        // A failed connection is not waited for: the call itself says why, at once.
        if (state !== connectivityState.IDLE && state !== connectivityState.CONNECTING) {
          resolve();
          return;
        }
        channel.watchConnectivityState(state, until, (late) => {
          if (!late || this.#closed) look();
          else reject(noConnection(this.address, this.#connectTimeoutMs));
        });
      };
      look();
    });
  }

  /** Waits `ms`, or less when the channel is closed meanwhile. */
  nap(ms: number): Promise<void> {
    if (this.#closing) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(this.#naps.get(wake));
        this.#naps.delete(wake);
        resolve();
      };
      this.#naps.set(wake, setTimeout(wake, ms));
    });
  }

  #assertOpen({ farewell }: ChannelCall): void {
    if (this.#closed || (this.#closing && !farewell)) throw new ClosedError('the client');
  }

  /** Ends calls under way, and those waiting, with ClosedError; only farewells get through now. Idempotent. */
  end(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#gate.close();
    this.#stopConnecting?.();
    for (const wake of [...this.#naps.keys()]) wake();
    for (const call of this.#calls) call.cancel();
  }

  /** {@link end}, and lets the connection go. Idempotent. */
  close(): void {
    this.end();
    if (this.#closed) return;
    this.#closed = true;
    this.#client.close();
  }
}

interface Wire<Answer> {
  readonly path: string;
  readonly serialize: (request: object) => Buffer;
  readonly deserialize: (bytes: Buffer) => Answer;
}

function encoded(request: object): Buffer {
  const { buffer, byteOffset, length } = request as Uint8Array;
  return Buffer.from(buffer, byteOffset, length);
}

function aborted(method: string, signal: AbortSignal): TransportError {
  return new TransportError('ABORTED', `${method} was aborted before it was sent`, { cause: signal.reason });
}

function noConnection(address: string, afterMs: number): TransportError {
  return new TransportError(
    'UNAVAILABLE',
    `no connection to ${address} within ${afterMs} ms; nothing was sent`,
  );
}
