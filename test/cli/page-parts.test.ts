// Parts of the audit page: minutes and failures on the timeline, refusals about a key, checks in words, verifying with progress.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AuditServer } from '#dist/cli/page/server.js';
import { VerifyRuns } from '#dist/cli/page/verify-runs.js';
import { MemoryRootStore, SqliteRootStore } from '#dist/index.js';
import type { AuditEntry, AuditLog, AuditVerdict } from '#dist/index.js';
import { auditedStore, entry, rowsIn, storeOf } from './audited.js';
import { call } from './call.js';
import { serve } from './page-support.js';

const MINUTE = 60_000;
const START = Date.parse('2026-03-01T10:00:00Z');

describe('the timeline', () => {
  test('is by the minute where the time is short', async () => {
    const rows = [0, 0, 1, 5, 29].map((minute) => entry({ verifiedAt: START + minute * MINUTE + 7000 }));
    const { path } = await storeOf(rows);
    const { ask } = await serve(path);
    const range = '/?from=2026-03-01T10:00:00Z&to=2026-03-01T10:29:59Z';
    const { text } = await ask(range);
    expect(text).toContain('at most 2 rows in a minute');
    expect(text.match(/<title>[^<]*other rows/g)).toHaveLength(4);
    expect(text.match(/<title>[^<]*other rows[^<]*/g)).toContain(
      '<title>2026-03-01 10:05: 0 roots, 1 other rows, 0 failures',
    );
    const { text: long } = await ask('/?from=2026-03-01T10:00:00Z&to=2026-03-02T10:00:00Z');
    expect(long).toContain('in an hour');
  });

  test('shows failures to scale, and a mark where there are any', async () => {
    const at = { verifiedAt: START };
    const rows: AuditEntry[] = Array.from({ length: 199 }, () => entry(at));
    const { path } = await storeOf([...rows, entry({ ...at, outcome: 'failure' })]);
    const { ask } = await serve(path);
    const { text } = await ask('/?from=2026-03-01T10:00:00Z&to=2026-03-01T10:30:00Z');
    const heights = (name: string) =>
      [...text.matchAll(new RegExp(`<rect\\s+class="${name}"[^>]*?height="([\\d.]+)"`, 'g'))].map(
        ([, height]) => Number(height),
      );
    expect(heights('failures')).toEqual([0.5]);
    expect(heights('others')).toEqual([99.5]);
    expect(heights('mark')).toEqual([6]);
  });
});

describe.each([
  ['in memory', () => Promise.resolve(new MemoryRootStore())],
  ['in SQLite', async () => SqliteRootStore.open((await storeOf([])).path)],
] as const)('figures by the minute, %s', (_, open) => {
  test('count what is in each, of a day at most', async () => {
    await using store = await open();
    for (const minute of [0, 0, 3, 61, -1])
      await store.record(entry({ verifiedAt: START + minute * MINUTE + 59_999 }));
    await store.record(entry({ verifiedAt: START + 3 * MINUTE, outcome: 'failure' }));
    const timeRange = { from: START, to: START + 61 * MINUTE };
    const stats = await store.audit.stats({ bucket: 'minute', timeRange });
    expect(
      stats.map(({ from, rows, failures }) => [(from - START) / MINUTE, rows, failures.failure]),
    ).toEqual([
      [0, 2, 0],
      [3, 2, 1],
    ]);
    const hours = await store.audit.stats({ bucket: 'hour' });
    expect(hours.map(({ rows }) => rows)).toEqual([1, 4, 1]);
    for (const wrong of [
      undefined,
      { from: START },
      { to: START },
      { from: START, to: START + 1441 * MINUTE },
    ])
      await expect(
        store.audit.stats({ bucket: 'minute', ...(wrong && { timeRange: wrong }) }),
      ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'timeRange' });
  });
});

test('audit stats prints durations to the microsecond, and minutes where they are asked for', async () => {
  const rows = [1.1, 1.2, 1.6, 0.1].map((durationMs) => entry({ durationMs, verifiedAt: START }));
  const { path } = await storeOf(rows.slice(0, 3));
  const { stdout } = await call(['audit', 'stats', '--store', path, '--format', 'json']);
  expect(JSON.parse(stdout)).toMatchObject([{ meanMs: 1.3, maxMs: 1.6 }]);
  const by = ['audit', 'stats', '--store', path, '--by', 'minute'];
  const { stdout: minutes } = await call([...by, '--from', '2026-03-01T09:00Z', '--to', '2026-03-01T11:00Z']);
  expect(minutes).toContain('2026-03-01T10:00:00.000Z');
  await expect(call(by)).rejects.toThrow(/a day at most/);
});

test.each(['7..3', '7..6', '9223372036854775807..1'])(
  '--tx %s is an error, here and on the page',
  async (tx) => {
    const { path } = await storeOf([entry({})]);
    for (const name of ['list', 'stats', 'export'])
      await expect(call(['audit', name, '--store', path, '--tx', tx])).rejects.toThrow(
        /ends before it begins/,
      );
    const { ask } = await serve(path);
    const answer = await ask(`/?tx=${tx}`);
    expect([answer.status, answer.text.includes('ends before it begins')]).toEqual([400, true]);
    expect((await call(['audit', 'list', '--store', path, '--tx', '1..1'])).code).toBe(0);
  },
);

describe('a key', () => {
  test('is looked for in what was refused: as text and as bytes', async () => {
    const { path } = await auditedStore();
    const { ask } = await serve(path);
    const { seq } = (await rowsIn(path)).find(({ outcome }) => outcome === 'failure')!;
    for (const key of ['k3', '0x6b33']) {
      const { text, status } = await ask(`/key?key=${key}`);
      expect([status, text.includes(`href="/row/${seq}"`)]).toEqual([200, true]);
    }
    for (const key of ['k4', '0x6b34', 'k', '"']) {
      const { text } = await ask(`/key?key=${encodeURIComponent(key)}`);
      expect(text).toContain('No refusal is about this key.');
    }
    expect((await ask('/key?key=k3&database=elsewhere')).text).toContain('No refusal is about this key.');
    const hostile = await ask(`/key?key=${encodeURIComponent('<script>alert(1)</script>')}`);
    expect(hostile.text).not.toContain('<script>alert');
    for (const none of ['/key', '/key?key=', '/key?key=%20']) expect((await ask(none)).status).toBe(400);
  });

  test('and each check has its words, with an anchor that rows link to', async () => {
    const { path } = await auditedStore();
    const { ask } = await serve(path);
    const { seq, evidence } = (await rowsIn(path)).find(({ outcome }) => outcome === 'failure')!;
    const { text } = await ask(`/row/${seq}`);
    expect(text).toContain(`href="/checks#${evidence!.check}"`);
    expect(text).toContain('Compares the');
    expect(text).toMatch(/returned[^]{0,60}&quot;k3&quot; = &quot;/);
    expect((await ask('/checks')).text).toContain(`<div id="${evidence!.check}">`);
  });
});

describe('verifying', () => {
  test('says how far it is while it takes long, and then what came of it', async () => {
    const { path } = await storeOf([entry({}), entry({})]);
    await using store = await SqliteRootStore.open(path);
    let end: (verdict: AuditVerdict) => void = () => undefined;
    const audit = new Proxy(store.audit, {
      get: (of, name: keyof AuditLog) =>
        name === 'verify'
          ? (options: Parameters<AuditLog['verify']>[0]) => {
              options?.onProgress?.({ rows: 1n });
              return new Promise<AuditVerdict>((resolve) => (end = resolve));
            }
          : of[name].bind(of),
    });
    const server = await AuditServer.start(
      { path, audit },
      { host: '127.0.0.1', port: 0, token: null, names: [] },
    );
    onTestFinished(() => server[Symbol.asyncDispose]());
    const first = await fetch(`${server.url}verify`);
    expect(first.headers.get('refresh')).toBe('1; url=/verify?run=1');
    const text = await first.text();
    expect(text).toContain('1 of 2 rows');
    expect(text).toMatch(/<progress max="100" value="50"/);
    // Who asks meanwhile waits for the same walk.
    expect((await fetch(`${server.url}verify`)).headers.get('refresh')).toBe('1; url=/verify?run=1');
    end({ ok: false, seq: 2n, finding: 'the row was changed' });
    const last = await fetch(`${server.url}verify?run=1`);
    expect(last.headers.get('refresh')).toBeNull();
    expect(await last.text()).toContain('The chain is broken');
    expect((await fetch(`${server.url}verify?run=7`)).status).toBe(404);
    expect((await fetch(`${server.url}verify?run=x`)).status).toBe(404);
  });

  test('that fails is told, and begun anew by the next one who asks', async () => {
    let calls = 0;
    const audit = {
      verify: () => {
        calls += 1;
        return Promise.reject(new Error('the disk is gone'));
      },
      async *roots() {
        await sleep(0);
        yield* [];
      },
    } as unknown as AuditLog;
    const runs = new VerifyRuns(audit);
    await expect(runs.asked()).rejects.toThrow('the disk is gone');
    await expect(runs.asked()).rejects.toThrow('the disk is gone');
    expect(calls).toBe(2);
    expect(await runs.of(2)).toBeUndefined();
  });

  test('a store says how many rows it has looked at', async () => {
    const rows = 30_000;
    const { path } = await storeOf(Array.from({ length: rows }, () => entry({})));
    await using store = await SqliteRootStore.open(path);
    const told: bigint[] = [];
    const verdict = await store.audit.verify({ onProgress: (progress) => told.push(progress.rows) });
    expect(verdict.ok).toBe(true);
    expect(told.every((each, i) => each >= (told[i - 1] ?? 0n))).toBe(true);
    expect(told.at(-1)).toBe(verdict.ok && verdict.rows);
    expect(told.at(-1)).toBeGreaterThanOrEqual(BigInt(rows));
    const gone = () => {
      throw new RangeError('nobody is there to be told');
    };
    await expect(store.audit.verify({ onProgress: gone })).rejects.toThrow('nobody is there to be told');
    await expect(store.audit.verify({ onProgress: 1 as never })).rejects.toMatchObject({
      argument: 'onProgress',
    });
  });
});
