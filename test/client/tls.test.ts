// TLS and mutual TLS against a real immudb, and what is said when either side is not who it should be.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TlsOptions } from '#dist/client/options/options.js';
import { makeCertificates } from '../support/certificates.js';
import { startImmudb } from '../support/immudb.js';
import type { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { connect, failure } from './support.js';

describePrivate(
  'TLS',
  () => {
    let dir: string;
    let plain: TestImmudb;
    let tls: TestImmudb;
    let mutual: TestImmudb;
    const pem: Record<'ca' | 'otherCa' | 'cert' | 'key', Buffer> = {} as never;

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'immu-ts-tls-'));
      const paths = await makeCertificates(dir);
      pem.ca = await readFile(paths.ca);
      pem.otherCa = await readFile(paths.otherCa);
      pem.cert = await readFile(paths.clientCertificate);
      pem.key = await readFile(paths.clientKey);
      const files = { certificate: paths.serverCertificate, key: paths.serverKey };
      [plain, tls, mutual] = await Promise.all([
        startImmudb(),
        startImmudb({ tls: files }),
        startImmudb({ tls: { ...files, clientCAs: paths.ca, mtls: true } }),
      ]);
    });
    afterAll(async () => {
      await Promise.all([plain, tls, mutual].map((server) => server.close()));
      await rm(dir, { recursive: true, force: true });
    });

    async function works(address: string, options: TlsOptions | boolean): Promise<void> {
      await using client = connect(address, { tls: options });
      expect(await client.session.unary('CurrentState', {}, {})).toMatchObject({ db: 'defaultdb' });
    }

    async function refusedWith(address: string, options: TlsOptions | boolean, connectTimeoutMs = 10_000) {
      await using client = connect(address, { tls: options, connectTimeoutMs });
      const error = await failure(client.session.unary('CurrentState', {}, {}));
      expect(error.code).toBe('UNAVAILABLE');
      expect(error.message).toContain(address);
      return error.message;
    }

    test('with the right authority, by address and by name, as text and as bytes', async () => {
      await works(tls.address, { ca: pem.ca });
      await works(`localhost:${tls.port}`, { ca: pem.ca.toString() });
      await works(tls.address, { ca: new Uint8Array(pem.ca) });
    });

    test('with another name, when the certificate has it', async () => {
      await works(tls.address, { ca: pem.ca, serverName: 'localhost' });
      expect(await refusedWith(tls.address, { ca: pem.ca, serverName: 'elsewhere.example' })).toMatch(
        /altnames|elsewhere\.example/i,
      );
    });

    test('with another address, when the certificate has it', async () => {
      await works(`localhost:${tls.port}`, { ca: pem.ca, serverName: '127.0.0.1' });
      expect(await refusedWith(tls.address, { ca: pem.ca, serverName: '127.0.0.9' })).toMatch(
        /altnames|127\.0\.0\.9/i,
      );
    });

    test("an authority that did not sign it, and the platform's authorities", async () => {
      expect(await refusedWith(tls.address, { ca: pem.otherCa })).toMatch(/certificate/i);
      expect(await refusedWith(tls.address, true)).toMatch(/certificate/i);
    });

    test('TLS to a plain server, and plain to a TLS server', async () => {
      await refusedWith(plain.address, { ca: pem.ca }, 2000);
      await refusedWith(tls.address, false, 2000);
    });

    test('mutual: with a certificate, and without one', async () => {
      const { ca, cert, key } = pem;
      await works(mutual.address, { ca, cert, key });
      await refusedWith(mutual.address, { ca }, 2000);
    });
  },
  { certificates: true },
);
