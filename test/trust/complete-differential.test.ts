// Complete scans, histories and counts against those of the server, after writes of many kinds.
import { expect, test } from 'vitest';
import type { ZScanOptions } from '#dist/index.js';
import { randomOf } from '../adversary/random.js';
import { all } from '../scans/support.js';
import { describeServer } from '../support/real.js';
import { KEYS, keyName, seed, writeManyKinds } from './many-writes.js';
import { openClient, openWire } from './support.js';

const WRITERS = 4;
const TXS_EACH = 250;
const SCANS = 40;
const HISTORIES = 150;

interface Plain {
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly value: Uint8Array;
  readonly revision?: bigint;
  readonly reference?: { readonly key: Uint8Array; readonly tx: bigint };
}

const shown = ({ key, tx, value, reference }: Plain) =>
  [key, value, reference?.key ?? ''].map((part) => Buffer.from(part).toString('latin1')).join(' ') +
  ` ${tx.toString()} ${(reference?.tx ?? 0n).toString()}`;

describeServer('complete answers against the server', () => {
  test('Scan, History, ZScan and Count agree', async () => {
    const { client, database } = await openClient();
    await client.follow({ everyMs: 20, ordered: true });
    const done: string[] = [];
    const wires = await Promise.all(Array.from({ length: WRITERS }, () => openWire(database)));
    await seed(wires[0]!);
    await Promise.all(wires.map((wire, i) => writeManyKinds(wire, randomOf(200 + i), TXS_EACH, done)));
    expect(new Set(done).size).toBeGreaterThan(7);
    // What was to expire, has.
    await new Promise((resolve) => setTimeout(resolve, 4500));

    const below = randomOf(7);
    const key = () => keyName(below(KEYS + 50));
    for (let i = 0; i < SCANS; i++) {
      const options = {
        ...(below(3) > 0 && { prefix: below(4) === 0 ? key() : `k${below(8)}` }),
        ...(below(3) === 0 && { seekKey: key(), inclusiveSeek: below(2) === 0 }),
        ...(below(3) === 0 && { endKey: key(), inclusiveEnd: below(2) === 0 }),
        ...(below(2) === 0 && { desc: true }),
        ...(below(3) === 0 && { limit: 1 + below(100) }),
        ...(below(4) === 0 && { offset: below(20) }),
        pageSize: 50 + below(2000),
      };
      const ours = await all(client.verifiedScan({ ...options, complete: true }));
      // The server counts in `offset` what it does not show: references to nothing.
      const { offset = 0, limit = Infinity, ...range } = options as { offset?: number; limit?: number };
      const theirs = (await all(client.scan(range))).slice(offset, offset + limit);
      expect(ours.map(shown), JSON.stringify(options)).toEqual(theirs.map(shown));
      for (const { revision, reference, unproven } of ours)
        if (!reference) expect(revision).toBe(unproven.revision);
    }
    for (let i = 0; i < HISTORIES; i++) {
      const name = key();
      const options = {
        desc: below(2) === 0,
        ...(below(4) === 0 && { limit: 1 + below(3), offset: below(2) }),
      };
      const ours = await all(client.verifiedHistory(name, { ...options, complete: true }));
      const theirs = await all(client.history(name, options));
      const of = ({ tx, deleted, expired, revision }: (typeof theirs)[number]) =>
        `${tx.toString()} ${deleted} ${expired} ${revision.toString()}`;
      expect(ours.map(of), `${name} ${JSON.stringify(options)}`).toEqual(theirs.map(of));
    }
    for (const set of ['set', 'other', 'none'])
      for (const options of [{}, { desc: true }, { limit: 7, offset: 3 }]) {
        const ours = await all(client.verifiedZScan(set, { ...options, complete: true, pageSize: 60 }));
        const { desc, offset = 0, limit = Infinity } = options as ZScanOptions;
        // Backwards the server leaves out negative scores; what is complete does not.
        const forward = await all(client.zScan(set));
        const theirs = (desc ? forward.reverse() : forward).slice(offset, offset + limit);
        const of = (member: { key: Uint8Array; score: number; atTx: bigint; entry: Plain }) =>
          `${Buffer.from(member.key).toString()} ${member.score} ${member.atTx.toString()} ${shown(member.entry)}`;
        expect(ours.map(of), `${set} ${JSON.stringify(options)}`).toEqual(theirs.map(of));
      }
    for (const prefix of ['', 'k', 'k3/', 'k3/1', 'none'])
      expect((await client.verifiedCount(prefix)).count, prefix).toBe(await client.count(prefix));
  }, 240_000);
});
