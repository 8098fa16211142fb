// The records of files for an ingestion; lines that can never be one are told apart.
import type { Io } from '../../command.js';
import { visible } from '../../../visible.js';
import { linesOf } from './lines.js';
import type { Line } from './lines.js';
import { isBlank, recordOf } from './records.js';
import type { Shape } from './records.js';
import { textOf } from './text.js';

/** How far a source was when the records that an earlier run had written were passed over. */
export interface PassedOver {
  readonly bytes: number;
  readonly atMs: number;
}

/** With the line that it was made of, which is kept until the record is written. */
export interface LineRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly source: Line;
  readonly redelivered: boolean;
}

export class Source {
  readonly #files: readonly string[];
  readonly #shape: Shape;
  readonly #io: Pick<Io, 'input' | 'signal'>;
  readonly #onReject: (line: Line, reason: string) => Promise<void>;
  readonly #before: number;
  readonly #once: boolean;
  /** Bytes read, records made and lines rejected so far. */
  bytes = 0;
  records = 0;
  rejected = 0;
  passedOver: PassedOver | undefined;

  /**
   * `onReject` throws when nothing is to be left out. It is not told of those before record `before`: an earlier run was. `once`:
   * any record may be there already.
   */
  constructor(
    files: readonly string[],
    shape: Shape,
    io: Pick<Io, 'input' | 'signal'>,
    onReject: (line: Line, reason: string) => Promise<void>,
    before = 0,
    once = false,
  ) {
    this.#files = files;
    this.#shape = shape;
    this.#io = io;
    this.#before = before;
    this.#once = once;
    this.#onReject = (line, reason) => (this.records < before ? Promise.resolve() : onReject(line, reason));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LineRecord, void, undefined> {
    for (const file of this.#files) {
      const text = textOf(file, this.#io, (read) => (this.bytes += read));
      for await (const line of this.#linesOf(file, text)) {
        if (isBlank(line)) continue;
        const made = recordOf(line, this.records, this.#shape);
        if (typeof made === 'string') {
          this.rejected += 1;
          await this.#onReject(line, made);
          continue;
        }
        if (this.records === this.#before) this.passedOver = { bytes: this.bytes, atMs: performance.now() };
        this.records += 1;
        const [key, value] = made;
        yield { key, value, source: line, redelivered: this.#once };
      }
    }
  }

  async *#linesOf(file: string, text: AsyncIterable<Buffer>): AsyncGenerator<Line, void, undefined> {
    const { format, delimiter } = this.#shape;
    if (format !== 'csv') return yield* linesOf(file, text);
    const { csvOf } = await import('./csv.js');
    yield* csvOf(file, text, delimiter);
  }
}

/** `file:12: it is no JSON`. */
export function placed({ file, number }: Line, reason: string): string {
  return `${visible(file)}:${number}: ${visible(reason)}`;
}
