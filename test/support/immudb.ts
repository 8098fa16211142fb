// Real immudb servers for tests: private ones with special options, and one that the whole run shares.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { serverBinary } from './server-binary.js';
import { waitHealthy } from './wire-client.js';

export interface TestImmudbOptions {
  /** Kept when given; otherwise a temporary one that goes away with the server. */
  readonly dir?: string;
  readonly port?: number;
  readonly auth?: boolean;
  readonly synced?: boolean;
  /** Makes a P-256 key and signs states with it. */
  readonly signing?: boolean;
  readonly logRequestMetadata?: boolean;
  readonly sessionTimeoutMs?: number;
  readonly maxSessions?: number;
  readonly tls?: {
    readonly certificate: string;
    readonly key: string;
    readonly clientCAs?: string;
    readonly mtls?: boolean;
  };
  readonly replicaOf?: string;
}

const READY_WITHIN_MS = 60_000;

/** A private server; `restart` keeps its data, address and keys. */
export class TestImmudb {
  readonly dir: string;
  readonly port: number;
  readonly publicKeyPem: string | undefined;
  readonly #options: TestImmudbOptions;
  readonly #signingKey: string | undefined;
  #child: ChildProcess | undefined;

  private constructor(
    dir: string,
    port: number,
    options: TestImmudbOptions,
    key?: { file: string; publicPem: string },
  ) {
    this.dir = dir;
    this.port = port;
    this.#options = options;
    this.#signingKey = key?.file;
    this.publicKeyPem = key?.publicPem;
  }

  static async start(options: TestImmudbOptions = {}): Promise<TestImmudb> {
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'immu-ts-server-')));
    const key = options.signing ? await makeSigningKey(dir) : undefined;
    const server = new TestImmudb(dir, options.port ?? (await freePort()), options, key);
    await server.start();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const binary = await serverBinary();
    if (binary.kind === 'none') throw new Error(`no immudb to start: ${binary.reason}`);
    const args = binary.kind === 'testserver' ? this.#testserverArgs() : this.#immudbArgs();
    const child = spawn(binary.path, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)));
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`immudb ended with ${String(code)} before it was ready: ${log}`);
    });
    failed.catch(() => undefined);
    if (binary.kind === 'testserver')
      await Promise.race([once(createInterface(child.stdout), 'line'), failed]);
    if (!this.#options.tls) await Promise.race([waitHealthy(this.address, READY_WITHIN_MS), failed]);
    child.stdout.resume();
  }

  /** Stops cleanly; the data stays until `close`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async close(): Promise<void> {
    await this.stop('SIGKILL');
    if (!this.#options.dir) await rm(this.dir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #testserverArgs(): string[] {
    const o = this.#options;
    const timeout = o.sessionTimeoutMs;
    return [
      `-dir=${join(this.dir, 'data')}`,
      `-port=${this.port}`,
      `-auth=${String(o.auth ?? true)}`,
      `-synced=${String(o.synced ?? false)}`,
      `-log-request-metadata=${String(o.logRequestMetadata ?? false)}`,
      `-max-sessions=${o.maxSessions ?? 1000}`,
      ...(timeout ? [`-session-timeout=${timeout}ms`, `-session-guard=${Math.max(50, timeout / 4)}ms`] : []),
      ...(this.#signingKey ? [`-signing-key=${this.#signingKey}`] : []),
      ...(o.tls ? [`-certificate=${o.tls.certificate}`, `-key=${o.tls.key}`] : []),
      ...(o.tls?.clientCAs ? [`-client-cas=${o.tls.clientCAs}`] : []),
      ...(o.tls?.mtls ? ['-mtls'] : []),
      ...(o.replicaOf ? [`-replica-of=${o.replicaOf}`] : []),
    ];
  }

  #immudbArgs(): string[] {
    const o = this.#options;
    const timeout = o.sessionTimeoutMs;
    const [host, port] = (o.replicaOf ?? '').split(':');
    return [
      `--dir=${join(this.dir, 'data')}`,
      '--address=127.0.0.1',
      `--port=${this.port}`,
      `--auth=${String(o.auth ?? true)}`,
      `--synced=${String(o.synced ?? false)}`,
      '--pgsql-server=false',
      '--web-server=false',
      '--metrics-server=false',
      `--log-request-metadata=${String(o.logRequestMetadata ?? false)}`,
      `--max-sessions=${o.maxSessions ?? 1000}`,
      ...(timeout
        ? [`--session-timeout=${timeout}ms`, `--sessions-guard-check-interval=${Math.max(50, timeout / 4)}ms`]
        : []),
      ...(this.#signingKey ? [`--signingKey=${this.#signingKey}`] : []),
      ...(o.tls ? [`--certificate=${o.tls.certificate}`, `--pkey=${o.tls.key}`] : []),
      ...(o.tls?.clientCAs ? [`--clientcas=${o.tls.clientCAs}`] : []),
      ...(o.tls?.mtls ? ['--mtls'] : []),
      ...(o.replicaOf
        ? [
            '--replication-is-replica',
            `--replication-primary-host=${host ?? ''}`,
            `--replication-primary-port=${port ?? ''}`,
            '--replication-primary-username=immudb',
            '--replication-primary-password=immudb',
          ]
        : []),
    ];
  }
}

/** ca.pem, server.pem/.key, client.pem/.key, other-ca.pem in a folder; null when only a plain immudb is at hand. */
export async function makeCertificates(dir: string): Promise<boolean> {
  const binary = await serverBinary();
  if (binary.kind !== 'testserver') return false;
  const child = spawn(binary.path, [`-make-certs=${dir}`], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`making certificates failed with ${String(code)}`);
  return true;
}

async function makeSigningKey(dir: string): Promise<{ file: string; publicPem: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const file = join(dir, 'signing.key');
  await writeFile(file, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return { file, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
