// Calls in one database under one login. A lost session is opened again, once for all who need it; what may be
// repeated is repeated, writes never are.
import { Metadata } from '@grpc/grpc-js';
import { ClosedError, ImmuError, ServerError } from '../errors.js';
import type { Channel } from './channel.js';
import { Deadline } from './deadline.js';
import type { Credentials } from './options.js';
import type { Rpc, RpcOptions } from './rpc.js';
import { isSessionLost } from './server-errors.js';

/** Pauses before an idempotent call is sent again to a server that is not there: about three seconds in all. */
const RETRY_PAUSES_MS = [50, 100, 200, 400, 800, 1600];

/** How a login is obtained and ended. */
export type LoginKind = 'session' | 'token' | 'anonymous';

interface Ticket {
  readonly metadata: Metadata;
}

export interface SessionOptions {
  readonly channel: Channel;
  readonly kind: LoginKind;
  /** Not for anonymous. */
  readonly credentials?: Required<Credentials>;
  readonly database: string;
  readonly timeoutMs: number;
  readonly keepAliveMs: number;
}

export class Session implements Rpc {
  readonly database: string;
  readonly #options: SessionOptions;
  #ticket: Ticket | undefined;
  #opening: Promise<Ticket> | undefined;
  #wasOpen = false;
  #closed = false;
  #lastUsed = 0;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.database = options.database;
    if (options.kind === 'anonymous') this.#ticket = { metadata: new Metadata() };
  }

  get kind(): LoginKind {
    return this.#options.kind;
  }

  /** Logs in now, to have wrong credentials reported here. */
  async open(deadline: Deadline): Promise<void> {
    await this.#login(deadline);
  }

  unary(method: string, request: object, options: RpcOptions): Promise<object> {
    return this.#send(method, options, (call) => this.#options.channel.unary(method, request, call));
  }

  unaryRaw(method: string, request: object, options: RpcOptions): Promise<Uint8Array> {
    return this.#send(method, options, (call) => this.#options.channel.unaryRaw(method, request, call));
  }

  async #send<T>(
    method: string,
    options: RpcOptions,
    send: (call: RpcOptions & { timeoutMs: number; metadata: Metadata }) => Promise<T>,
  ): Promise<T> {
    const deadline = new Deadline(options, this.#options.timeoutMs);
    const { idempotent, service } = options;
    for (let attempt = 0, reopened = false; ;) {
      const ticket = await this.#freshTicket(idempotent, deadline);
      this.#lastUsed = performance.now();
      const { timeoutMs, signal } = deadline.left;
      try {
        return await send({
          idempotent,
          timeoutMs: timeoutMs ?? this.#options.timeoutMs,
          metadata: ticket.metadata,
          ...(signal && { signal }),
          ...(service && { service }),
        });
      } catch (error) {
        if (isSessionLost(error) && this.#options.kind !== 'anonymous') {
          this.#drop(ticket);
          if (!idempotent) throw await this.#refusedWrite(method, deadline, error as ServerError);
          if (reopened) throw error;
          reopened = true;
          continue;
        }
        const pause = RETRY_PAUSES_MS[attempt];
        if (!idempotent || !this.#wasOpen || !isUnavailable(error) || pause === undefined) throw error;
        attempt += 1;
        await deadline
          .race(new Promise((resolve) => setTimeout(resolve, pause)), 'the server to come back')
          .catch(() => {
            throw error;
          });
      }
    }
  }

  /** The ticket to send with. A write whose session may have died of idleness is not risked: it is asked for first. */
  async #freshTicket(idempotent: boolean, deadline: Deadline): Promise<Ticket> {
    const { kind, keepAliveMs, channel } = this.#options;
    const ticket = await this.#login(deadline);
    const idleMs = performance.now() - this.#lastUsed;
    if (idempotent || kind !== 'session' || keepAliveMs === 0 || idleMs <= keepAliveMs) return ticket;
    try {
      await channel.unary(
        'KeepAlive',
        {},
        {
          idempotent: true,
          metadata: ticket.metadata,
          timeoutMs: deadline.left.timeoutMs ?? this.#options.timeoutMs,
        },
      );
      return ticket;
    } catch (error) {
      if (!isSessionLost(error)) throw error;
      this.#drop(ticket);
      return this.#login(deadline);
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
      `${method} was refused before it ran, its session had ended; ${again}`,
      grpc,
      { cause: error },
    );
  }

  #login(deadline: Deadline): Promise<Ticket> {
    if (this.#closed) return Promise.reject(new ClosedError('the session'));
    if (this.#ticket) return Promise.resolve(this.#ticket);
    this.#opening ??= this.#obtain()
      .then((ticket) => {
        this.#ticket = ticket;
        this.#wasOpen = true;
        this.#lastUsed = performance.now();
        this.#startHeartbeat();
        return ticket;
      })
      .finally(() => (this.#opening = undefined));
    return deadline.race(this.#opening, `a session on ${this.database}`);
  }

  async #obtain(): Promise<Ticket> {
    const { channel, kind, credentials, timeoutMs } = this.#options;
    if (!credentials) throw new Error('an anonymous session is always open');
    const call = { idempotent: true, timeoutMs, metadata: new Metadata() };
    const user = Buffer.from(credentials.user);
    const password = Buffer.from(credentials.password);
    const metadata = new Metadata();
    if (kind === 'session') {
      const answer = await channel.unary(
        'OpenSession',
        { username: user, password, databaseName: this.database },
        call,
      );
      metadata.set('sessionid', (answer as { sessionID?: string }).sessionID ?? '');
      return { metadata };
    }
    const login = await channel.unary('Login', { user, password }, call);
    const first = new Metadata();
    first.set('authorization', (login as { token?: string }).token ?? '');
    const bound = await channel.unary(
      'UseDatabase',
      { databaseName: this.database },
      { ...call, metadata: first },
    );
    metadata.set('authorization', (bound as { token?: string }).token ?? '');
    return { metadata };
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
    clearInterval(this.#heartbeat);
    const ticket = this.#ticket ?? (await this.#opening?.catch(() => undefined));
    this.#ticket = undefined;
    if (!ticket || this.#options.kind === 'anonymous') return;
    const method = this.#options.kind === 'session' ? 'CloseSession' : 'Logout';
    const call = {
      idempotent: true,
      timeoutMs: Math.min(2000, this.#options.timeoutMs),
      metadata: ticket.metadata,
    };
    // Best effort: the server ends idle sessions by itself.
    await this.#options.channel.unary(method, {}, call).catch(() => undefined);
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ImmuError && error.code === 'UNAVAILABLE';
}
