// Lines that can never be written, as JSON, one a line, behind those that are in the file already.
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Line } from './lines.js';

/** A write of its own for each line would cost more than the line. */
const CHUNK_CHARS = 1 << 16;

export class RejectFile {
  readonly #file: FileHandle;
  #text = '';
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @throws Error when it cannot be written to */
  static async open(path: string): Promise<RejectFile> {
    return new RejectFile(await open(path, 'a'));
  }

  /** Whatever is no UTF-8 is told in base64. */
  async add({ file, number, bytes }: Line, reason: string): Promise<void> {
    const text = bytes.toString();
    const said = Buffer.from(text).equals(bytes) ? { text } : { base64: bytes.toString('base64') };
    this.#text += `${JSON.stringify({ file, line: number, reason, ...said })}\n`;
    if (this.#text.length >= CHUNK_CHARS) await this.flush();
  }

  /** Resolves when all that was added is in the file. @throws Error when it could not be written */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const text = this.#text;
      this.#text = '';
      if (text !== '') await this.#file.appendFile(text);
    });
    // Whoever waits for the last one is told.
    this.#writing.catch(() => undefined);
    return this.#writing;
  }

  /** @throws Error when not all of it could be written */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }
}
