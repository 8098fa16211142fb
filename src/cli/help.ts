// What a command says of itself, and help made of it that fits its terminal.

export interface Option {
  readonly type: 'string' | 'boolean';
  /** What stands for the value in the help, e.g. `FILE`. */
  readonly value?: string;
  readonly says: string;
  readonly default?: string;
  /** It may be given again: its value is a list. */
  readonly many?: true;
}

export type Options = Readonly<Record<string, Option>>;

/** What a command takes, and says of itself. */
export interface Described {
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
  readonly options: Options;
}

/** Lines are written for this width; wider ones are hard to read. */
export const WIDEST = 120;
const NARROWEST = 40;
/** A line of this length or more, of a text that was written for {@link WIDEST}, goes on in the next one. */
const FULL_CHARS = 90;
const SAYS_AT = 25;

/** Columns of a terminal, or of none. */
export function helpWidth(columns: number | undefined): number {
  return Math.max(NARROWEST, Math.min(columns ?? WIDEST, WIDEST));
}

export function helpOf(described: Described, columns: number): string {
  const { name, operand, second, third, many, summary, more, options } = described;
  const lines = Object.entries(options).map(([option, { value, says, default: preset }]) => {
    const left = `  --${option}${value === undefined ? '' : ` ${value}`}`;
    return hung(left, `${says}${preset === undefined ? '' : ` (default: ${preset})`}`, SAYS_AT, columns);
  });
  const operands = [
    operand ?? [],
    second === undefined ? [] : `[${second}]`,
    third === undefined ? [] : `[${third}]`,
    many === true ? '...' : [],
  ].flat();
  const first = ['immu-ts', name, ...operands, '[options]'].join(' ');
  const about = wrapped(summary, '  ', columns);
  return (
    [`${first}\n${about}`, lines.join('\n'), ...(more === undefined ? [] : [filled(more, columns)])].join(
      '\n\n',
    ) + '\n'
  );
}

/** `left`, and `text` beside it from column `at` on, on as many lines as it takes. */
export function hung(left: string, text: string, at: number, columns: number): string {
  const start = left.length < at ? left.padEnd(at) : `${left} `;
  const [first = '', ...rest] = wrapped(text, ' '.repeat(at), columns, start.length).split('\n');
  return [`${start}${first.trimStart()}`, ...rest].join('\n');
}

/** Text of several lines, as it stands if it fits; else those that are full and end in a sentence go on in the next one. */
export function filled(text: string, columns: number): string {
  if (text.split('\n').every((line) => line.length <= columns)) return text;
  const paragraphs: string[] = [];
  let goesOn = false;
  for (const line of text.split('\n')) {
    const before = paragraphs.at(-1);
    if (goesOn && before !== undefined && /^\S/.test(line))
      paragraphs[paragraphs.length - 1] = `${before} ${line}`;
    else paragraphs.push(line);
    goesOn = line.length >= FULL_CHARS && !/[.:]$/.test(line);
  }
  return paragraphs.map((each) => wrapped(each.trimStart(), /^ */.exec(each)?.[0] ?? '', columns)).join('\n');
}

/** `from`: columns of the first line that are taken. */
function wrapped(text: string, indent: string, columns: number, from = indent.length): string {
  const lines: string[] = [];
  let line = '';
  let used = from;
  for (const word of text.split(' ')) {
    if (line !== '' && used + 1 + word.length > columns) {
      lines.push(`${indent}${line}`);
      [line, used] = ['', indent.length];
    }
    used += word.length + (line === '' ? 0 : 1);
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, `${indent}${line}`].join('\n');
}
