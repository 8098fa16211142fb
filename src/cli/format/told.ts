// What a command finds out bit by bit: words as they come, or one JSON object at the end.
import { jsonText } from './formats.js';
import type { Io } from '../command.js';

export class Told {
  readonly #out: Io['out'];
  readonly #fields: Record<string, unknown> | undefined;

  constructor(json: boolean, { out }: Pick<Io, 'out'>) {
    this.#out = out;
    this.#fields = json ? {} : undefined;
  }

  /** `fields` are for JSON, in place of the words. */
  async add(fields: Readonly<Record<string, unknown>>, words: string): Promise<void> {
    if (this.#fields) Object.assign(this.#fields, fields);
    else await this.#out.write(words);
  }

  /** Hands the exit code on. */
  async end(code: number): Promise<number> {
    if (this.#fields) await this.#out.write(`${jsonText(this.#fields)}\n`);
    return code;
  }
}
