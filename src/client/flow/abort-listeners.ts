// Who is to be told when a signal aborts. Any number of calls may share a signal, and an EventTarget goes through all of its
// listeners whenever one comes or goes: here they share one.
import { LinkedList } from './linked-list.js';
import type { Link } from './linked-list.js';

class Listeners {
  readonly #signal: AbortSignal;
  readonly #waiting = new LinkedList<() => void>();
  readonly #tell = () => {
    this.#signal.removeEventListener('abort', this.#tell);
    shared.delete(this.#signal);
    // Those who are told may take back what others wait for.
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(onAbort: () => void): () => void {
    if (this.#waiting.size === 0) this.#signal.addEventListener('abort', this.#tell, { once: true });
    const link = this.#waiting.add(onAbort);
    return () => this.#delete(link);
  }

  #delete(link: Link<() => void>): void {
    if (!this.#waiting.delete(link) || this.#waiting.size > 0) return;
    this.#signal.removeEventListener('abort', this.#tell);
    shared.delete(this.#signal);
  }
}

const shared = new WeakMap<AbortSignal, Listeners>();

/**
 * Has `onAbort`, which must not throw, told once when `signal` aborts. Returns what takes it back. Requires a signal that is
 * not aborted yet.
 */
export function whenAborted(signal: AbortSignal, onAbort: () => void): () => void {
  let listeners = shared.get(signal);
  if (!listeners) {
    listeners = new Listeners(signal);
    shared.set(signal, listeners);
  }
  return listeners.add(onAbort);
}
