// The main job: records in as verified entries, all of them read back verified, and what the audit log says.
import { readLockfile } from './lockfile-records.js';
import { forEachInFlight } from './in-flight.js';
import { Progress } from './progress.js';
import type { ImmuClient } from '../index.js';

/** Below the 30 concurrent writes that an immudb takes by default on one database. */
const WRITES_IN_FLIGHT = 24;
const READS_IN_FLIGHT = 256;

export interface IngestReport {
  readonly records: number;
  readonly writesPerSecond: number;
  readonly readsPerSecond: number;
}

/** Throws on the first record that cannot be proven or reads back as something else. */
export async function ingestLockfile(client: ImmuClient, lockfile: string | URL): Promise<IngestReport> {
  const records = await readLockfile(lockfile);

  const writing = new Progress('verified writes', records.length);
  await forEachInFlight(records, WRITES_IN_FLIGHT, async ({ key, value }) => {
    await client.verifiedSet(key, value);
    writing.tick();
  });
  const writesPerSecond = writing.end();

  const reading = new Progress('verified reads ', records.length);
  await forEachInFlight(records, READS_IN_FLIGHT, async ({ key, value }) => {
    const entry = await client.verifiedGet(key);
    if (!entry || Buffer.from(entry.value).toString() !== value)
      throw new Error(`${key} reads back differently`);
    reading.tick();
  });
  const readsPerSecond = reading.end();
  return { records: records.length, writesPerSecond, readsPerSecond };
}
