// What people hand to the commands about documents: names, ids, JSON.
import { readFile } from 'node:fs/promises';
import { UsageError } from '../command.js';
import type { Io } from '../command.js';
import { STDIN, readInput } from '../data/input.js';

const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** @throws UsageError */
export function wordOf(name: string, word: string | undefined): string {
  if (word === undefined || word === '') throw new UsageError(`no ${name}`);
  return word;
}

/** JSON on the command line. @throws UsageError */
export function jsonOption(name: string, text: string | undefined): unknown {
  return text === undefined ? undefined : jsonOf(`--${name}`, text);
}

/** JSON in a file, or on standard input. @throws UsageError */
export async function jsonIn(file: string, io: Io): Promise<unknown> {
  if (file !== STDIN) return jsonOf(file, await readFile(file, 'utf8'));
  const bytes = await readInput(io, 'the file', MAX_FILE_BYTES);
  return jsonOf('standard input', bytes.toString('utf8'));
}

function jsonOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text, (_, value: unknown) => exact(name, value)) as unknown;
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${name} is not JSON`, { cause });
  }
}

/** What is read of a longer number may be another one than was written. */
function exact(name: string, value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new UsageError(
      `${name} has a whole number beyond 2^53-1: documents have not all of these; write it as a string`,
    );
  return value;
}
