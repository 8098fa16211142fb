// One call, watched from its beginning to its end. There is one only while somebody listens.
import type { CallEvent, CallStartEvent, ClientLoad } from './events.js';
import { codeOf } from './watch.js';
import type { Watch } from './watch.js';

/** Where calls are of one kind: one of these serves all of them. */
export interface CallPlace {
  readonly verified: boolean;
  readonly database?: string;
}

/** What a call is, as far as it is known when it begins. */
export interface CallAbout extends CallPlace {
  readonly operation: string;
  /** Entries that it writes. */
  readonly entries: number | undefined;
}

/** RPC names of a call that are kept. */
const MAX_RPCS = 16;

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

export class CallWatch {
  readonly #watch: Watch;
  readonly #about: CallAbout;
  readonly #load: { readonly load: ClientLoad };
  #rpcs: string[] = NONE;
  #sends = 0;
  #waitedMs = 0;

  constructor(watch: Watch, about: CallAbout, load: { readonly load: ClientLoad }) {
    this.#watch = watch;
    this.#about = about;
    this.#load = load;
  }

  /** An RPC is sent for this call alone. */
  sends(method: string): void {
    this.#sends += 1;
    if (this.#rpcs.length >= MAX_RPCS || this.#rpcs.includes(method)) return;
    if (this.#rpcs === NONE) this.#rpcs = [method];
    else this.#rpcs.push(method);
  }

  /** It waits to be let in. */
  waits<T>(room: Promise<T>): Promise<T> {
    const since = performance.now();
    return room.finally(() => (this.#waitedMs = performance.now() - since));
  }

  /** Has the call made, and tells of its beginning and its end. */
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
  #begin(): Mutable<Partial<CallEvent> & CallStartEvent> {
    const { operation, verified, database } = this.#about;
    const { client, address } = this.#watch;
    const { load } = this.#load;
    const event =
      database === undefined
        ? { client, address, at: Date.now(), operation, verified, load }
        : { client, address, at: Date.now(), operation, verified, load, database };
    this.#watch.publish('immu-ts:call:start', event);
    return event;
  }

  #end(event: Mutable<Partial<CallEvent> & CallStartEvent>, began: number, code: CallEvent['code']): void {
    const [rpc] = this.#rpcs;
    if (event.operation === UNNAMED && rpc !== undefined) event.operation = rpc;
    event.load = this.#load.load;
    event.durationMs = performance.now() - began;
    event.at += Math.round(event.durationMs);
    event.waitedMs = this.#waitedMs;
    event.rpcs = this.#rpcs;
    event.sends = this.#sends;
    event.code = code;
    this.#watch.publish('immu-ts:call', event as CallEvent);
  }

  /** What can be told of a result without its values. */
  #say(event: Mutable<Partial<CallEvent>>, value: unknown): void {
    const { verified, entries = entriesIn(value) } = this.#about;
    if (verified && entries !== undefined) event.entries = entries;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const { tx, key } = value as { readonly tx?: unknown; readonly key?: unknown };
    if (typeof tx === 'bigint') event.tx = tx;
    if (this.#watch.keys && key instanceof Uint8Array) event.key = new TextDecoder().decode(key);
  }
}

/** Of calls that share their requests. */
const NONE: string[] = [];

/** A call that is known by its RPC. */
export const UNNAMED = 'call';

function entriesIn(value: unknown): number | undefined {
  if (value === null) return 0;
  if (typeof value !== 'object') return undefined;
  const list: unknown = Array.isArray(value) ? value : (value as { readonly entries?: unknown }).entries;
  if (Array.isArray(list)) return list.reduce((sum: number, each) => (each === null ? sum : sum + 1), 0);
  return (value as { readonly key?: unknown }).key instanceof Uint8Array ? 1 : undefined;
}
