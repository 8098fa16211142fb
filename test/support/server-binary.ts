// Where a real immudb comes from: `immudb` on PATH, or our test server built with the Go toolchain, once.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withLock } from './lock.js';

const run = promisify(execFile);
const MODULE = fileURLToPath(new URL('../immudb/', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/immudb-test-server/', import.meta.url));
const SOURCES = ['go.mod', 'go.sum', 'main.go', 'tls.go'];

export type ServerBinary =
  | { readonly kind: 'immudb'; readonly path: string }
  | { readonly kind: 'testserver'; readonly path: string }
  | { readonly kind: 'none'; readonly reason: string };

let found: Promise<ServerBinary> | undefined;

/** Looked for (and built) once per process. */
export function serverBinary(): Promise<ServerBinary> {
  return (found ??= find());
}

async function find(): Promise<ServerBinary> {
  if (await works('immudb', 'version')) return { kind: 'immudb', path: 'immudb' };
  const path = await builtTestServer();
  if (path) return { kind: 'testserver', path };
  return { kind: 'none', reason: 'there is no IMMUDB_ADDRESS, no immudb on PATH and no Go toolchain' };
}

let built: Promise<string | undefined> | undefined;

/** Path of our test server, built when it has to be; undefined without a Go toolchain. */
export function builtTestServer(): Promise<string | undefined> {
  return (built ??= hasGo().then((go) => (go ? build() : undefined)));
}

/** Whether there is a Go toolchain. */
export function hasGo(): Promise<boolean> {
  return works('go', 'version');
}

/** Builds into a folder named by the sources; who comes while another builds waits for that one. */
async function build(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of SOURCES) hash.update(await readFile(join(MODULE, file)));
  const target = join(CACHE, hash.digest('hex').slice(0, 16));
  const binary = join(target, 'testserver');
  if (await exists(binary)) return binary;
  await mkdir(CACHE, { recursive: true });
  await withLock(`${target}.lock`, async () => {
    if (await exists(binary)) return;
    const work = await mkdtemp(join(CACHE, 'build-'));
    try {
      await run('go', ['build', '-o', join(work, 'testserver'), '.'], { cwd: MODULE, maxBuffer: 1 << 24 });
      await rename(work, target);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return binary;
}

function works(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
