// A standard output that cannot be written: a line that says so, no stack, and no exit code of 0.
import { spawnSync } from 'node:child_process';
import { existsSync, openSync, closeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { auditedStore } from './audited.js';

const MAIN = fileURLToPath(new URL('../../dist/cjs/cli/main.js', import.meta.url));
const FULL = '/dev/full';

test.skipIf(!existsSync(FULL))('is told in one line', async () => {
  const { path } = await auditedStore();
  const full = openSync(FULL, 'w');
  try {
    for (const args of [
      ['--help'],
      ['audit', 'list', '--store', path],
      ['audit', 'export', '--store', path, '--format', 'csv'],
      ['audit', 'verify', '--store', path],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
        timeout: 30_000,
      });
      expect([args, status, stderr]).toEqual([
        args,
        1,
        'immu-ts: standard output cannot be written: ENOSPC: no space left on device, write\n',
      ]);
    }
    // Where neither can be: an exit code.
    const { status } = spawnSync(process.execPath, [MAIN, 'none'], {
      stdio: ['ignore', full, full],
      timeout: 30_000,
    });
    expect(status).toBe(2);
  } finally {
    closeSync(full);
  }
});
