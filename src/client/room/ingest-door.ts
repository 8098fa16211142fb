// What an ingestion needs of a client and one of its databases.
import { askHeaderUnder } from '../trust/trust-wire.js';
import type { IngestClient } from '../calls/ingest/window.js';
import type { StandingEntry } from '../calls/ingest/once.js';
import { bytesOf } from '../calls/kv/kv.js';
import type { VerifiedEntry } from '../calls/kv/verified-entry.js';
import type { CallOptions } from '../input/call-options.js';
import { resultOf } from '../results/result.js';
import type { Connection } from './connection.js';
import type { Room, Verified } from './room.js';

/** Headers that are asked for at a time. */
const HEADERS_AT_A_TIME = 16;

/** `database`: its name. */
export function ingestClient(
  { admission, options, door, rooms }: Connection,
  database: string,
): IngestClient {
  const room = () => (admission.isFull ? admission.ready() : undefined);
  return {
    maxRecords: Math.max(1, options.maxQueuedCalls >> 1),
    maxBytes: options.maxQueuedBytes >> 1,
    room,
    whenClosed: (tell) => door.whenClosed(tell),
    begin: (entries, call) => rooms.of(database).ingestBatch(entries, call),
    head: (root, call) =>
      rooms.of(database).enterVerified('ingest', call, [], async ({ trust, call: from }) => {
        if (root) await trust.assertOnHistory(from, root);
        else await trust.ready(from);
        return trust.root;
      }),
    standing: (keys, call) => standing(rooms.of(database), keys, call, room),
  };
}

async function standing(
  room: Room,
  keys: readonly Uint8Array[],
  options: CallOptions,
  roomForMore: () => Promise<void> | undefined,
): Promise<(StandingEntry | null)[]> {
  const found = await room.shareVerified('verifiedGetAll', options, [], bytesOf(keys), (calls, trust, call) =>
    calls.verifiedGetAll(trust, call, keys, true),
  );
  const txs = new Set<bigint>();
  for (const entry of found) if (entry) txs.add(entry.tx);
  if (txs.size === 0) return found.map(() => null);
  for (let wait = roomForMore(); wait; wait = roomForMore()) await wait;
  const alhs = await room.enterVerified('verifiedTx', options, [], (asking) => alhsOf(asking, [...txs]));
  return found.map((entry) => entry && standingEntry(entry, alhs.get(entry.tx) as Uint8Array));
}

function standingEntry(entry: VerifiedEntry, alh: Uint8Array): StandingEntry {
  const { tx, timestamp, root, value, reference, metadata } = entry;
  const write = resultOf({ tx, alh, timestamp, root });
  return { value, isPlain: reference === undefined && metadata === undefined, write };
}

/** Of transactions that entries are proven to be in. */
async function alhsOf(asking: Verified, txs: readonly bigint[]): Promise<Map<bigint, Uint8Array>> {
  const alhs = new Map<bigint, Uint8Array>();
  const queue = txs.values();
  const lane = async () => {
    for (const tx of queue) alhs.set(tx, await alhOf(asking, tx));
  };
  await Promise.all(Array.from({ length: Math.min(HEADERS_AT_A_TIME, txs.length) }, lane));
  return alhs;
}

async function alhOf({ session, trust, call }: Verified, tx: bigint): Promise<Uint8Array> {
  const known = trust.known.headers.alh(tx);
  if (known) return new Uint8Array(known);
  const head = await trust.head(call);
  const ask = () => askHeaderUnder(session, tx, head, call.deadline.left);
  const answer = await trust.ask(call, head, ask);
  // The log has counted the read.
  const { subject } = await trust.prove({ ...call, counted: true }, { kind: 'tx', tx }, head, answer);
  trust.known.headers.add(subject);
  return new Uint8Array(subject.alh);
}
