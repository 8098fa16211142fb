// What the `immu-ts` command can be told: finds the command that is meant. Each command has a file of its own.
import { UsageError } from './command.js';
import type { Command, Listed } from './command.js';
import { DATA_COMMANDS } from './data/commands.js';
import { didYouMean } from './did-you-mean.js';
import { EXIT_CODES } from './exit-code.js';
import { WIDEST, filled, hung } from './help.js';
import { DOCUMENT_COMMANDS } from './documents/commands.js';

const SUMMARY_AT = 30;

export const COMMANDS: readonly Listed[] = [
  ...DATA_COMMANDS,
  ...DOCUMENT_COMMANDS,
  {
    name: 'ingest',
    summary: 'lines of files as verified entries; without files a package-lock.json, read back verified',
    load: async () => (await import('./ingest/command.js')).ingestCommand,
  },
  {
    name: 'ledger',
    summary: 'a development server in one line',
    load: async () => (await import('./ledger/command.js')).ledgerCommand,
  },
  {
    name: 'completion',
    summary: 'a script that completes command lines, for bash, zsh or fish',
    load: async () => (await import('./completion.js')).completionCommand(COMMANDS),
  },
  {
    name: 'audit list',
    summary: 'rows of the audit log, filtered and paged, or live',
    load: async () => (await import('./audit/list.js')).listCommand,
  },
  {
    name: 'audit show',
    summary: 'one row in full, with its place in the chain',
    load: async () => (await import('./audit/show.js')).showCommand,
  },
  {
    name: 'audit stats',
    summary: 'counts of roots, calls and failures, by hour or day',
    load: async () => (await import('./audit/stats.js')).statsCommand,
  },
  {
    name: 'audit verify',
    summary: 'is the log what was logged?',
    load: async () => (await import('./audit/verify.js')).verifyCommand,
  },
  {
    name: 'audit gaps',
    summary: 'where the log is not continuous',
    load: async () => (await import('./audit/gaps.js')).gapsCommand,
  },
  {
    name: 'audit export',
    summary: 'all rows that match as JSON, NDJSON or CSV',
    load: async () => (await import('./audit/export.js')).exportCommand,
  },
  {
    name: 'audit checkpoint',
    summary: 'commits to the log so far, signed',
    load: async () => (await import('./audit/checkpoint.js')).checkpointCommand,
  },
  {
    name: 'audit archive',
    summary: 'moves the oldest rows into a file of their own',
    load: async () => (await import('./audit/archive.js')).archiveCommand,
  },
  {
    name: 'audit prove',
    summary: 'does the server stand by every logged root?',
    load: async () => (await import('./audit/prove.js')).proveCommand,
  },
  {
    name: 'audit database',
    summary: 'verifies every transaction and entry of a database',
    load: async () => (await import('./audit/database.js')).databaseCommand,
  },
  {
    name: 'audit work',
    summary: 'works on an audit in ranges that another process has begun',
    load: async () => (await import('./audit/work.js')).workCommand,
  },
  {
    name: 'audit serve',
    summary: 'the log as a page in the browser',
    load: async () => (await import('./page/command.js')).serveCommand,
  },
  {
    name: 'report verify',
    summary: 'is a report what the holder of a key signed? offline',
    load: async () => (await import('./report/verify.js')).reportVerifyCommand,
  },
  {
    name: 'report',
    summary: 'one signed report of log, refusals and server',
    load: async () => (await import('./report/command.js')).reportCommand,
  },
  {
    name: 'trust show',
    summary: 'what is trusted, how it began, and who is known where',
    load: async () => (await import('./trust/show.js')).trustShowCommand,
  },
  {
    name: 'trust accept',
    summary: 'another server is the one at this address',
    load: async () => (await import('./trust/accept.js')).trustAcceptCommand,
  },
  {
    name: 'trust forget',
    summary: 'begins anew with a database that was made anew',
    load: async () => (await import('./trust/accept.js')).trustForgetCommand,
  },
  {
    name: 'trust pin',
    summary: 'begins trust with a root that is known',
    load: async () => (await import('./trust/pin.js')).trustPinCommand,
  },
  {
    name: 'trust import',
    summary: 'takes over what the Go client or immu-py has trusted',
    load: async () => (await import('./trust/import.js')).trustImportCommand,
  },
  {
    name: 'head publish',
    summary: 'has witnesses cosign the newest head of a database',
    load: async () => (await import('./head/publish.js')).publishCommand,
  },
  {
    name: 'head verify',
    summary: 'is a published head cosigned, and of this history?',
    load: async () => (await import('./head/verify.js')).verifyHeadCommand,
  },
  {
    name: 'evidence show',
    summary: 'what was asked, trusted and answered when a check failed',
    load: async () => (await import('./evidence/commands.js')).evidenceShowCommand,
  },
  {
    name: 'evidence export',
    summary: 'evidence as a file that others can verify',
    load: async () => (await import('./evidence/commands.js')).evidenceExportCommand,
  },
  {
    name: 'evidence verify',
    summary: 'runs a failed check again, offline',
    load: async () => (await import('./evidence/commands.js')).evidenceVerifyCommand,
  },
  {
    name: 'proof verify',
    summary: 'does a proof document hold? offline',
    load: async () => (await import('./proof/verify.js')).proofVerifyCommand,
  },
];

export type Request =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly command: Command; readonly args: readonly string[] };

/** `columns`: of the terminal that help is for. Throws UsageError. */
export async function parseRequest(args: readonly string[], columns = WIDEST): Promise<Request> {
  const firstOption = args.findIndex((word) => word.startsWith('-'));
  const words = firstOption < 0 ? args : args.slice(0, firstOption);
  const options = firstOption < 0 ? [] : args.slice(firstOption);
  const help = options.includes('--help') || options.includes('-h');
  if (options.includes('--version')) return { kind: 'version' };
  if (args.length === 0) return { kind: 'help', text: overview(COMMANDS, columns) };

  const found = COMMANDS.find(({ name }) => startsWith(words, name.split(' ')));
  if (found) {
    const command = await found.load();
    if (help) return { kind: 'help', text: command.help(columns) };
    return { kind: 'run', command, args: args.slice(found.name.split(' ').length) };
  }
  const group = COMMANDS.filter(({ name }) => startsWith(name.split(' '), words));
  if (help && group.length > 0) return { kind: 'help', text: overview(group, columns) };
  if (words.length === 0) throw new UsageError('no command');
  if (group.length > 0)
    throw new UsageError(`${words.join(' ')} needs one more word: ${nextWords(group, words.length)}`);
  const unknown = words.slice(0, 2).join(' ');
  throw new UsageError(`unknown command ${JSON.stringify(unknown)}${meant(words)}`);
}

/** Of the two words that a command may have, the first may be wrong, the second, or that there are two. */
function meant(words: readonly string[]): string {
  const [first = '', second] = words;
  const names = COMMANDS.map(({ name }) => name);
  const inGroup = names.filter((name) => name.startsWith(`${first} `));
  if (second !== undefined && inGroup.length > 0) return didYouMean(`${first} ${second}`, inGroup);
  const both = second === undefined ? '' : didYouMean(`${first} ${second}`, names);
  return both === '' ? didYouMean(first, [...names, ...names.flatMap((name) => name.split(' ', 1))]) : both;
}

function overview(commands: readonly Listed[], columns: number): string {
  const line = (name: string, text: string) => hung(`  immu-ts ${name}`, text, SUMMARY_AT, columns);
  const lines = [
    ...commands.map(({ name, summary }) => line(name, summary)),
    '',
    line('COMMAND --help', 'all about one of them'),
    line('--version', 'print the version'),
  ];
  return `${lines.join('\n')}\n\n${filled(EXIT_CODES, columns)}\n`;
}

function nextWords(commands: readonly Listed[], at: number): string {
  return commands.map(({ name }) => name.split(' ')[at] ?? '').join(', ');
}

function startsWith(words: readonly string[], start: readonly string[]): boolean {
  return start.every((word, i) => words[i] === word);
}
