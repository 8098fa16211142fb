// The gRPC channel to one address, or to the one of several that answers: every call has a deadline, can be aborted, and ends when the
// channel is closed.
import type { Metadata } from '@grpc/grpc-js';
import { ClosedError, TransportError } from '../../errors.js';
import type { Methods } from '../../wire/messages.js';
import { REPEATABLE, TENTATIVE } from '../../wire/methods.js';
import type { DownMethod, UnaryMethod, UpMethod } from '../../wire/methods.js';
import { wireMethod } from '../../wire/schema.js';
import { status } from '../../wire/status.js';
import { LinkedList } from '../flow/linked-list.js';
import { Deadline } from '../flow/deadline.js';
import { InFlightGate } from '../flow/in-flight-gate.js';
import type { Address } from '../options/address.js';
import type { ResolvedOptions } from '../options/options.js';
import { plain } from '../input/pooled-bytes.js';
import { proxyFor } from './proxy.js';
import type { CallOptions } from '../input/call-options.js';
import { Incoming } from './incoming.js';
import { Outgoing } from './outgoing.js';
import type { WriteBody } from './outgoing.js';
import { asNotDone, toImmuError, unsent } from './server-errors.js';
import { wiring } from './wire.js';
import type { Begin, Cancellable } from './wire.js';
import { Wires } from './wires.js';
import type { Watch } from '../watch/watch.js';
import type { Target } from './wires.js';

const IDENTITY_HEADER = 'immudb-uuid';

export interface ChannelCall extends CallOptions {
  readonly timeoutMs: number;
  readonly metadata: Metadata;
  /** Logging out while the channel closes: allowed when nothing else is any more. */
  readonly farewell?: boolean;
  /** What has to be over before it may be sent to the server that is used then; undefined: nothing. Its rejection is the call's. */
  readonly guard?: () => Promise<void> | undefined;
}

export type ChannelOptions = Pick<
  ResolvedOptions,
  'addresses' | 'tls' | 'maxMessageBytes' | 'connectTimeoutMs' | 'maxInFlight'
>;

export class Channel {
  readonly #onIdentity: (server: string, address: string) => void;
  readonly #calls = new LinkedList<Cancellable>();
  /** Streams to the server that are not over. */
  readonly #uploads = new Set<Promise<unknown>>();
  readonly #naps = new Map<() => void, NodeJS.Timeout>();
  readonly #gate: InFlightGate;
  readonly #wires: Wires;
  #closing = false;
  #closed = false;

  /**
   * `onIdentity` is told the server's identity with every answer; what it throws is the outcome of that call. `onMoved` is told
   * when calls go to another address from now on. Connects at the first call. Throws ArgumentError when the TLS options cannot be used.
   */
  constructor(
    options: ChannelOptions,
    onIdentity: (server: string, address: string) => void,
    { onMoved = () => undefined, watch }: { readonly onMoved?: () => void; readonly watch?: Watch } = {},
  ) {
    const [first, ...others] = options.addresses;
    this.#onIdentity = onIdentity;
    this.#gate = new InFlightGate(options.maxInFlight, 'the client');
    this.#wires = new Wires({
      targets: [targetOf(first, options), ...others.map((address) => targetOf(address, options))],
      connectTimeoutMs: options.connectTimeoutMs,
      ...{ watch, onMoved },
    });
  }

  /** The server's address, and the proxy on the way to it: as errors name it. */
  get address(): string {
    return this.#wires.target.shown;
  }

  /** The address that calls are sent to now, as identities are bound to it. */
  get here(): string {
    return this.#wires.target.address;
  }

  /** On to the next address, unless that has happened since `connects` was read; false when there is no other. */
  moveOn(connects: number): boolean {
    return this.#wires.moveOn(connects);
  }

  /** Another number whenever the connection was lost: what the server kept for the old one may be gone. */
  get connects(): number {
    return this.#wires.losses;
  }

  unary<M extends UnaryMethod>(
    method: M,
    request: Methods[M]['request'],
    call: ChannelCall,
  ): Promise<Methods[M]['answer']> {
    const { path, requestSerialize, responseDeserialize } = wireMethod(method);
    const begin: Begin<Methods[M]['answer']> = (client, ...args) =>
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, ...args);
    return this.#call(begin, method, call);
  }

  /** The answer's bytes as they came; a view that nobody else holds. The request may be in its wire form already. */
  raw<M extends UnaryMethod>(
    method: M,
    request: Methods[M]['request'] | Uint8Array,
    call: ChannelCall,
  ): Promise<Uint8Array> {
    const { path, requestSerialize } = wireMethod(method);
    const serialize = request instanceof Uint8Array ? encoded : requestSerialize;
    const begin: Begin<Uint8Array> = (client, ...args) =>
      client.makeUnaryRequest(path, serialize, plain, request, ...args);
    return this.#call(begin, method, call);
  }

  /** The stream of answers to one request: once the first of them is here, or the end. Who gets it has to end it. */
  down<M extends DownMethod>(
    method: M,
    request: Methods[M]['request'],
    call: ChannelCall,
  ): Promise<Incoming<Methods[M]['answer']>> {
    const incoming = new Incoming<Methods[M]['answer']>(wireMethod(method), request);
    return incoming.opened((begin) => this.#call(begin, method, call));
  }

  /** The same with messages as they came, as long as any answer may be. */
  downRaw(method: DownMethod, request: object, call: ChannelCall): Promise<Incoming<Uint8Array>> {
    const incoming = new Incoming<Uint8Array>(
      { ...wireMethod(method), responseDeserialize: plain },
      request,
      Infinity,
    );
    return incoming.opened((begin) => this.#call(begin, method, call));
  }

  /**
   * Has `write` send a stream, and gives the answer as it came. What ends before it is complete, for whatever reason, is taken
   * back: the server is made to refuse it, for one that is broken off it may take for complete.
   */
  async up(method: UpMethod, write: WriteBody, call: ChannelCall): Promise<Uint8Array> {
    const outgoing = new Outgoing(method, write);
    const over = outgoing.finished((begin) => this.#call(begin, method, call));
    const settled = over.catch(() => undefined);
    this.#uploads.add(settled);
    try {
      return await over;
    } finally {
      this.#uploads.delete(settled);
    }
  }

  /** Resolves when no stream to the server is under way any more. */
  async uploadsOver(): Promise<void> {
    await Promise.all(this.#uploads);
  }

  async #call<Answer>(begin: Begin<Answer>, method: keyof Methods, options: ChannelCall): Promise<Answer> {
    const deadline = Deadline.of(options, options.timeoutMs);
    if (options.signal?.aborted) throw aborted(method, options.signal);
    this.#assertOpen(options);
    if (options.farewell) {
      // Not worth a connection of its own.
      if (!this.#wires.now.ready) throw new ClosedError(`the connection to ${this.address}`);
      return this.#send(begin, method, options, deadline);
    }
    const waitingFor = `${method} to be sent, after too many calls in flight`;
    for (;;) {
      let held: Promise<void> | undefined;
      await this.#gate.enter(deadline, waitingFor).catch(unsent);
      try {
        const wire = this.#wires.now;
        if (this.#closing || !wire.ready || wire.silence.doubtful) {
          await this.#prepare(method, options, deadline).catch(unsent);
        }
        held = options.guard?.();
        if (!held) {
          this.#wires.now.watch();
          return await this.#send(begin, method, options, deadline);
        }
      } finally {
        this.#gate.leave();
      }
      // Not in the place of one that it waits for.
      await deadline.race(held, 'the server to prove that it extends what is trusted').catch(unsent);
    }
  }

  /** A connection that can be relied on, or a reason why there is none. Nothing was sent when this rejects. */
  async #prepare(method: string, options: ChannelCall, deadline: Deadline): Promise<void> {
    this.#assertOpen(options);
    const wire = this.#wires.now;
    if (wire.ready && wire.silence.doubtful) {
      await this.#wires.probe(method, deadline);
      this.#assertOpen(options);
    }
    if (!this.#wires.now.ready) await this.#wires.connect(method, deadline);
    this.#assertOpen(options);
  }

  #send<Answer>(
    begin: Begin<Answer>,
    method: keyof Methods,
    options: ChannelCall,
    deadline: Deadline,
  ): Promise<Answer> {
    const { signal, timeoutMs, metadata, farewell } = options;
    const repeatable = REPEATABLE.has(method);
    const known = {
      ...{ method, address: this.address, timeoutMs, ...(signal && { signal }) },
      repeatable: repeatable || TENTATIVE.has(method),
    };
    const wire = this.#wires.now;
    const sentAt = performance.now();
    wire.silence.sent(sentAt);
    return new Promise<Answer>((resolve, reject) => {
      let objection: Error | undefined;
      let heard = false;
      const call = begin(
        wire.client,
        metadata,
        { deadline: Date.now() + deadline.left.timeoutMs },
        (error, answer) => {
          this.#calls.delete(link);
          wire.reads.delete(call);
          signal?.removeEventListener('abort', onAbort);
          const inVain = !heard && error !== null && isOurs(error.code);
          if (!heard && !inVain) wire.silence.heard();
          wire.silence.ended(sentAt, inVain);
          if (objection !== undefined) reject(objection);
          else if (!error) resolve(answer as Answer);
          else if (this.#closing && !farewell) reject(new ClosedError('the client'));
          else reject(toImmuError(error, known));
        },
      );
      const onAbort = () => call.cancel();
      signal?.addEventListener('abort', onAbort, { once: true });
      const link = this.#calls.add(call);
      if (repeatable) wire.reads.set(call, (error) => (objection ??= error));
      call.on('metadata', (answered: Metadata) => {
        heard = true;
        wire.silence.heard();
        const server = answered.get(IDENTITY_HEADER)[0];
        try {
          if (typeof server === 'string') this.#onIdentity(server, wire.address);
        } catch (error) {
          objection = error instanceof Error ? error : new Error(String(error));
          call.cancel();
        }
      });
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
    this.#wires.stop();
    for (const wake of [...this.#naps.keys()]) wake();
    for (const call of this.#calls) call.cancel();
  }

  /** {@link end}, and lets the connection go. Idempotent. */
  close(): void {
    this.end();
    if (this.#closed) return;
    this.#closed = true;
    this.#wires.close();
  }
}

function targetOf(address: Address, options: ChannelOptions): Target {
  const proxy = proxyFor(address, process.env);
  const by = proxy?.text === undefined ? 'no http:// URL, not used' : `through the proxy ${proxy.text}`;
  return {
    address: address.text,
    shown: proxy ? `${address.text} (${proxy.variable}: ${by})` : address.text,
    makeClient: wiring(address, options, proxy?.text === undefined ? undefined : proxy),
  };
}

function encoded(request: object): Buffer {
  const { buffer, byteOffset, length } = request as Uint8Array;
  return Buffer.from(buffer, byteOffset, length);
}

/** Statuses that this side gives a call of which nothing was heard. */
function isOurs(code: status): boolean {
  return code === status.DEADLINE_EXCEEDED || code === status.CANCELLED;
}

function aborted(method: string, signal: AbortSignal): TransportError {
  const error = new TransportError('ABORTED', `${method} was aborted before it was sent`, {
    cause: signal.reason,
  });
  return asNotDone(error);
}
