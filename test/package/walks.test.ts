// Walks of new users: an empty project, the tarball, and the code of the documentation, taken from its pages. What needs a registry is
// walked in matrix/walks.slow.test.ts; an auditor's day in shell-snippets.test.ts.
import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ImmuClient, MemoryRootStore, Permission } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { makeCertificates } from '../support/certificates.js';
import { startImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { blocksUnder, blockUnder } from './blocks.js';
import { Project } from './project.js';
import type { Ran } from './project.js';
import { asJavaScript } from './snippets.js';
import type { Block } from './snippets.js';
import { commandOf, installTarball } from './tarball.js';

// Whole processes, on machines that have others to run.
vi.setConfig({ testTimeout: 180_000 });

const CREDENTIALS = { user: 'immudb', password: 'immudb' };
const isWindows = process.platform === 'win32';
let project: Project;
let path: string;

beforeAll(async () => {
  project = await Project.create();
  await installTarball(project);
  path = `${await commandOf(project)}${delimiter}${process.env['PATH'] ?? ''}`;
});
afterAll(() => project[Symbol.asyncDispose]());

/** Shell commands as a user gives them, in a folder of their own. */
function shell(script: string, cwd: string, env: Record<string, string>): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: 120_000, env: { ...process.env, PATH: path, ...env } };
    execFile('sh', ['-eu', '-c', script], options, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? null) : 0, stdout, stderr }),
    );
  });
}

async function folder(name: string): Promise<string> {
  const made = join(project.folder, name);
  await mkdir(made, { recursive: true });
  return made;
}

async function runBlock(block: Block, name: string, address: string, cwd: string): Promise<string> {
  const script = asJavaScript(block)?.replaceAll('localhost:3322', address);
  expect(script, `${name} is JavaScript`).toBeDefined();
  const file = await project.write(`${name}.mjs`, script!);
  const ran = await project.node(file, { IMMU_TS_STORE: join(cwd, 'roots.db') }, cwd);
  expect(ran, name).toMatchObject({ code: 0, stderr: '' });
  return ran.stdout.trim();
}

test('a service with TypeScript: the code of README.md as modules of one project, on one server and one store', async () => {
  const [first] = (await blocksUnder('README.md', '# immu-ts')).filter(({ info }) => info === 'ts');
  const parts = [
    first!,
    await blockUnder('README.md', '### Databases', 'ts'),
    await blockUnder('README.md', '### Many calls at once', 'ts', 'Promise.all'),
    await blockUnder('README.md', '### The audit log', 'ts'),
  ];
  await using ledger = await EmbeddedLedger.start();
  const files = await Promise.all(
    parts.map(async ({ before, body }, i) => {
      const code = `${before}${body}export {};\n`.replaceAll('localhost:3322', ledger.address);
      await project.write(`service/part-${i}.mts`, code);
      return `service/part-${i}.mts`;
    }),
  );
  const strict = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
  const options = { module: 'nodenext', target: 'es2022', lib: ['es2023', 'esnext.disposable'], ...strict };
  const built = { outDir: 'service-built', rootDir: 'service' };
  expect(await project.tsc('service', { ...options, ...built }, files)).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  const cwd = await folder('service-run');
  for (const i of parts.keys()) {
    const script = join(project.folder, `service-built/part-${i}.mjs`);
    const ran = await project.node(script, { IMMU_TS_STORE: join(cwd, 'roots.db') }, cwd);
    expect(ran, `part ${i}`).toMatchObject({ code: 0, stderr: '' });
    if (i === 0) expect(ran.stdout).toBe('paid true\n');
  }
});

test('somebody who comes from immu-py: the program of the migration page, as it stands', async () => {
  const program = await blockUnder('docs/migrating.md', '## From immu-py', 'ts');
  await using ledger = await EmbeddedLedger.start();
  expect((await runBlock(program, 'from-py', ledger.address, await folder('from-py'))).split('\n')).toEqual([
    ...['value123', 'null', '3', 'value1,value2', 'true'],
  ]);
});

test.skipIf(isWindows)(
  'an ingestion engineer: a file by the command, a stream by the client, gone on with',
  async () => {
    const cwd = await folder('ingestion');
    await using ledger = await EmbeddedLedger.start();
    const lines = Array.from({ length: 50 }, (_, i) => JSON.stringify({ number: i, cents: i * 100 }));
    await project.write('ingestion/invoices.ndjson', `${lines.join('\n')}\n`);
    const env = { IMMUDB_ADDRESS: ledger.address, IMMU_TS_STORE: join(cwd, 'roots.db') };

    const file = await blockUnder('docs/cookbook.md', '## Ingest a file', 'sh no-run');
    const ran = await shell(file.body, cwd, env);
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(ran.stdout.match(/invoice\/\d+/g)?.length).toBeGreaterThanOrEqual(50);
    // The same again: it is all there.
    expect(await shell(file.body, cwd, env)).toMatchObject({ code: 0 });

    const stream = await blockUnder('docs/cookbook.md', '## Ingest a stream', 'ts');
    expect(await runBlock(stream, 'stream', ledger.address, cwd)).toBe('1000');
    expect(await readFile(join(cwd, 'ingest.token'), 'utf8')).toMatch(/^immu-ingest-1\.1000\./);
    expect(await runBlock(stream, 'stream', ledger.address, cwd)).toBe('0');
  },
);

describePrivate(
  'an operator with a TLS server',
  () => {
    test.skipIf(isWindows)(
      'the environment of the page: audits exit with 0; what is wrong with 1, 2 and 3',
      async () => {
        const cwd = await folder('operator');
        const pem = await makeCertificates(cwd);
        const tls = { certificate: pem.serverCertificate, key: pem.serverKey };
        const server = await startImmudb({ tls, signing: true });
        try {
          const admin = new ImmuClient({
            address: server.address,
            credentials: CREDENTIALS,
            tls: { ca: await readFile(pem.ca) },
            store: new MemoryRootStore(),
          });
          await admin.databases.create('billing');
          await admin.users.create('auditor', 'Look-0nly!', Permission.R, 'billing');
          await admin.database('billing').verifiedSet('invoice/17', 'paid');
          await admin.close();
          await project.write('operator/password', 'Look-0nly!\n');
          await project.write('operator/state-key.pub.pem', server.publicKeyPem!);

          const { body } = await blockUnder(
            'docs/command-line.md',
            '## The way to a server',
            'sh no-run',
            'IMMUDB_URL',
          );
          const script = body
            .replace('db.example:3322', `localhost:${server.port}`)
            .replace('/run/secrets/immudb', join(cwd, 'password'))
            .replace('/etc/immu-ts/state-key.pub.pem', join(cwd, 'state-key.pub.pem'));
          expect(script).not.toMatch(/example|\/run|\/etc/);
          const env = { IMMU_TS_STORE: join(cwd, 'roots.db'), IMMUDB_CA: pem.ca };
          const ran = await shell(script, cwd, env);
          expect(ran, ran.stderr).toMatchObject({ code: 0 });
          expect(await readFile(join(cwd, 'report.txt'), 'utf8')).toMatch(/billing/);

          const [exports] = script.split('immu-ts ');
          const get = `${exports!}immu-ts get invoice/17`;
          expect(await shell(get, cwd, env)).toMatchObject({ code: 0, stdout: 'paid' });
          expect((await shell(get, cwd, { ...env, IMMUDB_CA: pem.otherCa })).code).toBe(1);
          expect((await shell(`${get} --no-such-option`, cwd, env)).code).toBe(2);
          // Another key than the server's: its states are not signed with it.
          const other = { ...env, IMMU_TS_STORE: join(cwd, 'other.db') };
          const foreign = await startImmudb({ signing: true });
          await project.write('operator/other.pub.pem', foreign.publicKeyPem!);
          await foreign.close();
          expect((await shell(`${get} --state-key other.pub.pem`, cwd, other)).code).toBe(3);
        } finally {
          await server.close();
        }
      },
    );
  },
  { certificates: true },
);

describe('the finder of blocks', () => {
  test('throws for a heading, and for a block, that is not there', async () => {
    await expect(blocksUnder('README.md', '## Nowhere')).rejects.toThrow('has no heading');
    await expect(blockUnder('README.md', '### Databases', 'yaml')).rejects.toThrow('0 blocks');
  });
});
