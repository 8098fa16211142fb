// One call, each event of which is told: there is one only while somebody listens to calls.
import { UNNAMED } from './call-place.js';
import type { CallAbout, WatchedCall } from './call-place.js';
import { entriesIn } from './call-result.js';
import type { CallSums } from './call-sums.js';
import type { CallEvent, CallStartEvent, ClientLoad } from './events.js';
import { codeOf } from './watch.js';
import type { Watch } from './watch.js';

/** RPC names of a call that are kept. */
const MAX_RPCS = 16;
/** Of calls that share their requests. */
const NONE: string[] = [];

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
type Told = Mutable<Partial<CallEvent> & CallStartEvent>;

export class CallWatch implements WatchedCall {
  readonly #watch: Watch;
  readonly #about: CallAbout;
  readonly #load: { readonly load: ClientLoad };
  /** Where somebody listens to sums too. */
  readonly #sums: CallSums | undefined;
  #rpcs: string[] = NONE;
  #sends = 0;
  #waitedMs = 0;

  constructor(watch: Watch, about: CallAbout, load: { readonly load: ClientLoad }, sums?: CallSums) {
    this.#watch = watch;
    this.#about = about;
    this.#load = load;
    this.#sums = sums;
  }

  sends(method: string): void {
    this.#sends += 1;
    if (this.#rpcs.length >= MAX_RPCS || this.#rpcs.includes(method)) return;
    if (this.#rpcs === NONE) this.#rpcs = [method];
    else this.#rpcs.push(method);
  }

  waits<T>(room: Promise<T>): Promise<T> {
    const since = performance.now();
    return room.finally(() => (this.#waitedMs = performance.now() - since));
  }

  async of<T>(make: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const event = this.#begin();
    try {
      const value = await make();
      this.#say(event, value);
      this.#end(event, began, 'OK');
      return value;
    } catch (error) {
      if (this.#watch.keys && error instanceof Error) event.message = error.message;
      this.#end(event, began, codeOf(error));
      throw error;
    }
  }

  /** By the thousand: every call's event is put together field by field. */
  #begin(): Told {
    const { operation, place } = this.#about;
    const { verified, database } = place;
    const { client, address } = this.#watch;
    const { load } = this.#load;
    const event =
      database === undefined
        ? { client, address, at: Date.now(), operation, verified, load }
        : { client, address, at: Date.now(), operation, verified, load, database };
    this.#sums?.begins(operation, place);
    this.#watch.publish('immu-ts:call:start', event);
    return event;
  }

  #end(event: Told, began: number, code: CallEvent['code']): void {
    const [rpc] = this.#rpcs;
    if (event.operation === UNNAMED && rpc !== undefined) event.operation = rpc;
    event.load = this.#load.load;
    event.durationMs = performance.now() - began;
    event.at += Math.round(event.durationMs);
    event.waitedMs = this.#waitedMs;
    event.rpcs = this.#rpcs;
    event.sends = this.#sends;
    event.code = code;
    this.#sums?.ends(event.operation, this.#about.place, code, began, event.entries ?? 0);
    this.#watch.publish('immu-ts:call', event as CallEvent);
  }

  #say(event: Mutable<Partial<CallEvent>>, value: unknown): void {
    const { place, entries = entriesIn(value) } = this.#about;
    if (place.verified && entries !== undefined) event.entries = entries;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const { tx, key } = value as { readonly tx?: unknown; readonly key?: unknown };
    if (typeof tx === 'bigint') event.tx = tx;
    if (this.#watch.keys && key instanceof Uint8Array) event.key = new TextDecoder().decode(key);
  }
}
