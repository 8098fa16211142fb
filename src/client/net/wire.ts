// One connection to the server, as grpc-js makes it: whether it stands, when it was lost, what was heard over it.
import { Client, connectivityState } from '@grpc/grpc-js';
import type {
  CallOptions as GrpcCallOptions,
  ChannelOptions as GrpcOptions,
  Metadata,
  ServiceError,
} from '@grpc/grpc-js';
import type { TransportError } from '../../errors.js';
import { channelCredentials, nameOverride } from './channel-credentials.js';
import type { Address } from '../options/address.js';
import type { ResolvedOptions } from '../options/options.js';
import type { HttpProxy } from './proxy.js';
import { Silence } from './silence.js';

/**
 * A connection that carries calls is pinged this often, to find out that its other end is gone. Go servers drop
 * clients that ping more often than every five minutes.
 */
const PING_MS = 310_000;
const PING_TIMEOUT_MS = 20_000;

/** Makes connections to the same server, one after the other. Throws ArgumentError when the TLS options cannot be used. */
export function wiring(
  address: Address,
  { tls, maxMessageBytes }: Pick<ResolvedOptions, 'tls' | 'maxMessageBytes'>,
  proxy: HttpProxy | undefined,
): () => Client {
  const credentials = channelCredentials(tls, address.host);
  // The scheme is spelled out, or a host named like one (`unix`, `dns`) would be taken for it.
  const server = `dns:${address.text}`;
  const options: GrpcOptions = {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.keepalive_time_ms': PING_MS,
    'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
    // One client, one connection: a shared one would let a neighbour's close end our calls.
    'grpc.use_local_subchannel_pool': 1,
    // Which proxy, if any, was decided already.
    'grpc.enable_http_proxy': 0,
    ...(proxy && {
      'grpc.http_connect_target': server,
      'grpc.default_authority': address.text,
      ...(proxy.credentials && { 'grpc.http_connect_creds': proxy.credentials }),
    }),
    ...nameOverride(tls, address.host),
  };
  return () => new Client(proxy ? `dns:${proxy.text}` : server, credentials, options);
}

/** A call under way. */
export interface Cancellable {
  cancel(): void;
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
}

/** Begins a call that ends in one answer, whether that comes in one piece or streamed. */
export type Begin<Answer> = (
  client: Client,
  metadata: Metadata,
  options: GrpcCallOptions,
  done: (error: ServiceError | null, answer?: Answer) => void,
) => Cancellable;

export class Wire {
  readonly client: Client;
  /** Where it goes. */
  readonly address: string;
  readonly silence = new Silence();
  /** Calls under way that may go over another connection instead. */
  readonly reads = new Map<Cancellable, (error: TransportError) => void>();
  readonly #onLost: () => void;
  #watched = false;
  #closed = false;
  #stop: (() => void) | undefined;

  /** `onLost` is told when a connection that stood does so no more. */
  constructor(client: Client, address: string, onLost: () => void) {
    this.client = client;
    this.address = address;
    this.#onLost = onLost;
  }

  get ready(): boolean {
    return !this.#closed && this.client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** For a connection that stands. */
  watch(): void {
    if (this.#watched || !this.ready) return;
    this.#watched = true;
    this.client.getChannel().watchConnectivityState(connectivityState.READY, Infinity, () => {
      this.#watched = false;
      if (!this.#closed) this.#onLost();
    });
  }

  /** Waits until there is a connection or a reason why there is none; rejects with `late()` after `timeoutMs`. */
  settled(timeoutMs: number, late: () => Error): Promise<void> {
    const channel = this.client.getChannel();
    const until = Date.now() + timeoutMs;
    return new Promise((resolve, reject) => {
      this.#stop = resolve;
      const look = () => {
        if (this.#closed) {
          resolve();
          return;
        }
        const state = channel.getConnectivityState(true);
        // A failed connection is not waited for: the call itself says why, at once.
        if (state !== connectivityState.IDLE && state !== connectivityState.CONNECTING) {
          resolve();
          return;
        }
        channel.watchConnectivityState(state, until, (passed) => {
          if (!passed || this.#closed) look();
          else reject(late());
        });
      };
      look();
    });
  }

  /** Nobody waits for a connection any more. */
  stop(): void {
    this.#stop?.();
  }

  /** Ends the reads on it with `why`; writes are left to their deadlines, for they may still be answered. */
  abandon(why: () => TransportError): void {
    for (const [call, end] of [...this.reads]) {
      end(why());
      call.cancel();
    }
    this.close();
  }

  /** Calls under way end by themselves. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stop();
    this.client.close();
  }
}
