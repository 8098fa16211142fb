// What a command of `immu-ts` is: its options, said once, from which both its help and its parsing come.
import { parseArgs } from 'node:util';
import type { Output } from './output.js';

/** The command line is wrong: nothing was done. */
export class UsageError extends Error {}

/** Where a command writes, what it may read from, and when it has to stop. */
export interface Io {
  readonly out: Output;
  readonly err: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Option {
  readonly type: 'string' | 'boolean';
  /** What stands for the value in the help, e.g. `FILE`. */
  readonly value?: string;
  readonly says: string;
  readonly default?: string;
}

export type Options = Readonly<Record<string, Option>>;

/** Values of options as they were given: undefined = not given. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]: O[Name] extends { readonly type: 'boolean' }
    ? boolean
    : O[Name] extends { readonly default: string }
      ? string
      : string | undefined;
};

export interface Command {
  /** All of its words, e.g. `audit list`. */
  readonly name: string;
  readonly help: string;
  /** Resolves to the exit code. @throws UsageError */
  run(args: readonly string[], io: Io): Promise<number>;
}

export interface Definition<O extends Options> {
  readonly name: string;
  /** What may stand behind the name besides options, e.g. `SEQ`; absent = nothing. */
  readonly operand?: string;
  /** What may stand behind that. */
  readonly second?: string;
  readonly summary: string;
  /** Further lines of the help. */
  readonly more?: string;
  readonly options: O;
  run(values: Values<O>, operand: string | undefined, io: Io, second?: string): Promise<number>;
}

export function command<O extends Options>(definition: Definition<O>): Command {
  return {
    name: definition.name,
    help: helpOf(definition),
    run: (args, io) => {
      const { values, operand, second } = parsed(definition, args);
      return definition.run(values, operand, io, second);
    },
  };
}

function parsed<O extends Options>(
  { name, operand, second, options }: Definition<O>,
  args: readonly string[],
): { values: Values<O>; operand: string | undefined; second?: string } {
  const { values, positionals } = parsedWords(options, args);
  const [first, ...others] = positionals;
  const [next] = others;
  const more = second === undefined ? others : others.slice(1);
  if (operand === undefined && first !== undefined) {
    throw new UsageError(`${name} takes options only, not ${JSON.stringify(first)}`);
  }
  if (more.length > 0)
    throw new UsageError(
      `${name} takes ${second === undefined ? 'one' : 'at most two'} ${operand ?? ''}, not also ${JSON.stringify(more[0])}`,
    );
  const given = { ...values };
  for (const [option, { type }] of Object.entries(options)) if (type === 'boolean') given[option] ??= false;
  const operands = { operand: first, ...(second !== undefined && next !== undefined && { second: next }) };
  return { values: given as Values<O>, ...operands };
}

function parsedWords(options: Options, args: readonly string[]) {
  // Node would take `says` and `value` for options of its own some day.
  const known = Object.entries(options).map(([name, { type, default: preset }]) => [
    name,
    { type, ...(preset !== undefined && { default: preset }) },
  ]);
  try {
    return parseArgs({
      args: [...args],
      options: Object.fromEntries(known) as Record<string, { type: 'string' | 'boolean' }>,
      allowPositionals: true,
    });
  } catch (error) {
    // Node explains how to escape a dash behind the first full stop: more than one line's worth.
    const [said = ''] = (error as Error).message.split(/[.\n]\s/, 1);
    throw new UsageError(said, { cause: error });
  }
}

function helpOf({ name, operand, second, summary, more, options }: Definition<Options>): string {
  const lines = Object.entries(options).map(([option, { value, says, default: preset }]) => {
    const left = `--${option}${value === undefined ? '' : ` ${value}`}`;
    return `  ${left.padEnd(22)} ${says}${preset === undefined ? '' : ` (default: ${preset})`}`;
  });
  const operands = [operand ?? [], second === undefined ? [] : `[${second}]`].flat();
  const first = ['immu-ts', name, ...operands, '[options]'].join(' ');
  return (
    [`${first}\n  ${summary}`, lines.join('\n'), ...(more === undefined ? [] : [more])].join('\n\n') + '\n'
  );
}
