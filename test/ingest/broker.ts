// A broker as tests need one: it gives messages to one consumer, a process, and those that this one has not acknowledged when it
// dies to the next, flagged.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { IngestSummary } from '#dist/index.js';

export interface Message {
  readonly id: number;
  readonly key: string;
  readonly value: string;
}

export interface ConsumerOptions {
  readonly address: string;
  readonly database: string;
  /** Of its root store. */
  readonly path: string;
  readonly once: boolean;
  readonly window: number;
}

/** Messages that a consumer may have and not have acknowledged: more than its window, so that this is what bounds. */
const MAX_OPEN = 6000;
const CHUNK = 200;
const CONSUMER = fileURLToPath(new URL('./consumer.mjs', import.meta.url));

export class Broker {
  readonly acknowledged = new Set<number>();
  /** Given a second time. */
  redelivered = 0;
  readonly #options: ConsumerOptions;
  readonly #flags: boolean;
  #waiting: (Message & { readonly redelivered: boolean })[];
  #open = new Map<number, Message>();

  /** `flags`: says of a message that it was given before. */
  constructor(messages: readonly Message[], options: ConsumerOptions, flags = true) {
    this.#waiting = messages.map((message) => ({ ...message, redelivered: false }));
    this.#options = options;
    this.#flags = flags;
  }

  /** Runs a consumer to its end, or kills it `afterAcks` more acknowledgements, and `waitMs`. Undefined: it was killed. */
  async consume(afterAcks = Infinity, waitMs = 0): Promise<IngestSummary | undefined> {
    const child = fork(CONSUMER, [JSON.stringify(this.#options)], { execArgv: [] });
    const killAt = this.acknowledged.size + afterAcks;
    let summary: IngestSummary | undefined;
    let isDying = false;
    child.on('error', () => undefined);
    child.on('message', (message: { acks?: number[]; summary?: IngestSummary }) => {
      ({ summary } = message);
      for (const id of message.acks ?? []) {
        this.acknowledged.add(id);
        this.#open.delete(id);
      }
      if (this.acknowledged.size >= killAt && !isDying) {
        isDying = true;
        setTimeout(() => child.kill('SIGKILL'), waitMs);
      }
      this.#give(child);
    });
    const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
    if (!summary && code !== null) throw new Error(`the consumer ended with ${code}`);
    this.#takeBack();
    return summary;
  }

  /** A null behind the last message. */
  #give(child: ChildProcess): void {
    if (!child.connected) return;
    while (this.#open.size < MAX_OPEN && this.#waiting.length > 0) {
      const chunk = this.#waiting.splice(0, CHUNK);
      for (const message of chunk) this.#open.set(message.id, message);
      send(child, this.#waiting.length === 0 ? [...chunk, null] : chunk);
    }
    if (this.#waiting.length === 0 && this.#open.size === 0) send(child, [null]);
  }

  #takeBack(): void {
    const open = [...this.#open.values()];
    this.#open = new Map();
    this.redelivered += open.length;
    const again = open.map((message) => ({ ...message, redelivered: this.#flags }));
    this.#waiting = [...again, ...this.#waiting];
  }
}

/** One that was killed meanwhile takes nothing. */
function send(child: ChildProcess, messages: unknown[]): void {
  child.send(messages, () => undefined);
}
