// What the store's thread does in one go: the requests of a turn of the main thread, in the parts they come in, and what
// has arrived since. Writes are given out as they come, for they are committed together; all else is set aside until they are.
import { MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { WalkRequest, WriteRequest } from '../../log/requests.js';
import { isControl, isWalk } from './messages.js';
import type { ControlRequest, StoreMessage, ThreadData, ThreadRequest } from './messages.js';
import type { Numbered } from './numbered.js';
import { isRead } from './read.js';
import type { ShortRequest } from './read.js';
import type { RowUnpacker } from './row-packet.js';

/** Requests served in one go: bounds how long the first of them waits for the last. */
const MAX_GROUP = 1024;
/** How long the rest of a turn is waited for while its first rows are written but not committed. */
const MAX_WAIT_MS = 100;

export class Turn {
  /** What was asked beside the writes, in order; complete when there are no more writes. */
  readonly walks: Numbered<WalkRequest>[] = [];
  readonly reads: Numbered<ShortRequest>[] = [];
  readonly controls: Numbered<ControlRequest>[] = [];
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

  /** The next writes, in the order they were asked for, none if only other things were; undefined when nothing is asked now. */
  nextWrites(): readonly Numbered<WriteRequest>[] | undefined {
    const asked = this.#nextRequests();
    if (!asked) return undefined;
    const writes: Numbered<WriteRequest>[] = [];
    for (const { id, request } of asked) {
      if (isWalk(request)) this.walks.push({ id, request });
      else if (isRead(request)) this.reads.push({ id, request });
      else if (isControl(request)) this.controls.push({ id, request });
      else writes.push({ id, request });
    }
    return writes;
  }

  #nextRequests(): readonly Numbered<ThreadRequest>[] | undefined {
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
    // Deno's port to the thread that started this one cannot be asked: what else is on its way comes as turns of its own.
    if (this.#count >= MAX_GROUP || !(this.#port instanceof MessagePort)) return undefined;
    for (;;) {
      const before = this.#sent && Atomics.load(this.#sent, 0);
      const received = receiveMessageOnPort(this.#port) as { message: StoreMessage } | undefined;
      if (received) return received.message;
      const left = this.#until - performance.now();
      if (!this.#sent || before === undefined || this.#isWhole || left <= 0) return undefined;
      // The main thread is in the middle of its turn: what it asks next is a matter of microseconds.
      Atomics.wait(this.#sent, 0, before, left);
    }
  }
}
