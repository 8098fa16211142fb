// The reference: every export has its page, and no link in a docstring or a page of the documentation leads nowhere. typedoc reads
// all types, which is too long for the other suite.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Project, REPOSITORY } from '../project.js';
import { run } from './tools.js';

test('npm run docs: without a warning', async () => {
  await using project = await Project.create();
  const out = join(project.folder, 'site');
  const ran = await run('npm', ['run', '--silent', 'docs', '--', '--out', out], { cwd: REPOSITORY });
  expect({ code: ran.code, said: ran.stdout.match(/\[(warning|error)\].*/g) ?? [] }).toEqual({
    code: 0,
    said: [],
  });
  expect(ran.stderr).not.toMatch(/warning|error/);
  const page = await readFile(join(out, 'classes/index.ImmuClient.html'), 'utf8');
  // Their names are in lower case.
  for (const call of ['verifiedset', 'verifiedget', 'follow', 'transaction'])
    expect(page).toContain(`id="${call}`);
});
