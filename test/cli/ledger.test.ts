// `immu-ts ledger`: a development server in one line.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { run, start, temporaryFolder } from './run.js';

vi.setConfig({ testTimeout: 120_000 });

/** Runs until the test ends it. */
async function serving(args: readonly string[], cwd?: string) {
  const folder = cwd ?? (await temporaryFolder());
  const started = await start(['ledger', '--port', '0', ...args], { cwd: folder, again: cwd !== undefined });
  let said = '';
  await new Promise<void>((resolve) => {
    started.child.stdout.on('data', (text: string) => (said += text).includes('\n') && resolve());
    void started.outcome.then(() => resolve());
  });
  return { ...started, folder, said: said.trim() };
}

function clientOf(address: string, user = 'immudb', password = 'immudb'): ImmuClient {
  const client = new ImmuClient({
    ...{ address, store: new MemoryRootStore() },
    credentials: { user, password },
  });
  onTestFinished(() => client.close());
  return client;
}

test.each(['SIGTERM', 'SIGINT'] as const)('says where it is, serves, and ends on %s', async (signal) => {
  const { child, outcome, said } = await serving([]);
  expect(said).toMatch(/^127\.0\.0\.1:\d+$/);
  const client = clientOf(said);
  await client.verifiedSet('k', 'v');
  expect((await client.verifiedGet('k'))?.text()).toBe('v');
  child.kill(signal);
  const ended = await outcome;
  expect(ended).toMatchObject({ code: 0, stdout: `${said}\n`, left: [] });
  expect(ended.stderr).toMatch(/^A ledger for development, in memory; .*\n$/);
});

test('keeps what it has in a folder; users, a password, and JSON', async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'secret'), 'Other-7-password\n');
  const args = ['--data', 'data', '--password-file', 'secret', '--json'];
  const first = await serving([...args, '--users', 'alice:Passw0rd!a,bob:Passw0rd!b'], cwd).catch(
    () => undefined,
  );
  const { address, url, directory } = JSON.parse(first!.said) as Record<string, string>;
  expect({ url, directory }).toEqual({ url: `immudb://immudb@${address!}/defaultdb`, directory: 'data' });
  await clientOf(address!, 'alice', 'Passw0rd!a').verifiedSet('k', 'v');
  expect((await clientOf(address!, 'immudb', 'Other-7-password').get('k'))?.text()).toBe('v');
  first!.child.kill('SIGTERM');
  expect(await first!.outcome).toMatchObject({ code: 0, stderr: '' });
  const second = await serving([...args, '--users', 'alice:Passw0rd!c'], cwd);
  const again = JSON.parse(second.said) as { address: string };
  expect((await clientOf(again.address, 'alice', 'Passw0rd!c').verifiedGet('k'))?.text()).toBe('v');
  expect((await clientOf(again.address, 'bob', 'Passw0rd!b').verifiedGet('k'))?.text()).toBe('v');
});

test('a port that is taken, and wrong command lines', async () => {
  const { said, folder } = await serving([]);
  const taken = await run(['ledger', '--port', said.split(':')[1]!], { cwd: folder, again: true });
  expect(taken).toMatchObject({ code: 1, stdout: '' });
  expect(taken.stderr).toContain('cannot listen on 127.0.0.1');
  for (const [args, words] of [
    [['--port', '70000'], '--port is a whole number'],
    [['--port', 'x'], '--port is a whole number'],
    [['--users', 'alice'], '--users is NAME:PASSWORD'],
    [['--users', 'immudb:x'], 'whose password is in --password-file'],
    [['here'], 'takes options only'],
  ] as const) {
    const ran = await run(['ledger', ...args]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(words);
  }
});
