#!/usr/bin/env node
// The `immu-ts` command.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ImmuClient, ImmuError, SqliteRootStore } from '../index.js';
import { EmbeddedLedger } from '../testing.js';
import { ingestLockfile } from './ingest.js';
import { printAudit } from './print-audit.js';

const USAGE = `immu-ts ingest [options]   verified ingestion of a package-lock.json, read back verified

  --address HOST:PORT   a running immudb; without it an embedded ledger is started for the job
  --user NAME           default: immudb
  --password PASSWORD   default: immudb (or IMMU_TS_PASSWORD)
  --database NAME       default: defaultdb
  --lockfile FILE       default: ./package-lock.json
  --store FILE          root store to use and keep; without it a temporary one
  --help
`;

const OPTIONS = {
  address: { type: 'string' },
  user: { type: 'string', default: 'immudb' },
  password: { type: 'string', default: process.env['IMMU_TS_PASSWORD'] ?? 'immudb' },
  database: { type: 'string', default: 'defaultdb' },
  lockfile: { type: 'string', default: 'package-lock.json' },
  store: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.help || positionals.length !== 1 || positionals[0] !== 'ingest') {
    process.stdout.write(USAGE);
    return values.help ? 0 : 2;
  }
  const { user, password, database } = values;
  await using ledger = values.address === undefined ? await EmbeddedLedger.start() : null;
  const address = values.address ?? ledger?.address;
  await using directory = values.store === undefined ? await temporaryDirectory() : null;
  await using store = await SqliteRootStore.open(values.store ?? join(directory?.path ?? '.', 'roots.db'));
  await using client = new ImmuClient({
    ...(address && { address }),
    store,
    credentials: { user, password, database },
  });

  process.stdout.write(`${ledger ? 'embedded ledger' : 'immudb'} at ${address ?? ''}\n`);
  const report = await ingestLockfile(client, values.lockfile);
  process.stdout.write(
    `${report.records} records: ${Math.round(report.writesPerSecond)} verified writes/s, ` +
      `${Math.round(report.readsPerSecond)} verified reads/s\n\n`,
  );
  await printAudit(store, process.stdout);
  return 0;
}

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'immu-ts-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

try {
  process.exitCode = await main();
} catch (error) {
  const code = error instanceof ImmuError ? `${error.code}: ` : '';
  process.stderr.write(`immu-ts: ${code}${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
