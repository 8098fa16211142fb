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
  readonly #load: () => ClientLoad;
  readonly #rpcs: string[] = [];
  #sends = 0;
  #waitedMs = 0;

  constructor(watch: Watch, about: CallAbout, load: () => ClientLoad) {
    this.#watch = watch;
    this.#about = about;
    this.#load = load;
  }

  /** An RPC is sent for this call alone. */
  sends(method: string): void {
    this.#sends += 1;
    if (this.#rpcs.length < MAX_RPCS && !this.#rpcs.includes(method)) this.#rpcs.push(method);
  }

  /** It waits to be let in. */
  waits<T>(room: Promise<T>): Promise<T> {
    const since = performance.now();
    return room.finally(() => (this.#waitedMs = performance.now() - since));
  }

  /** Has the call made, and tells of its beginning and its end. */
  async of<T>(make: () => Promise<T>): Promise<T> {
    const { operation, verified, database } = this.#about;
    const began = performance.now();
    const event: Mutable<CallStartEvent> = {
      ...this.#watch.base(),
      ...{ operation, verified, ...(database !== undefined && { database }), load: this.#load() },
    };
    this.#watch.publish('immu-ts:call:start', event);
    try {
      const value = await make();
      this.#end(event, began, { code: 'OK', ...this.#said(value) });
      return value;
    } catch (error) {
      const message = this.#watch.keys && error instanceof Error ? { message: error.message } : {};
      this.#end(event, began, { code: codeOf(error), ...message });
      throw error;
    }
  }

  #end(
    event: Mutable<CallStartEvent>,
    began: number,
    outcome: Pick<CallEvent, 'code'> & Partial<CallEvent>,
  ): void {
    const [rpc] = this.#rpcs;
    if (event.operation === UNNAMED && rpc !== undefined) event.operation = rpc;
    event.load = this.#load();
    event.at = Date.now();
    const ended: CallEvent = Object.assign(event, {
      durationMs: performance.now() - began,
      waitedMs: this.#waitedMs,
      rpcs: this.#rpcs,
      sends: this.#sends,
      ...outcome,
    });
    this.#watch.publish('immu-ts:call', ended);
  }

  /** What can be told of a result without its values. */
  #said(value: unknown): Partial<CallEvent> {
    const { verified, entries = entriesIn(value) } = this.#about;
    const counted = verified && entries !== undefined ? { entries } : {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return counted;
    const { tx, key } = value as { readonly tx?: unknown; readonly key?: unknown };
    const named = this.#watch.keys && key instanceof Uint8Array;
    return {
      ...counted,
      ...(typeof tx === 'bigint' && { tx }),
      ...(named && { key: new TextDecoder().decode(key) }),
    };
  }
}

/** A call that is known by its RPC. */
export const UNNAMED = 'call';

function entriesIn(value: unknown): number | undefined {
  if (value === null) return 0;
  if (typeof value !== 'object') return undefined;
  const list: unknown = Array.isArray(value) ? value : (value as { readonly entries?: unknown }).entries;
  if (Array.isArray(list)) return list.reduce((sum: number, each) => (each === null ? sum : sum + 1), 0);
  return (value as { readonly key?: unknown }).key instanceof Uint8Array ? 1 : undefined;
}
