// What the store's thread does in one go: the requests of a turn of the main thread, in the parts they come in, and what
// has arrived since.
import { receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { StoreMessage, ThreadData, ThreadRequest } from './messages.js';
import type { Numbered } from './numbered.js';
import type { RowUnpacker } from './row-packet.js';

/** Requests served in one go: bounds how long the first of them waits for the last. */
const MAX_GROUP = 1024;
/** How long the rest of a turn is waited for while its first rows are written but not committed. */
const MAX_WAIT_MS = 100;

export class Turn {
  readonly #port: MessagePort;
  readonly #sent: ThreadData['sent'];
  readonly #unpacker: RowUnpacker;
  readonly #until = performance.now() + MAX_WAIT_MS;
  #next: StoreMessage | undefined;
  #isWhole = true;
  #count = 0;

  constructor(first: StoreMessage, port: MessagePort, sent: ThreadData['sent'], unpacker: RowUnpacker) {
    this.#next = first;
    this.#port = port;
    this.#sent = sent;
    this.#unpacker = unpacker;
  }

  /** The next requests; undefined when there are none now. */
  next(): readonly Numbered<ThreadRequest>[] | undefined {
    const message = this.#next ?? this.#receive();
    this.#next = undefined;
    if (!message) return undefined;
    this.#isWhole = message.last;
    const { rows, items } = message;
    const all = rows ? [...this.#unpacker.unpack(rows), ...items] : items;
    this.#count += all.length;
    return all;
  }

  #receive(): StoreMessage | undefined {
    if (this.#count >= MAX_GROUP) return undefined;
    for (;;) {
      const before = Atomics.load(this.#sent, 0);
      const received = receiveMessageOnPort(this.#port) as { message: StoreMessage } | undefined;
      if (received) return received.message;
      const left = this.#until - performance.now();
      if (this.#isWhole || left <= 0) return undefined;
      // The main thread is in the middle of its turn: what it asks next is a matter of microseconds.
      Atomics.wait(this.#sent, 0, before, left);
    }
  }
}
