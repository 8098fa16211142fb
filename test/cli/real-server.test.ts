// Commands on servers as they are run: TLS, client certificates, signed states, pinned roots, passwords in files, all from the
// command line, the environment or a URL; and what their exit codes say.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeCertificates } from '../support/certificates.js';
import type { TestCertificates } from '../support/certificates.js';
import { startImmudb } from '../support/immudb.js';
import type { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { jsonOf } from './data-support.js';
import { run, temporaryFolder } from './run.js';

const servers = () => {
  let dir: string;
  let files: TestCertificates;
  let tls: TestImmudb;
  let mutual: TestImmudb;
  let signing: TestImmudb;
  let cwd: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'immu-ts-cli-tls-'));
    files = await makeCertificates(dir);
    const own = { certificate: files.serverCertificate, key: files.serverKey };
    [tls, mutual, signing] = await Promise.all([
      startImmudb({ tls: own }),
      startImmudb({ tls: { ...own, clientCAs: files.ca, mtls: true } }),
      startImmudb({ signing: true }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([tls, mutual, signing].map((server) => server.close()));
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    cwd = await temporaryFolder();
    env = { IMMU_TS_STORE: join(cwd, 'roots.db') };
  });

  const cli = (args: readonly string[], more: Record<string, string> = {}) =>
    run(args, { cwd, env: { ...env, ...more }, again: true });

  test('TLS by options, by the environment and by a URL; without it, or with another authority, exit code 1', async () => {
    const { ca } = files;
    const set = await cli(['set', 'k', 'v', '--address', tls.address, '--ca', ca]);
    expect([set.code, set.stderr]).toEqual([0, '']);
    const url = `immudb://immudb@localhost:${tls.port}/defaultdb?tls=true`;
    const around = { IMMUDB_URL: url, IMMUDB_CA: ca, IMMUDB_PASSWORD: 'immudb' };
    expect(await cli(['get', 'k'], around)).toMatchObject({ code: 0, stdout: 'v' });
    const named = ['--address', tls.address, '--ca', ca, '--server-name', 'localhost'];
    expect(await cli(['get', 'k', ...named])).toMatchObject({ code: 0, stdout: 'v' });
    for (const wrong of [
      [],
      ['--tls'],
      ['--ca', files.otherCa],
      ['--ca', ca, '--server-name', 'elsewhere.example'],
    ]) {
      const refused = await cli(['get', 'k', '--address', tls.address, ...wrong]);
      expect([wrong, refused.code, refused.stdout]).toEqual([wrong, 1, '']);
      expect(refused.stderr).toMatch(/^immu-ts: UNAVAILABLE: .*\n$/);
    }
  });

  test('the same for audits and ingestion', async () => {
    const way = ['--address', tls.address, '--ca', files.ca];
    await cli(['set', 'k', 'v', ...way]);
    const audit = await cli(['audit', 'database', ...way]);
    expect([audit.code, audit.stderr]).toEqual([0, '']);
    const packages = { '': {}, 'node_modules/one': { version: '1.0.0', integrity: 'sha512-x' } };
    await writeFile(join(cwd, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }));
    const ingested = await cli(['ingest', ...way]);
    expect([ingested.code, ingested.stdout]).toEqual([0, expect.stringContaining('immudb at')]);
  });

  test('a server that demands certificates', async () => {
    const way = ['--address', mutual.address, '--ca', files.ca];
    const own = ['--cert', files.clientCertificate, '--client-key', files.clientKey];
    expect((await cli(['set', 'k', 'v', ...way, ...own])).code).toBe(0);
    const around = { IMMUDB_CERT: files.clientCertificate, IMMUDB_CLIENT_KEY: files.clientKey };
    expect(await cli(['get', 'k', ...way], around)).toMatchObject({ code: 0, stdout: 'v' });
    expect((await cli(['get', 'k', ...way])).code).toBe(1);
    const half = await cli(['get', 'k', ...way, '--cert', files.clientCertificate]);
    expect([half.code, half.stderr]).toEqual([
      2,
      expect.stringContaining('--cert and --client-key go together'),
    ]);
  });

  test('a state key: with the right one it holds, with another it is refuted', async () => {
    const key = join(cwd, 'state-key.pem');
    await writeFile(key, signing.publicKeyPem!);
    const way = ['--address', signing.address];
    expect((await cli(['set', 'k', 'v', ...way, '--state-key', key])).code).toBe(0);
    expect(await cli(['get', 'k', ...way], { IMMUDB_STATE_KEY: key })).toMatchObject({
      code: 0,
      stdout: 'v',
    });
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(key, publicKey.export({ type: 'spki', format: 'pem' }));
    const strange = { IMMU_TS_STORE: join(cwd, 'other.db') };
    const refuted = await cli(['get', 'k', ...way, '--state-key', key], strange);
    expect([refuted.code, refuted.stdout]).toEqual([3, '']);
    expect(refuted.stderr).toMatch(/^immu-ts: VERIFICATION_FAILED: /);
    await writeFile(key, 'no key');
    expect((await cli(['get', 'k', ...way, '--state-key', key])).code).toBe(2);
    expect((await cli(['get', 'k', ...way, '--state-key', join(cwd, 'gone')])).code).toBe(1);
  });

  test('a pinned root: the one it had holds, another is refuted', async () => {
    const way = ['--address', signing.address];
    await cli(['set', 'k', 'v', ...way]);
    const { tx, alh } = jsonOf({
      ...(await cli(['state', '--json', ...way])),
      bytes: Buffer.alloc(0),
      code: 0,
    });
    await cli(['set', 'k', 'w', ...way]);
    const fresh = (name: string) => ({ IMMU_TS_STORE: join(cwd, name) });
    const held = await cli(['get', 'k', ...way, '--pin', `${String(tx)}:${String(alh)}`], fresh('a.db'));
    expect([held.stderr, held.code, held.stdout]).toEqual([expect.any(String), 0, 'w']);
    const other = { ...fresh('b.db'), IMMUDB_PIN: `${String(tx)}:${'ab'.repeat(32)}` };
    expect((await cli(['get', 'k', ...way], other)).code).toBe(3);
    const wrong = await cli(['get', 'k', ...way, '--pin', 'latest'], fresh('c.db'));
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--pin is TX:ALH')]);
  });

  test('a password in a file; one that is wrong: exit code 1, and nowhere to be read', async () => {
    const file = join(cwd, 'password');
    await writeFile(file, 'immudb\n');
    const way = ['--address', signing.address];
    expect((await cli(['state', ...way, '--password-file', file])).code).toBe(0);
    expect((await cli(['state', ...way], { IMMUDB_PASSWORD_FILE: file })).code).toBe(0);
    await writeFile(file, 'Wrong-7-secret\n');
    const url = `immudb://immudb:Wrong-7-secret@${signing.address}`;
    for (const refused of [
      await cli(['state', ...way, '--password-file', file]),
      await cli(['state', '--address', url]),
      await cli(['state', '--address', `${url}?tls=perhaps`]),
    ]) {
      expect(refused.code).toBeGreaterThan(0);
      expect(refused.code).toBeLessThan(3);
      expect(refused.stdout + refused.stderr).not.toContain('secret');
    }
  });
};

describePrivate('servers as they are run', servers, { certificates: true });

test('alone it shows its help', async () => {
  const alone = await run([]);
  expect(alone).toMatchObject({ code: 0, stderr: '' });
  expect(alone.stdout).toBe((await run(['--help'])).stdout);
});
