// Values that a truncation gave up: not missing where a proven header says that there was one, and only up to where it says.
import { expect, test } from 'vitest';
import { auditDatabase } from '#dist/client/audit/database-audit.js';
import { TrustLog } from '#dist/client/trust/log/trust-log.js';
import { reportText } from '#dist/audit.js';
import type { DatabaseReport } from '#dist/audit.js';
import { DATABASE, TestChain, bytesOf } from '../verify/support/test-chain.js';
import { FakeImmudb, refusal, trusting } from '../trust/fake-immudb.js';

/** 60 transactions, the 50th of which says that those up to 20 were truncated, unless there was none. */
function grown(truncatedUpTo: bigint | null): TestChain {
  const chain = new TestChain().grow(49);
  if (truncatedUpTo === null) chain.grow(1);
  else chain.commit([], { metadata: { truncatedTxId: truncatedUpTo } });
  return chain.grow(10);
}

/** An audit with values of a server that has no values up to `gone`. */
async function audited(chain: TestChain, gone: bigint): Promise<DatabaseReport> {
  const fake = new FakeImmudb(chain);
  const { trust, store, verifier } = await trusting(fake);
  fake.intercept = ({ method, request, answer }) => {
    if (method !== 'TxScan') return answer();
    const first = BigInt(request.initialTx as string);
    const asked = first + BigInt(request.limit as number) - 1n;
    const last = asked < chain.size ? asked : chain.size;
    const withValues = JSON.stringify(request).includes('RAW_VALUE');
    if (withValues && first <= gone) throw refusal('EOF', method);
    return bytesOf('segment', chain.wholeTxs(first, last, withValues));
  };
  const { tx, alh } = chain.root(chain.size);
  const state = { db: DATABASE, txId: tx.toString(), txHash: Buffer.from(alh) };
  fake.unary = () => Promise.resolve(state as never);
  const server = 'fake';
  const trustLog = new TrustLog({ store, key: { server, database: DATABASE }, clientId: 'test' });
  const limits = { timeoutMs: 5000, maxMessageBytes: 1 << 24 };
  const access = {
    server,
    database: DATABASE,
    rpc: fake,
    trust,
    verifier,
    store,
    trustLog,
    signed: false,
    ...limits,
  };
  return auditDatabase(access, { values: true });
}

test('are told apart, and what is not asked of them is complete', async () => {
  const report = await audited(grown(20n), 20n);
  expect(report).toMatchObject({ ok: true, complete: true, valuesTruncated: 20, valuesMissing: 0, to: '60' });
  expect(report.checked).toMatchObject({ values: 39, valuesNotShown: 20 });
  expect(reportText(report)).toContain('20 not shown by the server: 20 truncated');
});

test.for([
  ['behind where it ends', 20n, 21n],
  ['of which nothing says that they were', null, 20n],
] as const)('%s: missing', async ([, upTo, gone]) => {
  const report = await audited(grown(upTo), gone);
  expect(report).toMatchObject({ ok: false, complete: false, valuesTruncated: 0, findings: [] });
  expect(report.valuesMissing).toBe(Number(gone));
});
