// The harness itself: servers start, stop, crash and come back; they end with the process that started them.
import { spawn } from 'node:child_process';
import { X509Certificate, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { describe, expect, inject, it } from 'vitest';
import { makeCertificates } from './certificates.js';
import { startImmudb } from './immudb.js';
import { isAlive, withLock } from './lock.js';
import { describePrivate, describeReal, freshDatabase, sharedImmudb } from './real.js';
import { WireClient } from './wire-client.js';

const bytes = (text: string): Buffer => Buffer.from(text);

describeReal('the shared server', () => {
  it('is the one that the run provides', () => {
    expect(inject('immudb')).toMatchObject({ address: sharedImmudb() });
  });

  it('makes databases with the settings asked for', async () => {
    const database = await freshDatabase(sharedImmudb(), { excludeCommitTime: true, maxKeyLen: 64 });
    const client = await WireClient.open(sharedImmudb(), database);
    try {
      const header = await client.call('Set', { KVs: [{ key: bytes('k'), value: bytes('v') }] });
      expect(header.id).toBe('1');
      expect(header.ts ?? '0').toBe('0');
      await expect(
        client.call('Set', { KVs: [{ key: Buffer.alloc(64), value: bytes('v') }] }),
      ).rejects.toMatchObject({ details: 'max key length exceeded' });
    } finally {
      client.close();
    }
  });
});

describePrivate('servers of their own', () => {
  it('keep data and address over a crash, and refuse while they are down', async () => {
    await using server = await startImmudb({ synced: true, adminPassword: 'Other#1234' });
    const { address, pid } = server;
    const login = (): Promise<WireClient> => WireClient.open(address, 'defaultdb', 'immudb', 'Other#1234');
    const before = await login();
    await before.call('Set', { KVs: [{ key: bytes('k'), value: bytes('v') }] });
    before.close();
    await expect(WireClient.open(address)).rejects.toMatchObject({
      details: 'invalid user name or password',
    });

    await server.kill();
    expect(isAlive(pid!)).toBe(false);
    await expect(login()).rejects.toMatchObject({ code: 14 });

    await server.start();
    expect(server.address).toBe(address);
    const after = await login();
    expect((await after.call('Get', { key: bytes('k') })).value).toEqual(bytes('v'));
    after.close();
  });

  it('sign states with the key that they keep over a restart', async () => {
    await using server = await startImmudb({ signing: true });
    const signer = createPublicKey(server.publicKeyPem!).export({ format: 'jwk' });
    expect(createPublicKey(server.signingKeyPem!).export({ format: 'jwk' })).toEqual(signer);
    for (const restart of [false, true]) {
      if (restart) await server.restart();
      const client = await WireClient.open(server.address);
      const { signature } = await client.call('CurrentState');
      const [x, y] = [signature.publicKey.subarray(1, 33), signature.publicKey.subarray(33)];
      expect([x.toString('base64url'), y.toString('base64url')]).toEqual([signer.x, signer.y]);
      client.close();
    }
  });

  it('close sessions that are idle for longer than the timeout', async () => {
    await using server = await startImmudb({ sessionTimeoutMs: 200, sessionGuardMs: 50 });
    const client = await WireClient.open(server.address);
    await expect
      .poll(() => client.call('CurrentState').then(String, String), {
        timeout: 10_000,
        interval: 500,
      })
      .toContain('session not found');
    client.close();
  });

  it('say why they did not start', async () => {
    await using server = await startImmudb();
    await expect(startImmudb({ port: server.port })).rejects.toThrow(/address already in use/);
  });

  it('end when the process that started them is killed', async () => {
    const script = fileURLToPath(new URL('start-and-wait.ts', import.meta.url));
    const parent = spawn(process.execPath, ['--import', 'tsx', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const { pid, dir } = JSON.parse(line) as { pid: number; dir: string };
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
    await rm(dir, { recursive: true, force: true });
  });
});

describePrivate(
  'servers with TLS',
  () => {
    it('show a certificate that the test authority signed', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'immu-ts-certificates-'));
      try {
        const made = await makeCertificates(dir);
        const ca = await readFile(made.ca);
        expect(
          new X509Certificate(await readFile(made.serverCertificate)).verify(
            new X509Certificate(ca).publicKey,
          ),
        ).toBe(true);
        await using server = await startImmudb({
          tls: { certificate: made.serverCertificate, key: made.serverKey, clientCAs: made.ca, mtls: true },
        });
        const channel = credentials.createSsl(
          ca,
          await readFile(made.clientKey),
          await readFile(made.clientCertificate),
        );
        const client = await WireClient.open(server.address, 'defaultdb', 'immudb', 'immudb', channel);
        expect((await client.call('Health')).status).toBe(true);
        client.close();
        const stranger = credentials.createSsl(await readFile(made.otherCa));
        await expect(
          WireClient.open(server.address, 'defaultdb', 'immudb', 'immudb', stranger),
        ).rejects.toMatchObject({ code: 14 });
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    });
  },
  { certificates: true },
);

describe('the lock between processes', () => {
  it('lets one in at a time, and ignores the one that a dead process left', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'immu-ts-lock-'));
    const file = join(dir, 'lock');
    const dead = spawn(process.execPath, [
      '-e',
      `require('fs').writeFileSync(${JSON.stringify(file)}, String(process.pid))`,
    ]);
    await once(dead, 'exit');
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 3 }, () =>
        withLock(file, async () => {
          most = Math.max(most, (inside += 1));
          await new Promise(setImmediate);
          inside -= 1;
        }),
      ),
    );
    expect(most).toBe(1);
    await rm(dir, { recursive: true, force: true });
  });
});
