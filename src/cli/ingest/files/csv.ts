// Records of CSV (RFC 4180) that comes in chunks: the first one of a file names the fields of the others.
import { CsvError, parse } from 'csv-parse';
import { visible } from '../../../visible.js';
import { MAX_LINE_BYTES } from './lines.js';
import type { Line } from './lines.js';
import { utf8OfLatin1 } from './utf8.js';

interface Read {
  readonly number: number;
  readonly raw: string;
  readonly values: readonly string[];
}

/**
 * Bytes are taken for Latin-1, which loses none: whether a record is UTF-8 is found out for each.
 *
 * @throws Error when it is not to be told where a record ends, behind all that come before; or for a header that names a field twice
 */
export async function* csvOf(
  file: string,
  text: AsyncIterable<Buffer>,
  delimiter: string,
): AsyncGenerator<Line, void, undefined> {
  let read: Read[] = [];
  const parser = parse({
    delimiter,
    encoding: 'latin1',
    raw: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_LINE_BYTES,
    // Taken here and not from the stream, which drops what it holds when the next record is broken.
    onRecord: (given: unknown, { lines: number }) => {
      const { record: values, raw } = given as { readonly record: string[]; readonly raw: string };
      read.push({ number, raw, values });
      return null;
    },
  });
  let broken: unknown;
  parser.on('error', (error) => (broken = error));
  let names: readonly string[] | undefined;
  const taken = function* (): Generator<Line, void, undefined> {
    const records = read;
    read = [];
    for (const { number, raw, values } of records) {
      if (names) yield { file, number, bytes: bytesOf(raw), cells: { names, values } };
      else names = headerOf(file, values);
    }
    if (broken !== undefined) throw wordsFor(file, broken);
  };
  for await (const chunk of text) {
    await new Promise<void>((resolve) => parser.write(chunk, () => resolve()));
    yield* taken();
  }
  await new Promise<void>((resolve) => parser.on('error', () => resolve()).end(() => resolve()));
  yield* taken();
}

/** @throws Error */
function headerOf(file: string, values: readonly string[]): readonly string[] {
  const wrong = (what: string, cause?: unknown) =>
    new Error(`${visible(file)}: its first line names the fields, and ${what}`, { cause });
  let names: string[];
  try {
    names = values.map(utf8OfLatin1);
  } catch (cause) {
    throw wrong('is no UTF-8', cause);
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw wrong(`has ${visible(JSON.stringify(twice))} twice`);
  return names;
}

/** Without the end of its last line. */
function bytesOf(raw: string): Buffer {
  return Buffer.from(raw.replace(/[\r\n]+$/, ''), 'latin1');
}

function wordsFor(file: string, error: unknown): unknown {
  if (!(error instanceof CsvError)) return error;
  const { lines } = error;
  const at = typeof lines === 'number' ? `${visible(file)}:${lines}` : visible(file);
  const cause = { cause: error };
  if (error.code === 'CSV_MAX_RECORD_SIZE')
    return new Error(
      `${at}: a record has more than ${MAX_LINE_BYTES} bytes, or a quote is never closed`,
      cause,
    );
  return new Error(`${at}: its quotes are broken: where a record ends is not to be told from here on`, cause);
}
