// A real immudb for benches: IMMUDB_ADDRESS, or one that is started for the run, with a database of its own.
import { randomBytes } from 'node:crypto';
import { TestImmudb } from '../../test/support/immudb.js';
import { WireClient } from '../../test/support/wire-client.js';

export interface BenchServer extends AsyncDisposable {
  readonly address: string;
  readonly database: string;
  readonly what: string;
  /** Bare gRPC on the same database. */
  readonly wire: WireClient;
}

/** `synced` is for a server that is started: whether a commit waits for the disk, as it does by default in an immudb. */
export async function benchServer({ synced = false } = {}): Promise<BenchServer> {
  const given = process.env['IMMUDB_ADDRESS'];
  const started = given === undefined ? await TestImmudb.start({ synced }) : undefined;
  const address = given ?? started?.address ?? '';
  const admin = await WireClient.open(address);
  const database = `bench${randomBytes(4).toString('hex')}`;
  await admin.call('CreateDatabaseV2', { name: database });
  const { version } = await admin.call('ServerInfo');
  admin.close();
  const wire = await WireClient.open(address, database);
  return {
    address,
    database,
    wire,
    what: `immudb ${String(version || '(test server)')}${started && synced ? ', synced' : ''}`,
    [Symbol.asyncDispose]: async () => {
      wire.close();
      await started?.close();
    },
  };
}
