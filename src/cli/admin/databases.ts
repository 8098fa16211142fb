// `immu-ts databases …`: the databases of a server.
import type { DatabaseInfo } from '../../index.js';
import { UsageError } from '../command.js';
import type { Command } from '../command.js';
import type { Column } from '../format/columns.js';
import { visible } from '../../visible.js';
import { serverCommand, storeCommand } from '../data/connect.js';
import type { Job, SERVER_OPTIONS } from '../data/connect.js';
import { list } from '../data/listing.js';
import { jsonLine } from '../data/show.js';
import { settingsFrom, settingsText } from './settings.js';

const COLUMNS: readonly Column<DatabaseInfo>[] = [
  { name: 'name', value: ({ name }) => name, width: 24 },
  { name: 'loaded', value: ({ loaded }) => loaded, width: 6 },
  { name: 'transactions', value: ({ transactions }) => transactions.toString(), width: 12, align: 'right' },
  { name: 'bytes', value: ({ diskBytes }) => diskBytes.toString(), width: 14, align: 'right' },
  { name: 'createdBy', value: ({ createdBy }) => createdBy, width: 0 },
];

export const databasesListCommand = serverCommand({
  name: 'databases list',
  summary:
    "Lists the databases that the user may see, by the server's word. With --json, their settings too.",
  options: {},
  async run({ client, values: { json }, io, call }) {
    await list(io, await client.databases.list(call), COLUMNS, { json, verified: false });
    return 0;
  },
});

export const databasesCreateCommand = serverCommand({
  name: 'databases create',
  operand: 'NAME',
  summary: 'Creates a database.',
  options: {
    settings: {
      type: 'string',
      value: 'JSON',
      says: 'as databases settings shows them, e.g. {"maxTxEntries":4096}',
    },
    'if-not-exists': { type: 'boolean', says: 'that it is there already is no error' },
  },
  check({ settings }, [name]) {
    nameOf(name, 'databases create');
    settingsFrom(settings);
  },
  async run(job) {
    const { client, values, words, call } = job;
    const name = nameOf(words[0], 'databases create');
    const settings = settingsFrom(values.settings);
    const ifNotExists = values['if-not-exists'];
    const created = await client.databases.create(name, {
      ...call,
      ifNotExists,
      ...(settings && { settings }),
    });
    return said(job, { database: name, created }, created ? 'is created' : 'was there already');
  },
});

export const databasesSettingsCommand = serverCommand({
  name: 'databases settings',
  operand: 'NAME',
  summary:
    "Shows the settings of a database (default: --database), by the server's word; with --change, changes them.",
  options: { change: { type: 'string', value: 'JSON', says: 'settings to change, e.g. {"autoload":false}' } },
  check: ({ change }) => void settingsFrom(change),
  async run({ client, login, values: { change, json }, words: [name = login.database], io, call }) {
    const changed = settingsFrom(change);
    const settings = changed
      ? await client.databases.update(name, changed, call)
      : await client.databases.settings(name, call);
    await io.out.write(json ? jsonLine(false, settings) : settingsText(settings));
    return 0;
  },
});

export const databasesLoadCommand = onDatabase(
  'load',
  'Loads a database that is not loaded.',
  async (job, name) => {
    await job.client.databases.load(name, job.call);
    return 'is loaded';
  },
);

export const databasesUnloadCommand = onDatabase(
  'unload',
  'Unloads a database: nobody can use it until it is loaded again.',
  async (job, name) => {
    await job.client.databases.unload(name, job.call);
    return 'is unloaded';
  },
);

export const databasesDeleteCommand = storeCommand({
  name: 'databases delete',
  operand: 'NAME',
  summary: 'Deletes a database for good, which has to be unloaded first, and ends the trust in it.',
  options: { confirm: { type: 'string', value: 'NAME', says: 'its name once more' } },
  check({ confirm }, [name]) {
    if (nameOf(name, 'databases delete') !== confirm)
      throw new UsageError('databases delete NAME takes --confirm NAME too: what is deleted is gone');
  },
  async run(job) {
    const name = nameOf(job.words[0], 'databases delete');
    await job.client.databases.delete(name, { ...job.call, confirm: name });
    return said(job, { database: name, deleted: true }, 'is deleted');
  },
});

function onDatabase(
  word: string,
  summary: string,
  work: (job: Job<typeof SERVER_OPTIONS>, name: string) => Promise<string>,
): Command {
  return serverCommand({
    name: `databases ${word}`,
    operand: 'NAME',
    summary,
    options: {},
    check: (_options, [name]) => void nameOf(name, `databases ${word}`),
    async run(job) {
      const name = nameOf(job.words[0], `databases ${word}`);
      return said(job, { database: name, [`${word}ed`]: true }, await work(job, name));
    },
  });
}

function nameOf(name: string | undefined, command: string): string {
  if (name === undefined || name === '') throw new UsageError(`${command} takes the NAME of a database`);
  return name;
}

async function said(
  { io, values: { json } }: Job<typeof SERVER_OPTIONS>,
  result: Readonly<Record<string, unknown>> & { readonly database: string },
  words: string,
): Promise<number> {
  await io.out.write(json ? jsonLine(false, result) : `${visible(result.database)} ${words}\n`);
  return 0;
}
