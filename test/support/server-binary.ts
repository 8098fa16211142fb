// Where a real immudb comes from: `immudb` on PATH, or our test server built with the Go toolchain, once.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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
  const immudb = await run('immudb', ['version']).catch(() => undefined);
  if (immudb) return { kind: 'immudb', path: 'immudb' };
  const go = await run('go', ['version']).catch(() => undefined);
  if (go) return { kind: 'testserver', path: await build() };
  return { kind: 'none', reason: 'no IMMUDB_ADDRESS, no immudb on PATH, no Go toolchain' };
}

/** Builds into a folder named by the sources; parallel builders cannot disturb each other (rename is atomic). */
async function build(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of SOURCES) hash.update(await readFile(join(MODULE, file)));
  const target = join(CACHE, hash.digest('hex').slice(0, 16));
  const binary = join(target, 'testserver');
  if (
    await access(binary).then(
      () => true,
      () => false,
    )
  )
    return binary;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'build-'));
  try {
    await run('go', ['build', '-o', join(work, 'testserver'), '.'], { cwd: MODULE, maxBuffer: 1 << 24 });
    await rename(work, target).catch(async (error: unknown) => {
      if (
        !(await access(binary).then(
          () => true,
          () => false,
        ))
      )
        throw error;
    });
    return binary;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
