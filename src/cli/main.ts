#!/usr/bin/env node
// The `immu-ts` command. Exit codes: 0 done, 1 failed or not there, 2 wrong command line, 3 the server's answer is not proven,
// 130 interrupted.
import { ArgumentError, VerificationError } from '../errors.js';
import { parseRequest } from './arguments.js';
import { UsageError } from './command.js';
import { errorLine, firstFailure } from './error-line.js';
import { Output } from './output.js';
import { VERSION } from '../version.js';

async function main(signal: AbortSignal): Promise<number> {
  const { stdout, stderr, env } = process;
  const out = new Output(stdout);
  const request = await parseRequest(process.argv.slice(2));
  switch (request.kind) {
    case 'help':
      await out.write(request.text);
      return 0;
    case 'version':
      await out.write(`${VERSION}\n`);
      return 0;
    case 'run':
      return request.command.run(request.args, {
        ...{ out, err: new Output(stderr), env, signal },
        input: () => process.stdin,
      });
  }
}

// A reader that has seen enough, such as `head`, does not end the job.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
const interrupt = new AbortController();
// Once: a second Ctrl-C ends the process at once.
process.once('SIGINT', () => interrupt.abort());

main(interrupt.signal).then(
  (code) => (process.exitCode = code),
  (thrown: unknown) => {
    const error = firstFailure(thrown);
    const usage = error instanceof UsageError || error instanceof ArgumentError;
    process.stderr.write(`immu-ts: ${errorLine(error)}${usage ? ' (see immu-ts --help)' : ''}\n`);
    const code = error instanceof VerificationError ? 3 : usage ? 2 : 1;
    process.exitCode = interrupt.signal.aborted ? 130 : code;
  },
);
