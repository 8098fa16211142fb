// How claims come to be proven: by what is known, by headers one by one or in blocks, by entries in runs; and refuted.
import { beforeEach, describe, expect, test } from 'vitest';
import { ClaimProver } from '#dist/client/trust/known/claim-prover.js';
import type { ClaimTask } from '#dist/client/trust/known/proven-facts.js';
import { EntryLeaves } from '#dist/client/trust/known/entry-leaves.js';
import { HeaderFetcher } from '#dist/client/trust/known/header-fetcher.js';
import { LeavesFetcher } from '#dist/client/trust/known/leaves-fetcher.js';
import { ProofCosts } from '#dist/client/trust/known/proof-costs.js';
import type { ProofSource } from '#dist/client/trust/known/proof-source.js';
import { ProvenHeaders } from '#dist/client/trust/known/proven-headers.js';
import { askTxUnder } from '#dist/client/trust/trust-wire.js';
import { TransportError, VerificationError } from '#dist/errors.js';
import { toHex } from '#dist/proof/bytes.js';
import { check } from '#dist/verify/check.js';
import { checkClaims } from '#dist/verify/readings/claims.js';
import { provenTx } from '#dist/verify/claims/proven.js';
import type { ClaimOutcome, Job } from '#dist/verify/verifier.js';
import { TestChain, bytesOf, utf8 } from '../verify/support/test-chain.js';
import type { Wire } from '../verify/support/test-chain.js';
import { contextAt } from '../verify/support/verifiers.js';
import { FakeImmudb, Gate, turns } from './fake-immudb.js';

/** Single entries, but every tenth tx has three; the head is in the middle of the third block. */
const chain = new TestChain();
for (let id = 1; id <= 2100; id++) {
  if (id % 10 === 0) chain.set([`a${id}`, 'A'], [`b${id}`, 'B', { nonIndexable: true }], [`c${id}`, '']);
  else chain.set([`k${id}`, `v${id}`]);
}
const REF = chain.setReference('ref', 'k15');
chain.set(['k15', 'newer'], ['other', '']);
const HEAD = chain.size;

let fake: FakeImmudb;
let headTx: bigint;
let headers: ProvenHeaders;
let leaves: EntryLeaves;
let costs: ProofCosts;
let headerFetcher: HeaderFetcher;
let leavesFetcher: LeavesFetcher;
let prover: ClaimProver;
let refusals: { check: string; detail: string }[];
let reached: bigint[];
let forks: { tx: bigint; known: string; shown: string }[];

beforeEach(() => {
  fake = new FakeImmudb(chain);
  headTx = HEAD;
  refusals = [];
  reached = [];
  forks = [];
  const source: ProofSource = {
    head: () => chain.root(headTx),
    ask: (_operation, _head, send) => send(fake),
    job: (question, head, answer) => ({ question, context: contextAt(head), answer }),
    // eslint-disable-next-line @typescript-eslint/require-await
    check: async (operation, question, head, answer) => {
      const job: Job = { question, context: contextAt(head), answer };
      const verdict = check(job);
      if (!verdict.ok) throw refused(`${operation}: ${verdict.refuted.detail}`, verdict.refuted.check);
      return verdict.proven as never;
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    fork: async (_operation, _question, _head, _answer, { tx, known, shown }) => {
      forks.push({ tx, known: toHex(known), shown: toHex(shown) });
      return new VerificationError('FORK_DETECTED', 'fork', {
        server: 's',
        database: 'd',
        check: 'trust.fork',
      });
    },
  };
  costs = new ProofCosts();
  headers = new ProvenHeaders(1 << 22);
  leaves = new EntryLeaves(1 << 20);
  headerFetcher = new HeaderFetcher(source, headers, leaves, costs);
  leavesFetcher = new LeavesFetcher(source, headers, leaves, costs);
  prover = new ClaimProver({
    headers,
    leaves,
    headerFetcher,
    leavesFetcher,
    head: () => source.head(),
    // eslint-disable-next-line @typescript-eslint/require-await
    reach: async (tx) => {
      reached.push(tx);
      if (tx > chain.size) throw refused('no such tx', 'trust.unproven-tx');
      headTx = tx;
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    refuse: async (_task, name, detail) => {
      refusals.push({ check: name, detail });
      return refused(detail, name);
    },
    proveAlone: async ({ claim: { tx }, key, shown, operation }) => {
      const head = source.head();
      const question = { kind: 'claim', key, tx, shown } as const;
      const answer = await source.ask(operation, head, (rpc) => askTxUnder(rpc, tx, head, {}));
      const { subject } = await source.check(operation, question, head, answer);
      return { subject, fork: (other) => source.fork(operation, question, head, answer, other) };
    },
  });
});

function refused(message: string, name: string): VerificationError {
  return new VerificationError('VERIFICATION_FAILED', message, { server: 's', database: 'd', check: name });
}

interface Claimed {
  readonly task: ClaimTask;
  /** 'proven', or the check that failed, or the code of another error. */
  readonly done: Promise<string>;
}

/** What a plain answer claims of a key, changed on the way. */
function claimOf(
  key: string,
  tx = chain.latest(key)!,
  change: (entry: Wire) => void = () => undefined,
): Claimed {
  const entry = chain.entry(key, tx);
  change(entry);
  const answer = bytesOf('entry', entry);
  const question = { kind: 'claims', keys: [utf8(key)], single: true } as const;
  const [outcome] = checkClaims(question, contextAt(null), answer).outcomes;
  return taskOf(key, outcome!);
}

function taskOf(key: string, outcome: ClaimOutcome): Claimed {
  if (outcome.kind !== 'value' && outcome.kind !== 'reference') throw new Error(`no claim: ${outcome.kind}`);
  let task!: ClaimTask;
  const done = new Promise<string>((resolve) => {
    task = {
      claim: outcome.claim,
      key: utf8(key),
      shown: outcome.shown,
      operation: 'verifiedGet',
      startedAt: 0,
      proven: ({ tx }) => resolve(tx === outcome.claim.tx ? 'proven' : 'proven elsewhere'),
      failed: (error) =>
        resolve(error instanceof VerificationError ? error.evidence.check : (error as TransportError).code),
    };
  });
  return { task, done };
}

const prove = (claims: readonly Claimed[]) => {
  prover.prove(claims.map(({ task }) => task));
  return Promise.all(claims.map(({ done }) => done));
};
const lie = (entry: Wire) => {
  entry.value = utf8('lie');
};

describe('claims', () => {
  test('of single entries are proven by their header, the second time without a question', async () => {
    expect(await prove([claimOf('k7')])).toEqual(['proven']);
    expect(fake.methods()).toEqual(['VerifiableTxById']);
    expect(await prove([claimOf('k7')])).toEqual(['proven']);
    expect(fake.methods()).toEqual([]);
    expect(prover.counts).toEqual({ known: 1, headers: 1, leaves: 0, head: 0 });
  });

  test('of many entries come with them, and the neighbours are proven then too', async () => {
    expect(await prove([claimOf('b20')])).toEqual(['proven']);
    expect(fake.methods()).toEqual(['VerifiableTxById']);
    expect(await prove([claimOf('a20'), claimOf('c20')])).toEqual(['proven', 'proven']);
    expect(fake.methods()).toEqual([]);
  });

  test('of a known header but unknown entries need the entries alone', async () => {
    headers.add(provenTx(chain.tx(20n).header, chain.tx(20n).alh));
    expect(await prove([claimOf('b20'), claimOf('a20')])).toEqual(['proven', 'proven']);
    expect(fake.sent).toMatchObject([{ method: 'TxScan', request: { initialTx: '20', limit: 1 } }]);
    expect([prover.counts.leaves, leaves.count]).toEqual([2, 1]);
  });

  test('of references are proven like others', async () => {
    expect(await prove([claimOf('ref', REF)])).toEqual(['proven']);
  });

  test('ahead of the head have it moved first', async () => {
    headTx = 1000n;
    expect(await prove([claimOf('k1501'), claimOf('k7')])).toEqual(['proven', 'proven']);
    expect(reached).toEqual([1501n]);
    expect(prover.counts).toMatchObject({ head: 1 });
    const beyond = claimOf('k7', 7n, (entry) => (entry.tx = '99999'));
    expect(await prove([beyond])).toEqual(['trust.unproven-tx']);
  });

  test('count how many were known', async () => {
    for (let i = 0; i < 10; i++) await prove(Array.from({ length: 64 }, () => claimOf('k7')));
    expect(prover.warmth).toBeGreaterThan(0.95);
    for (let i = 0; i < 64; i++) prover.noteLone(false);
    expect(prover.warmth).toBeLessThan(0.5);
  });
});

describe('false claims', () => {
  test.each<[string, string, bigint, (entry: Wire) => void]>([
    ['another value', 'k7', 7n, lie],
    ['another tx', 'k7', 7n, (entry) => (entry.tx = '8')],
    ['metadata', 'k7', 7n, (entry) => (entry.metadata = { nonIndexable: true })],
    ['another value among several', 'a20', 20n, lie],
    ['no metadata where there is some', 'b20', 20n, (entry) => delete entry.metadata],
    ['another entry of the same tx', 'a20', 20n, (entry) => (entry.value = utf8('B'))],
    ['an entry of a tx with several', 'k7', 7n, (entry) => (entry.tx = '20')],
  ])('%s: refuted, by the tx itself, cold and warm', async (_name, key, tx, change) => {
    for (const times of ['cold', 'warm']) {
      expect(await prove([claimOf(key, tx, change)]), times).toEqual(['claim.entry']);
      expect(fake.methods().at(-1)).toBe('VerifiableTxById');
    }
    expect(await prove([claimOf(key, tx)])).toEqual(['proven']);
    expect(refusals).toEqual([]);
  });

  test('fail alone', async () => {
    const told = await prove([
      claimOf('k7', 7n, lie),
      claimOf('k7'),
      claimOf('a20', 20n, lie),
      claimOf('b20'),
    ]);
    expect(told).toEqual(['claim.entry', 'proven', 'claim.entry', 'proven']);
  });

  test('are refuted all the same when the server does not hand out the tx', async () => {
    await prove([claimOf('k7')]);
    fake.intercept = () => {
      throw new TransportError('UNAVAILABLE', 'gone');
    };
    expect(await prove([claimOf('k7', 7n, lie)])).toEqual(['claim.entry']);
    expect(refusals).toMatchObject([{ check: 'claim.entry' }]);
    expect(refusals[0]!.detail).toContain('could not be asked for');
  });

  test('that are proven from scratch against what was proven before are a fork', async () => {
    // Proven before, under whatever history: tx 7 with another entry.
    const { header } = chain.tx(8n);
    headers.add({ ...provenTx(header, chain.tx(8n).alh), tx: 7n });
    expect(await prove([claimOf('k7')])).toEqual(['trust.fork']);
    const [known, shown] = [chain.tx(8n), chain.tx(7n)].map(({ alh }) => toHex(alh));
    expect(forks).toEqual([{ tx: 7n, known, shown }]);
  });

  test('that contradict leaves kept of the same header are a contradiction', async () => {
    headers.add(provenTx(chain.tx(20n).header, chain.tx(20n).alh));
    leaves.add(20n, new Uint8Array(96));
    expect(await prove([claimOf('a20')])).toEqual(['claim.contradiction']);
  });
});

describe('headers', () => {
  test('are proven one by one while few are asked for, then as a block', async () => {
    // What a block costs is what about so many single ones do.
    const singles = Math.ceil((costs.block(1024) / 4 - costs.single) / costs.single);
    for (let i = 1; i <= singles; i++) if (i % 10 !== 0) await prove([claimOf(`k${i}`)]);
    expect(fake.methods()).not.toContain('TxScan');
    for (let i = singles + 1; headerFetcher.counts.blocks === 0 && i < 100; i++)
      if (i % 10 !== 0) await prove([claimOf(`k${i}`)]);
    expect(headerFetcher.counts.blocks).toBe(1);
    fake.methods();
    expect(await prove([claimOf('k1'), claimOf('k999'), claimOf('k1023')])).toEqual([
      'proven',
      'proven',
      'proven',
    ]);
    expect(fake.methods()).toEqual([]);
  });

  test('of a block are asked for at once when that many are wanted together', async () => {
    const wanted = Array.from({ length: 100 }, (_, i) => claimOf(`k${10 * i + 1}`));
    expect(new Set(await prove(wanted))).toEqual(new Set(['proven']));
    expect(fake.methods().sort()).toEqual(['TxScan', 'VerifiableTxById']);
    expect([headerFetcher.counts, headers.count]).toEqual([{ blocks: 1, singles: 0 }, 1024]);
  });

  test('of the newest block reach to the head, and further when it has moved', async () => {
    headTx = 2080n;
    expect(await headerFetcher.prefetch(2, 'warm')).toBe(32);
    expect(fake.sent[0]).toMatchObject({ method: 'TxScan', request: { initialTx: '2049', limit: 32 } });
    headTx = 2100n;
    fake.methods();
    expect(await prove(Array.from({ length: 9 }, (_, i) => claimOf(`k${2091 + i}`)))).toHaveLength(9);
    expect(fake.methods().sort()).toEqual(['TxScan', 'VerifiableTxById']);
    expect([headers.facts(2100n)?.tx, headers.facts(2060n)?.tx]).toEqual([2100n, 2060n]);
  });

  test('of a block that give another hash than was proven before are a fork, and are not kept', async () => {
    headers.addRoot({ tx: 500n, alh: chain.tx(499n).alh });
    const wanted = () => Array.from({ length: 100 }, (_, i) => claimOf(`k${10 * i + 1}`));
    expect(new Set(await prove(wanted()))).toEqual(new Set(['trust.fork']));
    const other = { tx: 500n, known: toHex(chain.tx(499n).alh), shown: toHex(chain.tx(500n).alh) };
    expect(forks).toEqual([other]);
    expect([headers.count, headers.facts(1n)]).toEqual([0, undefined]);
    await expect(headerFetcher.prefetch(0, 'warm')).rejects.toMatchObject({ code: 'FORK_DETECTED' });
    // The next block has nothing to do with it.
    expect(await headerFetcher.prefetch(1, 'warm')).toBe(1024);
  });

  test('on their way are not asked for again', async () => {
    const gate = new Gate();
    fake.intercept = async ({ answer }) => {
      const bytes = answer();
      await gate.pass();
      return bytes;
    };
    const first = prove([claimOf('k7')]);
    await turns();
    const again = prove([claimOf('k7'), claimOf('k7', 7n, lie)]);
    const block = prove(Array.from({ length: 100 }, (_, i) => claimOf(`k${10 * i + 3}`)));
    await turns();
    const joined = prove([claimOf('k1001')]);
    await turns();
    expect(fake.methods()).toEqual(['VerifiableTxById', 'TxScan', 'VerifiableTxById']);
    gate.open();
    expect([await first, await joined]).toEqual([['proven'], ['proven']]);
    expect(await again).toEqual(['proven', 'claim.entry']);
    expect(new Set(await block)).toEqual(new Set(['proven']));
  });

  test('that fail to come fail those who asked, and nobody later', async () => {
    let faults = 0;
    fake.intercept = ({ method, request, answer }) => {
      if (method === 'VerifiableTxById' && request.tx === '7' && faults++ === 0)
        throw new TransportError('UNAVAILABLE', 'gone');
      return answer();
    };
    expect(await prove([claimOf('k7'), claimOf('k1031'), claimOf('k7')])).toEqual([
      'UNAVAILABLE',
      'proven',
      'UNAVAILABLE',
    ]);
    expect(await prove([claimOf('k7')])).toEqual(['proven']);
  });

  test('of a block that fails fail the tasks of that block alone', async () => {
    fake.intercept = ({ method, request, answer }) => {
      const bytes = answer();
      if (method === 'TxScan' && request.initialTx === '1') bytes[bytes.length - 5]! ^= 1;
      return bytes;
    };
    const [one, two] = [0, 1024].map((from) =>
      prove(Array.from({ length: 60 }, (_, i) => claimOf(`k${from + 10 * i + 3}`))),
    );
    expect(new Set(await two)).toEqual(new Set(['proven']));
    for (const told of await one!) expect(told).toMatch(/^(chain|wire|header)\./);
    expect(headers.facts(3n)).toBeUndefined();
  });

  test('proven elsewhere one by one bring their block too, in the background', async () => {
    for (let i = 1; i < 60; i++) headerFetcher.owe(BigInt(i), 'verifiedGet');
    await turns();
    expect(headerFetcher.counts).toEqual({ blocks: 1, singles: 0 });
    expect(headers.facts(1000n)?.tx).toBe(1000n);
    // Ahead of the head there is nothing to be had.
    for (let i = 0; i < 100; i++) headerFetcher.owe(HEAD + 1n, 'verifiedGet');
    expect(headerFetcher.counts.blocks).toBe(1);
    fake.intercept = () => {
      throw new TransportError('UNAVAILABLE', 'gone');
    };
    for (let i = 0; i < 60; i++) headerFetcher.owe(1025n + BigInt(i), 'verifiedGet');
    await turns();
    expect(headers.facts(1030n)).toBeUndefined();
  });
});

describe('entries', () => {
  beforeEach(async () => {
    await headerFetcher.prefetch(0, 'warm');
    await headerFetcher.prefetch(1, 'warm');
    fake.methods();
  });

  const scans = () => fake.sent.map(({ request }) => [Number(request.initialTx), request.limit as number]);

  test('of neighbours come in one run, the txs between them with it', async () => {
    expect(await prove([claimOf('a20'), claimOf('b40'), claimOf('c30'), claimOf('c20')])).toHaveLength(4);
    expect(scans()).toEqual([[20, 21]]);
    expect([leavesFetcher.counts, leaves.count]).toEqual([{ runs: 1, txs: 21 }, 3]);
  });

  test('far from each other come in runs of their own', async () => {
    expect(await prove([claimOf('a20'), claimOf('a900'), claimOf('a30')])).toEqual([
      'proven',
      'proven',
      'proven',
    ]);
    expect(scans().sort((a, b) => a[0]! - b[0]!)).toEqual([
      [20, 11],
      [900, 1],
    ]);
  });

  test('are bridged only where all headers between are known', async () => {
    const gap = new ProvenHeaders(1 << 20);
    for (const tx of [20n, 30n]) gap.add(provenTx(chain.tx(tx).header, chain.tx(tx).alh));
    const source = {
      head: () => chain.root(HEAD),
      ask: (_o: string, _h: unknown, send: (rpc: FakeImmudb) => Promise<Uint8Array>) => send(fake),
    };
    const own = new LeavesFetcher(
      { ...source, check: () => Promise.reject(new TransportError('UNAVAILABLE', 'not needed')) } as never,
      gap,
      leaves,
      costs,
    );
    const claims = [claimOf('a20'), claimOf('a30')];
    own.fetch(
      claims.map(({ task }) => [task, gap.facts(task.claim.tx)!] as const),
      () => undefined,
    );
    expect(await Promise.all(claims.map(({ done }) => done))).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    expect(scans()).toEqual([
      [20, 1],
      [30, 1],
    ]);
  });

  test('on their way are not asked for again', async () => {
    const gate = new Gate();
    fake.intercept = async ({ answer }) => {
      await gate.pass();
      return answer();
    };
    const first = prove([claimOf('a20')]);
    await turns();
    const second = prove([claimOf('b20'), claimOf('a500')]);
    await turns();
    expect(scans().sort((a, b) => a[0]! - b[0]!)).toEqual([
      [20, 1],
      [500, 1],
    ]);
    gate.open();
    expect([await first, await second]).toEqual([['proven'], ['proven', 'proven']]);
  });

  test('that fail to come fail the tasks of their run alone, and are asked for again', async () => {
    let faults = 0;
    fake.intercept = ({ request, answer }) => {
      if (request.initialTx === '900' && faults++ === 0) throw new TransportError('UNAVAILABLE', 'gone');
      return answer();
    };
    expect(await prove([claimOf('a20'), claimOf('a900'), claimOf('b900')])).toEqual([
      'proven',
      'UNAVAILABLE',
      'UNAVAILABLE',
    ]);
    expect(await prove([claimOf('a900')])).toEqual(['proven']);
  });

  test('that are not those of the header are refused', async () => {
    fake.intercept = ({ answer }) => {
      const bytes = answer();
      bytes[bytes.length - 4]! ^= 1;
      return bytes;
    };
    const [told] = await prove([claimOf('a20')]);
    expect(told).toMatch(/^(entries|wire|kv-metadata)\./);
    expect(leaves.count).toBe(0);
  });
});
