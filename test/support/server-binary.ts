// Where a real immudb comes from: `immudb` on PATH, or our test server built with the Go toolchain, once.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { madeOnce } from './made-once.js';

const run = promisify(execFile);
const MODULE = fileURLToPath(new URL('../immudb/', import.meta.url));
const SOURCES = { folder: MODULE, files: ['go.mod', 'go.sum', 'main.go', 'tls.go'] };

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

async function build(): Promise<string> {
  const made = await madeOnce('immudb-test-server/', SOURCES, async (work) => {
    await run('go', ['build', '-o', join(work, 'testserver'), '.'], { cwd: MODULE, maxBuffer: 1 << 24 });
  });
  return join(made, 'testserver');
}

function works(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}
