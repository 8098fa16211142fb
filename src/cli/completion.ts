// `immu-ts completion`: scripts that complete command lines, made of the same table as the help.
import { UsageError, command } from './command.js';
import type { Command, Listed, Options } from './command.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
/** What stands for the value of an option that is a path. */
const PATHS = ['FILE', 'FILE|URL', 'PEM', 'DIR', 'ARCHIVE'];

interface Completed extends Pick<Listed, 'name' | 'summary'> {
  readonly options: Options;
}

export function completionCommand(commands: readonly Listed[]): Command {
  return command({
    name: 'completion',
    operand: 'SHELL',
    summary: 'Prints a script that completes command lines of immu-ts in bash, zsh or fish.',
    options: {},
    more: `bash:  immu-ts completion bash > ~/.local/share/bash-completion/completions/immu-ts
zsh:   immu-ts completion zsh > "\${fpath[1]}/_immu-ts"
fish:  immu-ts completion fish > ~/.config/fish/completions/immu-ts.fish`,
    async run(_options, shell, { out }) {
      const script = SHELLS.find((known) => known === shell);
      if (script === undefined) throw new UsageError(`completion takes one of ${SHELLS.join(', ')}`);
      const all: Completed[] = [];
      for (const { name, summary, load } of commands) {
        // This one itself takes none.
        const options = name === 'completion' ? {} : (await load()).options;
        all.push({ name, summary, options });
      }
      await out.write({ bash, zsh, fish }[script](all));
      return 0;
    },
  });
}

const firstWords = (all: readonly Completed[]) => [
  ...new Set(all.map(({ name }) => name.split(' ')[0] ?? '')),
];
const flags = ({ options }: Completed) => [...Object.keys(options), 'help'].map((name) => `--${name}`);

/** Second words of those commands that have two, by their first. */
function groups(all: readonly Completed[]): Map<string, string[]> {
  const found = new Map<string, string[]>([['completion', [...SHELLS]]]);
  for (const { name } of all) {
    const [first = '', second] = name.split(' ');
    if (second !== undefined) found.set(first, [...(found.get(first) ?? []), second]);
  }
  return found;
}

/** Options whose value is a path. */
function pathFlags(all: readonly Completed[]): string[] {
  const found = all.flatMap(({ options }) =>
    Object.entries(options).flatMap(([name, { value }]) => (PATHS.includes(value ?? '') ? `--${name}` : [])),
  );
  return [...new Set(found)].sort();
}

/** Of two words before those of one, whose name may be the first of them. */
function byLength(all: readonly Completed[]): readonly Completed[] {
  const words = ({ name }: Completed) => name.split(' ').length;
  return [...all].sort((a, b) => words(b) - words(a));
}

/** Branches of a `case` of bash and zsh on the first two words. */
function flagCases(all: readonly Completed[]): string {
  const patternOf = (name: string) => (name.includes(' ') ? `'${name}'` : `'${name} '*`);
  return byLength(all)
    .map((each) => `      ${patternOf(each.name)}) list='${flags(each).join(' ')}' ;;`)
    .join('\n');
}

function groupCases(all: readonly Completed[]): string {
  return [...groups(all)]
    .map(([first, seconds]) => `      ${first}) list='${seconds.join(' ')}' ;;`)
    .join('\n');
}

function bash(all: readonly Completed[]): string {
  return `# bash completion for immu-ts
_immu_ts() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" list=''
  COMPREPLY=()
  case "$prev" in
    ${pathFlags(all).join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  if [[ $cur == -* ]]; then
    case "\${COMP_WORDS[1]-} \${COMP_WORDS[2]-}" in
${flagCases(all)}
      *) list='--help --version' ;;
    esac
  elif (( COMP_CWORD == 1 )); then
    list='${firstWords(all).join(' ')}'
  elif (( COMP_CWORD == 2 )); then
    case "\${COMP_WORDS[1]}" in
${groupCases(all)}
    esac
  fi
  COMPREPLY=($(compgen -W "$list" -- "$cur"))
}
complete -o default -F _immu_ts immu-ts
`;
}

function zsh(all: readonly Completed[]): string {
  return `#compdef immu-ts
_immu_ts() {
  local cur="\${words[CURRENT]}" prev="\${words[CURRENT-1]}" list=''
  case "$prev" in
    ${pathFlags(all).join('|')}) _files; return ;;
  esac
  if [[ $cur == -* ]]; then
    case "\${words[2]} \${words[3]}" in
${flagCases(all)}
      *) list='--help --version' ;;
    esac
  elif (( CURRENT == 2 )); then
    list='${firstWords(all).join(' ')}'
  elif (( CURRENT == 3 )); then
    case "\${words[2]}" in
${groupCases(all)}
    esac
  fi
  if [[ -n $list ]]; then compadd -- \${=list}; else _files; fi
}
if [[ $funcstack[1] == _immu-ts ]]; then _immu_ts "$@"; else compdef _immu_ts immu-ts; fi
`;
}

function fish(all: readonly Completed[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const seconds = groups(all);
  const summaryOf = new Map(all.map(({ name, summary }) => [name, summary]));
  const lines = firstWords(all).map((first) => {
    const says = summaryOf.get(first) ?? `${first}: ${(seconds.get(first) ?? []).join(', ')}`;
    return `complete -c immu-ts -n __immu_ts_begins -f -a ${first} -d ${quoted(says)}`;
  });
  for (const [first, words] of seconds)
    for (const second of words) {
      const says = summaryOf.get(`${first} ${second}`);
      const about = says === undefined ? '' : ` -d ${quoted(says)}`;
      lines.push(`complete -c immu-ts -n '__immu_ts_is ${first}' -f -a ${second}${about}`);
    }
  for (const { name, options } of all)
    for (const [option, { value, says }] of Object.entries(options)) {
      const takes = value === undefined ? '' : PATHS.includes(value) ? ' -r -F' : ' -x';
      lines.push(`complete -c immu-ts -n '__immu_ts_in ${name}' -l ${option}${takes} -d ${quoted(says)}`);
    }
  return `# fish completion for immu-ts
function __immu_ts_begins
  test (count (commandline -opc)) -eq 1
end
function __immu_ts_is
  set -l given (commandline -opc)
  test "$given[2..-1]" = "$argv"
end
function __immu_ts_in
  set -l given (commandline -opc)
  string match -q -- "$argv *" "$given[2..-1] "
end
${lines.join('\n')}
`;
}
