// What the `immu-ts` command can be told: finds the command that is meant. Each command has a file of its own.
import { UsageError } from './command.js';
import type { Command } from './command.js';

/** A command is loaded when it is used: help and a wrong command line need none of them. */
interface Listed {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const COMMANDS: readonly Listed[] = [
  {
    name: 'ingest',
    summary: 'verified ingestion of a package-lock.json, read back verified',
    load: async () => (await import('./ingest/command.js')).ingestCommand,
  },
];

export type Request =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly command: Command; readonly args: readonly string[] };

/** Throws UsageError. */
export async function parseRequest(args: readonly string[]): Promise<Request> {
  const firstOption = args.findIndex((word) => word.startsWith('-'));
  const words = firstOption < 0 ? args : args.slice(0, firstOption);
  const options = firstOption < 0 ? [] : args.slice(firstOption);
  const help = options.includes('--help') || options.includes('-h');
  if (options.includes('--version')) return { kind: 'version' };

  const found = COMMANDS.find(({ name }) => startsWith(words, name.split(' ')));
  if (found) {
    const command = await found.load();
    if (help) return { kind: 'help', text: command.help };
    return { kind: 'run', command, args: args.slice(found.name.split(' ').length) };
  }
  const group = COMMANDS.filter(({ name }) => startsWith(name.split(' '), words));
  if (help && group.length > 0) return { kind: 'help', text: overview(group) };
  if (words.length === 0) throw new UsageError('no command');
  if (group.length > 0)
    throw new UsageError(`${words.join(' ')} needs one more word: ${nextWords(group, words.length)}`);
  throw new UsageError(`unknown command ${JSON.stringify(words.slice(0, 2).join(' '))}`);
}

function overview(commands: readonly Listed[]): string {
  const lines = commands.map(({ name, summary }) => `  immu-ts ${name.padEnd(16)} ${summary}`);
  return `${lines.join('\n')}

  immu-ts COMMAND --help   all about one of them
  immu-ts --version        print the version

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.
`;
}

function nextWords(commands: readonly Listed[], at: number): string {
  return commands.map(({ name }) => name.split(' ')[at] ?? '').join(', ');
}

function startsWith(words: readonly string[], start: readonly string[]): boolean {
  return start.every((word, i) => words[i] === word);
}
