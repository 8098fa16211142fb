// One connection to a server: every wait on it ends, and what it answers is bounded.
import { Socket } from 'node:net';
import pg from 'pg';
import { serverWords } from '../../../visible.js';
import type { Address } from './address.js';
import { LinkLost, toLinkError } from './errors.js';
import { TYPES } from './values.js';

/** Bytes of the answers to what is under way: the longest evidence, twice as hex, with room to spare. */
const MAX_ANSWER_BYTES = 512 * 1024 * 1024;
const WATCH_MS = 200;

export interface LinkOptions {
  readonly schema: string;
  /** How long a connection, and each answer, is waited for. */
  readonly timeoutMs: number;
  /** Shown in the server's list of sessions. */
  readonly name: string;
  /** What is there, as messages call it. */
  readonly what: string;
  /** `later`: who commits flushes what was committed before anybody is told. */
  readonly durable: 'at-once' | 'later';
}

export type Row = Readonly<Record<string, unknown>>;
export type Value = string | number | bigint | boolean | Uint8Array | null;

export class Link {
  readonly label: string;
  readonly what: string;
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  /** Notices of this connection so far: warnings, for nothing less is asked for. */
  notices = 0;
  #lost: LinkLost | undefined;
  #waiting = 0;
  #isEnding = false;
  #deadline = 0;
  #bytesBefore = 0;
  #watch: NodeJS.Timeout | undefined;
  #onLost: ((error: LinkLost) => void) | undefined;

  private constructor(label: string, client: pg.Client, socket: Socket, { what, timeoutMs }: LinkOptions) {
    this.label = label;
    this.what = what;
    this.#client = client;
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    client.on('error', (error) => this.#lose(serverWords(error.message)));
    client.on('end', () => this.#lose('the connection has ended'));
    client.on('notice', () => (this.notices += 1));
  }

  /** @throws LinkLost, or StoreError for what is no matter of the way there */
  static async open({ label, config }: Address, options: LinkOptions): Promise<Link> {
    const socket = new Socket();
    const client = new pg.Client({
      ...config,
      stream: () => socket,
      types: TYPES,
      pipeline: true,
      keepAlive: true,
      connectionTimeoutMillis: options.timeoutMs,
      application_name: options.name,
    });
    const link = new Link(label, client, socket, options);
    try {
      await client.connect();
      const commit = options.durable === 'later' ? 'off' : 'on';
      await link.query(SETTINGS, [`${pg.escapeIdentifier(options.schema)}, pg_temp`, commit]);
      return link;
    } catch (error) {
      link.close();
      throw toLinkError(error, label, options.what);
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Called once when the connection is lost. */
  whenLost(tell: (error: LinkLost) => void): void {
    this.#onLost = tell;
  }

  onNotification(tell: (channel: string) => void): void {
    this.#client.on('notification', ({ channel }) => tell(channel));
  }

  /** Rows of one statement: only who waits for an answer keeps the process alive. Statements go out at once, and are answered in their order. `name`: prepared under it. */
  async query(text: string, values: readonly Value[] = [], name?: string): Promise<readonly Row[]> {
    if (this.#lost) throw this.#lost;
    this.#wait();
    this.#cork();
    try {
      const query = { text, values: values.map(sent), ...(name !== undefined && { name }) };
      const { rows } = await this.#client.query<Row>(query);
      return rows;
    } catch (error) {
      throw this.#whyLost() ?? toLinkError(error, this.label, this.what);
    } finally {
      this.#answered();
    }
  }

  /** What is asked in one turn goes out together. */
  #cork(): void {
    if (this.#socket.writableCorked > 0) return;
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
  }

  /** Cuts the connection: whoever waits is told. */
  close(): void {
    this.#lose('the connection was closed');
  }

  /** Ends it once what was asked is answered. */
  async end(): Promise<void> {
    if (this.#lost) return;
    this.#isEnding = true;
    this.#socket.ref();
    await Promise.race([this.#client.end().catch(() => undefined), after(this.#timeoutMs)]);
    this.close();
  }

  /** It may have been lost while an answer was waited for. */
  #whyLost(): LinkLost | undefined {
    return this.#lost;
  }

  #lose(words: string): void {
    if (this.#lost) return;
    this.#lost = new LinkLost(`${this.label}: ${words}`);
    clearInterval(this.#watch);
    this.#socket.destroy();
    this.#onLost?.(this.#lost);
  }

  #wait(): void {
    if (this.#waiting === 0) {
      this.#bytesBefore = this.#socket.bytesRead;
      this.#watch ??= setInterval(() => this.#look(), Math.min(WATCH_MS, this.#timeoutMs));
      this.#socket.ref();
    }
    this.#waiting += 1;
    this.#deadline = Date.now() + this.#timeoutMs;
  }

  #answered(): void {
    this.#waiting -= 1;
    this.#deadline = Date.now() + this.#timeoutMs;
    if (this.#waiting > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
    // Who waits for its end waits for an answer too.
    if (!this.#isEnding) this.#socket.unref();
  }

  #look(): void {
    if (Date.now() > this.#deadline) this.#lose(`no answer within ${this.#timeoutMs} ms`);
    else if (this.#socket.bytesRead - this.#bytesBefore > MAX_ANSWER_BYTES)
      this.#lose(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
  }
}

/** Plans made while a table is small must not look through it when it has grown; no session may hold the log for long. */
const SETTINGS = `SELECT set_config('search_path', $1, false), set_config('synchronous_commit', $2, false),
  set_config('client_min_messages', 'warning', false), set_config('enable_seqscan', 'off', false),
  set_config('enable_bitmapscan', 'off', false), set_config('jit', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false), set_config('bytea_output', 'hex', false),
  set_config('extra_float_digits', '1', false), set_config('default_transaction_read_only', 'off', false),
  set_config('standard_conforming_strings', 'on', false), set_config('default_transaction_isolation', 'read committed', false),
  set_config('idle_in_transaction_session_timeout', '10000', false)`;

function sent(value: Value): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length) : value;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
