// `immu-ts ingest FILE...`: every line of files as a verified entry.
import { stat } from 'node:fs/promises';
import { ImmuError, IngestError } from '../../../index.js';
import type { ImmuClient } from '../../../index.js';
import { visible } from '../../../visible.js';
import { UsageError } from '../../command.js';
import type { Io } from '../../command.js';
import { verifiedCommand } from '../../data/connect.js';
import { STDIN } from '../../data/input.js';
import { FORMATS } from './records.js';
import type { Format, Shape } from './records.js';
import { RateLine } from './rate-line.js';
import { RejectFile } from './reject-file.js';
import { ResumeFile } from './resume-file.js';
import { Source, placed } from './source.js';
import type { Line } from './lines.js';
import { templateOf } from './template.js';

const DRY_RUN_SHOWN = 3;

export const FILE_OPTIONS = {
  format: {
    type: 'string',
    value: 'NAME',
    says: `${FORMATS.join(', ')}; default: csv where FILE ends with .csv, or ndjson`,
  },
  delimiter: {
    type: 'string',
    value: 'CHAR',
    says: 'between the fields of CSV: one character, or tab; default: ,',
  },
  'key-template': { type: 'string', value: 'TEXT', says: 'the key of a record, such as invoice/{id}' },
  'value-template': { type: 'string', value: 'TEXT', says: 'its value', default: '{}' },
  resume: { type: 'string', value: 'FILE', says: 'goes on from what is in it, and keeps it up to date' },
  'reject-file': {
    type: 'string',
    value: 'FILE',
    says: 'lines that can never be written go there, not to an end',
  },
  once: {
    type: 'boolean',
    says: 'writes no key that is there: the same value is proven, another one rejected',
  },
  'dry-run': { type: 'boolean', says: 'reads and checks everything, and writes nothing' },
} as const;

interface Given {
  readonly format: string | undefined;
  readonly delimiter: string | undefined;
  readonly 'key-template': string | undefined;
  readonly 'value-template': string;
}

export const filesCommand = verifiedCommand({
  name: 'ingest',
  operand: 'FILE',
  many: true,
  summary:
    'Writes every record of files as a verified entry, in order, with flat memory. FILE - : standard input.',
  options: FILE_OPTIONS,
  more: `Templates: {a.b} is a field of the JSON object, {} the whole line, {#} the place of the record from 0; {{ and }} are braces.
CSV: the first line of each file names the fields; {} is a JSON object of them, all of them text.
Files are UTF-8 or UTF-16, with a byte order mark or without.
Without --reject-file the first line that can never be written ends it: all before it are written. --resume has to be given the
same files again; lines that were rejected just before it ended may stand in the reject file twice.
Exit code: 0 all written, but for what is in the reject file; 1 not all; 3 the server's answer does not prove a write.`,
  check(values, files) {
    shapeOf(values, files);
    if (files.filter((file) => file === STDIN).length > 1) throw new UsageError('- can be read once');
    const { resume, 'dry-run': dryRun, once } = values;
    if (resume !== undefined && dryRun) throw new UsageError('--resume goes without --dry-run');
    if (once && dryRun) throw new UsageError('--once goes without --dry-run');
  },
  async run({ client, values, words: files, io }) {
    if (values.unverified) throw new UsageError('ingest is always verified');
    const shape = shapeOf(values, files);
    const rejects =
      values['reject-file'] === undefined ? undefined : await RejectFile.open(values['reject-file']);
    const reject = async (line: Line, reason: string) => {
      if (!rejects) throw new Error(`${placed(line, reason)} (--reject-file goes on without such lines)`);
      await rejects.add(line, reason);
    };
    try {
      if (values['dry-run']) return await dryRun(new Source(files, shape, io, reject), io);
      const point = values.resume === undefined ? undefined : new ResumeFile(values.resume);
      return await ingest(
        client,
        files,
        { shape, reject, rejects, point, json: values.json, once: values.once },
        io,
      );
    } finally {
      await rejects?.close();
    }
  },
});

/** @throws UsageError */
function shapeOf(given: Given, files: readonly string[]): Shape {
  const { delimiter, 'key-template': key, 'value-template': value } = given;
  const format = formatOf(given, files);
  if (delimiter !== undefined && format !== 'csv') throw new UsageError('--delimiter goes with --format csv');
  const between = delimiter === 'tab' ? '\t' : (delimiter ?? ',');
  if (!/^[^"\r\n\u0080-\uffff]$/.test(between))
    throw new UsageError('--delimiter is one ASCII character, or tab');
  if (key === undefined) throw new UsageError('ingest of files needs --key-template, such as invoice/{id}');
  return {
    format,
    delimiter: between,
    key: templateOf('key-template', key),
    value: templateOf('value-template', value),
  };
}

/** @throws UsageError */
function formatOf({ format }: Given, files: readonly string[]): Format {
  if (format !== undefined) {
    if (!FORMATS.includes(format as Format)) throw new UsageError(`--format is one of ${FORMATS.join(', ')}`);
    return format as Format;
  }
  const csv = files.filter((file) => /\.csv$/i.test(file)).length;
  if (csv > 0 && csv < files.length)
    throw new UsageError('some of the files end with .csv, some do not: say --format');
  return csv > 0 ? 'csv' : 'ndjson';
}

async function dryRun(source: Source, { out }: Io): Promise<number> {
  for await (const { key, value } of source) {
    if (source.records > DRY_RUN_SHOWN) continue;
    await out.write(`${visible(key.toString())} = ${visible(value.subarray(0, 200).toString())}\n`);
  }
  await out.write(`${source.records} records could be written, ${source.rejected} lines not; nothing was\n`);
  return 0;
}

interface Ingestion {
  readonly shape: Shape;
  readonly reject: (line: Line, reason: string) => Promise<void>;
  readonly rejects: RejectFile | undefined;
  readonly point: ResumeFile | undefined;
  readonly json: boolean;
  readonly once: boolean;
}

async function ingest(
  client: ImmuClient,
  files: readonly string[],
  { shape, reject, rejects, point, json, once }: Ingestion,
  io: Io,
): Promise<number> {
  const resume = await point?.read();
  const before = resume === undefined ? 0 : Number(resume.split('.')[1] ?? 0);
  const source = new Source(files, shape, io, reject, before, once);
  const rate = new RateLine(io.err);
  const size = await sizeOf(files);
  const show = (proven: number) => {
    const { bytes: read, passedOver } = source;
    if (!passedOver) return Promise.resolve();
    const seconds = (performance.now() - passedOver.atMs) / 1000;
    return rate.show({ proven: proven - before, before, seconds, size, read, passed: passedOver.bytes });
  };
  /** What the point is behind is written already: the lines that were rejected too. */
  const save = async (token: string) => {
    await rejects?.flush();
    await point?.write(token);
  };
  let last: { readonly root: { readonly tx: bigint; readonly alh: Uint8Array } } | undefined;
  let proven = before;
  let wasThere = 0;
  let refused = 0;
  let unsaved: unknown;
  try {
    const receipts = client.ingest(source, {
      signal: io.signal,
      once,
      // What the database does not take, and what is there with another value.
      ...(rejects && {
        onRefused: async ({ source: line, error }) => {
          refused += 1;
          if (line) await rejects.add(line, error.message);
        },
      }),
      ...(resume !== undefined && { resume }),
      onProgress: (progress) => {
        save(progress.resume).catch((error: unknown) => (unsaved ??= error));
        void show(progress.proven);
      },
    });
    for await (const receipt of receipts) {
      last = receipt;
      proven += 1;
      if (receipt.wasThere) wasThere += 1;
    }
  } catch (error) {
    if (error instanceof IngestError) await save(error.resume);
    const cause =
      error instanceof IngestError && error.code === 'SOURCE_FAILED' ? thrownBySource(error) : error;
    throw cause;
  } finally {
    await rate.end();
  }
  // What was written last is on its way to the file.
  await point?.settled();
  if (unsaved !== undefined) throw unsaved as Error;
  if (source.records < before)
    throw new Error(
      `${before} records were written by an earlier run, and there are ${source.records}: other files were given then`,
    );
  const rejected = source.rejected + refused;
  const counts = { records: proven, before, rejected, ...(once && { wasThere }) };
  const root = last && { tx: last.root.tx.toString(), alh: Buffer.from(last.root.alh).toString('hex') };
  if (json) await io.out.write(`${JSON.stringify({ verified: true, ...counts, root })}\n`);
  else {
    const passed = before > 0 ? `, ${before} of them by an earlier run` : '';
    const there = wasThere > 0 ? `, ${wasThere} of them were there already` : '';
    const under = root ? `, proven under tx ${root.tx}, alh ${root.alh}` : '';
    await io.out.write(`${proven} records are written and verified${passed}${there}${under}\n`);
    if (rejected > 0) await io.out.write(`${rejected} lines are in the reject file\n`);
  }
  return 0;
}

/** What {@link Source} ended with, which says it better than what the client makes of it. */
function thrownBySource(error: unknown): unknown {
  return error instanceof ImmuError && error.cause !== undefined ? thrownBySource(error.cause) : error;
}

/** Undefined where it is not known before its end. */
async function sizeOf(files: readonly string[]): Promise<number | undefined> {
  if (files.includes(STDIN)) return undefined;
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
