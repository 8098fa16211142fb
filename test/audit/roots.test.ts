// The logged roots proven against the server's present state: an honest one, one that forked, lost, or hides something.
import { describe, expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore, TransportError } from '#dist/index.js';
import { reportText } from '#dist/audit.js';
import type { RootFinding, RootsProgress } from '#dist/audit.js';
import { rejection, rowsOf } from '../trust/support.js';
import { CREDENTIALS, clientOf, refusals, stage, told, write } from './support.js';
import type { Stage } from './support.js';

const OPERATION = 'audit.prove';

/** Every second transaction is a logged root. */
async function logged(pairs = 20): Promise<Stage> {
  const made = await stage({ txs: 0 });
  for (let i = 0; i < pairs; i++) {
    await made.client.set(`plain ${i}`, 'v');
    await made.client.verifiedSet(`verified ${i}`, 'v');
  }
  return made;
}

describe('an honest server', () => {
  test('stands by every root, those of other clients of the store too', async () => {
    const { ledger, client, store } = await logged();
    const other = clientOf(ledger, { store });
    await other.client.verifiedSet('other', 'v');
    await client.set('not logged', 'v');
    const report = await client.audit.prove();
    expect(report).toMatchObject({
      kind: 'roots',
      ok: true,
      complete: true,
      state: { tx: '42', trusted: true },
      findings: [],
    });
    const rows = await rowsOf(store, { outcome: ['root', 'first-use', 'pinned'] });
    expect(report.rows).toMatchObject({ checked: rows.length, proven: rows.length });
    expect(report.after).toBe(String(rows.at(-1)!.seq));
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(reportText(report)).toContain(`${rows.length} looked at, ${rows.length} proven`);
  });

  test('proves neighbours by blocks and the rest one by one, a range or a page of them', async () => {
    const { client, store } = await logged(60);
    const all = await client.audit.prove();
    expect(all).toMatchObject({ ok: true, proofs: { blocks: 1, singles: 0 } });
    const few = await client.audit.prove({ txRange: { from: 10n, to: 14n } });
    expect(few).toMatchObject({
      ok: true,
      rows: { checked: 3, proven: 3 },
      proofs: { blocks: 0, singles: 3 },
    });
    const rows = await rowsOf(store, { outcome: ['root', 'first-use', 'pinned'] });
    const page = await client.audit.prove({ after: rows[29]!.seq });
    expect(page).toMatchObject({
      asked: { after: rows[29]!.seq.toString() },
      ok: true,
      rows: { checked: rows.length - 30, proven: rows.length - 30 },
    });
    const none = await client.audit.prove({ timeRange: { to: 1 } });
    expect(none).toMatchObject({ ok: true, rows: { checked: 0 } });
    // What was left out cannot be taken for looked at.
    expect(none.asked).toEqual({ after: '0', time: { to: '1970-01-01T00:00:00.001Z' } });
    expect(reportText(none)).toContain('only rows times ..1970-01-01T00:00:00.001Z');
    expect(reportText(page)).toContain(`only rows behind row ${rows[29]!.seq}`);
    const txs = await client.audit.prove({ txRange: { from: 5n, to: 9n } });
    expect(reportText(txs)).toContain('only rows txs 5..9');
    expect(reportText(await client.audit.prove())).not.toContain('Asked for');
  });

  test('tells how far it is, and ends when it is told to', async () => {
    const { client } = await logged(5);
    const seen: RootsProgress[] = [];
    await client.audit.prove({ onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toMatchObject({ rows: { checked: 6, proven: 6 }, findings: 0 });
    const error = await rejection(client.audit.prove({ signal: AbortSignal.abort(new Error('no')) }));
    expect(error).toBeInstanceOf(TransportError);
    expect(error.code).toBe('ABORTED');
    expect((await rejection(client.audit.prove({ after: -1n }))).argument).toBe('after');
    expect((await rejection(client.audit.prove({ resume: 'x' } as never))).argument).toBe('options');
    await client.close();
    expect((await rejection(client.audit.prove())).code).toBe('CLOSED');
  });

  test('with the empty database pinned, or before there is anything', async () => {
    const { ledger } = await stage({ txs: 0 });
    const { client } = clientOf(ledger);
    expect(await client.audit.prove()).toMatchObject({ ok: true, rows: { checked: 1, proven: 1 } });
    await client.verifiedSet('a', '1');
    expect(await client.audit.prove()).toMatchObject({ ok: true, rows: { checked: 2, proven: 2 } });
  });
});

describe('a server that no longer stands by its word', () => {
  test('a fork: roots before it are proven, roots behind it contradicted, each recorded with evidence', async () => {
    const { ledger, client, store } = await logged();
    ledger.lie({ kind: 'fork', at: 20n, height: 60n });
    const report = await client.audit.prove();
    expect(report).toMatchObject({ ok: false, complete: true, state: { tx: '60', trusted: false } });
    // Txs 2 to 40 are logged, and the first contact.
    expect(report.rows).toMatchObject({ checked: 21, proven: 11, otherHash: 10 });
    const found = report.findings.filter((finding): finding is RootFinding => 'verdict' in finding);
    expect(found.map(({ tx }) => tx)).toEqual([22, 24, 26, 28, 30, 32, 34, 36, 38, 40].map(String));
    const rows = await refusals(store, OPERATION);
    const forks = rows.filter(({ outcome }) => outcome === 'fork');
    // Each root, and the head itself.
    expect(forks).toHaveLength(11);
    for (const { evidence } of forks) expect(evidence?.check).toBe('dual-proof.source-alh');
    expect(reportText(report)).toContain('10 with another hash');
  });

  test('a rollback: roots beyond its newest are not there any more', async () => {
    const { ledger, client, store } = await logged();
    ledger.lie({ kind: 'rollback', to: 20n });
    const report = await client.audit.prove();
    expect(report).toMatchObject({ ok: false, state: { tx: '20', trusted: false } });
    expect(report.rows).toMatchObject({ checked: 21, proven: 11, serverBehind: 10 });
    expect(told(report)).toEqual(
      [
        ...[' trust.rollback'],
        ...[22, 24, 26, 28, 30, 32, 34, 36, 38, 40].map((tx) => `${tx} audit.server-behind`),
      ].map((line) => line),
    );
    expect(await rowsOf(store, { outcome: 'rollback' })).toHaveLength(1);
    const stopped = await client.audit.prove({ onFinding: 'stop' });
    expect(stopped).toMatchObject({ complete: false, rows: { checked: 0 } });
  });

  test('answers that do not prove anything, or none, about one transaction', async () => {
    const { ledger, client } = await stage({ txs: 0 });
    const roots: bigint[] = [];
    for (let i = 0; i < 4; i++) {
      await write(client, 60);
      roots.push((await client.verifiedSet(`verified ${i}`, 'v')).tx);
    }
    const of = (tx: bigint | undefined) => (call: { request: object }) =>
      String((call.request as { tx?: unknown }).tx) === String(tx);
    const lie = ledger.lie({ kind: 'truncate-proof', proof: 'consistency', when: of(roots[1]) });
    ledger.lie({
      ...{ kind: 'mutate', methods: ['VerifiableTxById'], when: of(roots[2]) },
      mutate: () => {
        throw new Error('disk failure');
      },
    });
    const report = await client.audit.prove();
    expect(lie.told).toBeGreaterThan(0);
    expect(report.rows).toMatchObject({ checked: 5, proven: 3, notProven: 1, notThere: 1 });
    expect(told(report)).toEqual(['122 dual-proof.consistency', '183 audit.not-there']);
  });

  test('a block that does not hold: its roots are proven one by one', async () => {
    const { ledger, client, store } = await logged(60);
    ledger.lie({ kind: 'tx-scan', how: 'gap' });
    const report = await client.audit.prove();
    expect(report).toMatchObject({
      ...{ ok: false, rows: { proven: report.rows.checked } },
      proofs: { blocks: 1, singles: report.rows.checked },
    });
    expect(told(report)).toEqual(['1-120 block.count']);
    expect(await refusals(store, OPERATION)).toHaveLength(1);
  });

  test('roots from before trust was forgotten are judged apart, and not held against it', async () => {
    const { ledger, client, store } = await logged();
    ledger.lie({ kind: 'fork', at: 20n, height: 60n });
    await client.forgetTrust('restored on purpose');
    await client.verifiedSet('anew', 'v');
    const before = (await rowsOf(store)).length;
    const report = await client.audit.prove();
    expect(report).toMatchObject({
      ...{ ok: true, findingsTotal: 0, state: { trusted: true } },
      rows: { checked: 2, proven: 2 },
      earlierRows: { checked: 21, proven: 11, otherHash: 10 },
    });
    expect(
      report.findings.every((finding) => 'earlier' in finding && finding.earlier && !finding.recorded),
    ).toBe(true);
    expect(await rowsOf(store)).toHaveLength(before);
    expect(reportText(report)).toContain('before trust was forgotten');
  });
});

test('a log that holds a root the server never had is a fork, whoever wrote it', async () => {
  const { ledger, client, store } = await logged(4);
  const [newest] = await rowsOf(store, { outcome: 'root', order: 'desc', limit: 1 });
  const { server, database } = newest!;
  // Another store with a made-up root below the true ones.
  const forged = new MemoryRootStore();
  await forged.bindIdentity(ledger.address, server);
  const made = { server, database, outcome: 'pinned', operation: 'x', calls: 0, headerTime: 0n } as const;
  const rest = { verifiedAt: 1, durationMs: 0, clientId: 'x' };
  const root = { tx: 3n, alh: new Uint8Array(32).fill(9), previousTx: null };
  await forged.advance(null, { ...made, ...rest, ...root });
  const misled = new ImmuClient({ address: ledger.address, store: forged, credentials: CREDENTIALS });
  const report = await misled.audit.prove();
  await misled.close();
  expect(report).toMatchObject({ ok: false, state: { trusted: false }, rows: { checked: 1, otherHash: 1 } });
  expect(told(report)).toContain('3 audit.other-hash');
  expect((await client.audit.prove()).ok).toBe(true);
});
