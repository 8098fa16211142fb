// The shell commands in docs/audit.md, run in order as a reader would, by the command of the tarball: against a store that a real
// client left, with one refusal in it. A block that cannot run here is marked `sh no-run`.
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { auditedStore } from '../cli/audited.js';
import { Project, REPOSITORY } from './project.js';
import { commandOf, installTarball } from './tarball.js';

vi.setConfig({ testTimeout: 120_000 });

const PAGE = 'docs/audit.md';
const has = (command: string) => spawnSync(command, ['version']).status === 0;

/** Blocks of the page with the line they begin at. */
async function blocks(): Promise<{ line: number; script: string }[]> {
  const text = await readFile(join(REPOSITORY, PAGE), 'utf8');
  return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map((block) => ({
    line: text.slice(0, block.index).split('\n').length + 1,
    script: block[1] ?? '',
  }));
}

describe.skipIf(process.platform === 'win32' || !has('openssl'))('shell snippets', () => {
  test(`${PAGE}: every command runs, one after the other`, async () => {
    const { folder, path } = await auditedStore();
    await using project = await Project.create();
    await installTarball(project);
    const bin = await commandOf(project);
    const env = {
      ...process.env,
      IMMU_TS_STORE: path,
      PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    };
    const found = await blocks();
    expect(found.length).toBeGreaterThan(6);
    for (const { line, script } of found) {
      const { status, stderr } = spawnSync('sh', ['-eu', '-c', script], {
        cwd: folder,
        env,
        encoding: 'utf8',
      });
      expect({ at: `${PAGE}:${line}`, status, stderr: status === 0 ? '' : stderr }).toEqual({
        at: `${PAGE}:${line}`,
        status: 0,
        stderr: '',
      });
    }
    expect(await readFile(join(folder, 'problems.ndjson'), 'utf8')).toMatch(/^{.*"outcome":"failure".*}\n$/);
  });
});
