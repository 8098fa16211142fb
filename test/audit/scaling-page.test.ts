// "One audit by many machines" of docs/scaling.md, as it stands: three machines, each with a home of its own, a real immudb, a queue in
// PostgreSQL.
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { blocksUnder } from '../package/blocks.js';
import { REPOSITORY } from '../package/project.js';
import { temporaryFolder } from '../cli/run.js';
import { describePostgres, sharedPostgres } from '../support/postgres.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { openWire } from '../trust/support.js';

const TXS = 1000;

/** A machine: commands are run there as its user gives them. */
async function machine(folder: string, name: string, env: Record<string, string>) {
  const home = join(folder, name);
  await mkdir(join(home, 'bin'), { recursive: true });
  const main = join(REPOSITORY, 'dist', 'cjs', 'cli', 'main.js');
  await writeFile(join(home, 'bin', 'immu-ts'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(join(home, 'bin', 'immu-ts'), 0o755);
  const path = `${join(home, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  const all = { ...process.env, PATH: path, HOME: home, XDG_CONFIG_HOME: home, ...env };
  const store = { IMMU_TS_STORE: join(home, 'roots.db') };
  const run = (script: string) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const options = { cwd: home, timeout: 150_000, env: { ...all, ...store } };
      execFile('sh', ['-eu', '-c', script], options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
      );
    });
  return { home, run };
}

describeReal('an operator of several machines', () => {
  describePostgres('with a PostgreSQL', () => {
    test('has the report that the page tells of, by its commands', async () => {
      const database = await freshDatabase();
      const wire = await openWire(database);
      const value = Buffer.from('v');
      for (let i = 1; i <= TXS; i += 20)
        await Promise.all(
          Array.from({ length: 20 }, (_, j) =>
            wire.call('Set', { KVs: [{ key: Buffer.from(`k${i + j}`), value }] }),
          ),
        );
      const server = await sharedPostgres();
      const blocks = await blocksUnder('docs/scaling.md', '## One audit by many machines');
      const [keys, begin, work] = blocks.map(({ body }) =>
        body
          .replaceAll('ledger.example:3322', sharedImmudb())
          .replaceAll('audit@db.example/audits', `postgres@127.0.0.1:${server.port}/postgres`),
      );
      expect(blocks.map(({ info }) => info)).toEqual(['sh no-run', 'sh no-run', 'sh no-run']);
      expect(`${keys}${begin}${work}`).not.toContain('example');

      const folder = await temporaryFolder();
      const env = { IMMUDB_DATABASE: database };
      const [first, one, two] = [
        await machine(folder, 'first', env),
        await machine(folder, 'one', env),
        await machine(folder, 'two', env),
      ];
      for (const each of [first, one, two]) expect(await each.run(keys!)).toMatchObject({ code: 0 });
      for (const [i, { home }] of [one, two].entries())
        await copyFile(join(home, 'worker-key.pub.pem'), join(first.home, `machine-${i + 1}.pub.pem`));
      let isOver = false;
      const report = first.run(begin!).finally(() => (isOver = true));
      const workers = [one, two].map(async ({ run }) => {
        let ran = await run(work!);
        // The audit has not begun.
        while (!isOver && /there is no (queue|audit)/.test(ran.stderr)) ran = await run(work!);
        return ran;
      });
      const { code, stderr } = await report;
      expect(stderr).toMatch(/joined from \d+ signed reports/);
      expect(stderr).not.toContain('refused');
      expect(code).toBe(0);
      const text = await readFile(join(first.home, 'database-2026-11.txt'), 'utf8');
      expect(text).toContain(`Audit of database ${database}: everything holds`);
      const ran = await Promise.all(workers);
      expect(
        ran.filter(({ code, stderr: said }) => code === 0 && /^[1-9]\d* ranges done/m.test(said)),
      ).not.toEqual([]);
    }, 200_000);
  });
});
