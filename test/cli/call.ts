// Runs a command in this process: what it writes, its exit code, and what it throws.
import { Readable, Writable } from 'node:stream';
import { parseRequest } from '#dist/cli/arguments.js';
import { Output } from '#dist/cli/output.js';

export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function call(
  args: readonly string[],
  {
    signal = new AbortController().signal,
    env = {},
    input = '',
  }: { signal?: AbortSignal; env?: NodeJS.ProcessEnv; input?: string | Uint8Array } = {},
): Promise<Called> {
  const request = await parseRequest(args);
  if (request.kind !== 'run') throw new Error(`${args.join(' ')} runs nothing`);
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written) =>
    new Output(
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          written[name] += chunk.toString('utf8');
          done();
        },
      }),
    );
  const io = {
    out: output('stdout'),
    err: output('stderr'),
    env,
    signal,
    input: () => Readable.from([Buffer.from(input)]),
  };
  return { code: await request.command.run(request.args, io), ...written };
}
