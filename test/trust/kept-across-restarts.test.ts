// A client that is started again on the same store file finds its headers proven: against the embedded ledger, whose calls
// are counted and which can lie, and against a real immudb.
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore, VerificationError } from '#dist/index.js';
import { verifyEvidence, verifyKeptHeaders } from '#dist/audit.js';
import type { ImmuClientOptions } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { entryDigest, plainKey, plainValue } from '#dist/proof/entry.js';
import { entriesRoot } from '#dist/proof/tree/entries-tree.js';
import { sha256 } from '#dist/proof/hash.js';
import { openSqlite } from '#dist/sqlite/open.js';
import { Proxy } from '../adversary/proxy.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { utf8 } from '../verify/support/test-chain.js';
import { USER, rejection, rowsOf, temporaryFolder, text } from './support.js';

const TXS = 1100;

function opened(
  address: string,
  store: string,
  more: ImmuClientOptions & { database?: string } = {},
): ImmuClient {
  const { database, ...options } = more;
  const credentials = { ...USER, ...(database !== undefined && { database }) };
  const client = new ImmuClient({ address, store, credentials, keepHeaders: true, ...options });
  onTestFinished(() => client.close().catch(() => undefined));
  return client;
}

/** A transaction each. */
async function fill(client: ImmuClient, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => client.set(`k${i}`, `v${i}`)));
}

async function keptOf(client: ImmuClient, database = 'defaultdb') {
  await client.close();
  return client.diagnostics.trust[database]?.kept;
}

/** What is called, by name, from now on. */
function watch(ledger: EmbeddedLedger): string[] {
  const called: string[] = [];
  ledger.lie({ kind: 'mutate', mutate: (_answer, { method }) => void called.push(method) });
  return called;
}

interface Scene {
  readonly ledger: EmbeddedLedger;
  /** Store of a client that has proven every header, and is closed. */
  readonly path: string;
}

async function scene(count = TXS): Promise<Scene> {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const path = join(await temporaryFolder(), 'roots.db');
  const client = opened(ledger.address, path);
  await fill(client, count);
  await client.verifiedSet('last', 'one');
  expect(await client.warm()).toBeGreaterThanOrEqual(count);
  expect(await keptOf(client)).toMatchObject({ loaded: 0, saved: Math.ceil((count + 1) / 1024), failed: 0 });
  return { ledger, path };
}

/** Entries root of a transaction that sets one key: what its header would have. */
function rootOf(key: string, value: string): Uint8Array {
  return entriesRoot([entryDigest(1, { key: plainKey(utf8(key)), hValue: sha256(plainValue(utf8(value))) })]);
}

/** Puts another entries root in place of one, in everything that is kept of its header in a closed store. */
function forge(path: string, from: Uint8Array, to: Uint8Array): void {
  const db = openSqlite(path);
  try {
    let changed = 0;
    const blocks = db.prepare('SELECT block, headers, columns FROM header_content').all() as Content[];
    for (const { block, headers, columns } of blocks) {
      if (headers.indexOf(from) < 0) continue;
      headers.set(to, headers.indexOf(from));
      columns.set(to, columns.indexOf(from));
      const update = db.prepare('UPDATE header_content SET headers = ?, columns = ? WHERE block = ?');
      changed += Number(update.run(headers, columns, block).changes);
    }
    if (changed !== 1) throw new Error(`${changed} headers have these bytes`);
  } finally {
    db.close();
  }
}

interface Content {
  readonly block: number;
  readonly headers: Buffer;
  readonly columns: Buffer;
}

describe('a client that is started again', () => {
  test('reads warm: nothing but plain reads is asked, grouped, together or alone', async () => {
    const { ledger, path } = await scene();
    const client = opened(ledger.address, path);
    const called = watch(ledger);
    expect(text((await client.verifiedGet('k5'))?.value)).toBe('v5');
    const keys = Array.from({ length: 300 }, (_, i) => `k${3 * i}`);
    const entries = await client.verifiedGetAll(keys);
    expect(entries.map((entry) => text(entry?.value))).toEqual(keys.map((key) => key.replace('k', 'v')));
    await Promise.all(keys.map((key) => client.verifiedGet(key)));
    expect(new Set(called.filter((method) => /Get|Tx|Verifiable/.test(method)))).toEqual(
      new Set(['Get', 'GetAll']),
    );
    expect(await client.warm()).toBe(TXS + 1);
    expect(called.filter((method) => /Tx|Verifiable/.test(method))).toEqual([]);
    expect(client.diagnostics.trust['defaultdb']).toMatchObject({
      fetched: { headerBlocks: 0, headerSingles: 0 },
      // The first block for the reads, and both to warm up.
      kept: { loaded: 3, saved: 0, refused: 0, failed: 0 },
    });
  });

  test('without the option reads as ever, and leaves what is kept', async () => {
    const { ledger, path } = await scene(100);
    const client = opened(ledger.address, path, { keepHeaders: false });
    const called = watch(ledger);
    await client.verifiedGetAll(['k1', 'k2']);
    expect(called).toContain('VerifiableTxById');
    expect(await keptOf(client)).toBeUndefined();
    await using store = await SqliteRootStore.open(path);
    expect(await store.headers.list()).toHaveLength(1);
  });

  test('goes on keeping: what was written since is there the next time', async () => {
    const { ledger, path } = await scene(50);
    const second = opened(ledger.address, path);
    await second.verifiedSet('more', '1');
    await second.warm();
    expect(await keptOf(second)).toMatchObject({ loaded: 0, saved: 1 });
    const third = opened(ledger.address, path);
    expect(await third.warm()).toBe(52);
    expect(await keptOf(third)).toMatchObject({ loaded: 1, saved: 0 });
  });

  test('keeps no more than it may', async () => {
    const { ledger, path } = await scene(TXS);
    const small = opened(ledger.address, path, { keepHeaders: { maxBytes: 1 << 20 } });
    await fill(small, 10 * 1024);
    await small.verifiedSet('end', '1');
    await small.warm();
    await small.close();
    await using store = await SqliteRootStore.open(path);
    const blocks = await store.headers.list();
    expect(blocks.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(1 << 20);
    expect(blocks.length).toBeGreaterThan(3);
    expect(blocks.at(-1)?.last).toBe(BigInt(TXS + 1 + 10 * 1024 + 1));
  });

  test('has a block proven again whose root went into an archive, once', async () => {
    const { ledger, path } = await scene(60);
    {
      const client = opened(ledger.address, path);
      await client.verifiedSet('more', '1');
      await client.close();
      await using store = await SqliteRootStore.open(path);
      const { seq } = (await store.audit.rootAt(61n))!;
      await store.audit.archive({ path: `${path}.old`, through: seq });
      expect(await verifyKeptHeaders(store)).toEqual({ ok: true, blocks: 1, underArchived: 1 });
    }
    const called = watch(ledger);
    const proofs = () => called.splice(0).filter((method) => /Tx|Verifiable/.test(method));
    for (const expected of [['VerifiableTxById'], []]) {
      const client = opened(ledger.address, path);
      await client.verifiedGetAll(['k1', 'k2']);
      expect(proofs()).toEqual(expected);
      expect(await keptOf(client)).toMatchObject({ loaded: 1, refused: 0, failed: 0 });
    }
  });

  test('under trust that was forgotten asks anew', async () => {
    const { ledger, path } = await scene(100);
    const client = opened(ledger.address, path);
    await client.forgetTrust('test');
    const called = watch(ledger);
    await client.verifiedGetAll(['k1', 'k2']);
    expect(called).toContain('VerifiableTxById');
    // What is proven under the new trust is kept like any other.
    expect(await keptOf(client)).toMatchObject({ loaded: 0, saved: 1, refused: 0 });
  });
});

describe('a lie with help from inside', () => {
  test.each([
    ['their SHA-256 in the log', false],
    ['it in an archive', true],
  ])('headers changed in the store so that they would prove it, with %s', async (_name, archived) => {
    const { ledger, path } = await scene();
    if (archived) {
      await using store = await SqliteRootStore.open(path);
      const rows = await rowsOf(store);
      await store.audit.archive({ path: `${path}.old`, through: rows.at(-1)!.seq });
    }
    forge(path, rootOf('k7', 'v7'), rootOf('k7', 'lie'));
    const lie = ledger.lie({ kind: 'swap-value', value: utf8('lie'), methods: ['Get', 'GetAll'] });
    const client = opened(ledger.address, path);
    const error = await rejection(client.verifiedGetAll(['k7']));
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.evidence).toMatchObject({ check: 'claim.entry' });
    expect(lie.told).toBeGreaterThan(0);
    lie.stop();
    expect((await client.verifiedGetAll(['k7', 'k1050'])).map((entry) => text(entry?.value))).toEqual([
      'v7',
      'v1050',
    ]);
    expect(await keptOf(client)).toMatchObject({ refused: 1, failed: 0 });
    await using store = await SqliteRootStore.open(path);
    const [row, ...rest] = await rowsOf(store, { operation: 'keepHeaders', outcome: 'failure' });
    expect([rest, row]).toMatchObject([[], { calls: 0 }]);
    if (archived) {
      const refuted = { check: 'chain.prev-alh' };
      expect(verifyEvidence(row!.evidence!)).toMatchObject({ outcome: 'reproduced', refuted });
    } else {
      expect(row?.detail).toContain('the log has another SHA-256 of them');
    }
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });

  test('the same is believed by nobody who looks at the store either', async () => {
    const { path } = await scene(20);
    {
      await using store = await SqliteRootStore.open(path);
      expect(await verifyKeptHeaders(store)).toEqual({ ok: true, blocks: 1, underArchived: 0 });
    }
    forge(path, rootOf('k7', 'v7'), rootOf('k7', 'lie'));
    await using store = await SqliteRootStore.open(path);
    expect(await verifyKeptHeaders(store)).toMatchObject({
      ok: false,
      database: 'defaultdb',
      first: 1n,
      last: 21n,
    });
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });

  test('a server that has another history since: found out by the headers that were kept', async () => {
    const { ledger, path } = await scene();
    const client = opened(ledger.address, path);
    const read = () => client.verifiedGetAll(['k1050']);
    // Plain reads alone show the other history: what was kept says no.
    const shown = ledger.lie({ kind: 'fork', at: 500n, methods: ['Get', 'GetAll'] });
    expect(await rejection(read())).toMatchObject({ evidence: { check: 'claim.entry' } });
    expect(client.diagnostics.trust['defaultdb']?.kept).toMatchObject({ loaded: 1, refused: 0 });
    shown.stop();
    const fork = ledger.lie({ kind: 'fork', at: 500n });
    for (const call of [read, () => client.verifiedGet('k1050'), () => client.verifiedSet('new', 'x')]) {
      expect(await rejection(call())).toBeInstanceOf(VerificationError);
    }
    fork.stop();
    expect(text((await client.verifiedGet('k1050'))?.value)).toBe('v1050');
  });
});

describeServer('a client that is started again', () => {
  test('reads warm, and extends what is kept', async () => {
    const database = await freshDatabase();
    const path = join(await temporaryFolder(), 'roots.db');
    const first = opened(sharedImmudb(), path, { database });
    await fill(first, TXS);
    await first.verifiedSet('last', 'one');
    const size = await first.warm();
    expect(size).toBe(TXS + 1);
    expect(await keptOf(first, database)).toMatchObject({ saved: 2, failed: 0 });

    const called: string[] = [];
    const proxy = await Proxy.start(sharedImmudb());
    onTestFinished(() => proxy.close());
    proxy.intercept = ({ method, forward }) => {
      called.push(method);
      return forward();
    };
    const second = opened(proxy.address, path, { database });
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`);
    const entries = await second.verifiedGetAll(keys);
    expect(entries.map((entry) => text(entry?.value))).toEqual(keys.map((key) => key.replace('k', 'v')));
    expect(text((await second.verifiedGet('k1'))?.value)).toBe('v1');
    expect(called.filter((method) => /Get|Tx|Verifiable/.test(method)).sort()).toEqual(['Get', 'GetAll']);
    expect(second.diagnostics.trust[database]).toMatchObject({
      fetched: { headerBlocks: 0, headerSingles: 0 },
      kept: { loaded: 1, refused: 0, failed: 0 },
    });
    await second.verifiedSet('k1', 'newer');
    expect(text((await second.verifiedGet('k1'))?.value)).toBe('newer');
    await second.close();
    await using store = await SqliteRootStore.open(path);
    expect(await verifyKeptHeaders(store)).toMatchObject({ ok: true, blocks: 2 });
  });

  test('does not believe a header that was changed meanwhile', async () => {
    const database = await freshDatabase();
    const path = join(await temporaryFolder(), 'roots.db');
    const first = opened(sharedImmudb(), path, { database });
    await fill(first, 20);
    await first.verifiedSet('last', 'one');
    await first.warm();
    await first.close();
    forge(path, rootOf('k7', 'v7'), rootOf('k7', 'lie'));
    const second = opened(sharedImmudb(), path, { database });
    expect((await second.verifiedGetAll(['k7', 'k8'])).map((entry) => text(entry?.value))).toEqual([
      'v7',
      'v8',
    ]);
    expect(await keptOf(second, database)).toMatchObject({ loaded: 0, refused: 1, failed: 0 });
  });
});
