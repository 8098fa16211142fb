// The one place where a client tells what goes on in it: on the channels of the process, and to its own logger and status. What
// nobody listens to is not even put together.
import { channel } from 'node:diagnostics_channel';
import type { Channel } from 'node:diagnostics_channel';
import { ImmuError } from '../../errors.js';
import type { ImmuErrorCode } from '../../errors.js';
import { WATCH_NAMES } from './events.js';
import type { WatchEvent, WatchEvents, WatchName } from './events.js';

/** Told of what happened, and must not throw; what it throws is dropped. */
export type WatchListener<N extends WatchName = WatchName> = (name: N, event: WatchEvents[N]) => void;

/** What an event says of its own. */
type Told<N extends WatchName> = Omit<WatchEvents[N], keyof WatchEvent>;

const CHANNELS = Object.fromEntries(WATCH_NAMES.map((name) => [name, channel(name)])) as Record<
  WatchName,
  Channel
>;
const CALL_START = CHANNELS['immu-ts:call:start'];
const CALL = CHANNELS['immu-ts:call'];
const CALLS = CHANNELS['immu-ts:calls'];

export interface WatchOptions {
  readonly client: string;
  readonly address: string;
  /** Keys, and words about them, are told too. */
  readonly keys: boolean;
}

export class Watch {
  readonly keys: boolean;
  readonly client: string;
  readonly address: string;
  readonly #listeners = new Map<WatchName, Set<WatchListener>>();
  #listensToCalls = false;
  #listensToSums = false;

  constructor({ client, address, keys }: WatchOptions) {
    this.client = client;
    this.address = address;
    this.keys = keys;
  }

  /** Somebody listens. */
  wants(name: WatchName): boolean {
    return CHANNELS[name].hasSubscribers || (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** The same of calls, which is asked for each of them. */
  get wantsCalls(): boolean {
    return this.#listensToCalls || CALL.hasSubscribers || CALL_START.hasSubscribers;
  }

  /** And of their sums. */
  get wantsSums(): boolean {
    return this.#listensToSums || CALLS.hasSubscribers;
  }

  /** Tells what `make` says, where somebody listens. */
  tell<N extends WatchName>(name: N, make: () => Told<N>): void {
    if (this.wants(name)) this.publish(name, { ...this.#base(), ...make() } as unknown as WatchEvents[N]);
  }

  #base(): WatchEvent {
    return { client: this.client, address: this.address, at: Date.now() };
  }

  /** Tells an event that is put together already. Never throws. */
  publish<N extends WatchName>(name: N, event: WatchEvents[N]): void {
    const told = CHANNELS[name];
    if (told.hasSubscribers) told.publish(event);
    const listeners = this.#listeners.get(name);
    if (!listeners) return;
    for (const listener of listeners) {
      try {
        listener(name, event);
      } catch {
        // Who listens is not who calls.
      }
    }
  }

  /** Tells this client's events of these names to `listener`. Returns what takes it back. */
  listen(names: readonly WatchName[], listener: WatchListener): () => void {
    for (const name of names) {
      const listeners = this.#listeners.get(name);
      if (listeners) listeners.add(listener);
      else this.#listeners.set(name, new Set([listener]));
    }
    this.#noteCalls();
    return () => {
      for (const name of names) this.#listeners.get(name)?.delete(listener);
      this.#noteCalls();
    };
  }

  #noteCalls(): void {
    const of = (name: WatchName) => (this.#listeners.get(name)?.size ?? 0) > 0;
    this.#listensToCalls = of('immu-ts:call') || of('immu-ts:call:start');
    this.#listensToSums = of('immu-ts:calls');
  }
}

/** What an error is known by: never its words. */
export function codeOf(error: unknown): ImmuErrorCode | 'UNKNOWN' {
  return error instanceof ImmuError ? error.code : 'UNKNOWN';
}
