// `--json` of the commands that find out something bit by bit, and of those whose other output has formats.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { auditedStore } from './audited.js';
import { call } from './call.js';

async function json(...args: string[]) {
  const { code, stdout } = await call([...args, '--json']);
  expect(stdout.trimEnd().split('\n').length).toBe(1);
  return { code, said: JSON.parse(stdout) as Record<string, unknown> };
}

test('audit verify', async () => {
  const { path, folder } = await auditedStore();
  const plain = await json('audit', 'verify', '--store', path);
  expect(plain).toMatchObject({
    code: 0,
    said: { holds: true, chain: { ok: true }, keptHeaders: { ok: true } },
  });
  expect((plain.said['chain'] as Record<string, unknown>)['lastHash']).toMatch(/^[0-9a-f]{64}$/);
  await call(['audit', 'checkpoint', '--store', path, '--out', join(folder, 'point.json')]);
  const held = await json('audit', 'verify', '--store', path, '--checkpoint', join(folder, 'point.json'));
  const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
  expect(held.said).toMatchObject({ holds: true, checkpoint: { signed: 'not checked', sha256 } });
});

test('evidence show and verify', async () => {
  const { path } = await auditedStore();
  const { stdout } = await call(['audit', 'list', '--store', path, '--outcome', 'failure', '--json']);
  const { seq } = JSON.parse(stdout) as { seq: string };
  const shown = await json('evidence', 'show', seq, '--store', path);
  expect(shown).toMatchObject({ code: 0, said: { database: 'defaultdb', what: expect.any(String) } });
  const verified = await json('evidence', 'verify', seq, '--store', path);
  expect(verified).toMatchObject({ code: 0, said: { row: seq, reproduced: true, refuted: false } });
});

test('where there are formats it is the one for programs', async () => {
  const { path } = await auditedStore();
  const at = ['--store', path];
  for (const [command, format] of [
    [['audit', 'list'], 'ndjson'],
    [['audit', 'gaps'], 'ndjson'],
    [['audit', 'stats'], undefined],
    [['audit', 'show', '1'], 'json'],
  ] as const) {
    const { stdout } = await call([...command, ...at, '--json']);
    const lines = format === 'json' ? [stdout] : stdout.trimEnd().split('\n');
    for (const line of lines) if (line !== '') expect(() => void JSON.parse(line)).not.toThrow();
    if (format) expect(stdout).toBe((await call([...command, ...at, '--format', format])).stdout);
  }
});
