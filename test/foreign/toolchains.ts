// The foreign clients, made ready to run: each built or installed once into .cache/, named by what it is made from.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { madeOnce } from '../support/made-once.js';
import { hasGo } from '../support/server-binary.js';

const run = promisify(execFile);
const GO = fileURLToPath(new URL('./go/', import.meta.url));
const PYTHON = fileURLToPath(new URL('./python/', import.meta.url));
const MAX_OUTPUT_BYTES = 1 << 24;
const WINDOWS = process.platform === 'win32';

/** Fails unless all that immu-py and its virtual environment need is there; says which Python it is, and where. */
const PROBE =
  'import ensurepip, sys, venv; print(sys.version, sys.base_prefix); sys.exit(sys.version_info < (3, 10))';

/** A client whose program can be run: what to start, and the arguments before its own. */
export interface ForeignClient {
  readonly name: string;
  /** Why it cannot run here; undefined when it can. */
  readonly missing: string | undefined;
  /** Builds or installs it when that was not done before. */
  command(): Promise<readonly [string, ...string[]]>;
}

/** The Go client of immudb itself. */
export async function goClient(): Promise<ForeignClient> {
  return {
    name: 'the official Go client',
    missing: (await hasGo()) ? undefined : 'there is no Go toolchain',
    command: async () => [await goProgram()],
  };
}

/** immu-py. */
export async function pythonClient(): Promise<ForeignClient> {
  const python = await findPython();
  return {
    name: 'immu-py',
    missing: python ? undefined : 'there is no Python 3.10 or later with venv and ensurepip',
    command: async () => {
      if (!python) throw new Error('there is no Python to run immu-py with');
      return [await environment(python), join(PYTHON, 'check.py')];
    },
  };
}

async function goProgram(): Promise<string> {
  const sources = { folder: GO, files: ['go.mod', 'go.sum', 'main.go', 'proof.go', 'reads.go', 'steps.go'] };
  const name = WINDOWS ? 'foreign.exe' : 'foreign';
  const made = await madeOnce('foreign-clients/go-', sources, async (work) => {
    // One package at a time: the tests beside this one want to run too.
    await run('go', ['build', '-p', '1', '-o', join(work, name), '.'], {
      cwd: GO,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
  });
  return join(made, name);
}

interface Python {
  readonly command: string;
  /** Version and place: an environment is of use with the Python that made it only. */
  readonly identity: string;
}

async function findPython(): Promise<Python | undefined> {
  for (const command of ['python3', 'python']) {
    try {
      return { command, identity: (await run(command, ['-c', PROBE])).stdout.trim() };
    } catch {
      // Not there, too old, or without the modules: the next one may do.
    }
  }
  return undefined;
}

async function environment(python: Python): Promise<string> {
  const requirements = 'requirements.txt';
  const sources = { folder: PYTHON, files: [requirements], salt: python.identity };
  const interpreter = WINDOWS ? join('Scripts', 'python.exe') : join('bin', 'python');
  const made = await madeOnce('foreign-clients/python-', sources, async (work) => {
    const options = { maxBuffer: MAX_OUTPUT_BYTES };
    await run(python.command, ['-m', 'venv', work], options);
    const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet'];
    await run(join(work, interpreter), [...install, '-r', join(PYTHON, requirements)], options);
  });
  return join(made, interpreter);
}
