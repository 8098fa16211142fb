// Several addresses, and replicas to read from, on the command line: a primary that is killed, its replica, which is promoted, and one
// that has diverged.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Proxy } from '../adversary/proxy.js';
import { describePrivate } from '../support/real.js';
import { REPLICATED, pair } from '../support/replicas.js';
import { run, temporaryFolder } from './run.js';
import type { Outcome } from './run.js';

describePrivate('immu-ts with several addresses', () => {
  test('the primary is killed: reads go on at its replica, and writes once that is promoted', async () => {
    const { primary, replica, reached, promote } = await pair();
    const cli = await commands();
    const both = `${primary.address},${replica.address}`;
    expect(await cli(['set', 'k', 'v', '--address', both])).toMatchObject({ code: 0 });
    await reached(1n);
    await primary.kill();

    const ways: [string[], Record<string, string>][] = [
      [['--address', both], {}],
      [['--address', primary.address, '--address', replica.address], {}],
      [['--address', `immudb://immudb:immudb@${both}/${REPLICATED}`], {}],
      [[], { IMMUDB_ADDRESS: both }],
      [['--profile', 'fleet'], { IMMU_TS_CONFIG: await cli.keep({ address: both.split(',') }) }],
    ];
    for (const [words, env] of ways)
      expect(await cli(['get', 'k', ...words], env), words.join(' ')).toMatchObject({ code: 0, stdout: 'v' });
    expect((await cli(['get', 'k', '--address', primary.address])).code).toBe(1);

    await promote();
    expect(await cli(['set', 'k', 'w', '--address', both])).toMatchObject({ code: 0 });
    expect(await cli(['get', 'k', '--address', both])).toMatchObject({ code: 0, stdout: 'w' });
    // All of it is one history, which began once.
    const roots = await cli(['audit', 'list', '--outcome', 'first-use', '--format', 'ndjson']);
    expect(roots.stdout.trim().split('\n')).toHaveLength(1);
    expect(await cli(['audit', 'prove', '--address', both])).toMatchObject({ code: 0 });
  }, 120_000);

  test('one that has diverged after its promotion: FORK_DETECTED, exit code 3, and nothing is written there', async () => {
    const { primary, replica, reached, promote } = await pair();
    const cli = await commands();
    const both = ['--address', `${primary.address},${replica.address}`];
    expect(await cli(['set', 'k', 'common', ...both])).toMatchObject({ code: 0 });
    await reached(1n);
    await promote();
    expect(await cli(['set', 'k', 'of the primary', ...both])).toMatchObject({ code: 0 });
    const elsewhere = { IMMU_TS_STORE: join(await temporaryFolder(), 'other.db') };
    const there = ['--address', replica.address];
    for (const value of ['1', '2']) await cli(['set', 'k', value, ...there], elsewhere);
    await primary.kill();
    for (const words of [
      ['get', 'k'],
      ['set', 'k', 'x'],
    ]) {
      const { code, stdout, stderr } = await cli([...words, ...both]);
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toContain('FORK_DETECTED');
    }
    expect(await cli(['get', 'k', ...there], elsewhere)).toMatchObject({ code: 0, stdout: '2' });
    const forks = await cli(['audit', 'list', '--outcome', 'fork', '--format', 'ndjson']);
    expect(forks.stdout).toContain('"outcome":"fork"');
  }, 120_000);
});

describePrivate('immu-ts --read-from', () => {
  test('what a job reads comes from the replica', async () => {
    const { primary, replica } = await pair();
    const proxy = await Proxy.start(replica.address);
    onTestFinished(() => proxy.close());
    const asked: string[] = [];
    proxy.intercept = ({ method, forward }) => {
      asked.push(method);
      return forward();
    };
    const cli = await commands();
    const packages = Object.fromEntries(
      Array.from({ length: 4000 }, (_, i) => [`node_modules/p${i}`, { version: `1.0.${i}` }]),
    );
    const lockfile = await cli.write('package-lock.json', { lockfileVersion: 3, packages });
    const { code, stdout } = await cli([
      ...['ingest', '--lockfile', lockfile],
      ...['--address', primary.address, '--read-from', proxy.address],
      ...['--store', join(await temporaryFolder(), 'roots.db')],
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('4000 records')]);
    expect(asked).toContain('OpenSession');
    expect(asked.some((method) => ['Get', 'GetAll'].includes(method))).toBe(true);
  }, 120_000);
});

interface Commands {
  (args: readonly string[], env?: Record<string, string>): Promise<Outcome>;
  write(name: string, content: unknown): Promise<string>;
  /** A file with this profile, called `fleet`. */
  keep(profile: object): Promise<string>;
}

/** The command, on one store, and on the replicated database. */
async function commands(): Promise<Commands> {
  const folder = await temporaryFolder();
  let count = 0;
  const cli = async (args: readonly string[], env: Record<string, string> = {}) => {
    const cwd = join(folder, String((count += 1)));
    await mkdir(cwd);
    const own = { IMMU_TS_STORE: join(folder, 'roots.db'), IMMUDB_DATABASE: REPLICATED };
    return run(args, { cwd, env: { ...own, ...env } });
  };
  const write = async (name: string, content: unknown) => {
    const path = join(folder, name);
    await writeFile(path, JSON.stringify(content), { mode: 0o600 });
    return path;
  };
  return Object.assign(cli, {
    write,
    keep: (profile: object) => write('config.json', { profiles: { fleet: profile } }),
  });
}
