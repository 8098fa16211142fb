// Calls in one database under one login. A lost session is opened again, once for all who need it; what may be
// repeated is repeated here and nowhere else: reads, and writes that are certain not to have been done.
import type { Metadata } from '@grpc/grpc-js';
import { ClosedError, ImmuError, ServerError, TransportError } from '../errors.js';
import type { Channel } from './channel.js';
import { whatIsClosed } from './closed-database.js';
import { Deadline } from './deadline.js';
import type { HeldSession, HeldSessions } from './held-sessions.js';
import { InFlightGate } from './in-flight-gate.js';
import { giveBack, NO_TICKET, obtainToken, openSession } from './login.js';
import type { LoginKind, Ticket } from './login.js';
import { checkCallOptions } from './options.js';
import type { ResolvedCredentials } from './options.js';
import { Retries } from './retry.js';
import type { RetryPolicy } from './retry.js';
import { OtherConnection } from './rpc.js';
import type { Rpc, RpcOptions } from './rpc.js';
import {
  asNotDone,
  isBusy,
  isDatabaseClosed,
  isNotDone,
  isNotLoggedIn,
  isSessionLost,
  unsent,
} from './server-errors.js';

export type { LoginKind } from './login.js';

/** Without a heartbeat: how long a session may have been idle before a write is not risked on it any more. */
const RISKY_IDLE_MS = 60_000;

/** Longest wait for the server's word on why it said what it said. */
const LOOK_TIMEOUT_MS = 2000;

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
  readonly retry: RetryPolicy;
  /** Told of what the server holds for this one. */
  readonly held?: HeldSessions;
  /** For those who hold other sessions of the same login. */
  readonly onPasswordChanged?: (user: string, password: string) => void;
}

type Send<T> = (call: RpcOptions & { timeoutMs: number; metadata: Metadata }) => Promise<T>;

export class Session implements Rpc, HeldSession {
  readonly database: string;
  readonly #options: SessionOptions;
  readonly #writes: InFlightGate;
  #credentials: ResolvedCredentials | undefined;
  #ticket: Ticket | undefined;
  #opening: Promise<Ticket> | undefined;
  #asking: Promise<void> | undefined;
  #wasOpen = false;
  #underWay = 0;
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

  get connects(): number {
    return this.#options.channel.connects;
  }

  get idle(): boolean {
    return this.#underWay === 0 && this.#opening === undefined;
  }

  get lastUsed(): number {
    return this.#lastUsed;
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

  /** Given back to the server, when no call is under way: the next one opens it again. */
  suspend(): void {
    const { channel, kind } = this.#options;
    const ticket = this.#ticket;
    if (kind === 'anonymous' || !ticket) return;
    this.rest();
    this.#drop(ticket);
    void giveBack(channel, kind, ticket);
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
    this.#underWay += 1;
    try {
      if (options.idempotent) return await this.#attempts(method, options, deadline, send);
      const waitingFor = `${method} to be sent, after too many writes in flight`;
      await this.#writes.enter(deadline, waitingFor).catch(unsent);
      try {
        return await this.#attempts(method, options, deadline, send);
      } finally {
        this.#writes.leave();
      }
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#options.held?.trim();
    }
  }

  /** Sends; and again where that is safe and may help, as long as the deadline lets it. */
  async #attempts<T>(method: string, options: RpcOptions, deadline: Deadline, send: Send<T>): Promise<T> {
    const { idempotent } = options;
    const retries = new Retries(this.#options.retry);
    for (let lost: unknown; ;) {
      let ticket: Ticket | undefined;
      try {
        ticket =
          this.#ticketFor(method, idempotent) ??
          (await this.#freshTicket(idempotent, deadline).catch(unsent));
        if (options.over !== undefined && options.over !== this.connects)
          throw asNotDone(new OtherConnection(method));
        return await this.#attempt(ticket, options, deadline, send);
      } catch (failed) {
        if (failed instanceof OtherConnection) throw failed;
        let error = failed;
        const sessionLost = ticket !== undefined && ticket !== NO_TICKET && this.#isLost(error);
        if (sessionLost) {
          this.#drop(ticket as Ticket);
          // The first time a new session is opened at once.
          const first = lost === undefined;
          lost = error;
          if (first) continue;
        } else if (isDatabaseClosed(error) && !NEEDS_NO_LOGIN.has(method)) {
          error = await this.#whatIsClosed(error, method, idempotent, deadline, ticket);
        }
        const again = sessionLost || this.#mayHelp(error, idempotent);
        const pause = again ? retries.next(deadline.endsAt - performance.now()) : undefined;
        if (pause === undefined) throw ticket || idempotent ? error : notReopened(method, error, lost);
        await this.#pause(pause, deadline, error);
      }
    }
  }

  async #attempt<T>(ticket: Ticket, options: RpcOptions, deadline: Deadline, send: Send<T>): Promise<T> {
    const { idempotent, service } = options;
    const { timeoutMs = this.#options.timeoutMs, signal } = deadline.left;
    const { metadata } = ticket;
    const { connects } = this;
    const sentAt = performance.now();
    try {
      const answer = await send({
        idempotent,
        timeoutMs,
        metadata,
        ...(signal && { signal }),
        ...(service && { service }),
      });
      this.#noteUse(ticket, sentAt, connects);
      return answer;
    } catch (error) {
      if (error instanceof ServerError && !this.#isLost(error)) this.#noteUse(ticket, sentAt, connects);
      throw error;
    }
  }

  /** Another send may go better, and cannot do anything twice. */
  #mayHelp(error: unknown, idempotent: boolean): boolean {
    if (!idempotent && !isNotDone(error)) return false;
    return isBusy(error) || (this.#wasOpen && isUnavailable(error));
  }

  async #whatIsClosed(
    error: unknown,
    method: string,
    idempotent: boolean,
    deadline: Deadline,
    ticket: Ticket | undefined,
  ): Promise<ImmuError> {
    const { channel, database } = this.#options;
    const timeoutMs = Math.min(LOOK_TIMEOUT_MS, deadline.left.timeoutMs ?? LOOK_TIMEOUT_MS);
    const ask = (other: string) => {
      const { metadata } = NEEDS_NO_LOGIN.has(other) ? NO_TICKET : (ticket ?? NO_TICKET);
      return channel.unary(other, {}, { idempotent: true, timeoutMs, metadata });
    };
    const nap = (ms: number) => channel.nap(ms);
    return whatIsClosed(error, { database, method, idempotent: idempotent || !ticket, ask, nap });
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
    const { connects } = channel;
    const askedAt = performance.now();
    try {
      await channel.unary('KeepAlive', {}, { idempotent: true, timeoutMs, metadata: ticket.metadata });
      this.#noteUse(ticket, askedAt, connects);
    } catch (error) {
      if (!isSessionLost(error)) throw error;
      this.#drop(ticket);
    }
  }

  #login(deadline: Deadline): Promise<Ticket> {
    if (this.#closed) return Promise.reject(new ClosedError('the session'));
    if (this.#ticket) return Promise.resolve(this.#ticket);
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return deadline.race(this.#opening, `a session on ${this.database}`);
  }

  async #open(): Promise<Ticket> {
    const { channel, kind, timeoutMs, held } = this.#options;
    const credentials = this.#credentials;
    if (!credentials) throw new Error('an anonymous session is always open');
    const obtain = kind === 'session' ? openSession : obtainToken;
    const { connects } = channel;
    try {
      const ticket = await obtain(channel, credentials, this.database, timeoutMs);
      this.#ticket = ticket;
      this.#noteUse(ticket, performance.now(), connects);
      if (!this.#closed) this.#startHeartbeat();
      if (kind === 'session') held?.opened(this);
      return ticket;
    } catch (error) {
      // A login that is refused is not tried again by a timer: some servers lock users out.
      if (error instanceof ServerError) this.rest();
      throw error;
    }
  }

  #noteUse(ticket: Ticket, at: number, connects: number): void {
    if (ticket !== this.#ticket) return;
    this.#wasOpen = true;
    this.#lastUsed = Math.max(this.#lastUsed, at);
    this.#connects = connects;
  }

  /** The server knows nothing of a token whose user has logged out everywhere: it then says "not logged in". */
  #isLost(error: unknown): boolean {
    return isSessionLost(error) || (this.kind === 'token' && isNotLoggedIn(error));
  }

  #drop(ticket: Ticket): void {
    if (this.#ticket !== ticket) return;
    this.#ticket = undefined;
    this.#options.held?.gone(this);
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
    const { channel, kind, held } = this.#options;
    const ticket = this.#ticket ?? (await this.#opening?.catch(() => undefined));
    this.#ticket = undefined;
    held?.gone(this);
    if (ticket && kind !== 'anonymous') await giveBack(channel, kind, ticket);
  }
}

/** A write whose session had ended, and for which none could be opened again. */
function notReopened(method: string, error: unknown, lost: unknown): unknown {
  if (!(lost instanceof ServerError) || !(error instanceof ServerError || isUnavailable(error))) return error;
  const why = error instanceof Error ? error.message : String(error);
  return asNotDone(
    new ServerError(
      'SESSION_EXPIRED',
      `${method} was not executed, its session had ended; and no new session could be opened (${why})`,
      { code: lost.grpcCode, message: lost.serverMessage },
      { cause: lost },
    ),
  );
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ImmuError && error.code === 'UNAVAILABLE';
}
