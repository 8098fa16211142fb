// The one door: every public call comes in here. Its options are checked, its deadline begins, and it is let in when there is
// room, before anything is asked or held for it.
import { ClosedError } from '../../errors.js';
import { withCallerStack } from './caller-stack.js';
import { LinkedList } from './linked-list.js';
import { Deadline } from './deadline.js';
import type { Admission } from './admission.js';
import { checkOptions } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { UNNAMED } from '../watch/call-place.js';
import type { CallPlace } from '../watch/call-place.js';
import { CallSums, SummedCall } from '../watch/call-sums.js';
import { CallWatch } from '../watch/call-watch.js';
import type { Watch } from '../watch/watch.js';

/** Of calls that are of no database. */
const SERVER: CallPlace = { verified: false };

export class Door {
  readonly #admission: Admission;
  readonly #timeoutMs: number;
  readonly #watch: Watch | undefined;
  readonly #sums: CallSums | undefined;
  readonly #toTell = new LinkedList<() => void>();
  #closed = false;

  /** `timeoutMs`: deadline of a call that names none. `watch`: told of every call. */
  constructor(admission: Admission, timeoutMs: number, watch?: Watch) {
    this.#admission = admission;
    this.#timeoutMs = timeoutMs;
    this.#watch = watch;
    this.#sums = watch && new CallSums(watch, admission);
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  assertOpen(): void {
    if (this.#closed) throw new ClosedError('the client');
  }

  /** From now on nobody comes in. Who is in, or waits, is ended by the rooms. */
  close(): void {
    this.#closed = true;
    for (let tell = this.#toTell.shift(); tell; tell = this.#toTell.shift()) tell();
  }

  /** Has `tell`, which must not throw, told once when the client is closed. Returns what takes it back. */
  whenClosed(tell: () => void): () => void {
    const link = this.#toTell.add(tell);
    return () => void this.#toTell.delete(link);
  }

  /**
   * The deadline of a call that begins now. `own`: its options beside `signal` and `timeoutMs`. The rest is for who
   * watches: its name, where it is made, how many entries it writes.
   *
   * @throws ArgumentError, ClosedError
   */
  deadline(
    options: CallOptions,
    own: readonly string[],
    operation = UNNAMED,
    place = SERVER,
    entries?: number,
  ): Deadline {
    this.assertOpen();
    checkOptions(options, own);
    const deadline = new Deadline(options, this.#timeoutMs);
    const watch = this.#watch;
    const sums = watch?.wantsSums === true ? this.#sums : undefined;
    if (watch?.wantsCalls === true)
      deadline.watched = new CallWatch(watch, { operation, place, entries }, this.#admission, sums);
    else if (sums) deadline.watched = new SummedCall(sums, operation, place, entries, deadline.startedAt);
    return deadline;
  }

  /** For questions about the log, which take no options, and may be asked when the client is closed and its store is not. */
  waiting(): Deadline {
    return new Deadline({}, this.#timeoutMs);
  }

  /** Lets a call in that holds so many bytes; its place is free again when `work` ends, however it does. */
  enter<T>(deadline: Deadline, bytes: number, work: () => Promise<T>): Promise<T> {
    const { watched } = deadline;
    return watched
      ? watched.of(() => this.#enter(deadline, bytes, work))
      : this.#enter(deadline, bytes, work);
  }

  async #enter<T>(deadline: Deadline, bytes: number, work: () => Promise<T>): Promise<T> {
    const wait = this.#admit(deadline, bytes);
    if (wait) await wait;
    try {
      return await work();
    } catch (error) {
      throw withCallerStack(error);
    } finally {
      this.#admission.leave(bytes);
    }
  }

  /**
   * The same for calls by the thousand: without a turn of the queue when there is room. `begin` takes the place over, and
   * gives it back; it does not throw.
   */
  enterFast<T>(deadline: Deadline, bytes: number, begin: () => Promise<T>): Promise<T> {
    const { watched } = deadline;
    return watched
      ? watched.of(() => this.#enterFast(deadline, bytes, begin))
      : this.#enterFast(deadline, bytes, begin);
  }

  #enterFast<T>(deadline: Deadline, bytes: number, begin: () => Promise<T>): Promise<T> {
    const wait = this.#admit(deadline, bytes);
    return wait ? wait.then(begin) : begin();
  }

  #admit(deadline: Deadline, bytes: number): Promise<void> | undefined {
    const wait = this.#admission.enter(bytes, deadline);
    return wait && deadline.watched ? deadline.watched.waits(wait) : wait;
  }

  /** For one who was let in by {@link enterFast} and could not begin. */
  leave(bytes: number): void {
    this.#admission.leave(bytes);
  }
}
