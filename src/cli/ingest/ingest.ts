// The main job: records in as verified entries, all of them read back verified.
import type { ImmuClient } from '../../index.js';
import { forEachInFlight } from './in-flight.js';
import type { LockRecord } from './lockfile-records.js';
import { Progress } from './progress.js';

/** Below the 30 concurrent writes that an immudb takes by default on one database. */
const WRITES_IN_FLIGHT = 24;
const READS_IN_FLIGHT = 256;

export interface IngestReport {
  readonly records: number;
  readonly writesPerSecond: number;
  readonly readsPerSecond: number;
}

/** Throws on the first record that cannot be proven or reads back as something else. */
export async function ingest(
  client: ImmuClient,
  records: readonly LockRecord[],
  signal: AbortSignal,
): Promise<IngestReport> {
  const writesPerSecond = await shown('verified writes', records, WRITES_IN_FLIGHT, async (record) => {
    await client.verifiedSet(record.key, record.value, { signal });
  });
  const readsPerSecond = await shown('verified reads', records, READS_IN_FLIGHT, async ({ key, value }) => {
    const entry = await client.verifiedGet(key, { signal });
    if (!entry || Buffer.from(entry.value).toString() !== value) {
      throw new Error(`${key} does not read back as it was written`);
    }
  });
  return { records: records.length, writesPerSecond, readsPerSecond };
}

/** Works on all records behind a progress bar; returns how many per second were done. */
async function shown(
  label: string,
  records: readonly LockRecord[],
  limit: number,
  work: (record: LockRecord) => Promise<void>,
): Promise<number> {
  using progress = new Progress(label, records.length);
  await forEachInFlight(records, limit, async (record) => {
    await work(record);
    progress.tick();
  });
  return progress.perSecond;
}
