// `immu-ts ingest` on the real server: files of several formats, and one that is ended in the middle, by a signal or by force, and
// gone on with: nothing is lost.
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { run, start, temporaryFolder } from './run.js';

vi.setConfig({ testTimeout: 120_000 });

const RECORDS = 20_000;
const all = Array.from({ length: RECORDS }, (_, i) => `{"id":${i},"pad":"${'x'.repeat(80)}"}\n`).join('');
const KEY = ['--key-template', 'r/{id}'];

/** How many records the resume file says are done. */
function readPoint(folder: string): number {
  const path = join(folder, 'point');
  return existsSync(path) ? Number(readFileSync(path, 'utf8').split('.')[1]) : 0;
}

describeServer('ingest', () => {
  let database: string;
  let client: ImmuClient;
  let folder: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    database = await freshDatabase();
    client = new ImmuClient({
      address: sharedImmudb(),
      credentials: { user: 'immudb', password: 'immudb', database },
      store: new MemoryRootStore(),
    });
  });
  afterAll(() => client.close());
  beforeEach(async () => {
    folder = await temporaryFolder();
    env = {
      ...{ IMMU_TS_STORE: join(folder, 'roots.db'), IMMUDB_ADDRESS: sharedImmudb() },
      IMMUDB_DATABASE: database,
    };
  });

  test('NDJSON, CSV and lines', async () => {
    await writeFile(join(folder, 'a.ndjson'), '{"id":"n1"}\n{"id":"n2"}\n');
    await writeFile(join(folder, 'a.csv'), 'id,v\nc1,"x,y"\n');
    await writeFile(join(folder, 'a.txt'), 'one\ntwo\n');
    const cli = (args: readonly string[]) => run(['ingest', ...args], { cwd: folder, env, again: true });
    expect(await cli(['a.ndjson', ...KEY])).toMatchObject({ code: 0, stderr: '' });
    expect(await cli(['a.csv', ...KEY])).toMatchObject({ code: 0, stderr: '' });
    const lines = ['--format', 'lines', '--key-template', 'r/l{#}'];
    expect(await cli(['a.txt', ...lines])).toMatchObject({ code: 0, stderr: '' });
    const texts = await client.verifiedGetAll(['r/n1', 'r/n2', 'r/c1', 'r/l0', 'r/l1']);
    expect(texts.map((entry) => entry && Buffer.from(entry.value).toString())).toEqual([
      ...['{"id":"n1"}', '{"id":"n2"}', '{"id":"c1","v":"x,y"}', 'one', 'two'],
    ]);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)('%s in the middle, and gone on', async (signal) => {
    const prefix = `${signal}/`;
    const args = [
      ...['ingest', '-', '--key-template', `${prefix}{id}`, '--resume', 'point'],
      ...['--reject-file', 'rejects'],
    ];
    const { child, outcome } = await start(args, { cwd: folder, env, stdin: true });
    // All of it is there, and no end: it cannot be through.
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(all);
    await vi.waitUntil(async () => (await client.count(prefix)) >= RECORDS / 2, { timeout: 60_000 });
    // Where it is gets written about once a second.
    if (signal === 'SIGKILL') await vi.waitUntil(() => readPoint(folder) > 0, { timeout: 60_000 });
    child.kill(signal);
    const ended = await outcome;
    expect(ended).toMatchObject({ code: { SIGTERM: 143, SIGINT: 130, SIGKILL: null }[signal], stdout: '' });
    const done = readPoint(folder);
    expect(done).toBeGreaterThan(0);
    await writeFile(join(folder, 'all.ndjson'), all);
    const given = args.map((word) => (word === '-' ? 'all.ndjson' : word));
    const ran = await run(given, { cwd: folder, env, again: true });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(
      new RegExp(`^${RECORDS} records are written and verified, ${done} of them by an earlier run`),
    );
    expect(await client.count(prefix)).toBe(BigInt(RECORDS));
  });
});
