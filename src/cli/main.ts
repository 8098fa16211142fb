#!/usr/bin/env node
// The `immu-ts` command. Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, ImmuClient, ImmuError, SqliteRootStore } from '../index.js';
import { EmbeddedLedger } from '../testing.js';
import { parseCommand, USAGE, UsageError } from './arguments.js';
import type { Command } from './arguments.js';
import { ingest } from './ingest.js';
import { readLockfile } from './lockfile-records.js';
import { printAudit } from './print-audit.js';

const { stdout, stderr } = process;

async function main(signal: AbortSignal): Promise<number> {
  const command = parseCommand(process.argv.slice(2), process.env);
  switch (command.kind) {
    case 'help':
      stdout.write(USAGE);
      return 0;
    case 'version':
      stdout.write(`${await version()}\n`);
      return 0;
    case 'ingest':
      return runIngest(command, signal);
  }
}

async function runIngest(
  command: Extract<Command, { kind: 'ingest' }>,
  signal: AbortSignal,
): Promise<number> {
  const { user, password, database } = command;
  const records = await readLockfile(command.lockfile);
  await using ledger = command.address === undefined ? await EmbeddedLedger.start() : null;
  await using directory = command.store === undefined ? await temporaryDirectory() : null;
  await using store = await SqliteRootStore.open(command.store ?? join(directory?.path ?? '.', 'roots.db'));
  const address = command.address ?? ledger?.address ?? '';
  await using client = new ImmuClient({ address, store, credentials: { user, password, database } });

  // Says what is wrong with the server or the login before any work is shown.
  const { tx } = await client.currentState({ signal });
  const server = `${ledger ? 'embedded ledger' : 'immudb'} at ${address}`;
  stdout.write(`${server}, database ${client.database} at tx ${tx.toString()}\n`);
  const { writesPerSecond, readsPerSecond } = await ingest(client, records, signal);
  stdout.write(
    `${records.length} records, each proven when written and when read back: ` +
      `${Math.round(writesPerSecond)} verified writes/s, ${Math.round(readsPerSecond)} verified reads/s\n\n`,
  );
  return (await printAudit(store, client.database, stdout)) ? 0 : 1;
}

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'immu-ts-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function version(): Promise<string> {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The first thing that went wrong: what failed while cleaning up after it only wraps it. */
function firstFailure(error: unknown): unknown {
  return error instanceof Error && 'suppressed' in error ? firstFailure(error.suppressed) : error;
}

/** One line. */
function describe(error: unknown): string {
  const code = error instanceof ImmuError ? `${error.code}: ` : '';
  const message = error instanceof Error ? error.message : String(error);
  return `${code}${message.replaceAll(/\s*\n\s*/g, ' ')}`;
}

// A reader that has seen enough, such as `head`, does not end the job.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
const interrupt = new AbortController();
// Once: a second Ctrl-C ends the process at once.
process.once('SIGINT', () => interrupt.abort());

try {
  process.exitCode = await main(interrupt.signal);
} catch (thrown) {
  const error = firstFailure(thrown);
  const usage = error instanceof UsageError || error instanceof ArgumentError;
  stderr.write(`immu-ts: ${describe(error)}${usage ? ' (see immu-ts --help)' : ''}\n`);
  process.exitCode = interrupt.signal.aborted ? 130 : usage ? 2 : 1;
}
