// A file that is there only when it is whole, and never takes the place of another.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Output } from './output.js';

export interface Written<T> {
  readonly value: T;
  /** Hex, of the whole file. */
  readonly sha256: string;
}

/** Writes `path` under another name first. Throws when there is something at `path`, or `write` throws. */
export async function writeWholeFile<T>(
  path: string,
  write: (out: Output) => Promise<T>,
): Promise<Written<T>> {
  assertFree(path);
  const part = `${path}.${process.pid}.part`;
  const file = await open(part, 'wx');
  try {
    const hash = createHash('sha256');
    const stream = new Writable({
      write(chunk: Uint8Array, _encoding, done) {
        hash.update(chunk);
        file.writeFile(chunk).then(() => done(), done);
      },
    });
    const end = finished(stream);
    // Awaited below; a disk that is full must not end the process before that.
    end.catch(() => undefined);
    const value = await write(new Output(stream));
    stream.end();
    await end;
    await file.sync();
    assertFree(path);
    await rename(part, path);
    return { value, sha256: hash.digest('hex') };
  } finally {
    await file.close();
    await rm(part, { force: true });
  }
}

function assertFree(path: string): void {
  if (existsSync(path)) throw new Error(`${path} is there already: it is not written over`);
}
