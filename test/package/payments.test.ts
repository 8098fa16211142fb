// What a user builds first: a payments service on nothing but the package's tarball, on the embedded ledger and on a real immudb.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeReal, sharedImmudb } from '../support/real.js';
import { Project, REPOSITORY } from './project.js';
import { installTarball } from './tarball.js';

// Whole processes, on machines that have others to run.
vi.setConfig({ testTimeout: 120_000 });

const RIGHT = {
  opened: [true, true, true],
  again: false,
  balances: [650, null, 150],
  alice: 3,
  bob: 'closed',
  accounts: ['account/alice', 'account/carol'],
  twice: 'payment 3 was made before',
  closed: [true, false],
  statement: true,
  missing: true,
};

let project: Project;

beforeAll(async () => {
  project = await Project.create();
  await installTarball(project);
  const source = await readFile(join(REPOSITORY, 'test/package/payments/service.mts'), 'utf8');
  await project.write('service.mts', source);
  const options = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    skipLibCheck: false,
  };
  const compiled = await project.tsc('payments', { ...options, outDir: 'built' }, ['service.mts']);
  expect(compiled).toEqual({ code: 0, stdout: '', stderr: '' });
});

afterAll(() => project[Symbol.asyncDispose]());

async function ran(address: string): Promise<unknown> {
  const { code, stdout, stderr } = await project.node(join(project.folder, 'built/service.mjs'), {
    LEDGER: address,
  });
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

test('on the embedded ledger', async () => {
  await using ledger = await EmbeddedLedger.start();
  expect(await ran(ledger.address)).toEqual(RIGHT);
});

describeReal('a payments service', () => {
  test('on a server', async () => {
    expect(await ran(sharedImmudb())).toEqual(RIGHT);
  });
});
