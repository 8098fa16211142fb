// Calls in one database under one login. What may be repeated is repeated here and nowhere else: reads, and writes that are
// certain not to have been done.
import { ImmuError, ServerError, TransportError } from '../../errors.js';
import type { Methods } from '../../wire/messages.js';
import { REPEATABLE } from '../../wire/methods.js';
import type { DownMethod, UnaryMethod, UpMethod } from '../../wire/methods.js';
import { wireMethod } from '../../wire/schema.js';
import type { ChannelCall } from './channel.js';
import { ClosedDatabase } from './closed-database.js';
import type { ClosedCall } from './closed-database.js';
import { Deadline } from '../flow/deadline.js';
import { InFlightGate } from '../flow/in-flight-gate.js';
import { KeptLogin } from './kept-login.js';
import type { KeptLoginOptions } from './kept-login.js';
import { NO_TICKET, inTransaction } from './login.js';
import type { LoginKind, Ticket } from './login.js';
import { checkCallOptions } from '../input/call-options.js';
import type { ResolvedCredentials } from '../options/credentials.js';
import type { Incoming, Messages } from './incoming.js';
import type { WriteBody } from './outgoing.js';
import { Retries } from './retry.js';
import type { RetryPolicy } from '../options/retry-options.js';
import { OtherConnection } from './rpc.js';
import type { Rpc, RpcOptions, StreamRpc } from './rpc.js';
import { watchedRpc } from '../watch/watched-rpc.js';
import { asNotDone, isBusy, isDatabaseClosed, isNotDone, isReplica, unsent } from './server-errors.js';

export type { LoginKind } from './login.js';

/** Longest wait for the server's word on why it said what it said. */
const LOOK_TIMEOUT_MS = 5000;

/** Answered to anybody; a login, least of all a failing one, is no condition. */
const NEEDS_NO_LOGIN: ReadonlySet<keyof Methods> = new Set<keyof Methods>(['Health', 'ServerInfo']);

export interface SessionOptions extends KeptLoginOptions {
  readonly maxWritesInFlight: number;
  readonly retry: RetryPolicy;
  /** What has to be over before a call may be sent; see {@link ChannelCall.guard}. Not for what trust itself asks. */
  readonly guard?: () => Promise<void> | undefined;
  /** For those who hold other sessions of the same login. */
  readonly onPasswordChanged?: (user: string, password: string) => void;
}

interface Attempt {
  readonly options: RpcOptions;
  readonly guarded: boolean;
}

type Send<T> = (call: ChannelCall) => Promise<T>;

export class Session implements Rpc, StreamRpc {
  readonly database: string;
  readonly #options: SessionOptions;
  readonly #login: KeptLogin;
  readonly #writes: InFlightGate;
  readonly #closed: ClosedDatabase;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#closed = new ClosedDatabase(options.database, (ms) => options.channel.nap(ms));
    this.#login = new KeptLogin(options, () => this.unary('KeepAlive', {}, {}));
    this.#writes = new InFlightGate(options.maxWritesInFlight, 'the session');
    this.database = options.database;
  }

  get kind(): LoginKind {
    return this.#options.kind;
  }

  get connects(): number {
    return this.#options.channel.connects;
  }

  /** Logs in now, to have wrong credentials reported here. */
  async open(deadline: Deadline): Promise<void> {
    await this.#login.obtain(deadline);
    this.#login.keepAlive();
  }

  /** No longer kept alive: the server may end it. A later call opens it again. */
  rest(): void {
    this.#login.rest();
  }

  /** For logging in again after the user's password was changed. */
  renew(credentials: ResolvedCredentials): void {
    this.#login.renew(credentials);
  }

  passwordChanged(user: string, password: string): void {
    this.#options.onPasswordChanged?.(user, password);
  }

  unary<M extends UnaryMethod>(
    method: M,
    request: Methods[M]['request'],
    options: RpcOptions,
  ): Promise<Methods[M]['answer']> {
    return this.#call(method, options, (call) => this.#options.channel.unary(method, request, call));
  }

  raw<M extends UnaryMethod>(
    method: M,
    request: Methods[M]['request'] | Uint8Array,
    options: RpcOptions,
  ): Promise<Uint8Array> {
    return this.#call(method, options, (call) => this.#options.channel.raw(method, request, call));
  }

  async down<M extends DownMethod, T>(
    method: M,
    request: Methods[M]['request'],
    options: RpcOptions,
    use: (messages: Messages<Methods[M]['answer']>) => Promise<T>,
  ): Promise<T> {
    return this.#down(method, options, use, (call) => this.#options.channel.down(method, request, call));
  }

  async downRaw<T>(
    method: DownMethod,
    request: object,
    options: RpcOptions,
    use: (messages: Messages<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    return this.#down(method, options, use, (call) => this.#options.channel.downRaw(method, request, call));
  }

  async #down<Message, T>(
    method: DownMethod,
    options: RpcOptions,
    use: (messages: Messages<Message>) => Promise<T>,
    open: Send<Incoming<Message>>,
  ): Promise<T> {
    checkCallOptions(options);
    const deadline = Deadline.of(options, this.#options.timeoutMs);
    return this.hold(async () => {
      const incoming = await this.#attempts(method, options, deadline, open);
      try {
        return await use(incoming);
      } finally {
        incoming.cancel();
      }
    });
  }

  /** The session is not given back to the server while `work` goes on: it has something there, such as a transaction. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#login.enter();
    try {
      return await work();
    } finally {
      this.#login.leave();
    }
  }

  up(method: UpMethod, options: RpcOptions, write: WriteBody): Promise<Uint8Array> {
    let begun = false;
    const send = (call: ChannelCall) =>
      this.#options.channel.up(
        method,
        (body) => {
          begun = true;
          return write(body);
        },
        call,
      );
    return this.#call(method, options, send, () => begun);
  }

  async #call<T>(
    method: keyof Methods,
    options: RpcOptions,
    send: Send<T>,
    isUsedUp?: () => boolean,
  ): Promise<T> {
    checkCallOptions(options);
    const deadline = Deadline.of(options, this.#options.timeoutMs);
    this.#login.enter();
    try {
      if (REPEATABLE.has(method)) return await this.#attempts(method, options, deadline, send, isUsedUp);
      const waitingFor = `${method} to be sent, after too many writes in flight`;
      await this.#writes.enter(deadline, waitingFor).catch(unsent);
      try {
        return await this.#attempts(method, options, deadline, send, isUsedUp);
      } finally {
        this.#writes.leave();
      }
    } finally {
      this.#login.leave();
    }
  }

  /**
   * Sends; and again where that is safe and may help, as long as the deadline lets it. `isUsedUp`: what was to be sent has left, and
   * cannot be had again.
   */
  async #attempts<T>(
    method: keyof Methods,
    options: RpcOptions,
    deadline: Deadline,
    send: Send<T>,
    isUsedUp: () => boolean = never,
  ): Promise<T> {
    const repeatable = REPEATABLE.has(method);
    const retries = new Retries(this.#options.retry);
    for (let lost: unknown; ;) {
      let ticket: Ticket | undefined;
      const { connects } = this;
      try {
        ticket =
          this.#ticketFor(method, repeatable) ?? (await this.#freshTicket(method, deadline).catch(unsent));
        if (options.over !== undefined && options.over !== this.connects)
          throw asNotDone(new OtherConnection(method));
        deadline.watched?.sends(method);
        const guarded = options.proving !== true && !NEEDS_NO_LOGIN.has(method);
        return await this.#attempt(method, ticket, { options, guarded }, deadline, send);
      } catch (failed) {
        if (failed instanceof OtherConnection) throw failed;
        let error = failed;
        const sessionLost = ticket !== undefined && ticket !== NO_TICKET && this.#login.isLost(error);
        if (sessionLost) {
          this.#login.drop(ticket as Ticket);
          if (isUsedUp()) throw error;
          // The first time a new session is opened at once.
          const first = lost === undefined;
          lost = error;
          if (first) continue;
        } else if (isDatabaseClosed(error) && !NEEDS_NO_LOGIN.has(method)) {
          error = await this.#whatIsClosed(error, method, repeatable, deadline, ticket);
        }
        const elsewhere = this.#writesElsewhere(error, connects);
        const again = sessionLost || ((elsewhere || this.#mayHelp(error, repeatable)) && !isUsedUp());
        const pause = again ? retries.next(deadline.endsAt - performance.now()) : undefined;
        if (pause === undefined) throw ticket || repeatable ? error : notReopened(method, error, lost);
        await this.#pause(pause, deadline, error);
      }
    }
  }

  async #attempt<T>(
    method: keyof Methods,
    ticket: Ticket,
    { options: { transactionId }, guarded }: Attempt,
    deadline: Deadline,
    send: Send<T>,
  ): Promise<T> {
    const { guard } = this.#options;
    const metadata = transactionId === undefined ? ticket.metadata : inTransaction(ticket, transactionId);
    const { connects } = this;
    const sentAt = performance.now();
    try {
      const sent = send({ ...deadline.left, metadata, ...(guarded && guard && { guard }) });
      const answer = await this.#watched(method, sent);
      this.#login.noteUse(ticket, sentAt, connects);
      if (ticket !== NO_TICKET) this.#closed.isOpen();
      return answer;
    } catch (error) {
      if (error instanceof ServerError && !this.#login.isLost(error))
        this.#login.noteUse(ticket, sentAt, connects);
      throw error;
    }
  }

  /** Tells of what is sent, where somebody listens. */
  #watched<T>(method: keyof Methods, sent: Promise<T>): Promise<T> {
    const { watch, database } = this.#options;
    return watch?.wants('immu-ts:rpc') === true ? watchedRpc(watch, method, database, sent) : sent;
  }

  /** Another send may go better, and cannot do anything twice. */
  #mayHelp(error: unknown, repeatable: boolean): boolean {
    if (!repeatable && !isNotDone(error)) return false;
    return isBusy(error) || (this.#login.wasOpen && isUnavailable(error));
  }

  /** A replica, which takes no writes: where there are other addresses, the primary may be at the next. */
  #writesElsewhere(error: unknown, connects: number): boolean {
    return isReplica(error) && isNotDone(error) && this.#options.channel.moveOn(connects);
  }

  async #whatIsClosed(
    error: unknown,
    method: keyof Methods,
    repeatable: boolean,
    deadline: Deadline,
    ticket: Ticket | undefined,
  ): Promise<ImmuError> {
    const { channel } = this.#options;
    const ask: ClosedCall['ask'] = (other) => {
      const { metadata } = NEEDS_NO_LOGIN.has(other) ? NO_TICKET : (ticket ?? NO_TICKET);
      return channel.unary(other, {}, { timeoutMs: LOOK_TIMEOUT_MS, metadata });
    };
    const { connects } = this;
    const looked = this.#closed.whatIsClosed(error, {
      method,
      repeatable: repeatable || !ticket,
      connects,
      ask,
    });
    // Whose time ends is told what the server said.
    return deadline.race(looked, 'the server to say what is closed').catch((end: unknown) => {
      if (end instanceof TransportError && end.code === 'DEADLINE_EXCEEDED') return error as ImmuError;
      throw end;
    });
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
  #ticketFor(method: keyof Methods, repeatable: boolean): Ticket | undefined {
    if (NEEDS_NO_LOGIN.has(method)) return NO_TICKET;
    return repeatable ? this.#login.atHand : undefined;
  }

  /** A stream is sent once: its session is looked after first. */
  #freshTicket(method: keyof Methods, deadline: Deadline): Promise<Ticket> {
    if (REPEATABLE.has(method)) return this.#login.obtain(deadline);
    return this.#login.obtainLiving(deadline, wireMethod(method).requestStream);
  }

  /** Logs out, as far as the server can be reached; later calls are refused. Idempotent. */
  async close(): Promise<void> {
    this.#writes.close();
    await this.#login.close();
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

function never(): boolean {
  return false;
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ImmuError && error.code === 'UNAVAILABLE';
}
