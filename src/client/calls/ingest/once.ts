// Records of an ingestion that may be there already: what the server did not write of a transaction, or may have written, is read
// back verified; what is there with the same value is proven, with another one refused, and what is not there is written, on
// the condition that it still is not.
import { ImmuError, ServerError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import { readSetRequest } from '../../../verify/wire/requests.js';
import type { SentEntry } from '../../../verify/wire/requests.js';
import { EntryBatch } from '../../group/entry-batch.js';
import type { CallOptions } from '../../input/call-options.js';
import type { VerifiedWrite } from '../../trust/write.js';
import { inOrder } from './record-batch.js';
import type { BatchEnd, FailedPart, ProvenPart, RecordBatch } from './record-batch.js';

/** The proven entry of a key. */
export interface StandingEntry {
  readonly value: Uint8Array;
  /** It is what a plain write has put there: no reference leads to it, and it does not expire. */
  readonly isPlain: boolean;
  readonly write: VerifiedWrite;
}

export interface OnceClient {
  /** Begins a transaction of records. */
  begin(
    entries: EntryBatch,
    options: CallOptions,
  ): { readonly batch: RecordBatch; readonly ended: Promise<BatchEnd> };
  /** Reads keys and proves what is there: of the server itself, no replica; null where it says there is nothing. */
  standing(keys: readonly Uint8Array[], options: CallOptions): Promise<(StandingEntry | null)[]>;
  /** Resolves when a call would be let in at once; undefined: it would be now. */
  room(): Promise<void> | undefined;
}

/** Transactions that wrote nothing although nothing was there, in a row, before it is given up. */
const MAX_FRUITLESS = 3;

/** The key of a record is there already, with another value. */
export class OtherValueError extends ImmuError {
  constructor(tx: bigint) {
    super('PRECONDITION_FAILED', `the key is there already with another value, in tx ${tx.toString()}`);
  }
}

/** What became of all of a transaction's records in the end. Rejects as what is asked for it does. */
export async function settledOnce(
  client: OnceClient,
  entries: EntryBatch,
  ended: Promise<BatchEnd>,
  options: CallOptions,
): Promise<BatchEnd> {
  const end = await ended;
  if (!end.failures.some(isOpen)) return end;
  const parts = [...end.parts];
  const failures = end.failures.filter((failure) => !isOpen(failure));
  const records = readSetRequest(entries.request());
  let open = end.failures.filter(isOpen);
  for (let fruitless = 0; open.length > 0;) {
    const room = client.room();
    if (room) await room;
    const places = placesOf(open);
    const missing = await takeStanding(client, records, places, options, parts, failures);
    if (missing.length === 0) break;
    fruitless = missing.length < places.length ? 0 : fruitless + 1;
    if (fruitless > MAX_FRUITLESS) {
      const [{ error }] = open as [FailedPart];
      for (const at of missing) failures.push({ from: at, to: at + 1, error: contradicting(error) });
      break;
    }
    const again = await writeAgain(client, records, missing, options);
    for (const part of again.parts) parts.push(part);
    for (const failure of again.failures) if (!isOpen(failure)) failures.push(failure);
    open = again.failures.filter(isOpen);
  }
  return { parts: inOrder(parts), failures: inOrder(failures) };
}

/** Whether the records are to be read back. What says that one is there already is this too: it is not told which. */
function isOpen({ error }: FailedPart): boolean {
  if (!(error instanceof ImmuError) || error instanceof OtherValueError) return false;
  return error.code === 'OUTCOME_UNKNOWN' || error.code === 'PRECONDITION_FAILED';
}

function placesOf(parts: readonly FailedPart[]): number[] {
  const places: number[] = [];
  for (const { from, to } of parts) for (let at = from; at < to; at++) places.push(at);
  return places;
}

/** Puts what is there into `parts` and `failures`; returns the places of what is not. */
async function takeStanding(
  client: OnceClient,
  records: readonly SentEntry[],
  places: readonly number[],
  options: CallOptions,
  parts: ProvenPart[],
  failures: FailedPart[],
): Promise<number[]> {
  const found = await client.standing(
    places.map((at) => (records[at] as SentEntry).key),
    options,
  );
  const missing: number[] = [];
  for (const [i, at] of places.entries()) {
    const entry = found[i];
    if (!entry) missing.push(at);
    else if (entry.isPlain && equalBytes(entry.value, (records[at] as SentEntry).value))
      addStanding(parts, at, entry.write);
    else failures.push({ from: at, to: at + 1, error: new OtherValueError(entry.write.tx) });
  }
  return missing;
}

/** Those in a row of one transaction are one part. */
function addStanding(parts: ProvenPart[], at: number, write: VerifiedWrite): void {
  const last = parts.at(-1);
  if (last?.wasThere && last.to === at && last.write.tx === write.tx)
    parts[parts.length - 1] = { from: last.from, to: at + 1, write, wasThere: true };
  else parts.push({ from: at, to: at + 1, write, wasThere: true });
}

/** As a transaction of their own; places are those of `records`. */
async function writeAgain(
  client: OnceClient,
  records: readonly SentEntry[],
  places: readonly number[],
  options: CallOptions,
): Promise<BatchEnd> {
  const entries = new EntryBatch(undefined, true);
  for (const at of places) {
    const { key, value } = records[at] as SentEntry;
    entries.add(key, value, { key: 'key', value: 'value' });
  }
  const room = client.room();
  if (room) await room;
  const { parts, failures } = await client.begin(entries, options).ended;
  return { parts: parts.flatMap(runs), failures: failures.flatMap(runs) };

  /** In the order of `places`, where others may lie between them. */
  function runs<P extends { readonly from: number; readonly to: number }>(part: P): P[] {
    const apart: P[] = [];
    for (let i = part.from; i < part.to;) {
      const from = places[i] as number;
      let to = from + 1;
      for (i++; i < part.to && places[i] === to; i++) to++;
      apart.push({ ...part, from, to });
    }
    return apart;
  }
}

/** The server refuses keys as being there, time and again, and shows none of them. */
function contradicting(error: unknown): unknown {
  if (!(error instanceof ServerError)) return error;
  return new ServerError(
    'SERVER_REFUSED',
    'the server refuses to write keys that are there already, and says that none of them is when they are read: one of both is not so',
    { code: error.grpcCode, message: error.serverMessage },
    { cause: error },
  );
}
