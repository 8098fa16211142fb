// Real immudb servers for tests: private ones with special options, and one that the whole run shares.
import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { immudbArgs, testserverArgs } from './server-args.js';
import type { TestImmudbOptions } from './server-args.js';
import { serverBinary } from './server-binary.js';
import type { ServerBinary } from './server-binary.js';
import { waitHealthy, waitListening } from './wait-ready.js';
import { freePort } from './programs.js';

export type { TestImmudbOptions } from './server-args.js';

const READY_WITHIN_MS = 60_000;

interface SigningKey {
  readonly file: string;
  readonly privatePem: string;
  readonly publicPem: string;
}

/** Starts a private server; `await using` stops it and removes its data. */
export function startImmudb(options?: TestImmudbOptions): Promise<TestImmudb> {
  return TestImmudb.start(options);
}

/** A private server; `restart` keeps its data, address and keys. It ends at the latest when this process does. */
export class TestImmudb {
  readonly dir: string;
  readonly #options: TestImmudbOptions;
  readonly #key: SigningKey | undefined;
  #port: number;
  #child: ChildProcess | undefined;

  private constructor(dir: string, options: TestImmudbOptions, key: SigningKey | undefined) {
    this.dir = dir;
    this.#options = options;
    this.#key = key;
    this.#port = options.port ?? 0;
  }

  static async start(options: TestImmudbOptions = {}): Promise<TestImmudb> {
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'immu-ts-server-')));
    const server = new TestImmudb(dir, options, options.signing ? await makeSigningKey(dir) : undefined);
    try {
      await server.start();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The key that signs states, with option `signing`. */
  get signingKeyPem(): string | undefined {
    return this.#key?.privatePem;
  }

  /** What a client needs to check signed states, with option `signing`. */
  get publicKeyPem(): string | undefined {
    return this.#key?.publicPem;
  }

  /** Starts it again after `stop` or `kill`, on the same data and address. */
  async start(): Promise<void> {
    if (this.#child) throw new Error('this server is running');
    const binary = await serverBinary();
    if (binary.kind === 'none') throw new Error(`no immudb to start: ${binary.reason}`);
    // A plain immudb cannot say which port it took, and another server on its port would answer in its place.
    if (binary.kind === 'immudb') this.#port = await freePort(this.#port);
    const child = this.#spawn(binary);
    this.#child = child;
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)));
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`immudb ended with ${String(code)} before it was ready: ${log}`);
    });
    failed.catch(() => undefined);
    if (binary.kind === 'testserver') {
      const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), failed]);
      const { address } = JSON.parse(String(line)) as { address: string };
      this.#port = Number(address.slice(address.lastIndexOf(':') + 1));
    }
    const ready = this.#options.tls ? waitListening : waitHealthy;
    await Promise.race([ready(this.address, READY_WITHIN_MS), failed]);
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

  /** As a crash would: SIGKILL. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async close(): Promise<void> {
    await this.kill();
    if (!this.#options.dir) await rm(this.dir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #spawn(binary: Exclude<ServerBinary, { kind: 'none' }>): ChildProcessWithoutNullStreams {
    const place = { data: join(this.dir, 'data'), port: this.#port, signingKey: this.#key?.file };
    const args =
      binary.kind === 'testserver' ? testserverArgs(this.#options, place) : immudbArgs(this.#options, place);
    const child = spawn(binary.path, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    // Our test server sees the end of its standard input; a plain immudb needs someone who looks for it.
    if (binary.kind === 'immudb' && child.pid !== undefined) endWithUs(child, child.pid);
    return child;
  }
}

/** A shell that waits for its standard input to end, which happens when this process does, and then kills. */
export function endWithUs(child: ChildProcess, pid: number): void {
  const watch = spawn('sh', ['-c', 'read -r _; kill -9 "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.once('exit', () => watch.kill('SIGKILL'));
}

async function makeSigningKey(dir: string): Promise<SigningKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const file = join(dir, 'signing.key');
  const privatePem = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  await writeFile(file, privatePem, { mode: 0o600 });
  return { file, privatePem, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}
