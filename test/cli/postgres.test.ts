// The command on a store in PostgreSQL: every audit command, the page, and a password that is never shown.
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import { PostgresRootStore } from '#dist/store/postgres/postgres-root-store.js';
import { describePostgres, sharedPostgres } from '../support/postgres.js';
import { climb, closing, event } from '../store/support.js';
import { run, start, temporaryFolder } from './run.js';

async function filled() {
  const server = await sharedPostgres();
  const schema = server.newSchema();
  const store = closing(await PostgresRootStore.open(server.url(), { schema }));
  await climb(store, 0, 5);
  await store.record(event(5n, { operation: 'verifiedGet' }));
  const url = `${server.url().replace('postgres@', 'postgres:hidden@')}?schema=${schema}`;
  return { server, schema, store, url };
}

describePostgres('immu-ts --store postgres://…', () => {
  it('lists, shows, sums up and verifies', async () => {
    const { url } = await filled();
    const listed = await run(['audit', 'list', '--store', url, '--format', 'ndjson']);
    expect([listed.code, listed.stdout.trim().split('\n')]).toMatchObject([0, { length: 6 }]);
    expect(await run(['audit', 'show', '6', '--store', url])).toMatchObject({ code: 0 });
    expect(await run(['audit', 'stats', '--store', url])).toMatchObject({ code: 0 });
    expect(await run(['audit', 'gaps', '--store', url])).toMatchObject({ code: 0 });
    const verified = await run(['audit', 'verify', '--store', url]);
    expect(verified).toMatchObject({ code: 0 });
    for (const { stdout, stderr } of [listed, verified]) expect(stdout + stderr).not.toContain('hidden');
  }, 120_000);

  it('says what was changed, with the exit code of what is refuted', async () => {
    const { server, schema, url } = await filled();
    await server.sql(`UPDATE ${schema}.audit SET calls = 9 WHERE seq = 2`);
    const { code, stdout, stderr } = await run(['audit', 'verify', '--store', url]);
    expect(code).toBe(3);
    expect(stdout + stderr).not.toContain('hidden');
  });

  it.for([
    ['a schema without a store', (url: string) => [url.replace(/schema=\w+/, 'schema=nothing')]],
    ['a server that is not there', () => ['postgres://u:hidden@127.0.0.1:1/d']],
    ['a URL that makes no sense', () => ['postgres://u:hidden@']],
    ['--damaged', (url: string) => [url, '--damaged']],
  ] as const)('fails, and tells no password: %s', { timeout: 60_000 }, async ([, words]) => {
    const { url } = await filled();
    const { code, stdout, stderr } = await run(['audit', 'list', '--store', ...words(url)]);
    expect([1, 2]).toContain(code);
    expect(stderr).not.toBe('');
    expect(stdout + stderr).not.toContain('hidden');
  });

  it('is what trust begins in, and what a report asks a server by, which shows no password', async () => {
    const server = await sharedPostgres();
    await using ledger = await EmbeddedLedger.start();
    const url = `${server.url().replace('postgres@', 'postgres:hidden@')}?schema=${server.newSchema()}`;
    const cwd = await temporaryFolder();
    const command = (...args: string[]) =>
      run([...args, '--store', url], { cwd, again: true, env: { IMMUDB_ADDRESS: ledger.address } });
    const elsewhere = ['--store', join(cwd, 'roots.db'), '--address', ledger.address];
    expect(await run(['set', 'k', 'v', ...elsewhere], { cwd })).toMatchObject({ code: 0 });
    const state = await run(['state', ...elsewhere], { cwd, again: true });
    const [, tx, alh] = /tx (\d+), alh (\w+)/.exec(state.stdout) ?? [];
    expect(await command('trust', 'pin', `${tx}:${alh}`)).toMatchObject({ code: 0 });
    expect(await command('get', 'k')).toMatchObject({ code: 0, stdout: 'v' });
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(join(cwd, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const made = await command('report', '--key', 'key.pem', '--json', 'report.json', '--out', 'report.html');
    expect(made, made.stdout).toMatchObject({ code: 0 });
    const report = await readFile(join(cwd, 'report.json'), 'utf8');
    const { sections } = JSON.parse(report) as { sections: { name: string; verdict: string }[] };
    const asked = sections.filter(({ name }) => ['prove', 'database'].includes(name));
    expect(asked.map(({ verdict }) => verdict)).toEqual(['holds', 'holds']);
    const page = await readFile(join(cwd, 'report.html'), 'utf8');
    expect(report + page + made.stdout + made.stderr).not.toContain('hidden');
    expect(report).toContain('--store');
  }, 60_000);

  it('serves the page', async () => {
    const { url } = await filled();
    const page = await start(['audit', 'serve', '--store', url, '--port', '0']);
    await new Promise<void>((resolve) => page.child.stdout.once('data', () => resolve()));
    page.child.kill('SIGINT');
    const { stdout, stderr } = await page.outcome;
    expect(stdout + stderr).toContain('audit page of postgres://127.0.0.1');
    expect(stdout + stderr).not.toContain('hidden');
  });
});
