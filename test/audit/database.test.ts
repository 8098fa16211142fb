// A whole database audited, on a ledger that is honest and on one that lies in every way.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { ArgumentError, TransportError } from '#dist/index.js';
import { reportText } from '#dist/audit.js';
import { LedgerRefusal } from '#dist/ledger/errors.js';
import type { DatabaseProgress, DatabaseReport } from '#dist/audit.js';
import type { Lie } from '#dist/testing.js';
import { rejection, rowsOf } from '../trust/support.js';
import { clientOf, refusals, stage, told, write } from './support.js';

const OPERATION = 'audit.database';

interface Header {
  id: string;
  [field: string]: unknown;
}
interface Entry {
  key: Uint8Array;
  hValue: Uint8Array;
  value?: Uint8Array;
}
interface Tx {
  header: Header;
  entries: Entry[];
}

/** Changes what TxScan shows of one transaction. */
function scanLie(tx: number, change: (shown: Tx, txs: Tx[]) => void): Lie {
  return {
    kind: 'mutate',
    methods: ['TxScan'],
    mutate: (answer) => {
      const { txs } = answer as { txs: Tx[] };
      const shown = txs.find(({ header }) => Number(header.id) === tx);
      if (shown) change(shown, txs);
      return undefined;
    },
  };
}

describe('an honest database', () => {
  test('holds from the first transaction to the head, which is moved there first', async () => {
    const { client, store } = await stage();
    const report = await client.audit.database();
    expect(report).toMatchObject({
      kind: 'database',
      database: 'defaultdb',
      ok: true,
      complete: true,
      from: '1',
      to: '40',
      state: { tx: '40', trusted: true, signed: false },
      checked: { txs: 40, entries: 60, keyValue: 60, treeRoots: 40, treeRootsNotChecked: 0, values: 0 },
      findings: [],
      findingsTotal: 0,
    });
    expect(report.state.alh).toBe(Buffer.from((await store.audit.latest())!.alh).toString('hex'));
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(reportText(report)).toContain('everything holds');
    expect(reportText(report)).toContain('1 to 40: 40 checked');
  });

  test('with values, and with a signed state', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { client } = await stage({
      signingKey: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    });
    expect(await client.audit.database({ values: true })).toMatchObject({
      ok: true,
      withValues: true,
      state: { signed: true },
      checked: { entries: 60, values: 60, valuesNotShown: 0 },
    });
  });

  test('is empty, has one transaction, or is checked from a root or a transaction on', async () => {
    const { client } = await stage({ txs: 0 });
    expect(await client.audit.database()).toMatchObject({
      ok: true,
      from: '1',
      to: '0',
      checked: { txs: 0 },
    });
    const first = await client.verifiedSet('a', '1');
    expect(await client.audit.database()).toMatchObject({
      ok: true,
      to: '1',
      checked: { txs: 1, treeRoots: 1 },
    });
    await write(client, 20);
    for (const after of [first.tx, { tx: first.tx, alh: first.alh }]) {
      expect(await client.audit.database({ after })).toMatchObject({
        ...{ ok: true, from: '2', to: '21' },
        checked: { txs: 20, treeRoots: 20 },
      });
    }
    const other = { tx: first.tx, alh: new Uint8Array(32).fill(3) };
    expect(told(await client.audit.database({ after: other }))).toEqual(['2 stretch.after']);
    const beyond = await rejection(client.audit.database({ after: 22n }));
    expect(beyond).toBeInstanceOf(ArgumentError);
    expect(beyond.argument).toBe('after');
  });

  test('waits for room in a verifier that takes little at a time', async () => {
    const { ledger } = await stage({ txs: 200 });
    const { client } = clientOf(ledger, {
      verifier: { threads: 1, maxQueuedBytes: 12_000, maxQueuedJobs: 2 },
    });
    expect(await client.audit.database({ values: true })).toMatchObject({ ok: true, checked: { txs: 200 } });
  });

  test('that grows while it is audited is audited up to where it was', async () => {
    const { client } = await stage({ txs: 130 });
    const other = client.set('while', 'audited');
    const report = await client.audit.database({
      inFlight: 1,
      onProgress: () => void client.set('more', 'v').catch(() => undefined),
    });
    await other;
    expect(report.ok).toBe(true);
    expect(report.checked.txs).toBe(Number(report.state.tx));
    expect((await client.audit.database()).checked.txs).toBeGreaterThan(report.checked.txs);
  });

  test('with a tree that lags behind the chain: linked all the same, and what cannot be recomputed is counted', async () => {
    const { ledger, client } = await stage({ txs: 10 });
    const lag = ledger.lie({ kind: 'lag', transactions: 3 });
    await write(client, 90);
    lag.stop();
    await write(client, 60);
    const report = await client.audit.database();
    expect(told(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, complete: true, checked: { txs: 160 } });
    const { treeRoots, treeRootsNotChecked } = report.checked;
    expect(treeRoots + treeRootsNotChecked).toBe(160);
    // Those at the beginning of a stretch, of which the first are short.
    expect(treeRootsNotChecked).toBeLessThan(20);
  });
});

describe('interrupted and resumed', () => {
  test('an audit goes on where it was, with all it had found', async () => {
    const { ledger, client } = await stage({ txs: 300 });
    ledger.lie(scanLie(7, ({ entries }) => entries.reverse().push(entries[0]!)));
    ledger.lie(scanLie(250, ({ header }) => (header['ts'] = '1')));
    const abort = new AbortController();
    const seen: DatabaseProgress[] = [];
    const interrupted = client.audit.database({
      inFlight: 1,
      signal: abort.signal,
      onProgress: (progress) => {
        seen.push({ ...progress, resume: progress.resume });
        if (seen.length === 2) abort.abort(new Error('enough'));
      },
    });
    const error = await rejection(interrupted);
    expect(error).toBeInstanceOf(TransportError);
    expect(error.code).toBe('ABORTED');
    const { tx, resume, lastTx } = seen[1]!;
    expect(tx).toBeLessThan(lastTx);
    const report = await client.audit.database({ resume });
    expect(told(report)).toEqual(['7 wire.bound', '250 chain.end']);
    expect(report).toMatchObject({
      from: '1',
      to: '300',
      complete: true,
      txsWrong: 2,
      checked: { txs: 298 },
    });
    // Nothing is left to do.
    const again = await client.audit.database({ resume: report.resume });
    expect({ ...again, bytes: 0, durationMs: 0 }).toMatchObject({
      ...{ from: '1', to: '300', txsWrong: 2, findings: report.findings, checked: report.checked },
    });
  });

  test('tokens that are damaged, or of another audit, are refused', async () => {
    const { client } = await stage({ txs: 2 });
    const { resume } = await client.audit.database();
    const plain = JSON.parse(Buffer.from(resume, 'base64url').toString()) as object;
    const changed = (change: object) =>
      Buffer.from(JSON.stringify({ ...plain, ...change })).toString('base64url');
    const bad = [
      '',
      'no token',
      changed({ v: 1 }),
      changed({ v: 3 }),
      changed({ database: 'x' }),
      changed({ tx: -1 }),
      changed({ alh: 7 }),
    ];
    for (const token of [...bad, changed({ counts: {} }), changed({ findings: 1 })]) {
      expect((await rejection(client.audit.database({ resume: token }))).argument).toBe('resume');
    }
    // The same bytes in other words are another token too.
    expect((await rejection(client.audit.database({ resume: `${resume}=` }))).argument).toBe('resume');
    expect((await rejection(client.audit.database({ resume, after: 1n }))).argument).toBe('resume');
    expect((await rejection(client.audit.database({ resume, values: true }))).argument).toBe('values');
  });

  test('whichever field of a token is edited, it is refused before anything is asked', async () => {
    const { ledger, client } = await stage({ txs: 70 });
    ledger.lie(scanLie(7, ({ entries }) => entries.pop()));
    const { resume, findings } = await client.audit.database();
    expect(findings).toHaveLength(1);
    const plain = JSON.parse(Buffer.from(resume, 'base64url').toString()) as Record<string, unknown>;
    const edits: Record<string, unknown> = {
      withValues: true,
      tx: '69',
      from: '2',
      alh: '07'.repeat(32),
      counts: { ...(plain['counts'] as object), txs: 70 },
      txsWrong: 0,
      valuesRefused: [{ tx: '1', toTx: '1', reason: 'x' }],
      findings: [],
      findingsTotal: 0,
      gone: { values: 1, upTo: '1' },
      truncatedUpTo: '1',
      bytes: 1,
      startedAt: 0,
      durationMs: 1,
    };
    expect(Object.keys({ ...edits, v: 1, server: '', database: '' }).sort()).toEqual(
      Object.keys(plain).sort(),
    );
    let scans = 0;
    ledger.lie({ kind: 'mutate', methods: ['TxScan'], mutate: () => (scans++, undefined) });
    const tokens = [
      ...Object.entries(edits).map(([name, value]) => ({ ...plain, [name]: value })),
      ...Object.keys(plain['counts'] as object).map((name) => {
        const counts = plain['counts'] as Record<string, number>;
        return { ...plain, counts: { ...counts, [name]: counts[name]! + 1 } };
      }),
      { ...plain, findings: (plain['findings'] as object[]).map((found) => ({ ...found, check: 'none' })) },
    ];
    for (const edited of tokens) {
      const token = Buffer.from(JSON.stringify(edited)).toString('base64url');
      const error = await rejection(client.audit.database({ resume: token }));
      expect([error.argument, error.message]).toEqual(['resume', expect.stringContaining('audit log')]);
    }
    expect(scans).toBe(0);
    expect(told(await client.audit.database({ resume }))).toEqual(told({ findings } as DatabaseReport));
  });

  test('a token goes on with the store that has logged it, and with no other', async () => {
    const { ledger, client, store } = await stage({ txs: 10 });
    const { resume } = await client.audit.database();
    const [logged] = await rowsOf(store, { operation: 'audit.database' });
    expect(logged).toMatchObject({ outcome: 'calls', calls: 0, tx: 10n });
    expect(logged?.detail).toMatch(
      /^checked up to tx 10 of 10, 0 findings; resume token SHA-256 [0-9a-f]{64}$/,
    );
    const { client: another } = clientOf(ledger);
    expect((await rejection(another.audit.database({ resume }))).argument).toBe('resume');
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });

  test('interrupted, the last point is logged, and told once more', async () => {
    const { client, store } = await stage({ txs: 300 });
    const abort = new AbortController();
    const seen: DatabaseProgress[] = [];
    const interrupted = client.audit.database({
      inFlight: 1,
      signal: abort.signal,
      onProgress: (progress) => {
        seen.push(progress);
        if (seen.length === 3) abort.abort();
      },
    });
    expect((await rejection(interrupted)).code).toBe('ABORTED');
    // The first, and the one where it ended: seconds lie between others.
    expect(await rowsOf(store, { operation: 'audit.database' })).toHaveLength(2);
    expect(seen).toHaveLength(4);
    expect(seen.at(-1)?.tx).toBe(seen[2]?.tx);
    const report = await client.audit.database({ resume: seen.at(-1)!.resume, inFlight: 1 });
    expect(report).toMatchObject({ ok: true, from: '1', to: '300', checked: { txs: 300 } });
  });

  test('what the caller throws ends it, and is not asked for again', async () => {
    const { client } = await stage({ txs: 300 });
    let calls = 0;
    const onProgress = () => {
      calls++;
      throw new RangeError('enough');
    };
    await expect(client.audit.database({ inFlight: 1, onProgress })).rejects.toThrow(RangeError);
    expect(calls).toBe(1);
  });

  test('a root that is not on the present history does not resume', async () => {
    const { client, store } = await stage({ txs: 4 });
    const { resume } = await client.audit.database();
    await write(client, 4);
    const plain = JSON.parse(Buffer.from(resume, 'base64url').toString()) as object;
    const token = Buffer.from(JSON.stringify({ ...plain, alh: '07'.repeat(32) })).toString('base64url');
    // As if this store had logged it: what is resumed is held against the history all the same.
    const [row] = await rowsOf(store, { operation: 'audit.database' });
    const hash = createHash('sha256').update(token).digest('hex');
    await store.record({ ...row!, detail: `resume token SHA-256 ${hash}` });
    const report = await client.audit.database({ resume: token });
    expect(told(report)).toEqual(['5 stretch.after']);
  });
});

describe('what a server shows wrongly', () => {
  const LIES: [what: string, lie: Lie, findings: string[], evidence?: false][] = [
    [
      'an entry altered',
      scanLie(20, ({ entries }) => (entries[1]!.hValue = Buffer.alloc(32, 1))),
      ['20 entries.root'],
    ],
    ['an entry dropped', scanLie(20, ({ entries }) => entries.pop()), ['20 entries.count']],
    ['an entry added', scanLie(20, ({ entries }) => entries.push(entries[0]!)), ['20 wire.bound']],
    [
      'an entry added, and counted',
      scanLie(20, ({ entries, header }) => (header['nentries'] = entries.push(entries[0]!))),
      ['20 chain.end'],
    ],
    ['a header changed', scanLie(20, ({ header }) => (header['ts'] = '77')), ['20 chain.end']],
    [
      'a link changed',
      scanLie(20, ({ header }) => (header['prevAlh'] = Buffer.alloc(32, 1))),
      ['20 chain.end'],
    ],
    [
      'a tree root changed',
      scanLie(20, ({ header }) => (header['blRoot'] = Buffer.alloc(32, 1))),
      ['20 chain.end'],
    ],
    [
      'a transaction left out',
      scanLie(20, (shown, txs) => txs.splice(txs.indexOf(shown), 1)),
      ['20 stretch.count'],
    ],
    [
      'another transaction in its place',
      scanLie(
        20,
        (shown, txs) => (txs[txs.indexOf(shown)] = { ...shown, header: { ...shown.header, id: '21' } }),
      ),
      ['20 stretch.first'],
    ],
  ];

  test.each(LIES)('%s', async (_, lie, findings) => {
    const { ledger, client, store } = await stage();
    const handle = ledger.lie(lie);
    const report = await client.audit.database();
    expect(handle.told).toBeGreaterThan(0);
    expect(told(report)).toEqual(findings);
    expect(report).toMatchObject({ ok: false, complete: true, to: '40', txsWrong: 1, checked: { txs: 39 } });
    expect(reportText(report)).toContain('1 finding');
    const rows = await refusals(store, OPERATION);
    expect(rows.map(({ evidence }) => evidence?.check)).toEqual(
      findings.map((finding) => finding.split(' ')[1]),
    );
    handle.stop();
    expect((await client.audit.database()).ok).toBe(true);
  });

  test.each(['gap', 'repeat', 'shift', 'reverse', 'short'] as const)('a scan with %s', async (how) => {
    const { ledger, client } = await stage();
    const handle = ledger.lie({ kind: 'tx-scan', how });
    const report = await client.audit.database({ maxFindings: 3 });
    expect(handle.told).toBeGreaterThan(0);
    expect(report.ok).toBe(false);
    expect(report.findingsTotal).toBeGreaterThan(0);
  });

  test('another value, in answers with values only', async () => {
    const { ledger, client } = await stage();
    ledger.lie(
      scanLie(20, ({ entries }) => entries[1]!.value && (entries[1]!.value = Buffer.from('\0other'))),
    );
    expect((await client.audit.database()).ok).toBe(true);
    expect(told(await client.audit.database({ values: true }))).toEqual(['20 stretch.value']);
  });

  test.for([
    ['data is corrupted: value length or digest mismatch', 'server.corrupted'],
    ['EOF', undefined],
    ['no', undefined],
    ['no\n1. all is well\u001b[2K', undefined],
  ] as const)('values refused with the words %j: never everything holds', async ([words, check]) => {
    const { ledger, client } = await stage();
    ledger.lie({
      kind: 'mutate',
      methods: ['TxScan'],
      mutate: (answer, { request }) => {
        const withValues = (request as { entriesSpec?: { kvEntriesSpec?: { action?: unknown } } }).entriesSpec
          ?.kvEntriesSpec?.action;
        const { txs } = answer as { txs: Tx[] };
        const asked = withValues === 'RAW_VALUE' && txs.some(({ header }) => Number(header.id) === 20);
        if (asked) throw new LedgerRefusal(status.UNKNOWN, words);
        return undefined;
      },
    });
    const report = await client.audit.database({ values: true });
    expect(told(report)).toEqual(check ? [`20 ${check}`] : []);
    expect(report).toMatchObject({ ok: false, complete: false, valuesTruncated: 0, to: '40' });
    expect(report.valuesMissing).toBeGreaterThanOrEqual(3);
    expect(reportText(report).split('\n')[0]).toMatch(
      check ? /: 1 finding, not complete$/ : /: not complete$/,
    );
    expect(reportText(report)).toMatch(/not shown by the server: \d+ MISSING/);
    expect(reportText(report)).not.toMatch(/^1\. all is well|\u001b/m);
  });

  test('values left out: the digests stand in for them, they are counted, and it is not complete', async () => {
    const { ledger, client } = await stage();
    ledger.lie(
      scanLie(20, (shown) => shown.entries[1]!.value && (shown.entries = shown.entries.slice(0, 1))),
    );
    expect(await client.audit.database({ values: true })).toMatchObject({
      ...{ ok: false, complete: false, valuesMissing: 2, findings: [] },
      checked: { entries: 60, values: 58, valuesNotShown: 2 },
    });
  });

  test('proofs that do not hold: each stretch is a finding, and it goes on', async () => {
    const { ledger, client } = await stage({ txs: 100 });
    const lie = ledger.lie({ kind: 'truncate-proof', proof: 'inclusion', methods: ['VerifiableTxById'] });
    const report = await client.audit.database({ maxFindings: 2 });
    expect(lie.told).toBeGreaterThan(0);
    expect(report).toMatchObject({ ok: false, complete: true, to: '100' });
    // The last stretch ends in the head itself, which needs no such proof.
    const { checked, txsWrong } = report;
    expect(checked.txs).toBeGreaterThan(0);
    expect(checked.txs).toBeLessThan(50);
    expect(checked.txs + txsWrong).toBe(100);
    expect(report.findings.map(({ check }) => check)).toEqual(Array(2).fill('dual-proof.inclusion'));
  });

  test('many things: as many are listed as is asked for, the rest is counted', async () => {
    const { ledger, client, store } = await stage();
    for (const tx of [3, 9, 10, 27, 33]) ledger.lie(scanLie(tx, ({ header }) => (header['ts'] = '77')));
    expect(told(await client.audit.database())).toEqual([3, 9, 10, 27, 33].map((tx) => `${tx} chain.end`));
    const few = await client.audit.database({ maxFindings: 2 });
    expect(told(few)).toHaveLength(2);
    expect(few.findingsTotal).toBeGreaterThanOrEqual(2);
    expect(few.complete).toBe(true);
    const stopped = await client.audit.database({ onFinding: 'stop' });
    expect(told(stopped)).toEqual(['3 chain.end']);
    expect(stopped).toMatchObject({ complete: false, to: '3' });
    expect(reportText(stopped)).toContain('not complete');
    expect((await refusals(store, OPERATION)).length).toBe(5 + few.findingsTotal + 1);
  });

  test('something else when it is asked again: what it said at first stands, with those bytes', async () => {
    const { ledger, client, store } = await stage();
    let lies = 1;
    ledger.lie(scanLie(20, ({ header }) => lies-- > 0 && (header['ts'] = '77')));
    const report = await client.audit.database();
    expect(told(report)).toHaveLength(1);
    const [, first, last] = /^(\d+)-(\d+) chain\.(?:prev-alh|end)$/.exec(told(report)[0]!)!.map(Number);
    expect(first).toBeLessThanOrEqual(20);
    expect(last).toBeGreaterThanOrEqual(20);
    expect(await refusals(store, OPERATION)).toHaveLength(1);
  });

  test('nothing at all of one transaction', async () => {
    const { ledger, client } = await stage();
    ledger.lie({
      ...{ kind: 'mutate', methods: ['TxScan'] },
      mutate: (answer) => {
        if ((answer as { txs: Tx[] }).txs.some(({ header }) => Number(header.id) === 20))
          throw new Error('disk failure');
        return undefined;
      },
    });
    const report = await client.audit.database();
    expect(told(report)).toEqual(['20 server.refused']);
    expect(report.findings[0]!.detail).toContain('disk failure');
  });
});

describe('what a server wrote wrongly', () => {
  test('a tree that holds another transaction than the chain', async () => {
    const { ledger, client } = await stage({ txs: 4 });
    const lie = ledger.lie({ kind: 'diverging-tree', tx: 11n });
    await write(client, 36);
    const report = await client.audit.database();
    expect(lie.told + report.findingsTotal).toBeGreaterThan(0);
    expect(report.ok).toBe(false);
    expect(report.findings.map(({ tx }) => tx)).toContain('11');
  });

  test('a tree that lags and takes in something else', async () => {
    const { ledger, client } = await stage({ txs: 4 });
    const lie = ledger.lie({ kind: 'lag', transactions: 2, honest: false });
    await write(client, 36);
    lie.stop();
    await write(client, 24);
    const report = await client.audit.database();
    expect(told(report)).toEqual(['5 dual-proof.inclusion', '6 linear-advance.inclusion']);
  });
});

describe('a server that does not extend what was trusted', () => {
  test.each([
    ['a fork', { kind: 'fork', at: 20n, height: 50n } as const],
    ['a rollback', { kind: 'rollback', to: 20n } as const],
  ])('%s: its state is audited all the same, and is not trusted', async (_, lie) => {
    const { ledger, client, store } = await stage();
    await client.verifiedGet('k1');
    const trusted = await store.audit.latest();
    ledger.lie(lie);
    const report: DatabaseReport = await client.audit.database();
    expect(report).toMatchObject({ ok: false, complete: false, state: { trusted: false }, findingsTotal: 1 });
    expect(report.checked.txs).toBe(Number(report.state.tx));
    expect((await store.audit.latest())?.hash).toEqual(trusted?.hash);
    expect(reportText(report)).toContain("the server's word only");
    expect(await client.audit.database({ onFinding: 'stop' })).toMatchObject({ checked: { txs: 0 } });
  });

  test('and goes back during the audit: the audit ends, with the finding', async () => {
    const { ledger, client, store } = await stage({ txs: 200 });
    const report = await client.audit.database({
      inFlight: 1,
      onProgress: ({ tx }) => {
        if (tx === 64n) ledger.lie({ kind: 'rollback', to: 20n });
      },
    });
    expect(report).toMatchObject({ ok: false, complete: false });
    expect(told(report)).toEqual([' trust.rollback']);
    expect(await rowsOf(store, { outcome: 'rollback' })).toHaveLength(1);
  });
});

test('options that make no sense are refused, by name', async () => {
  const { client } = await stage({ txs: 1 });
  const bad = {
    after: -1n,
    values: 1,
    resume: 3,
    onFinding: 'ignore',
    maxFindings: 0,
    inFlight: 65,
    onProgress: 'x',
    timeoutMs: 0,
    options: undefined,
  };
  for (const [name, value] of Object.entries(bad)) {
    const options = name === 'options' ? { unknown: 1 } : { [name]: value };
    expect((await rejection(client.audit.database(options as never))).argument).toBe(name);
  }
  const damaged = await rejection(client.audit.database({ after: { tx: 1n, alh: new Uint8Array(3) } }));
  expect(damaged.argument).toBe('after');
});
