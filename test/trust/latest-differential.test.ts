// What a follower says of every key, against what the server says: many kinds of writes, by several writers at a time.
import { expect, test } from 'vitest';
import type { ImmuClient } from '#dist/index.js';
import type { DatabaseTrust } from '#dist/client/trust/database-trust.js';
import { plainKey } from '#dist/proof/entry.js';
import { prefixRange } from '#dist/client/trust/latest/ranges.js';
import { randomOf } from '../adversary/random.js';
import { describeServer } from '../support/real.js';
import { KEYS, keyName, seed, writeManyKinds } from './many-writes.js';
import { openClient, openWire } from './support.js';

const WRITERS = 4;
const TXS_EACH = 350;
const NEVER = 200;

const bytes = (text: string) => Buffer.from(text);

/** The follower's own index, past the face. */
function latestOf(client: ImmuClient) {
  const { room } = client as unknown as { room: { shareVerified: (...args: unknown[]) => Promise<unknown> } };
  return new Promise<DatabaseTrust['latest']>((resolve, reject) => {
    room
      .shareVerified('test', {}, [], 0, (calls: unknown, trust: DatabaseTrust) => {
        resolve(trust.latest);
        return Promise.resolve();
      })
      .catch(reject);
  });
}

interface Shown {
  readonly tx: string;
  readonly value: Uint8Array;
  readonly revision: string;
  readonly referencedBy?: { readonly tx: string; readonly atTx?: string; readonly revision: string };
}

describeServer('a follower against the server', () => {
  test('Get, revision, History and Count agree for every key', async () => {
    const { client, database } = await openClient();
    const following = await client.follow({ everyMs: 20, ordered: true });
    const done: string[] = [];
    const wires = await Promise.all(Array.from({ length: WRITERS }, () => openWire(database)));
    const seedWire = wires[0]!;
    await seed(seedWire);
    await seedWire
      .call('SQLExec', { sql: 'CREATE TABLE t (id INTEGER, PRIMARY KEY id); INSERT INTO t (id) VALUES (1);' })
      .catch(() => undefined);
    await Promise.all(wires.map((wire, i) => writeManyKinds(wire, randomOf(100 + i), TXS_EACH, done)));
    expect(new Set(done).size).toBeGreaterThan(7);
    // What was to expire, has.
    await new Promise((resolve) => setTimeout(resolve, 4500));
    const head = await following.ready();
    const latest = await latestOf(client);
    const view = latest.view()!;
    expect(view.at).toEqual(head);
    const wire = await openWire(database);
    const differences: string[] = [];
    const differ = (key: string, what: string, ours: unknown, theirs: unknown) => {
      if (String(ours) !== String(theirs))
        differences.push(`${key} ${what}: ${String(ours)} / ${String(theirs)}`);
    };
    const names = Array.from({ length: KEYS + NEVER }, (_, i) => keyName(i));
    let absent = 0;
    await inLanes(names, 8, async (key) => {
      const version = latest.get(plainKey(bytes(key)));
      const inView = view.get(plainKey(bytes(key)));
      differ(key, 'view', JSON.stringify(inView, text), JSON.stringify(version, text));
      const shown = (await wire.call('Get', { key: bytes(key) }).catch(() => undefined)) as Shown | undefined;
      const history = (await wire
        .call('History', { key: bytes(key), desc: true, limit: 1000 })
        .catch(() => ({ entries: [] }))) as {
        entries: { tx: string; revision: string; metadata?: { deleted?: boolean } }[];
      };
      differ(key, 'history', history.entries.length, version?.revision ?? 0n);
      differ(key, 'newest', history.entries[0]?.tx, version?.tx);
      differ(key, 'previous', history.entries[1]?.tx ?? 0, version?.previousTx ?? 0n);
      const told = await client.verifiedGet(key, { latest: true });
      if (shown) {
        differ(key, 'tx', shown.referencedBy?.tx ?? shown.tx, version?.tx);
        differ(key, 'revision', shown.referencedBy?.revision ?? shown.revision, version?.revision);
        differ(
          key,
          'told',
          told.value && Buffer.from(told.value).toString(),
          Buffer.from(shown.value).toString(),
        );
        differ(
          key,
          'told revision',
          'revision' in told ? told.revision : '-',
          shown.referencedBy && Number(shown.referencedBy.atTx ?? 0) > 0 ? undefined : shown.revision,
        );
      } else {
        absent++;
        differ(key, 'told', told.value, null);
        const proven = await client.proveAbsent(key);
        if ('absent' in told && told.absent !== 'target-gone')
          differ(key, 'absent', proven?.absent, told.absent);
        else differ(key, 'absent', proven, null);
      }
    });
    for (const prefix of ['k1', 'k', 'k3/', 'nothing']) {
      const { count } = await wire.call('Count', { prefix: bytes(prefix) });
      differ(prefix, 'count', view.count(prefixRange(plainKey(bytes(prefix)))), count ?? 0);
    }
    view.close();
    expect(absent).toBeGreaterThan(NEVER);
    expect(differences.slice(0, 10)).toEqual([]);
  }, 240_000);
});

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
    }),
  );
}
