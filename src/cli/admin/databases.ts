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

const DAY_MS = 86_400_000n;
/** What a compaction may take. */
const COMPACT_MS = 3_600_000;

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

export const databasesFlushCommand = onDatabase(
  'flush',
  'Has the index of a database, as far as it is in memory, written to its files.',
  async (job, name) => {
    await job.client.database(name).flushIndex({ ...job.call, synced: true });
    return 'is flushed';
  },
);

export const databasesCompactCommand = onDatabase(
  'compact',
  'Has the index of a database written anew, without what it holds no more. May take long.',
  async (job, name) => {
    await job.client.database(name).compactIndex({ ...job.call, timeoutMs: COMPACT_MS });
    return 'is compacted';
  },
);

export const databasesTruncateCommand = serverCommand({
  name: 'databases truncate',
  operand: 'NAME',
  summary:
    'Gives up the values of old transactions of a database for good. Their hashes, and all proofs, stay.',
  options: {
    'older-than': { type: 'string', value: 'DAYS', says: 'days that are kept; 0: today only' },
    confirm: { type: 'string', value: 'NAME', says: 'its name once more' },
  },
  more: "Counted back to the beginning of that day, by the server's clock. Exit code 1: there is nothing that old, or it failed.",
  check({ 'older-than': days, confirm }, [name]) {
    const named = nameOf(name, 'databases truncate');
    if (days === undefined) throw new UsageError('databases truncate takes --older-than DAYS');
    daysOf(days);
    if (named !== confirm)
      throw new UsageError(
        'databases truncate NAME takes --confirm NAME too: values that are given up are gone',
      );
  },
  async run(job) {
    const name = nameOf(job.words[0], 'databases truncate');
    const retentionMs = daysOf(job.values['older-than'] ?? '') * DAY_MS;
    await job.client.databases.truncate(name, { ...job.call, retentionMs });
    return said(job, { database: name, truncated: true }, 'is truncated');
  },
});

/** @throws UsageError */
function daysOf(text: string): bigint {
  if (!/^\d{1,6}$/.test(text))
    throw new UsageError(`--older-than is a number of days, not ${JSON.stringify(text)}`);
  return BigInt(text);
}

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
