// What the command line understands, and what it says when it does not.
import { describe, expect, test } from 'vitest';
import { COMMANDS, parseRequest } from '#dist/cli/arguments.js';
import { UsageError } from '#dist/cli/command.js';
import { helpWidth } from '#dist/cli/help.js';
import { queryOf } from '#dist/cli/query-options.js';
import { OUTCOMES } from '#dist/store/log/audit-query.js';
import { parseTime } from '#dist/cli/time-input.js';
import { call } from './call.js';

const NOW = Date.parse('2026-02-10T12:00:00Z');
const NAMES = COMMANDS.map(({ name }) => name);
/** Commands without `--json`, and why. */
const WITHOUT_JSON: Readonly<Record<string, string>> = {
  completion: 'its output is a script',
  'audit checkpoint': 'its output is JSON, for a file',
  'evidence export': 'its output is JSON, for a file',
  'report verify': 'what it checks is JSON',
  'audit serve': 'it is a page',
};

describe('help', () => {
  test('names every command', async () => {
    const all = await parseRequest(['--help']);
    expect(all).toMatchObject({ kind: 'help' });
    expect(NAMES.length).toBeGreaterThan(50);
    for (const name of NAMES) expect((all as { text: string }).text).toContain(`immu-ts ${name} `);
    const group = (await parseRequest(['evidence', '--help'])) as { text: string };
    expect(group.text).toContain('evidence export');
    expect(group.text).not.toContain('audit list');
  });

  test('alone it is what is shown', async () => {
    expect(await parseRequest([])).toEqual(await parseRequest(['--help']));
  });

  test.for(NAMES)('%s: says how it is called, on terminals of any width', async (name) => {
    for (const columns of [40, 80, 100, 120, undefined]) {
      const help = await parseRequest([...name.split(' '), '--help'], columns);
      expect(help.kind).toBe('help');
      const { text } = help as { text: string };
      expect(text.startsWith(`immu-ts ${name}`)).toBe(true);
      for (const line of text.split('\n').slice(1)) {
        const isOneWord = !/\S \S/.test(line.slice(25)) || !/\S \S/.test(line.trim());
        if (!isOneWord) expect(line.length, line).toBeLessThanOrEqual(columns ?? 120);
      }
    }
  });

  test('no word of it gets lost, however narrow', async () => {
    const words = async (columns: number) => {
      const all = await Promise.all(
        [['--help'], ['ingest', '--help']].map((args) => parseRequest(args, columns)),
      );
      return all.map((help) => (help as { text: string }).text.split(/\s+/));
    };
    expect(await words(40)).toEqual(await words(120));
    const [overview = []] = await words(40);
    expect(overview).toContain('package-lock.json,');
  });

  test('a terminal is as wide as it says, within reason', () => {
    expect([undefined, 0, 10, 80, 300].map(helpWidth)).toEqual([120, 40, 40, 80, 120]);
  });

  test('every command has --json, but for those that cannot', async () => {
    for (const { name, load } of COMMANDS) {
      const { options } = await load();
      expect([name, 'json' in options]).toEqual([name, !(name in WITHOUT_JSON)]);
    }
    for (const name of Object.keys(WITHOUT_JSON)) expect(NAMES).toContain(name);
  });
});

test.for([
  [['audit'], 'audit needs one more word: list, show'],
  [['evidence', '--store', 'x'], 'evidence needs one more word: show, export, verify'],
  [['audit', 'burn'], 'unknown command "audit burn"'],
  [['--store', 'x'], 'no command'],
] as const)('%j: %s', async ([args, words]) => {
  const refused = parseRequest(args);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
});

test.for([
  [['gte', 'k'], 'unknown command "gte k" (did you mean get?)'],
  [['GET', 'k'], '(did you mean get?)'],
  [['aduit', 'list'], '(did you mean audit list?)'],
  [['audit', 'lsit'], '(did you mean audit list?)'],
  [['audit', 'ver'], '(did you mean audit verify?)'],
  [['evidnce'], '(did you mean evidence?)'],
  [['databases', 'crate'], '(did you mean databases create?)'],
  [['stream_get', 'k'], '(did you mean stream-get?)'],
  [['frobnicate', 'k'], 'unknown command "frobnicate k"'],
  [['x'], 'unknown command "x"'],
  [['x'.repeat(100_000)], 'unknown command'],
  [['audit', 'x'.repeat(100_000)], 'unknown command'],
] as const)('what was meant by %j', async ([args, words]) => {
  const refused = parseRequest(args);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
  if (!words.includes('did you mean')) await expect(refused).rejects.not.toThrow('did you mean');
});

test.for([
  [['audit', 'list', '--fomat', 'csv'], "Unknown option '--fomat' (did you mean --format?)"],
  [['audit', 'list', '--data', 'x'], '(did you mean --database?)'],
  [['get', 'k', '--pasword-file', 'x'], '(did you mean --password-file?)'],
  [['get', 'k', '--key', 'x'], "Unknown option '--key'"],
  [['get', 'k', '--zzzzz'], "Unknown option '--zzzzz'"],
  [['get', 'k', `--${'x'.repeat(100_000)}`], 'Unknown option'],
] as const)('what was meant by %j', async ([args, words]) => {
  const refused = call(args);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
});

test.for([
  [['audit', 'list', 'twice'], 'takes options only'],
  [['audit', 'list', '--limit', '-1'], '--limit'],
  [['audit', 'list', '--limit', '1.5'], '--limit is a whole number'],
  [['audit', 'list', '--order', 'up'], '--order is asc or desc'],
  [['audit', 'list', '--format', 'xml'], '--format is one of table, json, ndjson, csv'],
  [['audit', 'list', '--outcome', 'root,good'], '--outcome is among'],
  [['audit', 'list', '--tx', '1..2..3'], '--tx'],
  [['audit', 'list', '--tx', '9223372036854775808'], '--tx is a whole number below 2^63'],
  [['audit', 'list', '--after', 'x'], '--after'],
  [['audit', 'list', '--from', 'yesterday'], '--from is a time such as'],
  [['audit', 'list', '--follow', '--format', 'json'], 'ndjson'],
  [['audit', 'list', '--json', '--format', 'csv'], '--json goes without --format'],
  [['completion'], 'completion takes one of bash, zsh, fish'],
  [['completion', 'tcsh'], 'completion takes one of bash, zsh, fish'],
  [['audit', 'list', '--follow', '--all'], '--follow goes with --limit'],
  [['audit', 'show'], 'SEQ or --tx'],
  [['audit', 'show', '1', '--tx', '1'], 'SEQ or --tx'],
  [['audit', 'show', '1', '2'], 'takes one SEQ'],
  [['audit', 'show', '1', '--database', 'd'], 'go with --tx'],
  [['audit', 'stats', '--by', 'week'], '--by is minute, hour, day or all'],
  [['audit', 'verify', '--key', 'k'], '--key goes with --checkpoint'],
  [['audit', 'export', '--out', 'rows.xlsx'], '--format is needed'],
  [['audit', 'archive', '--out', 'a.db'], 'one of --through'],
  [['audit', 'archive', '--keep', '1'], '--out FILE goes with'],
  [['audit', 'archive', '--out', 'a', '--keep', '1', '--through', '2'], 'one of'],
  [['audit', 'serve', '--port', '70000'], 'at most 65535'],
  [['audit', 'serve', '--token', 'short'], 'at least 16'],
  [['audit', 'serve', '--token', 'with a space in it'], 'letters, digits'],
  [['evidence', 'show'], 'which evidence?'],
  [['evidence', 'verify', 'file.json', '--store', 'x'], 'is a file'],
] as const)('%j is refused before anything is opened', async ([args, words]) => {
  const refused = call(args);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
});

describe('times', () => {
  test.for([
    ['from', '24h', '2026-02-09T12:00:00.000Z'],
    ['to', '90s', '2026-02-10T11:58:30.000Z'],
    ['from', '2w', '2026-01-27T12:00:00.000Z'],
    ['from', '2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['to', '2026-01-31', '2026-01-31T23:59:59.999Z'],
    ['from', '2026-01-31T08:00', '2026-01-31T08:00:00.000Z'],
    ['to', '2026-01-31T08:00:01.5Z', '2026-01-31T08:00:01.500Z'],
    ['to', '2026-01-31T08:00+02:00', '2026-01-31T06:00:00.000Z'],
    ['from', '2024-02-29', '2024-02-29T00:00:00.000Z'],
  ] as const)('%s %s = %s', ([edge, text, iso]) => {
    expect(new Date(parseTime(edge, text, NOW)).toISOString()).toBe(iso);
  });

  test.for([
    '',
    'now',
    '1y',
    '-1h',
    '2026',
    '2026-1-1',
    '2026-04-31',
    '2026-02-29',
    '2026-13-01',
    '2026-01-31T25:00',
    '2026-01-31 08:00',
    '31.1.2026',
  ])('not %j', (text) => expect(() => parseTime('from', text, NOW)).toThrow(UsageError));
});

test('a query of all of them', () => {
  const words = {
    server: 's',
    database: 'd',
    tx: '7..',
    from: '1h',
    to: '2026-02-10',
    operation: 'o',
    outcome: 'problems, forget',
  };
  expect(queryOf(words, NOW)).toEqual({
    server: 's',
    database: 'd',
    txRange: { from: 7n },
    timeRange: { from: NOW - 3_600_000, to: Date.parse('2026-02-10T23:59:59.999Z') },
    operation: 'o',
    outcome: ['failure', 'fork', 'rollback', 'identity-change', 'forget'],
  });
  expect(queryOf({ tx: '7' }, NOW)).toEqual({ txRange: { from: 7n, to: 7n } });
  expect(queryOf({ tx: '..9' }, NOW)).toEqual({ txRange: { to: 9n } });
  expect(queryOf({ outcome: 'all' }, NOW)).toEqual({ outcome: 'all' });
  expect(queryOf({}, NOW)).toEqual({});
  expect(new Set(OUTCOMES).size).toBe(11);
});
