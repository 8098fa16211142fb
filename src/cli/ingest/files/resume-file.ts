// Where an ingestion was, in a file: replaced as a whole, so that what is there is always one that can be gone on from.
import { open, readFile, rename } from 'node:fs/promises';

export class ResumeFile {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  #next: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined when there is no such file yet. */
  async read(): Promise<string | undefined> {
    try {
      return (await readFile(this.#path, 'utf8')).trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The newest one that was given is written, one after the other. Rejects when any of them could not be. */
  write(token: string): Promise<void> {
    this.#next = token;
    this.#writing = this.#writing.then(() => this.#writeNext());
    // Whoever waits for the last one is told.
    this.#writing.catch(() => undefined);
    return this.#writing;
  }

  /** Resolves when what was given is written. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #writeNext(): Promise<void> {
    const token = this.#next;
    if (token === undefined) return;
    this.#next = undefined;
    const part = `${this.#path}.${process.pid}.part`;
    const file = await open(part, 'w');
    try {
      await file.writeFile(`${token}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, this.#path);
  }
}
