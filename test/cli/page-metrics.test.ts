// `/metrics` and `/healthz` of the audit page.
import { expect, test } from 'vitest';
import { auditedStore, entry, storeOf } from './audited.js';
import { serve, serveDamaged } from './page-support.js';
import { openSqlite } from '#dist/sqlite/open.js';
import { openForReading } from '#dist/audit.js';

const TOKEN = 'a-token-of-some-length';
/** A line of the text format: name, labels, value. */
const SAMPLE = /^[a-z_]+(\{([a-z]+="(\\.|[^"\\\n])*",?)+\})? -?[\d.e+]+$/;

test('/metrics has the figures of every database, in the text format of Prometheus', async () => {
  const { path } = await auditedStore();
  const { ask, store } = await serve(path);
  const { status, headers, text } = await ask('/metrics');
  expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const server = (await store.audit.databases())[0]?.server ?? '';
  const labels = `server="${server}",database="defaultdb"`;
  const latest = await store.audit.latest();
  const lines = text.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'immu_ts_audit_damage 0',
      `immu_ts_audit_head_tx{${labels}} 9`,
      `immu_ts_audit_refusals{${labels},outcome="failure"} 1`,
      `immu_ts_audit_refusals{${labels},outcome="fork"} 0`,
      `immu_ts_audit_last_root_timestamp_seconds{${labels}} ${(latest?.verifiedAt ?? 0) / 1000}`,
      '# TYPE immu_ts_audit_head_tx gauge',
    ]),
  );
  const [stats] = await store.audit.stats({ server, database: 'defaultdb' });
  expect(lines).toContain(`immu_ts_audit_rows{${labels}} ${stats?.rows}`);
  expect(lines).toContain(`immu_ts_audit_calls{${labels}} ${stats?.calls}`);
  expect(text.endsWith('\n')).toBe(true);
  for (const line of lines.slice(0, -1)) if (!line.startsWith('# ')) expect(line).toMatch(SAMPLE);
});

test('names of servers and databases end no line and no value', async () => {
  const server = 'a"b\\c\nimmu_ts_audit_damage 7\u202e';
  const { path } = await storeOf([entry({ server })]);
  const { ask } = await serve(path);
  const { text } = await ask('/metrics');
  const lines = text.split('\n').slice(0, -1);
  for (const line of lines) if (!line.startsWith('# ')) expect(line).toMatch(SAMPLE);
  expect(lines.filter((line) => line.startsWith('immu_ts_audit_damage '))).toEqual([
    'immu_ts_audit_damage 0',
  ]);
  expect(text).toContain('server="a\\"b\\\\c\\\\u{a}immu_ts_audit_damage 7\\\\u{202e}"');
});

test('a log without rows has figures too', async () => {
  const { path } = await storeOf([]);
  const { ask } = await serve(path);
  expect((await ask('/metrics')).text).toContain('immu_ts_audit_databases 0\n');
});

test('/metrics needs the token as the page does; /healthz needs none, and tells nothing', async () => {
  const { path } = await auditedStore();
  const { ask } = await serve(path, { token: TOKEN });
  expect((await ask('/metrics')).status).toBe(401);
  const headers = { Authorization: `Bearer ${TOKEN}` };
  expect((await ask('/metrics', { headers })).status).toBe(200);
  expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
  expect((await ask('/healthz', { headers: { Host: 'evil.example' } })).status).toBe(421);
  expect((await ask('/healthz', { method: 'POST' })).status).toBe(405);
});

test('/healthz says that a damaged store is no store to rely on, and /metrics counts what is broken', async () => {
  const { path } = await auditedStore();
  const database = openSqlite(path);
  database.exec('UPDATE audit SET calls = calls + 1 WHERE seq = 3');
  database.close();
  const read = await openForReading(path);
  const damage = await read.damage();
  await read.close();
  expect(damage.length).toBeGreaterThan(0);
  const { ask } = await serveDamaged(path);
  expect(await ask('/healthz')).toMatchObject({ status: 503, text: 'the store is damaged\n' });
  expect((await ask('/metrics')).text).toContain(`immu_ts_audit_damage ${damage.length}\n`);
});

test('/healthz says that the log cannot be read', async () => {
  const { path } = await auditedStore();
  const { ask, store } = await serve(path);
  await store.close();
  expect(await ask('/healthz')).toMatchObject({ status: 503, text: 'the log cannot be read\n' });
});
