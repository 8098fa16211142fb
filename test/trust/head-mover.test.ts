// The one head, moved one move at a time: by following, by runs of headers, by proofs; to answers and to mere goals.
import { beforeEach, describe, expect, test } from 'vitest';
import { HeadMover } from '#dist/client/trust/head/head-mover.js';
import type { Offer } from '#dist/client/trust/head/waiters.js';
import type { Candidate, Head } from '#dist/client/trust/head/head.js';
import { TrustLog } from '#dist/client/trust/log/trust-log.js';
import { ProvenHeaders } from '#dist/client/trust/known/proven-headers.js';
import { StoreError, TransportError } from '#dist/errors.js';
import { MemoryRootStore } from '#dist/index.js';
import { toHex } from '#dist/proof/bytes.js';
import { Frontier } from '#dist/proof/tree/frontier.js';
import { provenTx } from '#dist/verify/claims/proven.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import { codeOf } from '../client/support.js';
import { DATABASE, TestChain, bytesOf } from '../verify/support/test-chain.js';
import { contextAt, jobOf } from '../verify/support/verifiers.js';
import { FakeImmudb, Gate, turns } from './fake-immudb.js';
import { rejection, rowsOf } from './support.js';

const chain = new TestChain().grow(1100);
const other = new TestChain().grow(20);
other.set(['parted', '']);
other.grow(1079);

const KEY = { server: 'fake', database: DATABASE };
const JOB = jobOf({ kind: 'written', request: new Uint8Array(0) }, null, new Uint8Array(0));

function frontierAt(tx: bigint, of = chain) {
  const frontier = Frontier.from({ size: 0n, peaks: [] });
  for (let id = 1n; id <= tx; id++) frontier.append(of.root(id).alh);
  return { size: frontier.size, peaks: frontier.peaks };
}

/** As the header that answers a plain Set: nothing but itself. */
function bare(tx: bigint, of = chain): Candidate {
  const { header, alh } = of.tx(tx);
  return { ...provenTx(header, alh), tree: { size: header.blTxId, root: header.blRoot } };
}

/** As an answer that was checked proves it. */
function proven(tx: bigint, of = chain): Candidate {
  const { header, alh } = of.tx(tx);
  return { ...provenTx(header, alh), frontier: frontierAt(tx, of) };
}

let fake: FakeImmudb;
let store: MemoryRootStore;
let headers: ProvenHeaders;

beforeEach(() => {
  fake = new FakeImmudb(chain);
  store = new MemoryRootStore();
  headers = new ProvenHeaders(1 << 20);
});

async function moverAt(tx: bigint, { frontier = true, signed = false } = {}): Promise<HeadMover> {
  const head: Head = { ...chain.root(tx), ...(frontier && { frontier: frontierAt(tx) }) };
  const trustLog = new TrustLog({ store, key: KEY, clientId: 'test' });
  await trustLog.advance(null, head, {
    outcome: 'first-use',
    operation: 'firstContact',
    calls: 0,
    startedAt: 0,
  });
  return new HeadMover(head, {
    rpc: fake,
    verifier: new InlineVerifier(),
    trustLog,
    contextFor: (root) => contextAt(root),
    headers,
    signed,
    ask: (_operation, _head, send) => send(),
    forgotten: () => Promise.resolve(new StoreError('STORE_FAILED', 'forgotten')),
  });
}

const offer = (target: Candidate, more: Partial<Offer> = {}): Offer => ({
  target,
  operation: 'verifiedSet',
  startedAt: 0,
  calls: 1,
  job: JOB,
  ...more,
});
const goal = (tx: bigint) => ({ tx, operation: 'verifiedGet', startedAt: 0, job: JOB });
const moves = async () => (await rowsOf(store, { outcome: 'root' })).map(({ tx, calls }) => [tx, calls]);

describe('headers that come with nothing but themselves', () => {
  test('are followed with one proof for the last of them, several in one move', async () => {
    const mover = await moverAt(10n);
    await Promise.all([11n, 12n, 13n].map((tx) => mover.settle(offer(bare(tx), { calls: 2 }))));
    expect(fake.methods()).toEqual(['VerifiableTxById']);
    expect(mover.head).toEqual({ ...chain.root(13n), frontier: frontierAt(13n) });
    expect(await moves()).toEqual([[13n, 6]]);
    for (const tx of [11n, 12n, 13n]) expect(headers.compare(chain.root(tx))).toBe('same');
  });

  test('are followed from the empty database on', async () => {
    const mover = await moverAt(0n, { frontier: false });
    await Promise.all([mover.settle(offer(bare(2n))), mover.settle(offer(bare(1n)))]);
    expect([fake.methods(), mover.head.tx]).toEqual([['VerifiableTxById'], 2n]);
  });

  test('behind a gap are bound by the headers in between', async () => {
    const mover = await moverAt(10n);
    await Promise.all([11n, 14n, 16n].map((tx) => mover.settle(offer(bare(tx)))));
    expect(fake.methods()).toEqual(['VerifiableTxById', 'VerifiableTxById', 'TxScan']);
    expect(mover.head).toEqual({ ...chain.root(16n), frontier: frontierAt(16n) });
    expect((await moves()).reduce((sum, [, calls]) => sum + Number(calls), 0)).toBe(3);
    expect(headers.facts(15n)?.tx).toBe(15n);
  });

  test('are proven all the same when the head has no frontier, or is far behind', async () => {
    const mover = await moverAt(10n, { frontier: false });
    await mover.settle(offer(bare(11n)));
    expect(fake.methods()).toEqual(['VerifiableTxById']);
    await mover.settle(offer(bare(12n)));
    expect([fake.methods(), mover.head.tx]).toEqual([['VerifiableTxById'], 12n]);
    await mover.settle(offer(bare(1099n)));
    expect([fake.methods(), mover.head.tx]).toEqual([['VerifiableTxById'], 1099n]);
  });

  test('behind the head are proven to be on its history, each once', async () => {
    const mover = await moverAt(30n);
    await Promise.all([mover.settle(offer(bare(25n))), mover.settle(offer(bare(29n)))]);
    expect(fake.methods()).toEqual(['VerifiableTxById', 'VerifiableTxById']);
    await mover.settle(offer(bare(25n)));
    expect(fake.methods()).toEqual([]);
  });

  test.each<[string, bigint]>([
    ['right ahead of the head', 22n],
    ['behind a gap', 25n],
    ['far ahead', 1099n],
    ['at the head', 21n],
    ['behind the head', 21n],
  ])('of another history are a fork: %s', async (name, tx) => {
    const mover = await moverAt(name === 'behind the head' ? 30n : 21n);
    const error = await rejection(mover.settle(offer(bare(tx, other))));
    expect(error).toMatchObject({ code: 'FORK_DETECTED', evidence: { check: 'trust.fork', tx } });
    expect((await rowsOf(store, { outcome: 'fork' }))[0]?.evidence).toBeDefined();
    expect(mover.head.tx).toBe(name === 'behind the head' ? 30n : 21n);
    // And honest ones are as good as ever.
    await mover.settle(offer(bare(mover.head.tx + 1n)));
  });

  test('of another history do not take their neighbours along', async () => {
    const mover = await moverAt(21n);
    const told = await Promise.allSettled(
      [22n, 23n, 24n].map((tx) => mover.settle(offer(bare(tx, tx === 23n ? other : chain)))),
    );
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(mover.head).toMatchObject(chain.root(24n));
  });

  test('with another tree than the chain are not followed', async () => {
    const mover = await moverAt(21n);
    const { header, alh } = chain.tx(22n);
    const twoFaced = { ...provenTx(header, alh), tree: { size: 21n, root: other.tx(22n).header.blRoot } };
    await mover.settle(offer(twoFaced));
    // It was the tx all the same: what the run proved counts.
    expect(fake.methods()).toEqual(['VerifiableTxById', 'TxScan']);
    expect(mover.head).toEqual({ ...chain.root(22n), frontier: frontierAt(22n) });
  });

  test('are not the head where a state key is configured: the proof brings its signature', async () => {
    const mover = await moverAt(10n, { signed: true });
    await mover.settle(offer(bare(11n)));
    expect(fake.methods()).toEqual(['VerifiableTxById']);
    // Those before it come along.
    const signed = { ...bare(13n), signature: new Uint8Array([1]) };
    await Promise.all([mover.settle(offer(bare(12n))), mover.settle(offer(signed))]);
    expect([fake.methods(), mover.head.tx]).toEqual([['VerifiableTxById'], 13n]);
  });
});

describe('goals', () => {
  test('below the head are reached already; others move it, for no call of their own', async () => {
    const mover = await moverAt(10n);
    await mover.reach(goal(10n));
    expect(fake.methods()).toEqual([]);
    await mover.reach(goal(15n));
    expect([fake.methods(), mover.head.tx]).toEqual([['VerifiableTxById', 'TxScan'], 15n]);
    await mover.reach(goal(1099n));
    expect([fake.methods(), mover.head.tx]).toEqual([['VerifiableTxById'], 1099n]);
    expect(await moves()).toEqual([
      [15n, 0],
      [1099n, 0],
    ]);
  });

  test('go along with answers, and do not hinder following', async () => {
    const mover = await moverAt(10n);
    await Promise.all([
      mover.reach(goal(11n)),
      mover.settle(offer(bare(11n))),
      mover.reach(goal(12n)),
      mover.settle(offer(bare(12n))),
    ]);
    expect(mover.head.tx).toBe(12n);
    expect((await moves()).reduce((sum, [, calls]) => sum + Number(calls), 0)).toBe(2);
  });

  test('that the server cannot prove, though it named them, are refused alone', async () => {
    const mover = await moverAt(10n);
    const [unproven, fine] = await Promise.allSettled([mover.reach(goal(5000n)), mover.reach(goal(12n))]);
    expect(unproven).toMatchObject({
      reason: { code: 'VERIFICATION_FAILED', evidence: { check: 'trust.unproven-tx', tx: 5000n } },
    });
    expect([fine.status, mover.head.tx]).toEqual(['fulfilled', 12n]);
    expect(await rowsOf(store, { outcome: 'failure' })).toHaveLength(1);
    const error = await rejection(mover.settle(offer({ ...bare(1100n), tx: 1101n })));
    expect(error.code).toMatch(/VERIFICATION_FAILED|FORK_DETECTED/);
  });

  test('share a move with whatever comes while one is under way', async () => {
    const mover = await moverAt(10n);
    const gate = new Gate();
    fake.intercept = async ({ answer }) => {
      await gate.pass();
      return answer();
    };
    const first = mover.reach(goal(20n));
    await gate.arrived();
    const later = [25n, 15n, 30n, 22n].map((tx) => mover.reach(goal(tx)));
    gate.open();
    await Promise.all([first, ...later]);
    expect(
      fake.sent.flatMap(({ request }) => (request.limit ? [[request.initialTx, request.limit]] : [])),
    ).toEqual([
      ['11', 10],
      ['21', 10],
    ]);
    expect(await moves()).toEqual([
      [20n, 0],
      [30n, 0],
    ]);
  });
});

describe('answers that were proven under an older head', () => {
  test('are a fork where they are of another history than the head of now', async () => {
    const mover = await moverAt(25n);
    for (const tx of [26n, 30n]) {
      const error = await rejection(mover.settle(offer(proven(tx, other), { from: chain.root(18n) })));
      expect(error).toMatchObject({ code: 'FORK_DETECTED', evidence: { check: 'trust.fork', tx } });
    }
    expect(mover.head).toMatchObject(chain.root(25n));
  });

  test('and bring no signature are proven anew where a state key is configured', async () => {
    for (const tx of [11n, 15n]) {
      const mover = await moverAt(10n, { signed: true });
      await mover.settle(offer(proven(tx), { from: chain.root(8n) }));
      expect([fake.methods(), mover.head.tx]).toEqual([['VerifiableTxById'], tx]);
      store = new MemoryRootStore();
    }
  });
});

describe('a run of headers', () => {
  const showOther = () => {
    fake.intercept = ({ method, answer }) =>
      method === 'TxScan' ? bytesOf('segment', other.txList(21n, 25n)) : answer();
  };

  test('that ends elsewhere than the proof is a fork, and not the way of the head', async () => {
    const mover = await moverAt(20n);
    showOther();
    expect(await rejection(mover.reach(goal(25n)))).toMatchObject({
      code: 'FORK_DETECTED',
      evidence: {
        ...{ check: 'trust.fork', tx: 25n },
        expected: toHex(chain.root(25n).alh),
        computed: toHex(other.root(25n).alh),
      },
    });
    expect(mover.head.tx).toBe(20n);
    expect(headers.compare(other.root(23n))).toBe('unknown');
  });

  test('is not known to be on the history when the head could not be moved along it', async () => {
    const mover = await moverAt(20n);
    const journal = new TrustLog({ store, key: KEY, clientId: 'another' });
    const move = { outcome: 'root', operation: 'x', calls: 1, startedAt: 0 } as const;
    await journal.advance(chain.root(20n), other.root(22n), move);
    expect(await rejection(mover.reach(goal(25n)))).toMatchObject({ code: 'FORK_DETECTED' });
    await turns();
    expect(headers.compare(chain.root(23n))).toBe('unknown');
  });
});

describe('a head without a frontier', () => {
  test('learns it from a proof that ends in the head, and from no other', async () => {
    const mover = await moverAt(25n, { frontier: false });
    for (const target of [proven(24n), proven(26n), proven(25n, other)]) {
      mover.learn(target);
      expect(mover.head).toEqual(chain.root(25n));
    }
    mover.learn(proven(25n));
    expect(mover.head).toEqual({ ...chain.root(25n), frontier: frontierAt(25n) });
    // From then on it can be followed.
    await Promise.all([26n, 28n].map((tx) => mover.settle(offer(bare(tx)))));
    expect(fake.methods()).toContain('TxScan');
  });

  test('is not replaced by a proof that brings none', async () => {
    const mover = await moverAt(25n);
    const { frontier, ...without } = proven(25n);
    mover.learn(without);
    expect(mover.head.frontier).toEqual(frontier);
  });
});

describe('trust that has ended', () => {
  const ended = new StoreError('STORE_FAILED', 'forgotten');

  test('tells whoever waits and whoever comes, and moves no more', async () => {
    const mover = await moverAt(10n);
    const gate = new Gate();
    fake.intercept = async ({ answer }) => {
      await gate.pass();
      return answer();
    };
    const moving = rejection(mover.settle(offer(bare(11n))));
    await gate.arrived();
    const waiting = rejection(mover.settle(offer(bare(12n))));
    mover.end(ended);
    expect(await waiting).toBe(ended);
    gate.open();
    expect(await moving).toBe(ended);
    expect(await rejection(mover.settle(offer(bare(13n))))).toBe(ended);
    expect(await rejection(mover.reach(goal(13n)))).toBe(ended);
    expect([mover.head.tx, await moves()]).toEqual([10n, []]);
  });

  test('tells also whose answer is proven behind the head meanwhile', async () => {
    const mover = await moverAt(30n);
    const gate = new Gate();
    fake.intercept = async ({ answer }) => {
      await gate.pass();
      return answer();
    };
    const behind = rejection(mover.settle(offer(bare(25n))));
    await gate.arrived();
    mover.end(ended);
    gate.open();
    expect(await behind).toBe(ended);
  });
});

describe('when a move fails', () => {
  test('for no fault of the answers, all who wait are told, and the next one is tried again', async () => {
    const mover = await moverAt(10n);
    fake.intercept = () => {
      throw new TransportError('UNAVAILABLE', 'gone');
    };
    expect(await Promise.all([mover.reach(goal(20n)), mover.settle(offer(bare(15n)))].map(codeOf))).toEqual([
      'UNAVAILABLE',
      'UNAVAILABLE',
    ]);
    fake.intercept = ({ answer }) => answer();
    await mover.reach(goal(20n));
    expect(mover.head.tx).toBe(20n);
  });

  describe('because another process moved the stored head', () => {
    const moved = async (to: bigint) => {
      const trustLog = new TrustLog({ store, key: KEY, clientId: 'another' });
      const move = { outcome: 'root', operation: 'x', calls: 1, startedAt: 0 } as const;
      await trustLog.advance(chain.root(10n), chain.root(to), move);
    };

    test('to a tx before it, its own proof is kept: one more is asked for, from there on', async () => {
      const mover = await moverAt(10n, { frontier: false });
      await moved(12n);
      await mover.settle(offer(bare(15n)));
      expect(fake.sent.map(({ request }) => [request['tx'], request['proveSinceTx']])).toEqual([
        ['15', '10'],
        ['15', '12'],
      ]);
      expect(mover.head).toMatchObject(chain.root(15n));
      expect(await store.head(KEY)).toEqual(chain.root(15n));
      expect(
        (await rowsOf(store, { outcome: 'root' })).map(({ tx, previousTx }) => [tx, previousTx]),
      ).toEqual([
        [12n, 10n],
        [15n, 12n],
      ]);
    });

    test('past it, that head is taken up, and what was proven stays proven', async () => {
      const mover = await moverAt(10n, { frontier: false });
      await moved(30n);
      await mover.settle(offer(bare(15n)));
      expect(fake.sent.map(({ request }) => [request['tx'], request['proveSinceTx']])).toEqual([
        ['15', '10'],
        ['30', '15'],
      ]);
      expect(mover.head).toMatchObject(chain.root(30n));
      expect(headers.compare(chain.root(15n))).toBe('same');
    });

    test('to the very same tx, nothing is asked for', async () => {
      const mover = await moverAt(10n, { frontier: false });
      await moved(15n);
      await mover.settle(offer(bare(15n)));
      expect(fake.methods()).toEqual(['VerifiableTxById']);
      expect(mover.head).toMatchObject(chain.root(15n));
    });

    test('again and again, it goes on until it stands', async () => {
      const mover = await moverAt(10n, { frontier: false });
      await moved(11n);
      const trustLog = new TrustLog({ store, key: KEY, clientId: 'another' });
      const move = { outcome: 'root', operation: 'x', calls: 1, startedAt: 0 } as const;
      fake.intercept = async ({ request, answer }) => {
        const since = BigInt(String(request['proveSinceTx']));
        if (since > 10n && since < 14n)
          await trustLog.advance(chain.root(since), chain.root(since + 1n), move);
        return answer();
      };
      await mover.settle(offer(bare(20n)));
      expect(fake.methods()).toHaveLength(5);
      expect(await store.head(KEY)).toEqual(chain.root(20n));
    });
  });

  test('because another process moved the stored head, it goes on from there', async () => {
    const mover = await moverAt(10n);
    const trustLog = new TrustLog({ store, key: KEY, clientId: 'another' });
    await trustLog.advance(chain.root(10n), chain.root(15n), {
      outcome: 'root',
      operation: 'x',
      calls: 1,
      startedAt: 0,
    });
    await mover.settle(offer(bare(11n)));
    expect(mover.head).toMatchObject(chain.root(15n));
    await mover.settle(offer(bare(16n)));
    expect(mover.head).toMatchObject(chain.root(16n));
    await turns();
    expect((await rowsOf(store)).map(({ tx }) => tx)).toEqual([10n, 15n, 16n]);
  });
});
