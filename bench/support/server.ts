// A real immudb for benches: IMMUDB_ADDRESS, or one that is started for the run, with a database of its own.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { TestImmudb } from '../../test/support/immudb.js';
import { WireClient } from '../../test/support/wire-client.js';

export interface BenchServer extends AsyncDisposable {
  readonly address: string;
  readonly database: string;
  readonly what: string;
  /** Bare gRPC on the same database. */
  readonly wire: WireClient;
  /** Microseconds of processor that the server has used; NaN where that cannot be told. */
  cpuMicros(): number;
}

/** `/proc` counts in ticks, which Linux gives as 100 a second on every platform. */
const TICK_MICROS = 10_000;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

function cpuMicrosOf(pid: number | undefined): number {
  try {
    // Behind the name, which is in brackets and may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_MICROS;
  } catch {
    return NaN;
  }
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
    cpuMicros: () => cpuMicrosOf(started?.pid),
    what: `immudb ${String(version || '(test server)')}${started && synced ? ', synced' : ''}`,
    [Symbol.asyncDispose]: async () => {
      wire.close();
      await started?.close();
    },
  };
}
