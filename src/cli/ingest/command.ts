// `immu-ts ingest`: files, where any are named; the lock file of this folder, to see how it works, where none are.
import { parseArgs } from 'node:util';
import type { Command, Options } from '../command.js';
import { SERVER_OPTIONS, VERIFIED_OPTIONS } from '../data/connect.js';
import { FILE_OPTIONS, filesCommand } from './files/command.js';
import { LOCKFILE_OPTIONS, lockfileCommand } from './lockfile-command.js';

export const ingestCommand: Command = {
  name: 'ingest',
  options: { ...lockfileCommand.options, ...filesCommand.options },
  help: (columns) => `${filesCommand.help(columns)}\nWithout FILE:\n\n${lockfileCommand.help(columns)}`,
  run: (args, io) => (namesFiles(args) ? filesCommand : lockfileCommand).run(args, io),
};

/** Whatever else is wrong with them is said by the command that is meant. */
function namesFiles(args: readonly string[]): boolean {
  const all: Options = { ...LOCKFILE_OPTIONS, ...FILE_OPTIONS, ...SERVER_OPTIONS, ...VERIFIED_OPTIONS };
  const options = Object.fromEntries(Object.entries(all).map(([name, { type }]) => [name, { type }]));
  const { values, positionals } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
  });
  return positionals.length > 0 || Object.keys(FILE_OPTIONS).some((name) => name in values);
}
