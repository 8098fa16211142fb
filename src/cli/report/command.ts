// `immu-ts report`: one signed report of the log, of what was refused, and of the server.
import { readFile } from 'node:fs/promises';
import { createPublicKey } from 'node:crypto';
import { StoreError } from '../../index.js';
import { VERSION } from '../../version.js';
import { visible } from '../../visible.js';
import { UsageError, command } from '../command.js';
import type { Io } from '../command.js';
import { isoTime } from '../format/row-columns.js';
import { countOf, queryOf } from '../query-options.js';
import { CONNECT_OPTIONS, TRUST_OPTIONS, trustOf, wayTo } from '../server-options.js';
import { LOG_OPTIONS, isRootStore, openLog, withoutPassword } from '../store-option.js';
import type { OpenLog } from '../store-option.js';
import { writeWholeFile } from '../whole-file.js';
import { checkpointSection } from './checkpoint-section.js';
import { evidenceSection } from './evidence-section.js';
import { databasesSection, gapsSection, logSection } from './log-sections.js';
import { reportJson, reportPage } from './page.js';
import { REPORT_FORMAT, REPORT_VERSION, VERDICT_WORDS, exitCodeOf, verdictOf } from './report.js';
import type { Report, Section } from './report.js';
import { serverSections, unasked } from './server-sections.js';
import { signReport, signingKey } from './signature.js';

export const reportCommand = command({
  name: 'report',
  summary:
    'Makes one signed report: the log, its gaps, what was refused, and what the server stands by today.',
  options: {
    ...LOG_OPTIONS,
    ...{ key: { type: 'string', value: 'PEM', says: 'Ed25519 private key file that signs the report' } },
    out: { type: 'string', value: 'FILE', says: 'the report as a page, in a new file' },
    json: { type: 'string', value: 'FILE', says: 'as JSON in a new file, its signature in FILE.sig' },
    from: { type: 'string', value: 'TIME', says: 'only what was logged not before: 2026-01-31, or 7d (ago)' },
    to: { type: 'string', value: 'TIME', says: 'only what was logged not after' },
    silence: { type: 'string', value: 'MINUTES', says: 'also where nothing was logged for longer than this' },
    checkpoint: { type: 'string', value: 'FILE', says: 'holds the log against this earlier checkpoint' },
    'checkpoint-key': {
      type: 'string',
      value: 'PEM',
      says: 'public key file that signed it; default: that of --key',
    },
    refusals: {
      type: 'string',
      value: 'N',
      says: 'runs the checks of at most so many again',
      default: '1000',
    },
    ...CONNECT_OPTIONS,
    ...TRUST_OPTIONS,
    values: { type: 'boolean', says: 'fetches and hashes every value of the server too' },
    'in-flight': { type: 'string', value: 'N', says: 'requests under way at the same time', default: '6' },
    offline: { type: 'boolean', says: 'asks no server: the report says that it could not look there' },
  },
  more: `Of every database in the log, or of --database. What could not be looked at says so, and is never taken for well.
immu-ts report verify FILE --key PUBLIC.pem checks a report offline.
Exit code 0: everything was looked at, and holds. 3: something is refuted. 1: neither.`,
  async run(options, _operand, io) {
    const { key: keyFile, out, json } = options;
    if (keyFile === undefined) throw new UsageError('a report is signed: --key PEM');
    if (out === undefined && json === undefined)
      throw new UsageError('where to? --out FILE, --json FILE, or both');
    const key = signingKey(await readFile(keyFile, 'utf8'), keyFile);
    const { 'checkpoint-key': checkpointKey } = options;
    const earlierKey =
      checkpointKey === undefined ? createPublicKey(key) : await readFile(checkpointKey, 'utf8');
    const report = await made(options, io, (looked) =>
      checkpointSection(looked, key, options.checkpoint, earlierKey),
    );
    const text = reportJson(report);
    if (out !== undefined) {
      const signature = signReport(key, text, reportPage(report, text, ''));
      await written(out, reportPage(report, text, signature), io);
    }
    if (json !== undefined) {
      await written(json, text, io);
      await written(`${json}.sig`, signReport(key, text), io);
    }
    for (const { title, verdict, summary } of report.sections)
      await io.out.add(`${VERDICT_WORDS[verdict].padEnd(18)} ${visible(title)}: ${visible(summary)}\n`);
    await io.out.write(`${VERDICT_WORDS[report.verdict]}\n`);
    return exitCodeOf(report.verdict);
  },
});

type Words = Parameters<typeof wayTo>[0] &
  Parameters<typeof trustOf>[0] &
  Parameters<typeof openLog>[0] & {
    readonly from: string | undefined;
    readonly to: string | undefined;
    readonly silence: string | undefined;
    readonly refusals: string;
    readonly values: boolean;
    readonly 'in-flight': string;
    readonly offline: boolean;
  };

async function made(
  words: Words,
  io: Io,
  checkpoint: (looked: Parameters<typeof logSection>[0]) => ReturnType<typeof checkpointSection>,
): Promise<Report> {
  const { silence, signal } = { silence: words.silence, signal: io.signal };
  const filter = queryOf({ from: words.from, to: words.to }, Date.now());
  const minutes = silence === undefined ? undefined : countOf('silence', silence);
  const refusals = countOf('refusals', words.refusals);
  const asked = { ...{ way: await wayTo(words, io), trust: await trustOf(words, io) } };
  const inFlight = countOf('in-flight', words['in-flight']);
  await using log = await openedLog(words, io);
  const where = whereOf(words);
  const looked = { log, filter, where, signal };
  // The server first: what is found there is in the log, and under the checkpoint.
  const server = await ofServer(log, words, { ...asked, inFlight, where }, io);
  const sections = [
    await logSection(looked),
    await gapsSection(looked, minutes),
    await evidenceSection(looked, refusals),
    await databasesSection(looked),
  ];
  const { section, made: commitment } = await checkpoint(looked);
  const all: Section[] = [...sections, section, ...server];
  const { from, to } = filter.timeRange ?? {};
  return {
    ...{
      format: REPORT_FORMAT,
      version: REPORT_VERSION,
      madeAt: isoTime(Date.now()),
      madeBy: `immu-ts ${VERSION}`,
    },
    ...{ store: log.path, verdict: verdictOf(all) },
    ...{ from: from === undefined ? null : isoTime(from), to: to === undefined ? null : isoTime(to) },
    ...{ sections: all, checkpoint: commitment },
  };
}

/** A store that is damaged is what a report is to say. */
async function openedLog(words: Words, io: Io): Promise<OpenLog> {
  try {
    return await openLog(words, io);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'STORE_DAMAGED' || words.archive !== undefined)
      throw error;
    return await openLog({ ...words, damaged: true }, io);
  }
}

function whereOf({ store, archive, damaged }: Words): string[] {
  const path = archive ?? (store === undefined ? undefined : withoutPassword(store));
  const named = path === undefined ? [] : [archive === undefined ? '--store' : '--archive', path];
  return [...named, ...(damaged ? ['--damaged'] : [])];
}

async function ofServer(
  log: OpenLog,
  { offline, values, database, archive }: Words,
  asked: Pick<Parameters<typeof serverSections>[0], 'way' | 'trust' | 'inFlight' | 'where'>,
  { err, signal }: Io,
): Promise<Section[]> {
  const logged = await log.audit.databases();
  const given = { ...asked, database };
  if (offline) return unasked(given, logged, 'no server was to be asked (--offline)');
  if (!isRootStore(log)) {
    const what = archive === undefined ? 'a damaged store' : 'an archive';
    return unasked(given, logged, `a client trusts nothing by ${what}`);
  }
  const tell = (words: string) => void err.write(`${visible(words)}\n`);
  return serverSections({ ...given, store: log, values, signal, tell }, logged);
}

async function written(path: string, text: string, { err }: Io): Promise<void> {
  const { sha256 } = await writeWholeFile(path, (file) => file.write(text));
  await err.write(`${visible(path)}, SHA-256 ${sha256}\n`);
}
