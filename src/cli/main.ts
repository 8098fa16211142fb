#!/usr/bin/env node
// The `immu-ts` command. What its exit codes say is in exit-code.ts.
import { parseRequest } from './arguments.js';
import { errorLine, firstFailure } from './error-line.js';
import { FAILED, HOLDS, INTERRUPTED, codeOf, interruptedBy, isUsage } from './exit-code.js';
import type { Interrupt } from './exit-code.js';
import { helpWidth } from './help.js';
import { Output } from './output.js';
import { VERSION } from '../version.js';

async function main(signal: AbortSignal): Promise<number> {
  const { stdout, stderr, env } = process;
  const out = new Output(stdout);
  const request = await parseRequest(
    process.argv.slice(2),
    helpWidth(stdout.isTTY ? stdout.columns : undefined),
  );
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

/** Something that was to be said could not be written. */
let unwritten = false;
// A reader that has seen enough, such as `head`, does not end the job; a disk that is full makes it a failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || unwritten) return;
    unwritten = true;
    if (stream === process.stdout)
      process.stderr.write(`immu-ts: standard output cannot be written: ${errorLine(error)}\n`);
    process.exitCode ||= FAILED;
  });
}
const interrupt = new AbortController();
let by: Interrupt | undefined;
/** What is under way is ended in order, and leaves word of where it was. Once: a second signal ends the process at once. */
function onInterrupt(signal: Interrupt): void {
  for (const each of INTERRUPTS) process.off(each, onInterrupt);
  by = signal;
  interrupt.abort();
}
const INTERRUPTS = ['SIGINT', 'SIGTERM'] as const;
for (const signal of INTERRUPTS) process.on(signal, onInterrupt);
const interruptedSoFar = () => by;
/** Whoever reads an exit code of 0 must have been told all. */
const orFailed = (code: number) => (code === HOLDS && unwritten ? FAILED : code);

main(interrupt.signal).then(
  (code) => {
    const signal = interruptedSoFar();
    process.exitCode = orFailed(code === INTERRUPTED && signal !== undefined ? interruptedBy(signal) : code);
  },
  (thrown: unknown) => {
    const error = firstFailure(thrown);
    process.stderr.write(`immu-ts: ${errorLine(error)}${isUsage(error) ? ' (see immu-ts --help)' : ''}\n`);
    process.exitCode = codeOf(error, by);
  },
);
