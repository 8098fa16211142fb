// A database audited in ranges: their reports, joined, are the report of one audit; what does not fit together is refused.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ArgumentError, VerificationError } from '#dist/index.js';
import type { ImmuClient, Root } from '#dist/index.js';
import { joinReports, rangeReportBytes, rangesOf, reportText } from '#dist/audit.js';
import type { SignedRangeReport } from '#dist/audit.js';
import { reportSigner } from '#dist/client/audit/ranges/report-key.js';
import { sha256 } from '#dist/proof/hash.js';
import { rejection, rowsOf } from '../trust/support.js';
import { clientOf, refusals, stage, told, write } from './support.js';
import { timeless } from './timeless.js';

const KEY = pemPair();
const OTHER = pemPair();

function pemPair() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    secret: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    open: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

async function rootOf(client: ImmuClient): Promise<Root> {
  const { tx, alh } = await client.verifiedState();
  return { tx, alh };
}

async function inRanges(
  client: ImmuClient,
  under: Root,
  cuts: readonly { first: bigint; last: bigint }[],
  more: { values?: boolean; maxFindings?: number } = {},
): Promise<SignedRangeReport[]> {
  const reports: SignedRangeReport[] = [];
  for (const cut of cuts) reports.push(await client.audit.range({ ...cut, under, key: KEY.secret, ...more }));
  return reports;
}

const thrown = (work: () => unknown): VerificationError => {
  try {
    work();
  } catch (error) {
    return error as VerificationError;
  }
  throw new Error('nothing was thrown');
};
const refusedFor = (reports: SignedRangeReport[], under: Root, keys = [KEY.open]) => {
  const error = thrown(() => joinReports(reports, { under, keys }));
  expect(error).toBeInstanceOf(VerificationError);
  return error.evidence.check;
};

describe('ranges of an honest database', () => {
  test('joined are the report of one audit, but for times: in any order, made by several clients', async () => {
    const { client, ledger } = await stage({ txs: 75 });
    const { client: another } = clientOf(ledger);
    const under = await rootOf(client);
    for (const count of [1, 3, 10, 75]) {
      const cuts = rangesOf(1n, under.tx, count);
      const half = Math.ceil(cuts.length / 2);
      const reports = [
        ...(await inRanges(another, under, cuts.slice(half), { values: true })),
        ...(await inRanges(client, under, cuts.slice(0, half), { values: true })),
      ];
      const joined = joinReports(JSON.parse(JSON.stringify(reports)) as SignedRangeReport[], {
        ...{ under, keys: [OTHER.open, KEY.open] },
      });
      const one = await client.audit.database({ values: true });
      expect(timeless(joined)).toEqual(timeless(one));
      expect(joined).toMatchObject({ ok: true, complete: true, from: '1', to: '75', checked: { txs: 75 } });
      expect(reportText(joined)).toContain('everything holds');
    }
  }, 60_000);

  test('a range is proven by itself, under a root that the head has passed; its report is in the log', async () => {
    const { client, store } = await stage({ txs: 40 });
    const under = await rootOf(client);
    await write(client, 10);
    const signed = await client.audit.range({ first: 17n, last: 30n, under, key: KEY.secret });
    expect(signed.report).toMatchObject({
      ...{ first: '17', last: '30', to: '30', findingsTotal: 0, signed: false },
      ...{ under: { tx: '40' }, checked: { txs: 14, treeRoots: 14, treeRootsNotChecked: 0 } },
    });
    const [row] = await rowsOf(store, { operation: 'audit.range' });
    expect(row!.detail).toContain(Buffer.from(sha256(rangeReportBytes(signed.report))).toString('hex'));
    expect(await rowsOf(store, { operation: 'audit.range' })).toHaveLength(1);
  });

  test('behind another transaction than the first', async () => {
    const { client } = await stage({ txs: 40 });
    const under = await rootOf(client);
    const reports = await inRanges(client, under, rangesOf(11n, 40n, 4));
    const joined = joinReports(reports, { under, keys: [KEY.open], first: 11n });
    expect(timeless(joined)).toEqual(timeless(await client.audit.database({ after: 10n })));
    expect(refusedFor(reports, under)).toBe('reports.hole');
  });

  test('with a state key', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { client } = await stage({
      signingKey: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
      txs: 12,
    });
    const under = await rootOf(client);
    const reports = await inRanges(client, under, rangesOf(1n, 12n, 2));
    const joined = joinReports(reports, { under, keys: [KEY.open] });
    expect(joined.state.signed).toBe(true);
    expect(timeless(joined)).toEqual(timeless(await client.audit.database()));
  });

  test('cuts lie side by side, and are about alike', () => {
    for (const [first, last, count] of [
      [1n, 1n, 5],
      [1n, 301n, 10],
      [7n, 1_000_003n, 64],
      [1n, 64n, 64],
      [5n, 9n, 100_000],
    ] as const) {
      const cuts = rangesOf(first, last, count);
      expect(cuts[0]!.first).toBe(first);
      expect(cuts.at(-1)!.last).toBe(last);
      expect(cuts.length).toBeLessThanOrEqual(count);
      cuts.forEach((cut, i) => {
        expect(cut.last).toBeGreaterThanOrEqual(cut.first);
        if (i > 0) expect(cut.first).toBe(cuts[i - 1]!.last + 1n);
        const txs = Number(cut.last - cut.first + 1n);
        expect(txs).toBeLessThanOrEqual((Number(last - first + 1n) / count) * 1.5 + 1);
      });
    }
    for (const bad of [
      [1n, 0n, 1],
      [0n, 1n, 1],
      [1n, 2n, 0],
      [1n, 2n, 1.5],
      [1n, 2n, 1e9],
      [1, 2n, 1],
    ])
      expect(() => rangesOf(...(bad as [bigint, bigint, number]))).toThrow(ArgumentError);
  });
});

describe('a server that lies', () => {
  test('in one of them: its finding is in the joined report, as in that of one audit, with evidence', async () => {
    const { client, ledger, store } = await stage({ txs: 40 });
    const under = await rootOf(client);
    ledger.lie({
      kind: 'mutate',
      methods: ['TxScan'],
      mutate: (answer) => {
        const { txs } = answer as { txs: { header: { id: unknown }; entries: { hValue: Uint8Array }[] }[] };
        for (const { header, entries } of txs)
          if (Number(header.id) === 23) entries[0]!.hValue = new Uint8Array(32);
        return undefined;
      },
    });
    for (const count of [1, 4, 40]) {
      const reports = await inRanges(client, under, rangesOf(1n, 40n, count));
      const joined = joinReports(reports, { under, keys: [KEY.open] });
      expect(told(joined)).toEqual(['23 entries.root']);
      expect(timeless(joined)).toEqual(timeless(await client.audit.database()));
    }
    expect((await refusals(store, 'audit.range')).length).toBe(3);
  }, 60_000);

  test('about the whole history: the root is not on it', async () => {
    const { client, ledger } = await stage({ txs: 40 });
    const under = await rootOf(client);
    const { client: fresh } = clientOf(ledger);
    ledger.lie({ kind: 'fork', at: 20n, height: 50n });
    const refused = await rejection(fresh.audit.range({ first: 1n, last: 10n, under, key: KEY.secret }));
    expect(refused).toBeInstanceOf(VerificationError);
    // Its own head: what is shown of another history is a finding.
    const { report } = await client.audit.range({ first: 1n, last: 40n, under, key: KEY.secret });
    expect(report.findingsTotal).toBeGreaterThan(0);
    expect(
      joinReports([await client.audit.range({ first: 1n, last: 40n, under, key: KEY.secret })], {
        under,
        keys: [KEY.open],
      }).ok,
    ).toBe(false);
  });
});

describe('reports that are no whole', () => {
  const setUp = async () => {
    const { client } = await stage({ txs: 40 });
    const under = await rootOf(client);
    const reports = await inRanges(client, under, rangesOf(1n, 40n, 4));
    return { client, under, reports };
  };

  test('a hole, an overlap, an end that is not the root, another root', async () => {
    const { client, under, reports } = await setUp();
    const [a, b, c, d] = reports as [
      SignedRangeReport,
      SignedRangeReport,
      SignedRangeReport,
      SignedRangeReport,
    ];
    expect(refusedFor([a, c, d], under)).toBe('reports.hole');
    expect(refusedFor([b, c, d], under)).toBe('reports.hole');
    expect(refusedFor([a, b, c], under)).toBe('reports.hole');
    expect(refusedFor([a, b, b, c, d], under)).toBe('reports.overlap');
    const wide = await client.audit.range({ first: 1n, last: 15n, under, key: KEY.secret });
    expect(refusedFor([wide, b, c, d], under)).toBe('reports.overlap');
    expect(refusedFor(reports, { tx: 40n, alh: new Uint8Array(32).fill(1) })).toBe('reports.root');
    expect(refusedFor(reports, { tx: 39n, alh: under.alh })).toBe('reports.root');
    const values = await inRanges(client, under, [{ first: BigInt(d.report.first), last: 40n }], {
      values: true,
    });
    expect(refusedFor([a, b, c, ...values], under)).toBe('reports.terms');
  });

  test('by a key that nobody knows, with a signature of another report, and with every field changed', async () => {
    const { client, under, reports } = await setUp();
    expect(refusedFor(reports, under, [OTHER.open])).toBe('reports.key');
    expect(refusedFor(reports, under, [])).toBe('reports.key');
    const [first, second] = reports as [SignedRangeReport, SignedRangeReport];
    const foreign = await client.audit.range({
      ...{ first: 1n, last: BigInt(first.report.last), under, key: OTHER.secret },
    });
    expect(refusedFor([foreign, ...reports.slice(1)], under)).toBe('reports.key');
    expect(refusedFor([{ ...foreign, key: first.key }, ...reports.slice(1)], under)).toBe(
      'reports.signature',
    );
    expect(refusedFor([{ ...first, signature: second.signature }, ...reports.slice(1)], under)).toBe(
      'reports.signature',
    );
    // A forged count, and whatever else.
    let changes = 0;
    for (const [path, changed] of mutations(first)) {
      const error: unknown = thrown(() =>
        joinReports([changed, ...reports.slice(1)], { under, keys: [KEY.open] }),
      );
      expect(error instanceof VerificationError || error instanceof ArgumentError, path).toBe(true);
      changes++;
    }
    expect(changes).toBeGreaterThan(40);
  });

  test('signed by one who is believed, and false', async () => {
    const { under, reports } = await setUp();
    const sign = reportSigner(KEY.secret);
    const [first, second, ...rest] = reports as [SignedRangeReport, SignedRangeReport];
    const hash = 'ab'.repeat(32);
    const as = (change: object) => [first, sign({ ...second.report, ...change }), ...rest];
    expect(refusedFor(as({ begin: hash }), under)).toBe('reports.alh');
    expect(refusedFor(as({ end: hash }), under)).toBe('reports.alh');
    expect(refusedFor(as({ begin: null }), under)).toBe('reports.alh');
    expect(refusedFor(as({ end: null }), under)).toBe('reports.alh');
    expect(refusedFor(as({ to: String(BigInt(second.report.last) - 1n) }), under)).toBe('reports.hole');
    expect(refusedFor(as({ checked: { ...second.report.checked, txs: 3 } }), under)).toBe('reports.count');
    expect(refusedFor(as({ findingsTotal: 2 }), under)).toBe('reports.count');
    expect(refusedFor(as({ server: 'another' }), under)).toBe('reports.subject');
    expect(refusedFor(as({ database: 'another' }), under)).toBe('reports.subject');
    const last = reports.at(-1)!.report;
    expect(refusedFor([...reports.slice(0, -1), sign({ ...last, end: hash })], under)).toBe('reports.alh');
    expect(refusedFor([sign({ ...first.report, begin: hash }), ...reports.slice(1)], under)).toBe(
      'reports.alh',
    );
    const error = thrown(() => joinReports(reports, { under, keys: [KEY.open], server: 'another' }));
    expect(error.evidence.check).toBe('reports.subject');
  });

  test('what makes no sense', async () => {
    const { client, under, reports } = await setUp();
    const join = (given: unknown, options: object = { under, keys: [KEY.open] }) =>
      thrown(() => joinReports(given as never, options as never));
    for (const given of [[], undefined, {}, [null], [{}], [1], [{ ...reports[0], more: 1 }]])
      expect(join(given)).toBeInstanceOf(ArgumentError);
    expect(join(new Array(100_001))).toMatchObject({ code: 'LIMIT_EXCEEDED', argument: 'reports' });
    for (const [name, options] of [
      ['under', { keys: [] }],
      ['keys', { under, keys: KEY.open }],
      ['keys[0]', { under, keys: ['no key'] }],
      ['first', { under, keys: [], first: 0n }],
      ['first', { under, keys: [], first: 41n }],
      ['database', { under, keys: [], database: '' }],
      ['options', { under, keys: [], kys: 1 }],
    ] as const)
      expect(join(reports, options)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: name });
    const range = { first: 1n, last: 4n, under, key: KEY.secret };
    for (const [name, change] of [
      ['first', { first: 0n }],
      ['first', { first: 1 }],
      ['first', { first: undefined }],
      ['last', { last: 41n }],
      ['last', { first: 5n }],
      ['under', { under: { tx: 40n } }],
      ['under', { under: { ...under, tx: 41n } }],
      ['key', { key: undefined }],
      ['key', { key: KEY.open }],
      ['key', { key: 'PRIVATE' }],
      ['values', { values: 1 }],
      ['options', { upto: 1n }],
    ] as const)
      expect(await rejection(client.audit.range({ ...range, ...change } as never)), name).toMatchObject({
        ...{ code: 'INVALID_ARGUMENT', argument: name },
      });
  });
});

/** The report with each of its fields changed in turn. */
function* mutations(signed: SignedRangeReport): Generator<[string, SignedRangeReport]> {
  for (const path of paths(signed)) {
    const copy = JSON.parse(JSON.stringify(signed)) as Record<string, unknown>;
    const at = path.slice(0, -1).reduce((node, name) => node[name] as Record<string, unknown>, copy);
    const name = path.at(-1)!;
    const value = at[name];
    at[name] =
      typeof value === 'number'
        ? value + 1
        : typeof value === 'boolean'
          ? !value
          : typeof value === 'string' && /^\d+$/.test(value)
            ? `1${value}`
            : typeof value === 'string'
              ? value.replace(/^./, (c) => (c === 'a' ? 'b' : 'a'))
              : 'x';
    yield [path.join('.'), copy as unknown as SignedRangeReport];
    Reflect.deleteProperty(at, name);
    yield [`without ${path.join('.')}`, copy as unknown as SignedRangeReport];
  }
}

function paths(value: unknown, at: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [at];
  return Object.entries(value).flatMap(([name, inner]) => paths(inner, [...at, name]));
}
