// `immu-ts completion`: what bash makes of its script; the scripts of the other shells by what is in them.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { COMMANDS } from '#dist/cli/arguments.js';
import { call } from './call.js';

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;

/** What bash would offer for the last of these words. */
async function offered(words: readonly string[]): Promise<string[]> {
  const { stdout: script } = await call(['completion', 'bash']);
  const program = `${script}
COMP_WORDS=(immu-ts "$@")
COMP_CWORD=$#
_immu_ts
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ran = spawnSync('bash', ['-uc', program, 'bash', ...words], { encoding: 'utf8', cwd: 'test/cli' });
  expect(ran.stderr).toBe('');
  return ran.stdout.split('\n').filter((line) => line !== '');
}

test.skipIf(!has('bash'))('bash: commands, their second words, options and files', async () => {
  expect(await offered(['zs'])).toEqual(['zscan']);
  expect(await offered([''])).toEqual([...new Set(COMMANDS.map(({ name }) => name.split(' ')[0]))]);
  expect(await offered(['audit', 've'])).toEqual(['verify']);
  expect(await offered(['completion', ''])).toEqual(['bash', 'zsh', 'fish']);
  expect(await offered(['get', 'key', '--unv'])).toEqual(['--unverified']);
  expect(await offered(['audit', 'verify', '--follows', 'x', '--ch'])).toEqual(['--checkpoint']);
  expect(await offered(['tx', 'export', '--js'])).toEqual(['--json']);
  expect(await offered(['get', 'key', '--ca', 'completion.t'])).toEqual(['completion.test.ts']);
  expect(await offered(['--v'])).toEqual(['--version']);
  expect(await offered(['get', 'key'])).toEqual([]);
});

test.each(['bash', 'zsh', 'fish'])('%s: names every command and option', async (shell) => {
  const { code, stdout } = await call(['completion', shell]);
  expect(code).toBe(0);
  const flag = shell === 'fish' ? '-l ' : '--';
  for (const { name, load } of COMMANDS) {
    for (const word of name.split(' ')) expect(stdout).toContain(word);
    for (const option of Object.keys((await load()).options)) expect(stdout).toContain(`${flag}${option}`);
  }
  if (has(shell)) expect(spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' }).stderr).toBe('');
  // Every quote is closed: text in fish is in single quotes, with its own ones escaped.
  if (shell === 'fish')
    for (const line of stdout.split('\n'))
      expect((line.replaceAll("\\'", '').match(/'/g) ?? []).length % 2, line).toBe(0);
});
