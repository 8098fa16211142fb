// `immu-ts ingest` without files: where its records, server and store come from, and what it shows.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImmuClient } from '../../index.js';
import { visible } from '../../visible.js';
import { EmbeddedLedger } from '../../testing.js';
import { UsageError, command } from '../command.js';
import { CONNECT_OPTIONS, wayTo } from '../server-options.js';
import { HOLDS, REFUTED } from '../exit-code.js';
import { ingest } from './ingest.js';
import { readLockfile } from './lockfile-records.js';
import { openStore } from '../store-option.js';
import { printAudit } from './print-audit.js';

export const LOCKFILE_OPTIONS = {
  ...CONNECT_OPTIONS,
  address: {
    type: 'string',
    value: 'HOST:PORT',
    many: true,
    says: 'a running immudb (several: commas), or its immudb:// URL; without it an embedded ledger is started for the job',
  },
  lockfile: { type: 'string', value: 'FILE', says: 'the records', default: 'package-lock.json' },
  store: {
    type: 'string',
    value: 'FILE|URL',
    says: 'root store to use and keep; without it a temporary one',
  },
} as const;

export const lockfileCommand = command({
  name: 'ingest',
  summary:
    'Writes every dependency of a package-lock.json as a verified entry and reads all of them back verified.',
  options: LOCKFILE_OPTIONS,
  async run(options, _operand, { out, env, signal }) {
    if (options.address === undefined && options['read-from'] !== undefined)
      throw new UsageError(
        '--read-from goes with --address: without it a ledger is started, which has no replica',
      );
    const records = await readLockfile(options.lockfile);
    await using ledger = options.address === undefined ? await EmbeddedLedger.start() : null;
    await using directory = options.store === undefined ? await temporaryDirectory() : null;
    await using store = await openStore(options.store ?? join(directory?.path ?? '.', 'roots.db'), 'if-new');
    // The environment leads to a server, and is not asked where the ledger is meant.
    const way = await wayTo(
      { ...options, address: options.address ?? ledger?.address },
      ledger ? { env: {} } : { env },
    );
    await using client = new ImmuClient({ ...way, store });

    // Says what is wrong with the server or the login before any work is shown.
    const { tx } = await client.currentState({ signal });
    const server = `${ledger ? 'embedded ledger' : 'immudb'} at ${visible([way.address].flat().join())}`;
    await out.write(`${server}, database ${visible(client.databaseName)} at tx ${tx.toString()}\n`);
    const { writesPerSecond, readsPerSecond } = await ingest(client, records, signal);
    await out.write(
      `${records.length} records, each proven when written and when read back: ` +
        `${Math.round(writesPerSecond)} verified writes/s, ${Math.round(readsPerSecond)} verified reads/s\n\n`,
    );
    return (await printAudit(store, client.databaseName, out)) ? HOLDS : REFUTED;
  },
});

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'immu-ts-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
