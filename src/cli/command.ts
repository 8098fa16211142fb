// What a command of `immu-ts` is: its options, said once, from which both its help and its parsing come.
import { parseArgs } from 'node:util';
import type { Readable } from 'node:stream';
import { didYouMean } from './did-you-mean.js';
import type { Output } from './output.js';

/** The command line is wrong: nothing was done. */
export class UsageError extends Error {}

/** Where a command writes, what it may read from, and when it has to stop. */
export interface Io {
  readonly out: Output;
  readonly err: Output;
  /** Standard input; opened when it is read. */
  readonly input: () => Readable;
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

/** A command as it is listed. It is loaded when it is used: help and a wrong command line need none of them. */
export interface Listed {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

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
  /** And behind that. */
  readonly third?: string;
  /** Any number of these may stand behind the name. */
  readonly many?: boolean;
  readonly summary: string;
  /** Further lines of the help. */
  readonly more?: string;
  readonly options: O;
  /** `words`: all that stands behind the name. */
  run(
    values: Values<O>,
    operand: string | undefined,
    io: Io,
    second: string | undefined,
    words: readonly string[],
  ): Promise<number>;
}

export function command<O extends Options>(definition: Definition<O>): Command {
  return {
    name: definition.name,
    help: helpOf(definition),
    run: (args, io) => {
      const { values, words } = parsed(definition, args);
      return definition.run(values, words[0], io, words[1], words);
    },
  };
}

function parsed<O extends Options>(
  { name, operand, second, third, many = false, options }: Definition<O>,
  args: readonly string[],
): { values: Values<O>; words: readonly string[] } {
  const { values, positionals: words } = parsedWords(options, args);
  const known = [operand, second, third].filter((word) => word !== undefined);
  const [tooMuch] = many ? [] : words.slice(known.length);
  if (tooMuch !== undefined && operand === undefined) {
    throw new UsageError(`${name} takes options only, not ${JSON.stringify(tooMuch)}`);
  }
  if (tooMuch !== undefined) {
    const takes = second === undefined ? `one ${operand ?? ''}` : known.join(' and ');
    throw new UsageError(`${name} takes ${takes}, not also ${JSON.stringify(tooMuch)}`);
  }
  const given = { ...values };
  for (const [option, { type }] of Object.entries(options)) if (type === 'boolean') given[option] ??= false;
  return { values: given as Values<O>, words };
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
    const [, option] = /^Unknown option '--([^']*)'/.exec(said) ?? [];
    const meant =
      option === undefined ? '' : didYouMean(option, Object.keys(options)).replace('mean ', 'mean --');
    throw new UsageError(`${said}${meant}`, { cause: error });
  }
}

function helpOf({ name, operand, second, third, many, summary, more, options }: Definition<Options>): string {
  const lines = Object.entries(options).map(([option, { value, says, default: preset }]) => {
    const left = `--${option}${value === undefined ? '' : ` ${value}`}`;
    return `  ${left.padEnd(22)} ${says}${preset === undefined ? '' : ` (default: ${preset})`}`;
  });
  const operands = [
    operand ?? [],
    second === undefined ? [] : `[${second}]`,
    third === undefined ? [] : `[${third}]`,
    many === true ? '...' : [],
  ].flat();
  const first = ['immu-ts', name, ...operands, '[options]'].join(' ');
  return (
    [`${first}\n  ${summary}`, lines.join('\n'), ...(more === undefined ? [] : [more])].join('\n\n') + '\n'
  );
}
