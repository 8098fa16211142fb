// Giving a finished file its name where the file system has no links: whole or not at all, and never over another file.
import fs from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { publish } from '#dist/store/sqlite/file/create.js';
import { folder } from './support.js';

let draft: string;
let path: string;

beforeEach(async () => {
  const at = await folder();
  [draft, path] = [join(at, 'a.draft'), join(at, 'a.db')];
  await writeFile(draft, 'whole');
  refuse('linkSync', 'EPERM');
});

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

function refuse(call: 'linkSync' | 'renameSync', code: string) {
  const spy = vi.spyOn(fs, call).mockImplementation(() => {
    throw Object.assign(new Error(code), { code });
  });
  syncBuiltinESMExports();
  return spy;
}

it('takes the name', async () => {
  expect(publish(draft, path)).toBe(true);
  expect(await readFile(path, 'utf8')).toBe('whole');
});

it('leaves another file as it is', async () => {
  await writeFile(path, 'of somebody else');
  expect(publish(draft, path)).toBe(false);
  expect(await readFile(path, 'utf8')).toBe('of somebody else');
});

it('leaves nothing under the name when it fails', async () => {
  const renamed = refuse('renameSync', 'ENOSPC');
  expect(() => publish(draft, path)).toThrow('ENOSPC');
  expect(renamed).toHaveBeenCalledWith(draft, path);
  expect(await readdir(dirname(path))).toEqual(['a.draft']);
});
