// One login to one database, and the ticket it got: obtained when it is needed, once for all who need it; kept alive; and
// doubted after a silence, for the server may have ended the session meanwhile.
import { ClosedError, ServerError } from '../../errors.js';
import type { Deadline } from '../flow/deadline.js';
import type { ResolvedCredentials } from '../options/credentials.js';
import type { Channel } from './channel.js';
import type { HeldSession, HeldSessions } from './held-sessions.js';
import { giveBack, NO_TICKET, obtainToken, openSession } from './login.js';
import type { LoginKind, Ticket } from './login.js';
import { isNotLoggedIn, isSessionLost } from './server-errors.js';
import type { SessionEvent } from '../watch/events.js';
import { codeOf } from '../watch/watch.js';
import type { Watch } from '../watch/watch.js';

/** Without a heartbeat: how long a session may have been idle before a write is not risked on it any more. */
const RISKY_IDLE_MS = 60_000;

export interface KeptLoginOptions {
  readonly channel: Channel;
  readonly kind: LoginKind;
  /** Not for anonymous. */
  readonly credentials?: ResolvedCredentials;
  readonly database: string;
  readonly timeoutMs: number;
  readonly keepAliveMs: number;
  /** Told of what the server holds for this one. */
  readonly held?: HeldSessions;
  /** Told of its beginning and its end. */
  readonly watch?: Watch;
}

export class KeptLogin implements HeldSession {
  readonly #options: KeptLoginOptions;
  readonly #beat: () => Promise<unknown>;
  #credentials: ResolvedCredentials | undefined;
  #ticket: Ticket | undefined;
  #opening: Promise<Ticket> | undefined;
  #asking: Promise<void> | undefined;
  #wasOpen = false;
  #underWay = 0;
  #closed = false;
  /** When the server last took a call with this ticket, and over which connection. */
  #lastUsed = 0;
  #connects = 0;
  #heartbeat: NodeJS.Timeout | undefined;

  /** `beat` sends a call that keeps the session alive, and opens it again when it is lost. */
  constructor(options: KeptLoginOptions, beat: () => Promise<unknown>) {
    this.#options = options;
    this.#beat = beat;
    this.#credentials = options.credentials;
    if (options.kind === 'anonymous') this.#ticket = NO_TICKET;
  }

  get kind(): LoginKind {
    return this.#options.kind;
  }

  get idle(): boolean {
    return this.#underWay === 0 && this.#opening === undefined;
  }

  get lastUsed(): number {
    return this.#lastUsed;
  }

  /** The server has taken a call under this login, at some time. */
  get wasOpen(): boolean {
    return this.#wasOpen;
  }

  /** A call begins; while it is under way the session is not given back. */
  enter(): void {
    this.#underWay += 1;
  }

  leave(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#options.held?.trim();
  }

  /** The ticket, when there is one: nobody knows whether it still counts. */
  get atHand(): Ticket | undefined {
    return this.#closed ? undefined : this.#ticket;
  }

  /** The ticket; logs in when there is none. */
  obtain(deadline: Deadline): Promise<Ticket> {
    if (this.#closed) return Promise.reject(new ClosedError('the session'));
    if (this.#ticket) return Promise.resolve(this.#ticket);
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return deadline.race(this.#opening, `a session on ${this.#options.database}`);
  }

  /**
   * The ticket for a write, which is not risked on a session that may have ended: the server is asked first. `doubted`: however
   * short its silence was.
   */
  async obtainLiving(deadline: Deadline, doubted = false): Promise<Ticket> {
    const { kind, keepAliveMs, channel } = this.#options;
    const ticket = await this.obtain(deadline);
    const idleMs = performance.now() - this.#lastUsed;
    const doubtful =
      doubted || idleMs > (keepAliveMs || RISKY_IDLE_MS) || channel.connects !== this.#connects;
    if (kind !== 'session' || !doubtful) return ticket;
    this.#asking ??= this.#ask(ticket).finally(() => (this.#asking = undefined));
    await deadline.race(this.#asking, 'the server to say whether the session lives');
    return this.obtain(deadline);
  }

  /** Drops a ticket that the server does not know. */
  async #ask(ticket: Ticket): Promise<void> {
    const { channel, timeoutMs } = this.#options;
    const { connects } = channel;
    const askedAt = performance.now();
    try {
      await channel.unary('KeepAlive', {}, { timeoutMs, metadata: ticket.metadata });
      this.noteUse(ticket, askedAt, connects);
    } catch (error) {
      if (!isSessionLost(error)) throw error;
      this.drop(ticket);
    }
  }

  async #open(): Promise<Ticket> {
    const { channel, database, kind, timeoutMs, held } = this.#options;
    const credentials = this.#credentials;
    if (!credentials) throw new Error('an anonymous session is always open');
    const obtain = kind === 'session' ? openSession : obtainToken;
    const { connects } = channel;
    try {
      const ticket = await obtain(channel, credentials, database, timeoutMs);
      this.#ticket = ticket;
      this.#tell(this.#wasOpen ? 'reopened' : 'opened');
      this.noteUse(ticket, performance.now(), connects);
      if (!this.#closed) this.keepAlive();
      if (kind === 'session') held?.opened(this);
      return ticket;
    } catch (error) {
      // A login that is refused is not tried again by a timer: some servers lock users out.
      if (error instanceof ServerError) {
        this.rest();
        this.#tell('refused', codeOf(error));
      }
      throw error;
    }
  }

  /** The server took a call with this ticket: sent at `at`, over connection `connects`. */
  noteUse(ticket: Ticket, at: number, connects: number): void {
    if (ticket !== this.#ticket) return;
    this.#wasOpen = true;
    this.#lastUsed = Math.max(this.#lastUsed, at);
    this.#connects = connects;
  }

  /** The server knows nothing of a token whose user has logged out everywhere: it then says "not logged in". */
  isLost(error: unknown): boolean {
    return isSessionLost(error) || (this.kind === 'token' && isNotLoggedIn(error));
  }

  /** The ticket counts no more: the next call logs in again. */
  drop(ticket: Ticket, state: 'lost' | 'ended' = 'lost'): void {
    if (this.#ticket !== ticket) return;
    this.#ticket = undefined;
    this.#options.held?.gone(this);
    this.#tell(state);
  }

  #tell(state: SessionEvent['state'], code?: SessionEvent['code']): void {
    const { watch, database } = this.#options;
    watch?.tell('immu-ts:session', () => ({ database, state, ...(code !== undefined && { code }) }));
  }

  /** For logging in again after the user's password was changed. */
  renew(credentials: ResolvedCredentials): void {
    this.#credentials = credentials;
  }

  keepAlive(): void {
    const { kind, keepAliveMs } = this.#options;
    if (kind !== 'session' || keepAliveMs === 0 || this.#heartbeat) return;
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#lastUsed < keepAliveMs / 2) return;
      // Failures are the next caller's to see.
      this.#beat().catch(() => undefined);
    }, keepAliveMs);
    this.#heartbeat.unref();
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
    this.drop(ticket, 'ended');
    void giveBack(channel, kind, ticket);
  }

  /** Logs out, as far as the server can be reached. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.rest();
    const { channel, kind, held } = this.#options;
    const ticket = this.#ticket ?? (await this.#opening?.catch(() => undefined));
    this.#ticket = undefined;
    held?.gone(this);
    if (!ticket || kind === 'anonymous') return;
    this.#tell('ended');
    await giveBack(channel, kind, ticket);
  }
}
