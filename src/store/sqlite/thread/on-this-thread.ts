// The far side of a store on the calling thread, for bundles that have no files for threads: all it does keeps this thread busy.
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { ThreadData } from './messages.js';
import { serveStore } from './serve.js';

/** What the near side needs of a thread. A Worker is one. */
export interface Thread {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Node types its events
  on(event: 'message' | 'error' | 'exit', listener: (...args: any[]) => void): unknown;
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  ref(): unknown;
  unref(): unknown;
  terminate(): Promise<unknown>;
}

export class OnThisThread implements Thread {
  readonly #near: MessagePort;
  readonly #far: MessagePort;

  constructor(data: ThreadData) {
    const { port1, port2 } = new MessageChannel();
    this.#near = port1;
    this.#far = port2;
    // Nobody else sends: to wait for the rest of a turn would be to wait for oneself.
    serveStore(port2, { ...data, sent: undefined });
    // Only who waits for an answer keeps the process alive.
    port2.unref();
  }

  on(event: 'message' | 'error' | 'exit', listener: (value: unknown) => void): void {
    // What fails here fails the process, as any code of this thread would.
    if (event === 'message') this.#near.on('message', listener);
  }

  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void {
    this.#near.postMessage(message, transfer);
  }

  ref(): void {
    this.#near.ref();
  }

  unref(): void {
    this.#near.unref();
  }

  terminate(): Promise<void> {
    this.#near.close();
    this.#far.close();
    return Promise.resolve();
  }
}
