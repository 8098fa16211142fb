// Calls in one database under one login. A lost session is opened again, once for all who need it; what may be
// repeated is repeated, writes never are.
import type { Metadata } from '@grpc/grpc-js';
import { ClosedError, ImmuError, ServerError, TransportError } from '../errors.js';
import type { Channel } from './channel.js';
import { Deadline } from './deadline.js';
import { InFlightGate } from './in-flight-gate.js';
import { giveBack, NO_TICKET, obtainToken, openSession } from './login.js';
import type { LoginKind, Ticket } from './login.js';
import { checkCallOptions } from './options.js';
import type { ResolvedCredentials } from './options.js';
import type { Rpc, RpcOptions } from './rpc.js';
import { isBusy, isNotLoggedIn, isSessionLost } from './server-errors.js';

export type { LoginKind } from './login.js';

/**
 * Pauses before a call is sent again that the server was not there for (idempotent calls only) or had no room for
 * (nothing was done, so writes too): about three seconds in all, which is more than an immudb takes to restart.
 */
const RETRY_PAUSES_MS = [50, 100, 200, 400, 800, 1600];

/** Without a heartbeat: how long a session may have been idle before a write is not risked on it any more. */
const RISKY_IDLE_MS = 60_000;

/** Answered to anybody; a login, least of all a failing one, is no condition. */
const NEEDS_NO_LOGIN = new Set(['Health', 'ServerInfo']);

export interface SessionOptions {
  readonly channel: Channel;
  readonly kind: LoginKind;
  /** Not for anonymous. */
  readonly credentials?: ResolvedCredentials;
  readonly database: string;
  readonly timeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxWritesInFlight: number;
  /** For those who hold other sessions of the same login. */
  readonly onPasswordChanged?: (user: string, password: string) => void;
}

type Send<T> = (call: RpcOptions & { timeoutMs: number; metadata: Metadata }) => Promise<T>;

export class Session implements Rpc {
  readonly database: string;
  readonly #options: SessionOptions;
  readonly #writes: InFlightGate;
  #credentials: ResolvedCredentials | undefined;
  #ticket: Ticket | undefined;
  #opening: Promise<Ticket> | undefined;
  #asking: Promise<void> | undefined;
  #wasOpen = false;
  #closed = false;
  /** When the server last took a call of this session, and over which connection. */
  #lastUsed = 0;
  #connects = 0;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#credentials = options.credentials;
    this.#writes = new InFlightGate(options.maxWritesInFlight, 'the session');
    this.database = options.database;
    if (options.kind === 'anonymous') this.#ticket = NO_TICKET;
  }

  get kind(): LoginKind {
    return this.#options.kind;
  }

  /** Logs in now, to have wrong credentials reported here. */
  async open(deadline: Deadline): Promise<void> {
    await this.#login(deadline);
    this.#startHeartbeat();
  }

  /** No longer kept alive: the server may end it. A later call opens it again. */
  rest(): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  /** For logging in again after the user's password was changed. */
  renew(credentials: ResolvedCredentials): void {
    this.#credentials = credentials;
  }

  passwordChanged(user: string, password: string): void {
    this.#options.onPasswordChanged?.(user, password);
  }

  unary(method: string, request: object, options: RpcOptions): Promise<object> {
    return this.#call(method, options, (call) => this.#options.channel.unary(method, request, call));
  }

  unaryRaw(method: string, request: object, options: RpcOptions): Promise<Uint8Array> {
    return this.#call(method, options, (call) => this.#options.channel.unaryRaw(method, request, call));
  }

  unaryEncoded(method: string, request: Uint8Array, options: RpcOptions): Promise<Uint8Array> {
    return this.#call(method, options, (call) => this.#options.channel.unaryEncoded(method, request, call));
  }

  async #call<T>(method: string, options: RpcOptions, send: Send<T>): Promise<T> {
    checkCallOptions(options);
    const deadline = new Deadline(options, this.#options.timeoutMs);
    if (options.idempotent) return this.#attempt(method, options, deadline, send);
    await this.#writes.enter(deadline, `${method} to be sent, after too many writes in flight`);
    try {
      return await this.#attempt(method, options, deadline, send);
    } finally {
      this.#writes.leave();
    }
  }

  /** Sends; and again where that is safe and may help, as long as the deadline lets it. */
  async #attempt<T>(method: string, options: RpcOptions, deadline: Deadline, send: Send<T>): Promise<T> {
    const { idempotent, service } = options;
    for (let retries = 0, reopened = false; ;) {
      const ticket = this.#ticketFor(method, idempotent) ?? (await this.#freshTicket(idempotent, deadline));
      const sentAt = performance.now();
      const { timeoutMs = this.#options.timeoutMs, signal } = deadline.left;
      const { metadata } = ticket;
      try {
        const answer = await send({
          idempotent,
          timeoutMs,
          metadata,
          ...(signal && { signal }),
          ...(service && { service }),
        });
        this.#noteUse(ticket, sentAt);
        return answer;
      } catch (error) {
        if (ticket !== NO_TICKET && this.#isLost(error)) {
          this.#drop(ticket);
          if (!idempotent) throw await this.#refusedWrite(method, deadline, error as ServerError);
          if (reopened) throw error;
          reopened = true;
          continue;
        }
        if (error instanceof ServerError) this.#noteUse(ticket, sentAt);
        const pause = RETRY_PAUSES_MS[retries];
        const again = isBusy(error) || (idempotent && this.#wasOpen && isUnavailable(error));
        if (!again || pause === undefined) throw error;
        retries += 1;
        await this.#pause(pause, deadline, error);
      }
    }
  }

  /** Waits; when the caller's time ends first, what went wrong is told rather than that time is up. */
  async #pause(ms: number, deadline: Deadline, error: unknown): Promise<void> {
    try {
      await deadline.race(this.#options.channel.nap(ms), 'the server to come back');
    } catch (end) {
      throw end instanceof TransportError && end.code === 'ABORTED' ? end : error;
    }
  }

  /** The ticket to send with, when that is at hand: reads find out by themselves that it counts no more. */
  #ticketFor(method: string, idempotent: boolean): Ticket | undefined {
    if (NEEDS_NO_LOGIN.has(method)) return NO_TICKET;
    return idempotent && !this.#closed ? this.#ticket : undefined;
  }

  /** The ticket to send with. A write whose session may have ended is not risked: the server is asked first. */
  async #freshTicket(idempotent: boolean, deadline: Deadline): Promise<Ticket> {
    const { kind, keepAliveMs, channel } = this.#options;
    const ticket = await this.#login(deadline);
    const idleMs = performance.now() - this.#lastUsed;
    const doubtful = idleMs > (keepAliveMs || RISKY_IDLE_MS) || channel.connects !== this.#connects;
    if (idempotent || kind !== 'session' || !doubtful) return ticket;
    this.#asking ??= this.#ask(ticket).finally(() => (this.#asking = undefined));
    await deadline.race(this.#asking, 'the server to say whether the session lives');
    return this.#login(deadline);
  }

  /** Drops a ticket that the server does not know. */
  async #ask(ticket: Ticket): Promise<void> {
    const { channel, timeoutMs } = this.#options;
    const askedAt = performance.now();
    try {
      await channel.unary('KeepAlive', {}, { idempotent: true, timeoutMs, metadata: ticket.metadata });
      this.#noteUse(ticket, askedAt);
    } catch (error) {
      if (!isSessionLost(error)) throw error;
      this.#drop(ticket);
    }
  }

  async #refusedWrite(method: string, deadline: Deadline, error: ServerError): Promise<ImmuError> {
    const again = await this.#login(deadline).then(
      () => 'a new session is open: call again',
      (failure: unknown) =>
        `and no new session could be opened (${failure instanceof Error ? failure.message : String(failure)})`,
    );
    const grpc = { code: error.grpcCode, message: error.serverMessage };
    return new ServerError(
      'SESSION_EXPIRED',
      `${method} was not executed, its session had ended; ${again}`,
      grpc,
      { cause: error },
    );
  }

  #login(deadline: Deadline): Promise<Ticket> {
    if (this.#closed) return Promise.reject(new ClosedError('the session'));
    if (this.#ticket) return Promise.resolve(this.#ticket);
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return deadline.race(this.#opening, `a session on ${this.database}`);
  }

  async #open(): Promise<Ticket> {
    const { channel, kind, timeoutMs } = this.#options;
    const credentials = this.#credentials;
    if (!credentials) throw new Error('an anonymous session is always open');
    const obtain = kind === 'session' ? openSession : obtainToken;
    try {
      const ticket = await obtain(channel, credentials, this.database, timeoutMs);
      this.#ticket = ticket;
      this.#noteUse(ticket, performance.now());
      if (!this.#closed) this.#startHeartbeat();
      return ticket;
    } catch (error) {
      // A login that is refused is not tried again by a timer: some servers lock users out.
      if (error instanceof ServerError) this.rest();
      throw error;
    }
  }

  #noteUse(ticket: Ticket, at: number): void {
    if (ticket !== this.#ticket) return;
    this.#wasOpen = true;
    this.#lastUsed = Math.max(this.#lastUsed, at);
    this.#connects = this.#options.channel.connects;
  }

  /** The server knows nothing of a token whose user has logged out everywhere: it then says "not logged in". */
  #isLost(error: unknown): boolean {
    return isSessionLost(error) || (this.kind === 'token' && isNotLoggedIn(error));
  }

  #drop(ticket: Ticket): void {
    if (this.#ticket === ticket) this.#ticket = undefined;
  }

  #startHeartbeat(): void {
    const { kind, keepAliveMs } = this.#options;
    if (kind !== 'session' || keepAliveMs === 0 || this.#heartbeat) return;
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#lastUsed < keepAliveMs / 2) return;
      // A lost session is found and opened again by this very call; other failures are the next caller's to see.
      this.unary('KeepAlive', {}, { idempotent: true }).catch(() => undefined);
    }, keepAliveMs);
    this.#heartbeat.unref();
  }

  /** Logs out, as far as the server can be reached; later calls are refused. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.rest();
    this.#writes.close();
    const { channel, kind } = this.#options;
    const ticket = this.#ticket ?? (await this.#opening?.catch(() => undefined));
    this.#ticket = undefined;
    if (ticket && kind !== 'anonymous') await giveBack(channel, kind, ticket);
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ImmuError && error.code === 'UNAVAILABLE';
}
