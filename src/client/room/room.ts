// One database under one login: its session, its trust, and what its calls share. Every call comes in here: its options are
// checked, its deadline begins, it is let in when there is room, and it ends when the client is closed.
import type { SentBatch } from '../calls/ingest/window.js';
import type { Write } from '../calls/kv/kv.js';
import { withCallerStack } from '../flow/caller-stack.js';
import { UNNAMED } from '../watch/call-place.js';
import type { CallPlace } from '../watch/call-place.js';
import type { Deadline } from '../flow/deadline.js';
import type { Door } from '../flow/door.js';
import type { EntryBatch } from '../group/entry-batch.js';
import type { CallOptions } from '../input/call-options.js';
import type { Session } from '../net/session.js';
import type { Call } from '../trust/call.js';
import type { DatabaseTrust } from '../trust/database-trust.js';
import type { GroupedCalls } from './grouped-calls.js';
import type { Trusts } from './trusts.js';

/** What a stream holds of its values at a time: what was fetched ahead, or waits to leave. */
export const STREAM_BYTES = 1 << 20;

export interface RoomOptions {
  readonly session: Session;
  readonly calls: GroupedCalls;
  readonly door: Door;
  readonly trusts: Trusts;
}

/** What a verified call works with that asks the server on its own. */
export interface Verified {
  readonly session: Session;
  readonly trust: DatabaseTrust;
  readonly call: Call;
}

export class Room {
  readonly database: string;
  readonly session: Session;
  /** Reads and writes that may share requests. */
  readonly calls: GroupedCalls;
  readonly #door: Door;
  readonly #trusts: Trusts;
  readonly #plain: CallPlace;
  readonly #verified: CallPlace;

  constructor({ session, calls, door, trusts }: RoomOptions) {
    this.database = session.database;
    this.session = session;
    this.calls = calls;
    this.#door = door;
    this.#trusts = trusts;
    this.#plain = { verified: false, database: this.database };
    this.#verified = { verified: true, database: this.database };
  }

  /** A call on its own. `own`: names of its own options; `bytes`: of the keys and values that it holds. */
  enter<T>(
    options: CallOptions,
    own: readonly string[],
    work: (session: Session, call: CallOptions) => Promise<T>,
    bytes = 0,
  ): Promise<T> {
    const deadline = this.#door.deadline(options, own, UNNAMED, this.#plain);
    return this.#door.enter(deadline, bytes, () => work(this.session, deadline.left));
  }

  /** A verified call that asks the server on its own. `bytes`: what it holds. */
  enterVerified<T>(
    operation: string,
    options: CallOptions,
    own: readonly string[],
    work: (verified: Verified) => Promise<T>,
    bytes = 0,
  ): Promise<T> {
    const { session } = this;
    const deadline = this.#door.deadline(options, own, operation, this.#verified);
    return this.#door.enter(deadline, bytes, async () => {
      const trust = await this.#trust(deadline);
      return work({ session, trust, call: { operation, startedAt: deadline.startedAt, deadline } });
    });
  }

  /**
   * A call that answers before it ends, with `answer`: what its caller got goes on as a stream, and the call holds its place until
   * then.
   */
  stream<T>(
    options: CallOptions,
    own: readonly string[],
    work: (session: Session, call: CallOptions, answer: (value: T) => void) => Promise<void>,
  ): Promise<T> {
    return answeredEarly((answer) =>
      this.enter(options, own, (session, call) => work(session, call, answer), STREAM_BYTES),
    );
  }

  /** A write by stream: its tx is no other write's. */
  sendStream(
    options: CallOptions,
    own: readonly string[],
    write: (session: Session, deadline: Deadline) => Promise<Write>,
  ): Promise<Write> {
    const deadline = this.#door.deadline(options, own, UNNAMED, this.#plain);
    const send = () => this.calls.writeAlone(() => write(this.session, deadline));
    return this.#door.enter(deadline, STREAM_BYTES, send);
  }

  /** A write of another kind, which becomes transactions of its own, or none. `bytes`: what it holds. */
  writeApart<T>(
    options: CallOptions,
    own: readonly string[],
    bytes: number,
    write: (session: Session, deadline: Deadline) => Promise<T>,
    txsOf: (written: T) => readonly bigint[],
  ): Promise<T> {
    const deadline = this.#door.deadline(options, own, UNNAMED, this.#plain);
    const send = () => this.calls.writeApart(() => write(this.session, deadline), txsOf);
    return this.#door.enter(deadline, bytes, send);
  }

  /** A call that goes on for long, with calls in it that come in by this one. */
  enterWith<T>(
    options: CallOptions,
    own: readonly string[],
    work: (session: Session, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = this.#door.deadline(options, own, UNNAMED, this.#plain);
    return this.#door.enter(deadline, 0, () => work(this.session, deadline));
  }

  /** A verified one. */
  streamVerified<T>(
    operation: string,
    options: CallOptions,
    own: readonly string[],
    work: (verified: Verified, answer: (value: T) => void) => Promise<void>,
  ): Promise<T> {
    return answeredEarly((answer) =>
      this.enterVerified(operation, options, own, (verified) => work(verified, answer), STREAM_BYTES),
    );
  }

  /** A call that shares requests with others: at once when there is room. `start` takes its place over. */
  share<T>(
    operation: string,
    options: CallOptions,
    own: readonly string[],
    bytes: number,
    start: (calls: GroupedCalls, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = this.#door.deadline(options, own, operation, this.#plain);
    return this.#door.enterFast(deadline, bytes, () => start(this.calls, deadline));
  }

  /** A verified one: at once when there is room, and trust. `entries`: how many it writes. */
  shareVerified<T>(
    operation: string,
    options: CallOptions,
    own: readonly string[],
    bytes: number,
    start: (calls: GroupedCalls, trust: DatabaseTrust, call: Call) => Promise<T>,
    entries?: number,
  ): Promise<T> {
    const deadline = this.#door.deadline(options, own, operation, this.#verified, entries);
    const call = { operation, startedAt: deadline.startedAt, deadline };
    return this.#door.enterFast(deadline, bytes, () => {
      const known = this.#trusts.now(this.database);
      if (known) return start(this.calls, known, call);
      return this.#trust(deadline).then(
        (trust) => start(this.calls, trust, call),
        (error: unknown) => {
          this.#door.leave(bytes);
          throw withCallerStack(error);
        },
      );
    });
  }

  /** A verified transaction of records: it takes more of them while it waits. Requires that there is room for the first. */
  ingestBatch(entries: EntryBatch, options: CallOptions): SentBatch {
    const turn = this.calls.turn();
    const batch = this.calls.recordBatch(turn, entries);
    const ended = turn.of(() =>
      this.shareVerified('ingest', options, [], 0, (calls, trust, call) =>
        calls.verifiedBatch(trust, call, batch),
      ),
    );
    batch.entered();
    const end = () => batch.end();
    ended.then(end, end);
    return { batch, ended };
  }

  /** Trust in the database, if any call may be answered under it now, without a question. */
  trustNow(): DatabaseTrust | undefined {
    this.#door.assertOpen();
    return this.#trusts.now(this.database);
  }

  async #trust(deadline: Deadline): Promise<DatabaseTrust> {
    const made = this.#trusts.of(this.database);
    return this.#trusts.now(this.database) ?? deadline.race(made, 'the server to say who it is');
  }
}

/** What goes wrong after the answer is told by what was answered. */
function answeredEarly<T>(enter: (answer: (value: T) => void) => Promise<void>): Promise<T> {
  return new Promise((resolve, reject) => {
    enter(resolve).catch(reject);
  });
}
