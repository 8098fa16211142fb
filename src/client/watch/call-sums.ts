// Calls by the thousand, told as sums: what began and ended together. Who listens to sums alone pays for no event of each call.
import type { ImmuErrorCode } from '../../errors.js';
import { entriesIn } from './call-result.js';
import type { CallPlace, WatchedCall } from './call-place.js';
import { UNNAMED } from './call-place.js';
import type { CallsEnded, CallsEvent, ClientLoad } from './events.js';
import { codeOf } from './watch.js';
import type { Watch } from './watch.js';

/** Kinds that are kept: a client of more databases finds some of them anew. */
const MAX_KINDS = 256;

type Code = ImmuErrorCode | 'OK' | 'UNKNOWN';
type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** Calls of one name in one place: what was not told of them yet. */
interface Kind {
  readonly place: CallPlace;
  readonly operation: string;
  began: number;
  /** One for each code. */
  ended: Mutable<CallsEnded>[];
  isToTell: boolean;
}

export class CallSums {
  readonly #watch: Watch;
  readonly #load: { readonly load: ClientLoad };
  readonly #kinds = new Map<string, Kind>();
  readonly #toTell: Kind[] = [];
  #last: Kind | undefined;
  /** The clock is looked at once for those that are told together. */
  #now = 0;
  readonly #tell = (): void => this.#tellAll();

  constructor(watch: Watch, load: { readonly load: ClientLoad }) {
    this.#watch = watch;
    this.#load = load;
  }

  begins(operation: string, place: CallPlace): void {
    this.#noted(operation, place).began += 1;
  }

  ends(operation: string, place: CallPlace, code: Code, startedAt: number, entries: number): void {
    const { ended } = this.#noted(operation, place);
    const durationMs = this.#now - startedAt;
    for (const sum of ended) {
      if (sum.code !== code) continue;
      sum.calls += 1;
      sum.entries += entries;
      if (durationMs > sum.longestMs) sum.longestMs = durationMs;
      return;
    }
    ended.push({ code, calls: 1, entries, longestMs: durationMs });
  }

  /** Is told when those that begin or end with it have done so too, and before their callers go on. */
  #noted(operation: string, place: CallPlace): Kind {
    const last = this.#last;
    const kind = last?.operation === operation && last.place === place ? last : this.#kind(operation, place);
    if (kind.isToTell) return kind;
    kind.isToTell = true;
    if (this.#toTell.push(kind) === 1) {
      this.#now = performance.now();
      queueMicrotask(this.#tell);
    }
    return kind;
  }

  #kind(operation: string, place: CallPlace): Kind {
    const name = `${operation}\n${String(place.verified)}\n${place.database ?? ''}`;
    const known = this.#kinds.get(name);
    // A place may be made anew, and is then the one that comes next too.
    if (known?.place === place) return (this.#last = known);
    const made: Kind = { place, operation, began: 0, ended: [], isToTell: false };
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear();
    this.#kinds.set(name, made);
    return (this.#last = made);
  }

  #tellAll(): void {
    const { client, address } = this.#watch;
    const base = { client, address, at: Date.now(), load: this.#load.load };
    for (const kind of this.#toTell.splice(0)) {
      const { place, operation, began, ended } = kind;
      kind.isToTell = false;
      kind.began = 0;
      kind.ended = [];
      const event: CallsEvent = { ...base, ...place, operation, began, ended };
      this.#watch.publish('immu-ts:calls', event);
    }
  }
}

/** A call of which sums alone are told. */
export class SummedCall implements WatchedCall {
  readonly #sums: CallSums;
  readonly #place: CallPlace;
  /** Entries that it writes. */
  readonly #entries: number | undefined;
  readonly #startedAt: number;
  #operation: string;

  constructor(
    sums: CallSums,
    operation: string,
    place: CallPlace,
    entries: number | undefined,
    startedAt: number,
  ) {
    this.#sums = sums;
    this.#operation = operation;
    this.#place = place;
    this.#entries = entries;
    this.#startedAt = startedAt;
  }

  sends(method: string): void {
    if (this.#operation === UNNAMED) this.#operation = method;
  }

  waits<T>(room: Promise<T>): Promise<T> {
    return room;
  }

  of<T>(make: () => Promise<T>): Promise<T> {
    this.#sums.begins(this.#operation, this.#place);
    let made: Promise<T>;
    try {
      made = make();
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what was thrown
      made = Promise.reject(error);
    }
    return made.then(
      (value) => {
        this.#ends('OK', this.#place.verified ? (this.#entries ?? entriesIn(value) ?? 0) : 0);
        return value;
      },
      (error: unknown) => {
        this.#ends(codeOf(error), 0);
        throw error;
      },
    );
  }

  #ends(code: Code, entries: number): void {
    this.#sums.ends(this.#operation, this.#place, code, this.#startedAt, entries);
  }
}
