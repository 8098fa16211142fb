// What the commands that audit a server share: how it is reached, how far the audit is, and how the report is handed over.
import { ImmuClient } from '../../index.js';
import { reportText } from '../../audit.js';
import type { AuditReport } from '../../audit.js';
import { UsageError } from '../command.js';
import type { Io, Values } from '../command.js';
import { FAILED, HOLDS, REFUTED } from '../exit-code.js';
import { jsonText } from '../format/formats.js';
import { countOf } from '../query-options.js';
import { CONNECT_OPTIONS, TRUST_OPTIONS, trustOf, wayTo } from '../server-options.js';
import { STORE_OPTION, openStore } from '../store-option.js';
import { visible } from '../../visible.js';
import { writeWholeFile } from '../whole-file.js';

export const SERVER_OPTIONS = {
  ...STORE_OPTION,
  ...CONNECT_OPTIONS,
  ...TRUST_OPTIONS,
  threads: {
    type: 'string',
    value: 'N',
    says: 'threads that hash; default: one less than there are processors',
  },
  'in-flight': { type: 'string', value: 'N', says: 'requests under way at the same time', default: '6' },
  stop: { type: 'boolean', says: 'ends at the first finding' },
  findings: { type: 'string', value: 'N', says: 'lists at most so many', default: '100' },
  format: { type: 'string', value: 'NAME', says: 'text or json', default: 'text' },
  out: { type: 'string', value: 'FILE', says: 'the report in a new file; its SHA-256 is printed' },
} as const;

export type ServerWords = Values<typeof SERVER_OPTIONS>;

/** Options of every audit, as the client takes them. @throws UsageError */
export function auditOptions(words: ServerWords, { signal }: Io) {
  const { stop, findings, 'in-flight': inFlight } = words;
  return {
    signal,
    onFinding: stop ? 'stop' : 'continue',
    maxFindings: countOf('findings', findings),
    inFlight: countOf('in-flight', inFlight),
  } as const;
}

/**
 * Runs an audit with a client on the store, which must be there, and hands its report over.
 *
 * @returns the exit code: not 0 unless all was looked at and holds
 * @throws UsageError
 */
export async function auditServer(
  words: ServerWords,
  io: Io,
  audit: (client: ImmuClient) => Promise<AuditReport>,
): Promise<number> {
  assertFormat(words);
  return handOver(await withClient(words, io, audit), words, io);
}

/** @throws UsageError */
export function assertFormat({ format }: Pick<ServerWords, 'format'>): void {
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`--format is text or json, not ${JSON.stringify(format)}`);
}

/** What a client on the store, which must be there, is used for. */
export async function withClient<T>(
  words: Omit<ServerWords, 'stop' | 'findings' | 'format' | 'out'>,
  io: Io,
  use: (client: ImmuClient) => Promise<T>,
): Promise<T> {
  const { threads } = words;
  const verifier = threads === undefined ? {} : { threads: countOf('threads', threads) };
  const told = { ...(await wayTo(words, io)), ...(await trustOf(words, io)) };
  await using store = await openStore(words.store);
  await using client = new ImmuClient({ ...told, store, verifier });
  return await use(client);
}

/** @returns the exit code */
export async function handOver(
  report: AuditReport,
  { format, out }: Pick<ServerWords, 'format' | 'out'>,
  io: Io,
): Promise<number> {
  const text = format === 'json' ? `${jsonText(report, 2)}\n` : reportText(report);
  if (out === undefined) await io.out.write(text);
  else {
    const { sha256 } = await writeWholeFile(out, (file) => file.write(text));
    await io.err.write(`report in ${visible(out)}, SHA-256 ${sha256}\n`);
  }
  if (report.ok) return HOLDS;
  return report.findingsTotal > 0 ? REFUTED : FAILED;
}

/** A line about every so many milliseconds. */
const SAY_EVERY_MS = 2000;

/** Says how far an audit is, now and then. */
export function teller({ err }: Io): (words: () => string) => void {
  let saidAt = performance.now();
  return (words) => {
    if (performance.now() - saidAt < SAY_EVERY_MS) return;
    saidAt = performance.now();
    void err.write(`${visible(words())}\n`);
  };
}
