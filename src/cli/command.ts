// What a command of `immu-ts` is: its options, said once, from which both its help and its parsing come.
import { parseArgs } from 'node:util';
import type { Readable } from 'node:stream';
import { didYouMean } from './did-you-mean.js';
import { helpOf } from './help.js';
import type { Described, Options } from './help.js';
import type { Output } from './output.js';

export type { Options } from './help.js';

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

/** Values of options as they were given: undefined = not given. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]: O[Name] extends { readonly type: 'boolean' }
    ? boolean
    : O[Name] extends { readonly many: true }
      ? readonly string[] | undefined
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
  readonly options: Options;
  /** For a terminal of so many columns. */
  help(columns: number): string;
  /** Resolves to the exit code. @throws UsageError */
  run(args: readonly string[], io: Io): Promise<number>;
}

export interface Definition<O extends Options> extends Described {
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
  const described = { ...definition, options: withJson(definition.options) };
  return {
    name: described.name,
    options: described.options,
    help: (columns) => helpOf(described, columns),
    run: (args, io) => {
      const { values, words } = parsed(described, args);
      return definition.run(values as Values<O>, words[0], io, words[1], words);
    },
  };
}

const JSON_OPTION = { type: 'boolean', says: 'JSON, as --format has it' } as const;

/** Where there are formats, `--json` is the one that programs read, as in every other command. */
function withJson(options: Options): Options {
  return 'format' in options && !('json' in options) && jsonFormat(options) !== undefined
    ? { ...options, json: JSON_OPTION }
    : options;
}

/** Objects line by line, where that is among the formats. */
function jsonFormat({ format }: Options): string | undefined {
  return /\bndjson\b/.exec(format?.says ?? '')?.[0] ?? /\bjson\b/.exec(format?.says ?? '')?.[0];
}

function parsed(
  { name, operand, second, third, many = false, options }: Described,
  args: readonly string[],
): { values: Values<Options>; words: readonly string[] } {
  const { values, positionals: words, tokens } = parsedWords(options, args);
  if (options['json'] === JSON_OPTION && values['json'] === true) {
    if (tokens.some((token) => token.kind === 'option' && token.name === 'format'))
      throw new UsageError('--json goes without --format');
    values['format'] = jsonFormat(options);
  }
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
  return { values: given as Values<Options>, words };
}

function parsedWords(options: Options, args: readonly string[]) {
  // Node would take `says` and `value` for options of its own some day.
  const known = Object.entries(options).map(([name, { type, default: preset, many = false }]) => [
    name,
    { type, multiple: many, ...(preset !== undefined && { default: preset }) },
  ]);
  try {
    return parseArgs({
      args: [...args],
      options: Object.fromEntries(known) as Record<string, { type: 'string' | 'boolean' }>,
      allowPositionals: true,
      tokens: true,
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
