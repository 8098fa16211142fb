// The package in test runners and bundlers. A bundle finds the threads of the installed package; where it is not installed it does
// without, and says so.
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Project } from '../project.js';
import { pack } from './pack.js';
import { CJS_IMPORTS, ESM, ESM_IMPORTS, program, worked } from './programs.js';
import { node, run } from './tools.js';

const NODE = await node(24);
const nodePath = 'path' in NODE ? NODE.path : process.execPath;
let project: Project;

beforeAll(async () => {
  project = await Project.create();
  const { tarball } = await pack(project);
  const dependencies = { 'immu-ts': `file:${tarball}`, next: '^16', react: '^19', 'react-dom': '^19' };
  const devDependencies = { esbuild: '^0.28', jest: '^30', vitest: '^4', webpack: '^5', 'webpack-cli': '^6' };
  await project.write('package.json', JSON.stringify({ private: true, dependencies, devDependencies }));
  const { code, stderr } = await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], at());
  if (code !== 0) throw new Error(stderr);
  await project.write('use.mjs', ESM);
});
afterAll(() => project[Symbol.asyncDispose]());

const at = (cwd = project.folder) => ({ cwd, nodeAt: nodePath, env: { NEXT_TELEMETRY_DISABLED: '1' } });
const npx = (...args: string[]) => run('npx', args, at());
const WORKED = { code: 0, stdout: `${worked('node:sqlite')}\n`, stderr: '' };
const NO_THREADS = /IMMU_TS_NO_THREADS/;

test('jest, as it comes', async () => {
  await project.write(
    'use.test.js',
    `${program(CJS_IMPORTS)}
test('works', async () => expect(await main()).toBe('${worked('node:sqlite')}'), 60_000);`,
  );
  const ran = await npx('jest', '--rootDir', project.folder, 'use.test.js');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
});

test('vitest', async () => {
  await project.write(
    'use.spec.mjs',
    `import { expect, test } from 'vitest';
${program(ESM_IMPORTS)}
test('works', async () => expect(await main()).toBe('${worked('node:sqlite')}'), 60_000);`,
  );
  const ran = await npx('vitest', 'run', 'use.spec.mjs');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
});

describe.each([
  ['esbuild, ES module', 'out/esbuild.mjs', ['--format=esm']],
  ['esbuild, CommonJS', 'out/esbuild.cjs', ['--format=cjs']],
])('%s', (_name, file, options) => {
  const all = ['esbuild', 'use.mjs', '--bundle', '--platform=node', `--outfile=${file}`, ...options];
  test('with immu-ts left out, as advised', async () => {
    expect(await npx(...all, '--external:immu-ts', '--log-level=warning')).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await run(nodePath, [file], at())).toEqual(WORKED);
  });
  test('with all of it', async () => {
    const banner = file.endsWith('.mjs')
      ? [
          "--banner:js=import { createRequire as cr } from 'node:module'; const require = cr(import.meta.url);",
        ]
      : [];
    expect(await npx(...all, ...banner, '--log-level=warning')).toMatchObject({ code: 0 });
    expect(await run(nodePath, [file], at())).toEqual(WORKED);
    await alone(file);
  });
});

test('webpack', async () => {
  await project.write(
    'webpack.config.cjs',
    `module.exports = { mode: 'production', target: 'node', entry: './use.mjs',
  output: { path: __dirname + '/out', filename: 'webpack.cjs' } };`,
  );
  const built = await npx('webpack');
  expect(built.code, built.stdout + built.stderr).toBe(0);
  expect(await run(nodePath, ['out/webpack.cjs'], at())).toEqual(WORKED);
  await alone('out/webpack.cjs');
});

test('webpack, with immu-ts left out, as advised', async () => {
  await project.write(
    'webpack.out.cjs',
    `module.exports = { mode: 'production', target: 'node', entry: './use.mjs',
  externals: { 'immu-ts': 'node-commonjs immu-ts', 'immu-ts/audit': 'node-commonjs immu-ts/audit',
    'immu-ts/testing': 'node-commonjs immu-ts/testing' },
  output: { path: __dirname + '/out', filename: 'left-out.cjs' } };`,
  );
  const built = await npx('webpack', '--config', 'webpack.out.cjs');
  expect(built.code, built.stdout + built.stderr).toBe(0);
  expect(await run(nodePath, ['out/left-out.cjs'], at())).toEqual(WORKED);
});

/** Where nothing is installed: on one thread, with a warning. */
async function alone(file: string): Promise<void> {
  await using elsewhere = await Project.create();
  await rename(join(project.folder, file), join(elsewhere.folder, file.replace('out/', '')));
  const ran = await run(nodePath, [file.replace('out/', '')], at(elsewhere.folder));
  expect(ran).toMatchObject({ code: 0, stdout: WORKED.stdout });
  expect(ran.stderr).toMatch(NO_THREADS);
}

test('Next.js, an API route of a standalone build', async () => {
  const route = `${program(ESM_IMPORTS)}
export const dynamic = 'force-dynamic';
export async function GET() { return new Response(await main()); }`;
  await project.write('app/api/use/route.js', route);
  await project.write(
    'app/layout.js',
    'export default function Layout({ children }) { return <html><body>{children}</body></html>; }',
  );
  await project.write('app/page.js', 'export default function Page() { return <p>page</p>; }');
  await project.write(
    'next.config.mjs',
    `export default { output: 'standalone', serverExternalPackages: ['immu-ts'],
  outputFileTracingRoot: import.meta.dirname };`,
  );
  const built = await npx('next', 'build');
  expect(built.code, built.stdout + built.stderr).toBe(0);
  // Asks itself, and ends.
  await project.write(
    '.next/standalone/ask.mjs',
    `process.env.PORT = '0'; process.env.HOSTNAME = '127.0.0.1';
import { createServer } from 'node:net';
const free = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => free.once('listening', resolve));
process.env.PORT = String(free.address().port);
await new Promise((resolve) => free.close(resolve));
const { createRequire } = await import('node:module');
createRequire(import.meta.url)('./server.js');
for (let i = 0; i < 100; i++) {
  const answer = await fetch('http://127.0.0.1:' + process.env.PORT + '/api/use').catch(() => undefined);
  if (answer) { process.stderr.write('ANSWER ' + (await answer.text()) + '\\n'); process.exit(0); }
  await new Promise((resolve) => setTimeout(resolve, 200));
}
process.exit(3);`,
  );
  const ran = await run(nodePath, ['ask.mjs'], at(join(project.folder, '.next', 'standalone')));
  expect(ran.stderr).toContain(`ANSWER ${worked('node:sqlite')}`);
  expect(ran.stderr).not.toMatch(NO_THREADS);
});
