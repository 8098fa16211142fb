// Writing to a stream at the speed of its reader, and noticing when nobody reads any longer.
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';

/** Text is collected up to so much before it is written: a write of its own for each row costs more than the row. */
const CHUNK_CHARS = 1 << 16;

export class Output {
  readonly #stream: Writable;
  #text = '';
  #gone = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('close', () => (this.#gone = true));
    // Reported by whoever owns the stream; here it only means that there is no use in writing more.
    stream.on('error', () => (this.#gone = true));
  }

  /** Nobody reads any longer, as when `head` has seen enough. */
  get gone(): boolean {
    return this.#gone;
  }

  /** A person looks at it, rather than a program. */
  get isTerminal(): boolean {
    return (this.#stream as Partial<WriteStream>).isTTY === true;
  }

  /** Adds to what is written next. Resolves when there is room for more. */
  async add(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length >= CHUNK_CHARS) await this.flush();
  }

  /** Writes what was added and `text` at once. Resolves when there is room for more, or nobody reads any longer. */
  async write(text: string): Promise<void> {
    this.#text += text;
    await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text !== '') await this.#write(text);
  }

  /** Writes bytes as they are, behind what was added. */
  async bytes(bytes: Uint8Array): Promise<void> {
    await this.flush();
    if (bytes.length > 0) await this.#write(bytes);
  }

  async #write(chunk: string | Uint8Array): Promise<void> {
    if (this.#gone || this.#stream.write(chunk)) return;
    const settled = new AbortController();
    const { signal } = settled;
    // `once` rejects on 'error': that is noted above.
    await Promise.race(['drain', 'close'].map((event) => once(this.#stream, event, { signal }))).catch(
      () => undefined,
    );
    settled.abort();
  }
}
