// Headers kept in the root store: found by the next process without a question, proven again before anything rests on
// them, and never a reason for a verified call to fail.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DatabaseTrust } from '#dist/client/trust/database-trust.js';
import { blockOf } from '#dist/client/trust/known/proven-headers.js';
import { MemoryRootStore, StoreError } from '#dist/index.js';
import { verifyEvidence, verifyKeptHeaders } from '#dist/audit.js';
import type { HeaderBlock, HeaderStore, RootStore } from '#dist/index.js';
import { jobOf } from '#dist/client/trust/known/kept-block.js';
import { check } from '#dist/verify/check.js';
import { packHeaders } from '#dist/verify/chain/block.js';
import { packColumns } from '#dist/verify/pack/header-pack.js';
import { checkClaims } from '#dist/verify/readings/claims.js';
import type { ClaimTask } from '#dist/client/trust/known/proven-facts.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { DATABASE, TestChain, bytesOf, utf8 } from '../verify/support/test-chain.js';
import type { Wire } from '../verify/support/test-chain.js';
import { contextAt } from '../verify/support/verifiers.js';
import { FakeImmudb, Gate, callOf, trusting, turns } from './fake-immudb.js';
import { rowsOf } from './support.js';

const KEY = { server: 'fake', database: DATABASE };
const keepHeaders = { maxBytes: 1 << 24 };
/** Two whole blocks and a part of the third. */
const SIZE = 2100;
/** One history up to tx 700, and another from there on. */
const chain = grown(SIZE, 'v');
const other = grown(700, 'v', SIZE, 'lie');
/** Forty blocks. */
const long = grown(40 * 1024, 'v');

function grown(...parts: [number, string, number?, string?]): TestChain {
  const [first, value, to = first, then = value] = parts;
  const made = new TestChain();
  for (let id = 1; id <= to; id++) made.set([`k${id}`, `${id <= first ? value : then}${id}`]);
  return made;
}

function columnsOf(of: TestChain, first: bigint, last: bigint): Uint8Array {
  const txs = Array.from({ length: Number(last - first) + 1 }, (_, i) => of.tx(first + BigInt(i)));
  return packColumns(
    packHeaders(
      txs.map(({ header }) => header),
      txs.map(({ alh }) => alh),
    ),
  );
}

interface Process {
  readonly trust: DatabaseTrust;
  /** What was asked of the server since the last look. */
  readonly asked: () => string[];
  readonly fake: FakeImmudb;
  readonly end: () => Promise<void>;
}

/** What one process after the other would have: the same store, nothing in memory. */
async function start(store: RootStore, of = chain, more: { cacheBytes?: number } = {}): Promise<Process> {
  const fake = new FakeImmudb(of);
  const { trust, verifier } = await trusting(fake, more.cacheBytes, { store, keepHeaders });
  const end = async () => {
    await trust.close();
    await verifier.close();
  };
  return { trust, asked: () => fake.methods(), fake, end };
}

/** A store with all headers of the chain, and the trusted root that they were proven under. */
async function warmed(store: RootStore = new MemoryRootStore()): Promise<RootStore> {
  const { trust, end } = await start(store);
  expect(await trust.warm(callOf(), 1n)).toBe(SIZE);
  await end();
  return store;
}

/** 'proven', or the check or the code that says why not. */
function prove(trust: DatabaseTrust, tx: number, value = `v${tx}`, of = chain): Promise<string> {
  const key = `k${tx}`;
  const entry = { ...of.entry(key, BigInt(tx)), value: utf8(value) };
  const question = { kind: 'claims', keys: [utf8(key)], single: true } as const;
  const [outcome] = checkClaims(question, contextAt(null), bytesOf('entry', entry)).outcomes;
  if (outcome?.kind !== 'value') throw new Error('no claim');
  return new Promise((resolve) => {
    const task: ClaimTask = {
      claim: outcome.claim,
      key: utf8(key),
      shown: outcome.shown,
      operation: 'verifiedGet',
      startedAt: 0,
      proven: () => resolve('proven'),
      failed: (error) => {
        const { code, evidence } = error as { code: string; evidence?: { check: string } };
        resolve(evidence?.check ?? code);
      },
    };
    trust.known.proveSoon(task);
  });
}

const kept = ({ trust }: Pick<Process, 'trust'>) => trust.diagnostics?.kept;

async function blockOfStore(store: RootStore, first: bigint): Promise<HeaderBlock> {
  const block = await store.headers?.load(KEY, first);
  if (!block) throw new Error(`block ${first} is not kept`);
  return block;
}

/** A store that gives the first block changed. */
function changed(store: RootStore, change: (block: HeaderBlock) => unknown): RootStore {
  const headers = store.headers!;
  return withHeaders(store, {
    load: async (key, first) => {
      const block = await headers.load(key, first);
      return block && first === 1n ? (change(block) as HeaderBlock) : block;
    },
  });
}

/** The log without the SHA-256 of what is kept, as when these rows are in an archive: proofs have to do. */
function unsealed(store: RootStore): RootStore {
  const roots: RootStore['audit']['roots'] = (query) =>
    store.audit.roots(query?.operation === 'keepHeaders' ? { ...query, server: 'nobody' } : query);
  return withAudit(store, { roots });
}

function withAudit(store: RootStore, change: Partial<RootStore['audit']>): RootStore {
  const audit = new Proxy(store.audit, {
    get: (of, name) => {
      const value: unknown = Reflect.get(change, name) ?? Reflect.get(of, name, of);
      return typeof value === 'function' ? (value.bind(of) as unknown) : value;
    },
  });
  return replacing(store, { audit });
}

function replacing(store: RootStore, change: Partial<RootStore>): RootStore {
  return new Proxy(store, {
    get: (of, name) => {
      if (name in change) return Reflect.get(change, name) as unknown;
      const value: unknown = Reflect.get(of, name, of);
      return typeof value === 'function' ? (value.bind(of) as unknown) : value;
    },
  });
}

function withHeaders(store: RootStore, change: Partial<HeaderStore>): RootStore {
  const headers = store.headers!;
  const bound: HeaderStore = {
    load: (...args) => headers.load(...args),
    save: (...args) => headers.save(...args),
    drop: (...args) => headers.drop(...args),
    list: (...args) => headers.list(...args),
    ...change,
  };
  return replacing(store, { headers: bound });
}

describe('a process that starts anew', () => {
  test('finds what was proven: no header is asked for, whole blocks and the newest', async () => {
    const store = await warmed();
    expect((await store.headers!.list()).map(({ first, last }) => [first, last])).toEqual([
      [1n, 1024n],
      [1025n, 2048n],
      [2049n, 2100n],
    ]);
    const process = await start(store);
    expect(await Promise.all([7, 8, 1500, 2099].map((tx) => prove(process.trust, tx)))).toEqual(
      Array(4).fill('proven'),
    );
    expect(await prove(process.trust, 9)).toBe('proven');
    expect([process.asked(), process.trust.known.warmth]).toEqual([[], 1]);
    expect(kept(process)).toEqual({ loaded: 3, saved: 0, skipped: 0, refused: 0, failed: 0 });
    expect(process.trust.diagnostics).toMatchObject({
      claims: { known: 1 },
      fetched: { headerBlocks: 0, headerSingles: 0 },
      cached: { headers: SIZE },
    });
    await process.end();
    expect(await verifyKeptHeaders(store)).toEqual({ ok: true, blocks: 3, underArchived: 0 });
  });

  test('loads a few blocks at a time, however many are needed', async () => {
    const store = new MemoryRootStore();
    const first = await start(store, long);
    await first.trust.warm(callOf(), 1n);
    await first.end();
    let [now, most] = [0, 0];
    const process = await start(
      withHeaders(store, {
        load: async (...args) => {
          most = Math.max(most, ++now);
          await turns(2);
          now -= 1;
          return store.headers.load(...args);
        },
      }),
      long,
    );
    const txs = Array.from({ length: 80 }, (_, i) => 5 + 512 * i);
    const proven = await Promise.all(txs.map((tx) => prove(process.trust, tx, `v${tx}`, long)));
    expect(new Set(proven)).toEqual(new Set(['proven']));
    expect([process.asked(), most, kept(process)?.loaded]).toEqual([[], 8, 40]);
    await process.end();
  });

  test('warms up from the store, and from the server what is not there', async () => {
    const store = await warmed();
    await store.headers!.drop(KEY, 1025n);
    const process = await start(store);
    expect(await process.trust.warm(callOf(), 1n)).toBe(SIZE);
    expect(process.asked().sort()).toEqual(['TxScan', 'VerifiableTxById']);
    await process.end();
    expect(kept(process)).toMatchObject({ loaded: 2, saved: 1 });
    expect(await store.headers!.list()).toHaveLength(3);
  });

  test('knows what the store does not have without asking it', async () => {
    const store = await warmed();
    await store.headers!.drop(KEY, 1n);
    const loads: bigint[] = [];
    const headers = store.headers!;
    const watched = withHeaders(store, {
      load: (key, first) => {
        loads.push(first);
        return headers.load(key, first);
      },
    });
    const process = await start(watched);
    expect(await prove(process.trust, 7)).toBe('proven');
    expect([process.asked(), loads]).toEqual([['VerifiableTxById'], []]);
    expect(await Promise.all([prove(process.trust, 1100), prove(process.trust, 1200)])).toEqual([
      'proven',
      'proven',
    ]);
    expect([process.asked(), loads]).toEqual([[], [1025n]]);
    await process.end();
  });

  test('loads what was pushed out of memory', async () => {
    const store = await warmed();
    // Room for one block.
    const process = await start(store, chain, { cacheBytes: 2 * 80_000 });
    for (const tx of [7, 1500, 8]) expect(await prove(process.trust, tx)).toBe('proven');
    expect([process.asked(), kept(process)?.loaded]).toEqual([[], 3]);
    await process.end();
  });

  test('asks for what is newer than the kept part of a block', async () => {
    const store = new MemoryRootStore();
    const short = grown(50, 'v');
    const first = await start(store, short);
    await first.trust.warm(callOf(), 1n);
    await first.end();
    const process = await start(store);
    await process.trust.reach(callOf(), BigInt(SIZE));
    process.asked();
    expect(await Promise.all([prove(process.trust, 40), prove(process.trust, 60)])).toEqual([
      'proven',
      'proven',
    ]);
    expect(process.asked()).toEqual(['VerifiableTxById']);
    expect(await process.trust.warm(callOf(), 1n, 1000n)).toBe(1024);
    expect(process.asked().sort()).toEqual(['TxScan', 'VerifiableTxById']);
    await process.end();
    expect(await store.headers.list()).toMatchObject([{ first: 1n, last: 1024n }]);
  });

  test('leaves what another process has proven above its head', async () => {
    const store = new MemoryRootStore();
    const short = grown(50, 'v');
    const early = await start(store, short);
    await early.trust.warm(callOf(), 1n);
    await early.end();
    const process = await start(store, short);
    const ahead = await start(store);
    await ahead.trust.reach(callOf(), chain.size);
    await ahead.trust.warm(callOf(), 1n);
    await ahead.end();
    expect((await blockOfStore(store, 1n)).head.tx).toBe(chain.size);
    expect(await prove(process.trust, 40)).toBe('proven');
    // A block of 50 is cheap.
    expect(process.asked().sort()).toEqual(['TxScan', 'VerifiableTxById']);
    expect(kept(process)).toMatchObject({ loaded: 0, refused: 0 });
    await process.end();
  });

  test('under other trust finds nothing: forgotten is forgotten', async () => {
    const store = await warmed();
    const process = await start(store);
    await process.trust.forget(callOf(), 'test');
    expect(await store.headers!.list()).toEqual([]);
    await process.trust.ready(callOf());
    process.asked();
    expect(await prove(process.trust, 7)).toBe('proven');
    expect(process.asked()).toEqual(['VerifiableTxById']);
    await process.end();
    expect(await store.headers!.list()).toEqual([]);
  });

  test('keeps nothing that is on its way when trust is forgotten', async () => {
    const store = new MemoryRootStore();
    const gate = new Gate();
    const held = withHeaders(store, {
      save: async (...args) => {
        await gate.pass();
        await store.headers.save(...args);
      },
    });
    const process = await start(held);
    const warm = process.trust.warm(callOf(), 1n, 1024n);
    await gate.arrived();
    await warm;
    await process.trust.forget(callOf(), 'test');
    gate.open();
    await process.end();
    expect(await store.headers.list()).toEqual([]);
  });

  test('after rows were archived has the root proven again, once', async () => {
    const store = await warmed();
    const unlogged = withAudit(store, { rootAt: () => Promise.resolve(null) });
    // A head of its own, above the one that the blocks were proven under.
    const next = grown(SIZE + 10, 'v');
    const mover = await start(store, next);
    await mover.trust.reach(callOf(), next.size);
    await mover.end();
    const process = await start(unlogged, next);
    expect(await prove(process.trust, 7)).toBe('proven');
    expect(process.asked()).toEqual(['VerifiableTxById']);
    await process.end();
    expect((await blockOfStore(store, 1n)).head.tx).toBe(next.size);
    expect((await blockOfStore(store, 1025n)).head.tx).toBe(chain.size);
  });
});

describe('what was changed in the store', () => {
  /** As of the other history, under a root of ours or of theirs. */
  const forged = (head: { tx: bigint; alh: Uint8Array }): HeaderBlock => ({
    columns: columnsOf(other, 1n, 1024n),
    first: 1n,
    last: 1024n,
    head,
    proof: bytesOf('tx', other.verifiableTx(1024n, head.tx, { entries: false })),
    headers: bytesOf('block', other.txList(1n, 1024n)),
  });
  const HEAD = chain.root(chain.size);
  /** The header of tx 900 with the entries root of the other history: what would prove a lie. */
  const swapped = () => {
    const list = chain.txList(1n, 1024n);
    list.txs[899].header.eH = other.tx(900n).header.eH;
    return bytesOf('block', list);
  };

  test.each<[string, string, (block: HeaderBlock) => unknown]>([
    ['one entries root', 'chain.prev-alh', (block) => ({ ...block, headers: swapped() })],
    ['the headers', 'chain.end', (block) => ({ ...block, headers: forged(HEAD).headers })],
    ['headers and proof', 'dual-proof.target-alh', () => forged(HEAD)],
    ['headers, proof and root', 'kept.root', () => forged(other.root(other.size))],
    ['headers, proof and root, to one that was never logged', 'chain.end', () => forged(other.root(2000n))],
    [
      'the root alone',
      'kept.root',
      (block) => ({ ...block, head: { tx: HEAD.tx, alh: HEAD.alh.map((b) => b ^ 1) } }),
    ],
    ['the root, to one below the block', 'kept.root', (block) => ({ ...block, head: chain.root(1000n) })],
    [
      'the last tx',
      'dual-proof.source',
      (block) => ({ ...block, last: 1023n, columns: block.columns.subarray(77) }),
    ],
    ['the length of its columns', 'kept.form', (block) => ({ ...block, columns: block.columns.subarray(1) })],
    ['the proof, to nothing', 'wire.', (block) => ({ ...block, proof: new Uint8Array(0) })],
    ['the headers, to nothing', 'block.count', (block) => ({ ...block, headers: new Uint8Array(0) })],
    [
      'a bit of the headers',
      '',
      (block) => ({ ...block, headers: block.headers.map((b, i) => (i === 70_000 ? b ^ 1 : b)) }),
    ],
    ['its place', 'kept.form', (block) => ({ ...block, first: 1025n, last: 2048n })],
    ['its form', 'kept.form', () => 'a block'],
    [
      'the length of a hash',
      'kept.form',
      (block) => ({ ...block, head: { tx: HEAD.tx, alh: new Uint8Array(31) } }),
    ],
  ])('%s: is not used, dropped, and logged; the server is asked', async (_name, check, change) => {
    const store = await warmed();
    const process = await start(changed(unsealed(store), change));
    expect(await prove(process.trust, 900, 'lie900')).toBe('claim.entry');
    expect(await prove(process.trust, 900)).toBe('proven');
    expect(process.asked()).toContain('VerifiableTxById');
    expect(kept(process)).toMatchObject({ loaded: 0, refused: 1, failed: 0 });
    const [row, ...rest] = await rowsOf(store, { operation: 'keepHeaders', outcome: 'failure' });
    expect(rest).toEqual([]);
    expect(row).toMatchObject({ outcome: 'failure', calls: 0, database: DATABASE });
    expect(row?.detail).toMatch(
      /^the headers kept in the root store of tx 1 to 1024 are not what was proven/,
    );
    if (row?.evidence) {
      expect(row.evidence.check).toContain(check);
      expect(verifyEvidence(row.evidence).outcome).toBe('reproduced');
    } else {
      expect(check).toMatch(/^kept/);
    }
    // The other blocks are as good as before.
    process.asked();
    expect([await prove(process.trust, 1500), process.asked()]).toEqual(['proven', []]);
    await process.end();
  });

  /** The columns with the entries root of tx 900 of the other history. */
  const swappedColumns = (block: HeaderBlock) => {
    const columns = block.columns.slice();
    columns.set(other.tx(900n).header.eH, 32 * 1024 + 32 * 899);
    return { ...block, columns };
  };

  test('columns: not what the log says, and of no weight where the log says nothing', async () => {
    const store = await warmed();
    const process = await start(changed(store, swappedColumns));
    expect(await prove(process.trust, 900, 'lie900')).toBe('claim.entry');
    expect(await prove(process.trust, 900)).toBe('proven');
    expect(kept(process)).toMatchObject({ loaded: 0, refused: 1 });
    const [row] = await rowsOf(store, { operation: 'keepHeaders', outcome: 'failure' });
    expect(row?.detail).toContain('the log has another SHA-256');
    await process.end();

    const again = await warmed();
    const silent = await start(changed(unsealed(again), swappedColumns));
    expect(await prove(silent.trust, 900, 'lie900')).toBe('claim.entry');
    expect(await prove(silent.trust, 900)).toBe('proven');
    expect(kept(silent)).toMatchObject({ loaded: 1, refused: 0 });
    await silent.end();
    // Kept once more, as it was proven, and with its SHA-256 in the log.
    expect(kept(silent)?.saved).toBe(1);
    expect((await blockOfStore(again, 1n)).columns).toEqual(columnsOf(chain, 1n, 1024n));
    expect(await rowsOf(again, { operation: 'keepHeaders', outcome: 'calls' })).toHaveLength(4);
  });

  test('columns with their SHA-256 in a log from before trust was forgotten', async () => {
    const store = await warmed();
    const [block] = [await blockOfStore(store, 1n)];
    const first = await start(store);
    await first.trust.forget(callOf(), 'test');
    await first.trust.ready(callOf());
    await first.end();
    await store.headers!.save(KEY, block, 1 << 24);
    const process = await start(changed(store, swappedColumns));
    expect(await prove(process.trust, 900, 'lie900')).toBe('claim.entry');
    // Proven by what came with it: the columns that were changed do not count.
    expect([await prove(process.trust, 900), kept(process)]).toMatchObject([
      'proven',
      { loaded: 1, refused: 0 },
    ]);
    await process.end();
  });

  test.each<[string, (block: HeaderBlock) => unknown]>([
    ['one entries root', (block) => ({ ...block, headers: swapped() })],
    ['the same in its columns', swappedColumns],
    ['everything in the block', () => forged(other.root(other.size))],
    ['the form', () => ({})],
  ])('%s: found by verifyKeptHeaders', async (_name, change) => {
    const store = await warmed();
    expect(await verifyKeptHeaders(changed(store, change))).toMatchObject({ ok: false, ...KEY, first: 1n });
  });

  test('any byte of it: refused, or the same headers as before', async () => {
    const store = await warmed();
    const block = await blockOfStore(store, 1n);
    const truth = check(jobOf(block, DATABASE));
    expect(truth.ok).toBe(true);
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom('headers', 'proof'),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (part, at, mask) => {
          const bytes = block[part].slice();
          bytes[at % bytes.length]! ^= mask;
          const verdict = check(jobOf({ ...block, [part]: bytes }, DATABASE));
          if (!verdict.ok) refused += 1;
          else expect(verdict).toEqual(truth);
        },
      ),
      { numRuns: 200 },
    );
    expect(refused).toBeGreaterThan(150);
  });

  test('a root in the log as well: found where the log has another root of the same block', async () => {
    const store = new MemoryRootStore();
    const short = grown(900, 'v');
    const early = await start(store, short);
    await early.end();
    const process = await start(store);
    await process.trust.reach(callOf(), chain.size);
    await process.trust.warm(callOf(), 1n);
    await process.end();
    // The log says that the other history's newest root was trusted; its row of tx 900 is the true one.
    const lying = withAudit(unsealed(store), {
      rootAt: async (tx, filter) => {
        const row = await store.audit.rootAt(tx, filter);
        return row && tx === 2050n ? { ...row, ...other.root(2050n) } : row;
      },
    });
    const again = await start(changed(lying, () => forged(other.root(2050n))));
    expect(await prove(again.trust, 900, 'lie900')).toBe('claim.entry');
    const [row] = await rowsOf(store, { operation: 'keepHeaders', outcome: 'failure' });
    expect(row?.detail).toContain('tx 900 has alh');
    await again.end();
  });

  test('against what is proven already: what was proven stays', async () => {
    const store = await warmed();
    const process = await start(store);
    process.trust.known.headers.addRoot({ tx: 800n, alh: other.tx(800n).alh });
    expect(await prove(process.trust, 7)).toBe('proven');
    expect(kept(process)).toMatchObject({ loaded: 0, refused: 1 });
    const [row] = await rowsOf(store, { operation: 'keepHeaders', outcome: 'failure' });
    expect(row?.detail).toContain('tx 800 has another hash than was proven before');
    await process.end();
  });

  test('of another database is of no use here', async () => {
    const store = await warmed();
    const loads = changed(store, () => forged(HEAD));
    expect(await loads.headers!.list({ database: 'another' })).toEqual([]);
    expect(await loads.headers!.load({ ...KEY, server: 'another' }, 1n)).toBeNull();
  });
});

describe('a server', () => {
  test('that has another history since is found out by what was kept', async () => {
    const store = await warmed();
    const forked = grown(700, 'v', SIZE, 'lie');
    const process = await start(store, forked);
    // A plain read of the other history: what is kept says no, and the server cannot prove it under the head.
    expect(await prove(process.trust, 900, 'lie900')).not.toBe('proven');
    expect(kept(process)).toMatchObject({ loaded: 1, refused: 0 });
    expect(await prove(process.trust, 600)).toBe('proven');
    await expect(process.trust.warm(callOf(), 1n)).resolves.toBe(SIZE);
    forked.set(['next', 'x']);
    await expect(process.trust.reach(callOf(), forked.size)).rejects.toMatchObject({ code: 'FORK_DETECTED' });
    await process.end();
  });

  test('that proves a block which contradicts what was proven: a fork, with evidence', async () => {
    const store = new MemoryRootStore();
    const process = await start(store);
    process.trust.known.headers.addRoot({ tx: 800n, alh: other.tx(800n).alh });
    await expect(process.trust.warm(callOf(), 1n)).rejects.toMatchObject({
      code: 'FORK_DETECTED',
      evidence: { check: 'trust.fork', tx: 800n },
    });
    const [row] = await rowsOf(store, { outcome: 'fork' });
    expect(row?.evidence && verifyEvidence(row.evidence)).toMatchObject({
      outcome: 'reproduced',
      refuted: { check: 'trust.fork' },
    });
    expect(verifyEvidence({ ...row!.evidence!, computed: '00'.repeat(32) }).outcome).toBe('not-reproduced');
    expect(verifyEvidence({ ...row!.evidence!, expected: row!.evidence!.computed! }).outcome).toBe(
      'not-reproduced',
    );
    await process.end();
    expect((await store.headers.list()).map(({ first }) => blockOf(first))).not.toContain(0);
  });
});

describe('a store that fails', () => {
  const broken = () => Promise.reject(new StoreError('STORE_FAILED', 'the disk is full'));

  test.each<[string, Partial<HeaderStore>, number]>([
    ['to save', { save: broken }, 3],
    [
      'to save, at once',
      {
        save: () => {
          throw new Error('the disk is full');
        },
      },
      3,
    ],
    ['to list', { list: broken }, 1],
  ])('%s: fails no call, and is told', async (_name, change, failed) => {
    const process = await start(withHeaders(new MemoryRootStore(), change));
    expect(await process.trust.warm(callOf(), 1n)).toBe(SIZE);
    expect(await prove(process.trust, 7)).toBe('proven');
    await process.end();
    expect(kept(process)).toMatchObject({ failed, lastFailure: 'the disk is full' });
  });

  test('to load: the server is asked, and the store again the next time', async () => {
    const store = await warmed();
    let failing = true;
    const headers = store.headers!;
    const process = await start(
      withHeaders(store, { load: (...args) => (failing ? broken() : headers.load(...args)) }),
    );
    expect(await prove(process.trust, 7)).toBe('proven');
    expect([process.asked(), kept(process)?.failed]).toEqual([['VerifiableTxById'], 1]);
    failing = false;
    expect(await prove(process.trust, 8)).toBe('proven');
    expect([process.asked(), kept(process)]).toMatchObject([[], { loaded: 1, failed: 1 }]);
    await process.end();
  });

  test('to drop, or to log, what was refused: refused all the same', async () => {
    const store = await warmed();
    const refusing = changed(withHeaders(store, { drop: broken }), () => ({}));
    const process = await start(refusing);
    expect(await prove(process.trust, 7)).toBe('proven');
    expect(kept(process)).toMatchObject({ refused: 1, loaded: 0 });
    await process.end();
  });

  describe('to keep up', () => {
    async function slowly() {
      const store = new MemoryRootStore();
      const gate = new Gate();
      const slow = withHeaders(store, {
        save: async (...args) => {
          await gate.pass();
          await store.headers.save(...args);
        },
      });
      return { gate, process: await start(slow, long) };
    }

    test('what is in no hurry waits for it', async () => {
      const { gate, process } = await slowly();
      let waiting = true;
      const warm = process.trust.warm(callOf(), 1n).finally(() => (waiting = false));
      while (gate.waiting < 9) await gate.arrived().then(() => turns(1));
      await turns();
      expect([waiting, gate.waiting < 20]).toEqual([true, true]);
      gate.open();
      expect(await warm).toBe(40 * 1024);
      await process.end();
      expect(kept(process)).toMatchObject({ skipped: 0, saved: 40 });
    });

    test('what is in a hurry does not: blocks are then not kept, and counted', async () => {
      const { gate, process } = await slowly();
      const txs = Array.from({ length: 40 * 64 }, (_, i) => 1 + 16 * i);
      const proven = await Promise.all(txs.map((tx) => prove(process.trust, tx, `v${tx}`, long)));
      expect(new Set(proven)).toEqual(new Set(['proven']));
      expect(kept(process)).toMatchObject({ skipped: 8, saved: 0 });
      gate.open();
      await process.end();
      expect(kept(process)).toMatchObject({ skipped: 8, saved: 32 });
    });
  });
});

test('true answers that are padded: what was proven is kept, and no more than that', async () => {
  const honest = await warmed();
  const store = new MemoryRootStore();
  const first = await start(store);
  // A field that nobody knows, of 100,000 bytes; a key beside the signature, as long; entries that nobody asked for.
  const unknown = Buffer.concat([Buffer.from([0xa2, 0x06, 0xa0, 0x8d, 0x06]), Buffer.alloc(100_000)]);
  first.fake.intercept = ({ method, answer }) => {
    const bytes = answer();
    if (method !== 'TxScan' && method !== 'VerifiableTxById') return bytes;
    const { responseDeserialize, responseSerialize } = methodDefinition('immudb.schema.ImmuService', method);
    const shown = responseDeserialize(Buffer.from(bytes)) as Wire;
    const entries = [{ key: Buffer.alloc(5000), hValue: Buffer.alloc(32) }];
    if (method === 'TxScan') for (const tx of shown.txs) tx.entries = entries;
    else
      Object.assign(shown, { signature: { publicKey: Buffer.alloc(100_000), signature: Buffer.alloc(70) } });
    if (method === 'VerifiableTxById') shown.tx.entries = entries;
    return new Uint8Array(Buffer.concat([responseSerialize(shown), unknown]));
  };
  expect(await first.trust.warm(callOf(), 1n)).toBe(SIZE);
  await first.end();
  for (const at of [1n, 1025n, 2049n]) {
    const [padded, plain] = [await blockOfStore(store, at), await blockOfStore(honest, at)];
    expect(padded.headers).toEqual(plain.headers);
    expect(padded.columns).toEqual(plain.columns);
    // But for the signature, which is 70 bytes and was taken for what it may be.
    expect(padded.proof.length - plain.proof.length).toBeLessThan(80);
  }
  expect(await verifyKeptHeaders(store)).toMatchObject({ ok: true, blocks: 3 });
  const next = await start(store);
  expect(await prove(next.trust, 300)).toBe('proven');
  expect(next.asked()).toEqual([]);
  await next.end();
});
