// Writes in flight together, and reads of what is newer than the head: how the head comes to reach them.
import { IngestError } from '#dist/index.js';
import { callers, tell, tellAt, tellWrite } from '../scenario.js';
import type { CallerOutcome, Scenario } from '../scenario.js';
import { cold, put, range } from '../stage.js';
import type { Stage } from '../stage.js';

/** More than a write on its own is answered with its proof for. */
const BULK = 9;

const fromCold = { prepare: ({ client }: Stage) => cold(client) };

export const GROUPED_WRITES: readonly Scenario[] = [
  { name: 'writes together', method: 'Set', ...fromCold, run: writeTogether },
  { name: 'writes together, after a gap', method: 'Set', ...fromCold, run: writeTogetherAfterGap },
  { name: 'writes together, headers of the gap', method: 'TxScan', ...fromCold, run: writeTogetherAfterGap },
  { name: 'verifiedSetAll', method: 'Set', ...fromCold, run: (stage) => writeAll(stage, BULK) },
  {
    name: 'verifiedSetAll, of few',
    method: 'VerifiableSet',
    ...fromCold,
    run: (stage) => writeAll(stage, 3),
  },
  {
    name: 'verifiedSetAll, in its own tx',
    method: 'VerifiableSet',
    ...fromCold,
    run: (stage) => writeAll(stage, BULK, true),
  },
  { name: 'ingest', method: 'Set', ...fromCold, run: (stage) => ingest(stage, BULK) },
  { name: 'ingest, of few', method: 'VerifiableSet', ...fromCold, run: (stage) => ingest(stage, 3) },
  { name: 'ingest, what is there already', method: 'GetAll', ...fromCold, run: ingestAgain },
  { name: 'reads together, ahead of the head', method: 'GetAll', ...fromCold, run: readAhead },
  { name: 'reads together, headers up to what is ahead', method: 'TxScan', ...fromCold, run: readAhead },
  { name: 'reads and writes together, writes', method: 'Set', ...fromCold, run: both },
  { name: 'reads and writes together, reads', method: 'GetAll', ...fromCold, run: both },
];

export function writeTogether({ client, wire, next }: Stage): Promise<CallerOutcome[]> {
  const keys = range(3).map(() => `w${next()}`);
  return callers(
    ...keys.map(async (key) => tellWrite(wire, await client.verifiedSet(key, 'written'), [[key, 'written']])),
  );
}

async function writeTogetherAfterGap(stage: Stage): Promise<CallerOutcome[]> {
  await put(stage.wire, 'gap', 'by another');
  return writeTogether(stage);
}

export function writeAll(
  { client, wire, next }: Stage,
  count: number,
  ownTx = false,
): Promise<CallerOutcome[]> {
  const entries = range(count).map(() => [`w${next()}`, 'written'] as const);
  const written = client.verifiedSetAll(entries, { ownTx });
  return callers(written.then((write) => tellWrite(wire, write, entries)));
}

/** Records that another writer has written, one by one: each is read back. */
async function ingestAgain(stage: Stage): Promise<CallerOutcome[]> {
  const records = range(3).map(() => [`w${stage.next()}`, 'written'] as const);
  for (const [key, value] of records) await put(stage.wire, key, value);
  return ingest(stage, 3, records);
}

/** One caller, who is told of each record; why the rest was not written is in the cause. */
function ingest(
  { client, wire, next }: Stage,
  count: number,
  there?: readonly (readonly [string, string])[],
): Promise<CallerOutcome[]> {
  const records = there ?? range(count).map(() => [`w${next()}`, 'written'] as const);
  const told = async () => {
    const written: string[] = [];
    try {
      for await (const receipt of client.ingest(records, { once: there !== undefined }))
        written.push(await tellWrite(wire, receipt, [records[receipt.index] ?? ['', '']]));
    } catch (error) {
      throw error instanceof IngestError ? error.cause : error;
    }
    return written.join();
  };
  return callers(told());
}

/** Another writer was at it: two single entries, and one that has been there all the while. */
export async function readAhead({ client, wire, next }: Stage): Promise<CallerOutcome[]> {
  const ahead = [`ahead${next()}`, `ahead${next()}`];
  for (const key of ahead) await put(wire, key, 'by another');
  return callers(
    ...ahead.map(async (key) => tellAt(wire, key, await client.verifiedGet(key))),
    client.verifiedGet('single').then(tell),
  );
}

async function both(stage: Stage): Promise<CallerOutcome[]> {
  const outcomes = await Promise.all([writeTogether(stage), readAhead(stage)]);
  return outcomes.flat();
}
