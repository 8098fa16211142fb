// Certificates for TLS tests, made by the test server's own `-make-certs`: no openssl needed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { builtTestServer } from './server-binary.js';

/** Paths of PEM files. The server's certificate is for localhost, 127.0.0.1 and ::1. */
export interface TestCertificates {
  readonly ca: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** An authority that signed none of them. */
  readonly otherCa: string;
}

/** Makes them in a folder. Needs a Go toolchain: use `describePrivate(name, body, { certificates: true })`. */
export async function makeCertificates(dir: string): Promise<TestCertificates> {
  const binary = await builtTestServer();
  if (!binary) throw new Error('making test certificates takes a Go toolchain');
  const child = spawn(binary, [`-make-certs=${dir}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`making certificates failed with ${String(code)}`);
  return {
    ca: join(dir, 'ca.pem'),
    serverCertificate: join(dir, 'server.pem'),
    serverKey: join(dir, 'server.key'),
    clientCertificate: join(dir, 'client.pem'),
    clientKey: join(dir, 'client.key'),
    otherCa: join(dir, 'other-ca.pem'),
  };
}
