// The records of files for an ingestion; lines that can never be one are told apart.
import type { Io } from '../../command.js';
import { visible } from '../../../visible.js';
import { linesOf } from './lines.js';
import type { Line } from './lines.js';
import { isBlank, recordOf } from './records.js';
import type { Shape } from './records.js';

export class Source {
  readonly #files: readonly string[];
  readonly #shape: Shape;
  readonly #io: Pick<Io, 'input' | 'signal'>;
  readonly #onReject: (line: Line, reason: string) => Promise<void>;
  /** Bytes read, records made and lines rejected so far. */
  bytes = 0;
  records = 0;
  rejected = 0;

  /** `onReject` throws when nothing is to be left out. It is not told of those before record `silentUntil`: an earlier run was. */
  constructor(
    files: readonly string[],
    shape: Shape,
    io: Pick<Io, 'input' | 'signal'>,
    onReject: (line: Line, reason: string) => Promise<void>,
    silentUntil = 0,
  ) {
    this.#files = files;
    this.#shape = shape;
    this.#io = io;
    this.#onReject = (line, reason) =>
      this.records < silentUntil ? Promise.resolve() : onReject(line, reason);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly [Buffer, Buffer], void, undefined> {
    const onBytes = (read: number) => (this.bytes += read);
    for await (const line of linesOf(this.#files, this.#io, onBytes)) {
      if (isBlank(line)) continue;
      const made = recordOf(line, this.records, this.#shape);
      if (typeof made === 'string') {
        this.rejected += 1;
        await this.#onReject(line, made);
        continue;
      }
      this.records += 1;
      yield made;
    }
  }
}

/** `file:12: it is no JSON`. */
export function placed({ file, number }: Line, reason: string): string {
  return `${visible(file)}:${number}: ${visible(reason)}`;
}
