// Runs the built command as a process of its own, in a temporary folder of its own.
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/cjs/cli/main.js', import.meta.url));
const DEADLINE_MS = 60_000;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it left in the folder for temporary files. */
  readonly left: readonly string[];
}

export interface Running {
  readonly child: ChildProcessByStdio<Writable | null, Readable, Readable>;
  /** Everything written to standard error so far matches. */
  readonly stderrHas: (pattern: RegExp) => Promise<void>;
  readonly outcome: Promise<Outcome>;
}

/** A folder that is removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'immu-ts-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts `immu-ts ...args` in `cwd`; ended by force at the deadline, which no exit code can be mistaken for. */
export async function start(
  args: readonly string[],
  {
    cwd,
    env = {},
    stdin = false,
    again = false,
    deadlineMs = DEADLINE_MS,
  }: {
    cwd?: string;
    env?: Record<string, string>;
    /** It can be written to. */
    stdin?: boolean;
    /** It was run in this folder before. */
    again?: boolean;
    deadlineMs?: number;
  } = {},
): Promise<Running> {
  const folder = cwd ?? (await temporaryFolder());
  const temp = join(folder, 'temp');
  await mkdir(temp, { recursive: again });
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    // Profiles of whoever runs the tests are not for them.
    env: { ...process.env, TMPDIR: temp, TMP: temp, TEMP: temp, XDG_CONFIG_HOME: temp, ...env },
    stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  }) as Running['child'];
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const outcome = once(child, 'close').then(async ([code]) => ({
    code: code as number | null,
    stdout,
    stderr,
    // Where nobody waits for it the folder may be gone by then.
    left: await readdir(temp).catch(() => []),
  }));
  const stderrHas = async (pattern: RegExp) => {
    while (!pattern.test(stderr)) {
      if (child.exitCode !== null) throw new Error(`ended without ${String(pattern)}: ${stderr}`);
      await Promise.race([once(child.stderr, 'data'), outcome]);
    }
  };
  return { child, stderrHas, outcome };
}

export async function run(...given: Parameters<typeof start>): Promise<Outcome> {
  return (await start(...given)).outcome;
}
