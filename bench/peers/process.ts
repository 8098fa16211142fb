// Runs a program to its end, bounded in time, and leaves nothing of it behind.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const KEPT_OUTPUT_CHARACTERS = 100_000;

/** It could not be started, ended with an error, or took too long. The message ends with what it said. */
export class ProgramFailed extends Error {
  override readonly name = 'ProgramFailed';
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) end(child);
});

const cleaning = new Set<() => Promise<void>>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    const done = Promise.allSettled([...cleaning].map((clean) => clean()));
    void done.then(() => process.exit(1));
  });
}

/** Also done before a signal ends this process. */
export function whenInterrupted(clean: () => Promise<void>): void {
  cleaning.add(clean);
}

/** What it wrote to standard output. Throws ProgramFailed. */
export async function outputOf(
  [program = '', ...args]: readonly string[],
  { withinMs, cwd, env }: { withinMs: number; cwd?: string; env?: NodeJS.ProcessEnv },
): Promise<string> {
  // A group of its own, so that its children end with it.
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on(
    'data',
    (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-KEPT_OUTPUT_CHARACTERS)),
  );
  const late = AbortSignal.timeout(withinMs);
  late.addEventListener('abort', () => end(child));
  const said = () => `${stderr.trim()}\n${stdout.trim()}`.trim();
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (late.aborted) throw new ProgramFailed(`took longer than ${withinMs / 1000} s: ${said()}`);
    if (code !== 0) throw new ProgramFailed(said() || `ended with ${code ?? signal ?? 'nothing'}`);
    return stdout.trim();
  } catch (error) {
    if (error instanceof ProgramFailed) throw error;
    throw new ProgramFailed(`could not be started: ${(error as Error).message}`);
  } finally {
    end(child);
    running.delete(child);
  }
}

/** With all that it started, also when it ended before them. */
function end(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}
