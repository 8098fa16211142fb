// A disk that is small for real, or cannot be written: in a mount namespace that ends with the process that is run in it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"';
const READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"';

/** What a command is run with to have a namespace of its own; as an ordinary user where those may have one. */
const WAYS = [
  ['unshare', '--mount'],
  ['unshare', '--mount', '--map-root-user'],
];

const way = WAYS.find(([program = '', ...args]) => {
  const tried = spawnSync(program, [...args, 'sh', '-c', MOUNT, 'sh', '1m', '/tmp', 'true']);
  return tried.status === 0;
});

/** Whether such a disk can be had here. */
export const hasSmallDisk = way !== undefined;

/** Runs a program that finds a disk of so many KiB at `folder`, and reads what it prints as JSON. */
export async function onSmallDisk(
  { folder, kib }: { folder: string; kib: number },
  ...command: string[]
): Promise<unknown> {
  return mounted(MOUNT, `${kib}k`, folder, ...command);
}

/** Runs a program that finds `folder` as it is, and cannot write there, and reads what it prints as JSON. */
export async function onReadOnlyDisk(folder: string, ...command: string[]): Promise<unknown> {
  return mounted(READ_ONLY, folder, ...command);
}

async function mounted(script: string, ...command: string[]): Promise<unknown> {
  const [program = '', ...args] = way ?? [];
  const started = spawn(program, [...args, 'sh', '-c', script, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  let text = '';
  started.stdout.on('data', (part: Buffer) => (text += part.toString()));
  const [code] = (await once(started, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}: ${text}`);
  return JSON.parse(text);
}
