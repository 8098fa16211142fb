// `immu-ts ingest FILE...`: every line of files as a verified entry.
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { IngestError } from '../../../index.js';
import type { ImmuClient } from '../../../index.js';
import { visible } from '../../../visible.js';
import { UsageError } from '../../command.js';
import type { Io } from '../../command.js';
import { verifiedCommand } from '../../data/connect.js';
import { STDIN } from '../../data/input.js';
import { Output } from '../../output.js';
import { FORMATS } from './records.js';
import type { Format, Shape } from './records.js';
import { RateLine } from './rate-line.js';
import { ResumeFile } from './resume-file.js';
import { Source, placed } from './source.js';
import type { Line } from './lines.js';
import { templateOf } from './template.js';

const DRY_RUN_SHOWN = 3;

export const FILE_OPTIONS = {
  format: { type: 'string', value: 'NAME', says: FORMATS.join(' or '), default: 'ndjson' },
  'key-template': { type: 'string', value: 'TEXT', says: 'the key of a record, such as invoice/{id}' },
  'value-template': { type: 'string', value: 'TEXT', says: 'its value', default: '{}' },
  resume: { type: 'string', value: 'FILE', says: 'goes on from what is in it, and keeps it up to date' },
  'reject-file': {
    type: 'string',
    value: 'FILE',
    says: 'lines that can never be written go there, not to an end',
  },
  'dry-run': { type: 'boolean', says: 'reads and checks everything, and writes nothing' },
} as const;

interface Given {
  readonly format: string;
  readonly 'key-template': string | undefined;
  readonly 'value-template': string;
}

export const filesCommand = verifiedCommand({
  name: 'ingest',
  operand: 'FILE',
  many: true,
  summary:
    'Writes every line of files as a verified entry, in order, with flat memory. FILE - : standard input.',
  options: FILE_OPTIONS,
  more: `Templates: {a.b} is a field of the JSON object, {} the whole line, {#} the place of the record from 0; {{ and }} are braces.
Without --reject-file the first line that can never be written ends it: all before it are written. --resume has to be given the
same files again; lines that were rejected just before it ended may stand in the reject file twice.
Exit code: 0 all written, but for what is in the reject file; 1 not all; 3 the server's answer does not prove a write.`,
  check(values, files) {
    shapeOf(values);
    if (files.filter((file) => file === STDIN).length > 1) throw new UsageError('- can be read once');
    const { resume, 'dry-run': dryRun } = values;
    if (resume !== undefined && dryRun) throw new UsageError('--resume goes without --dry-run');
  },
  async run({ client, values, words: files, io }) {
    if (values.unverified) throw new UsageError('ingest is always verified');
    const shape = shapeOf(values);
    const rejects = values['reject-file'] === undefined ? undefined : new RejectFile(values['reject-file']);
    const reject = async (line: Line, reason: string) => {
      if (!rejects) throw new Error(`${placed(line, reason)} (--reject-file goes on without such lines)`);
      await rejects.add(line, reason);
    };
    try {
      if (values['dry-run']) return await dryRun(new Source(files, shape, io, reject), io);
      const point = values.resume === undefined ? undefined : new ResumeFile(values.resume);
      return await ingest(client, files, { shape, reject, point, json: values.json }, io);
    } finally {
      await rejects?.close();
    }
  },
});

/** @throws UsageError */
function shapeOf({ format, 'key-template': key, 'value-template': value }: Given): Shape {
  if (!FORMATS.includes(format as Format)) throw new UsageError(`--format is ${FORMATS.join(' or ')}`);
  if (key === undefined) throw new UsageError('ingest of files needs --key-template, such as invoice/{id}');
  return {
    format: format as Format,
    key: templateOf('key-template', key),
    value: templateOf('value-template', value),
  };
}

async function dryRun(source: Source, { out }: Io): Promise<number> {
  for await (const [key, value] of source) {
    if (source.records > DRY_RUN_SHOWN) continue;
    await out.write(`${visible(key.toString())} = ${visible(value.subarray(0, 200).toString())}\n`);
  }
  await out.write(`${source.records} records could be written, ${source.rejected} lines not; nothing was\n`);
  return 0;
}

interface Ingestion {
  readonly shape: Shape;
  readonly reject: (line: Line, reason: string) => Promise<void>;
  readonly point: ResumeFile | undefined;
  readonly json: boolean;
}

async function ingest(
  client: ImmuClient,
  files: readonly string[],
  { shape, reject, point, json }: Ingestion,
  io: Io,
): Promise<number> {
  const resume = await point?.read();
  const before = resume === undefined ? 0 : Number(resume.split('.')[1] ?? 0);
  const source = new Source(files, shape, io, reject, before);
  const rate = new RateLine(io.err, await sizeOf(files), before);
  let last: { readonly root: { readonly tx: bigint; readonly alh: Uint8Array } } | undefined;
  let proven = before;
  try {
    const receipts = client.ingest(source, {
      signal: io.signal,
      ...(resume !== undefined && { resume }),
      onProgress: (progress) => {
        void point?.write(progress.resume);
        void rate.show(progress, source.bytes);
      },
    });
    for await (const receipt of receipts) {
      last = receipt;
      proven += 1;
    }
  } catch (error) {
    if (error instanceof IngestError) await point?.write(error.resume);
    const cause = error instanceof IngestError && error.code === 'SOURCE_FAILED' ? deepest(error) : error;
    throw cause;
  } finally {
    await rate.end();
  }
  // What was written last is on its way to the file.
  await point?.settled();
  const counts = { records: proven, before, rejected: source.rejected };
  const root = last && { tx: last.root.tx.toString(), alh: Buffer.from(last.root.alh).toString('hex') };
  if (json) await io.out.write(`${JSON.stringify({ verified: true, ...counts, root })}\n`);
  else {
    const passed = before > 0 ? `, ${before} of them by an earlier run` : '';
    const under = root ? `, proven under tx ${root.tx}, alh ${root.alh}` : '';
    await io.out.write(`${proven} records are written and verified${passed}${under}\n`);
    if (source.rejected > 0) await io.out.write(`${source.rejected} lines are in the reject file\n`);
  }
  return 0;
}

function deepest(error: Error): unknown {
  return error.cause instanceof Error ? deepest(error.cause) : error;
}

/** Undefined where it is not known before its end. */
async function sizeOf(files: readonly string[]): Promise<number | undefined> {
  if (files.includes(STDIN)) return undefined;
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Rejected lines as JSON, one a line, behind those that are there. */
class RejectFile {
  readonly #stream;
  readonly #out: Output;
  readonly #end: Promise<void>;

  constructor(path: string) {
    this.#stream = createWriteStream(path, { flags: 'a' });
    this.#out = new Output(this.#stream);
    this.#end = finished(this.#stream);
    this.#end.catch(() => undefined);
  }

  async add({ file, number, bytes }: Line, reason: string): Promise<void> {
    const text = bytes.toString();
    const said = Buffer.from(text).equals(bytes) ? { text } : { base64: bytes.toString('base64') };
    await this.#out.add(`${JSON.stringify({ file, line: number, reason, ...said })}\n`);
    if (this.#out.gone) await this.#end;
  }

  /** @throws Error when not all of it could be written */
  async close(): Promise<void> {
    await this.#out.flush();
    this.#stream.end();
    await this.#end;
  }
}
