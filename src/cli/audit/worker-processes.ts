// Processes that work on the ranges of an audit: `immu-ts audit work`, started by `immu-ts audit database --shards`.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import here from '../../here.cjs';
import type { Io } from '../command.js';
import { visible } from '../../visible.js';
import type { SERVER_OPTIONS, ServerWords } from './server-audit.js';

/** Options that a worker is started with as they were given. */
const PASSED = [
  ...(['address', 'read-from', 'user', 'password-file', 'database', 'ca', 'cert', 'client-key'] as const),
  ...(['server-name', 'state-key', 'pin', 'in-flight'] as const),
] satisfies readonly (keyof typeof SERVER_OPTIONS)[];

interface Workers {
  readonly count: number;
  readonly queue: string;
  /** File of the key that they sign with. */
  readonly key: string;
}

/** Starts workers, and resolves when they have ended, in whatever way. */
export async function runWorkers(words: ServerWords, { count, queue, key }: Workers, io: Io): Promise<void> {
  if (here.folder === undefined || count === 0) return;
  const main = join(here.folder, 'cli', 'main.js');
  const args = ['audit', 'work', '--key', key, ...(words.tls ? ['--tls'] : [])];
  for (const name of PASSED) if (words[name] !== undefined) args.push(`--${name}=${String(words[name])}`);
  // The threads that there are, shared.
  const threads = words.threads ?? String(Math.max(0, Math.floor((availableParallelism() - 1) / count)));
  args.push(`--threads=${threads}`);
  const env = { ...io.env, ...secrets(words, queue) };
  await Promise.all(Array.from({ length: count }, () => oneWorker([main, ...args], env, io)));
}

/** What may hold a password is not for all to see. */
function secrets({ store, password }: ServerWords, queue: string): NodeJS.ProcessEnv {
  return {
    IMMU_TS_QUEUE: queue,
    ...(store !== undefined && { IMMU_TS_STORE: store }),
    // What stands in its way is empty, which is as if it were not there.
    ...(password !== undefined && {
      ...{ IMMUDB_PASSWORD: password, IMMUDB_PASSWORD_FILE: '', IMMU_TS_PASSWORD_FILE: '' },
    }),
  };
}

/** Of what a worker says, the last. */
const MAX_WORDS = 4000;

function oneWorker(args: readonly string[], env: NodeJS.ProcessEnv, io: Io): Promise<void> {
  const child = spawn(process.execPath, args, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: io.signal,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-MAX_WORDS)));
  return new Promise((resolve) => {
    const end = (how: string) =>
      void io.err.write(`a worker ended ${how}: ${visible(said.trim())}\n`).then(resolve);
    child.on('error', (error) => {
      if (io.signal.aborted) resolve();
      else end(visible(error.message));
    });
    child.on('close', (code, signal) => {
      if (code === 0 || io.signal.aborted) resolve();
      else end(code === null ? `by ${signal ?? 'a signal'}` : `with ${code}`);
    });
  });
}
