// Runs a command in this process: what it writes, its exit code, and what it throws.
import { Readable, Writable } from 'node:stream';
import { parseRequest } from '#dist/cli/arguments.js';
import { Output } from '#dist/cli/output.js';

export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it is. */
  readonly bytes: Buffer;
}

export async function call(
  args: readonly string[],
  {
    signal = new AbortController().signal,
    env = {},
    input = '',
    terminal = false,
  }: {
    signal?: AbortSignal;
    env?: NodeJS.ProcessEnv;
    input?: string | Uint8Array | Readable;
    /** Standard output is one. */
    terminal?: boolean;
  } = {},
): Promise<Called> {
  const request = await parseRequest(args);
  if (request.kind !== 'run') throw new Error(`${args.join(' ')} runs nothing`);
  const written: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const output = (name: keyof typeof written) => {
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written[name].push(Buffer.from(chunk));
        done();
      },
    });
    return new Output(Object.assign(stream, { isTTY: terminal }));
  };
  const stdin = input instanceof Readable ? input : Readable.from([Buffer.from(input)]);
  const io = {
    out: output('stdout'),
    err: output('stderr'),
    env,
    signal,
    input: () => stdin,
  };
  const code = await request.command.run(request.args, io);
  const bytes = Buffer.concat(written.stdout);
  return { code, stdout: bytes.toString(), stderr: Buffer.concat(written.stderr).toString(), bytes };
}
