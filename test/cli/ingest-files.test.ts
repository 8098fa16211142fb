// `immu-ts ingest FILE...`: what it writes, leaves out, goes on from and ends with; on the embedded ledger.
import { describe, expect, test, vi } from 'vitest';
import { rateLine } from '#dist/cli/ingest/files/rate-line.js';
import { templateOf } from '#dist/cli/ingest/files/template.js';
import { open } from './ingest-support.js';
import { start } from './run.js';

vi.setConfig({ testTimeout: 120_000 });

const KEY = ['--key-template', 'invoice/{id}'];

describe('files', () => {
  test('NDJSON of several files: every line a proven entry, values as they stand, in order', async () => {
    const { cli, file, text } = await open();
    await file('a.ndjson', '\ufeff{"id":1,"sum":"7"}\r\n\n{"id":"two", "sum": 8}\n');
    await file('b.ndjson', '{"id":3,"sum":"9"}');
    const ran = await cli(['a.ndjson', 'b.ndjson', ...KEY]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(
      /^3 records are written and verified, proven under tx \d+, alh [0-9a-f]{64}\n$/,
    );
    expect(await text('invoice/1')).toBe('{"id":1,"sum":"7"}');
    expect(await text('invoice/two')).toBe('{"id":"two", "sum": 8}');
    expect(await text('invoice/3')).toBe('{"id":3,"sum":"9"}');
  });

  test('lines, by their place, and JSON as the outcome', async () => {
    const { cli, file, text } = await open();
    await file('words', 'first {line}\nsecond\n');
    const given = [
      '--format',
      'lines',
      '--key-template',
      'w/{#}',
      '--value-template',
      '<{}> {{{#}}}',
      '--json',
    ];
    const ran = await cli(['words', ...given]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ verified: true, records: 2, before: 0, rejected: 0 });
    expect(await text('w/0')).toBe('<first {line}> {0}');
    expect(await text('w/1')).toBe('<second> {1}');
  });

  test('standard input', async () => {
    const { folder, env, text } = await open();
    const { child, outcome } = await start(['ingest', '-', ...KEY], { cwd: folder, env, stdin: true });
    child.stdin?.write('{"id":"a');
    child.stdin?.end('b"}\n');
    expect(await outcome).toMatchObject({ code: 0, stderr: '' });
    expect(await text('invoice/ab')).toBe('{"id":"ab"}');
  });

  test('a line that can never be written ends it, behind all before it; with a reject file it goes on', async () => {
    const { cli, file, text, read } = await open();
    const lines = [
      '{"id":1}',
      '{"id":',
      '{"no":2}',
      '{"id":null}',
      '{"id":""}',
      '{"id":9007199254740993}',
      '{"id":4}',
    ];
    await file('a.ndjson', Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), Buffer.from([0xff, 10])]));
    const ended = await cli(['a.ndjson', ...KEY]);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('a.ndjson:2: it is no JSON (--reject-file goes on without such lines)');
    expect(await text('invoice/1')).toBe('{"id":1}');
    expect(await text('invoice/4')).toBeNull();
    const whole = await cli(['a.ndjson', ...KEY, '--reject-file', 'rejects.ndjson']);
    expect(whole.code, whole.stderr).toBe(0);
    expect(whole.stdout).toMatch(/^3 records are written .*\n5 lines are in the reject file\n$/);
    expect(await text('invoice/4')).toBe('{"id":4}');
    const rejects = (await read('rejects.ndjson'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(rejects).toMatchObject([
      { file: 'a.ndjson', line: 2, reason: 'it is no JSON', text: '{"id":' },
      { line: 3, reason: 'it has no "id"' },
      { line: 4, reason: 'its "id" is null' },
      { line: 6, reason: expect.stringContaining('make it a string') as string },
      { line: 8, reason: 'it is no UTF-8', base64: '/w==' },
    ]);
  });

  test('goes on from its resume file: nothing is written twice', async () => {
    const { cli, file, read } = await open();
    await file('a.ndjson', '{"id":1}\n{"id":2}\nbroken\n{"id":3}\n');
    const given = ['a.ndjson', ...KEY, '--resume', 'point'];
    expect(await cli(given)).toMatchObject({ code: 1 });
    expect(await read('point')).toMatch(/^immu-ingest-1\.2\./);
    await file('a.ndjson', '{"id":1}\n{"id":2}\n{"id":3}\n');
    const ran = await cli(given);
    expect(ran.stdout).toMatch(/^3 records are written and verified, 2 of them by an earlier run, proven/);
    expect(await read('point')).toMatch(/^immu-ingest-1\.3\./);
    const again = await cli(given);
    expect(again.stdout).toBe('3 records are written and verified, 3 of them by an earlier run\n');
  });

  test('--once writes nothing a second time, proves what is there, and rejects another value', async () => {
    const { cli, file, text, read } = await open();
    await file('a.ndjson', '{"id":1}\n{"id":2}\n');
    expect((await cli(['a.ndjson', ...KEY, '--once'])).stdout).toMatch(
      /^2 records are written and verified, proven/,
    );
    await file('a.ndjson', '{"id":1}\n{"id":2,"changed":true}\n{"id":3}\n');
    const ended = await cli(['a.ndjson', ...KEY, '--once']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('is there already with another value');
    const given = ['a.ndjson', ...KEY, '--once', '--reject-file', 'rejects', '--json'];
    const ran = await cli(given);
    expect(ran.code, ran.stderr).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ records: 2, rejected: 1 });
    expect(JSON.parse(await read('rejects'))).toMatchObject({
      line: 2,
      reason: expect.stringContaining('another value') as string,
      text: '{"id":2,"changed":true}',
    });
    expect(await text('invoice/2')).toBe('{"id":2}');
    expect((await cli(['a.ndjson', ...KEY, '--once', '--reject-file', 'rejects'])).stdout).toMatch(
      /^2 records are written and verified, 2 of them were there already, proven .*\n1 lines are in the reject file\n$/,
    );
    expect(await cli(['a.ndjson', ...KEY, '--once', '--dry-run'])).toMatchObject({ code: 2 });
  });

  test('--dry-run says what would be, and writes nothing', async () => {
    const { cli, file, text } = await open();
    await file('a.ndjson', '{"id":1}\nx\n{"id":2}\n');
    const ran = await cli(['a.ndjson', ...KEY, '--dry-run', '--reject-file', 'rejects']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toBe(
      'invoice/1 = {"id":1}\ninvoice/2 = {"id":2}\n2 records could be written, 1 lines not; nothing was\n',
    );
    expect(await text('invoice/1')).toBeNull();
  });

  test.each([
    [['a'], /needs --key-template/],
    [['--key-template', '{id'], /has a single \{/],
    [['a', '--key-template', 'x}'], /has a single \}/],
    [['a', ...KEY, '--format', 'xml'], /--format is one of ndjson, csv, lines/],
    [['-', '-', ...KEY], /- can be read once/],
    [['a', ...KEY, '--unverified'], /always verified/],
    [['a', ...KEY, '--lockfile', 'b'], /lockfile/],
  ])('%j is a wrong command line', async (args, words) => {
    const { cli } = await open();
    const ran = await cli(args);
    expect(ran.stderr).toMatch(words);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
  });

  test('a file that is not there', async () => {
    const { cli } = await open();
    expect(await cli(['none', ...KEY])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ENOENT.*none/) as string,
    });
  });

  test.each([
    ['UTF-16 little endian', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 big endian', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['UTF-16 without a mark', (text: string) => Buffer.from(text, 'utf16le')],
    ['UTF-16 big endian without a mark', (text: string) => Buffer.from(text, 'utf16le').swap16()],
    ['UTF-8 with a mark', (text: string) => Buffer.from(`\ufeff${text}`)],
  ])('%s is read as what it is, in pieces of any size', async (_name, bytes) => {
    const { folder, env, text } = await open();
    const { child, outcome } = await start(['ingest', '-', ...KEY], { cwd: folder, env, stdin: true });
    for (const byte of bytes('{"id":"ö"}\n{"id":"😀"}\r\n')) {
      child.stdin?.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    child.stdin?.end();
    expect(await outcome).toMatchObject({ code: 0, stderr: '' });
    expect(await text('invoice/ö')).toBe('{"id":"ö"}');
    expect(await text('invoice/😀')).toBe('{"id":"😀"}');
  });

  test('UTF-16 that is broken ends it, and names the file', async () => {
    const { cli, file } = await open();
    const half = Buffer.from('\ufeff{"id":1}\n{"id":2}\n', 'utf16le');
    await file('wide', Buffer.concat([half, Buffer.from([0x7b])]));
    const ran = await cli(['wide', ...KEY]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('wide begins as UTF-16, and is not all of it');
  });

  test('a resume file of other files is told, and one that cannot be written ends it', async () => {
    const { cli, file } = await open();
    await file('a.ndjson', '{"id":1}\n{"id":2}\n');
    await file('b.ndjson', '{"id":1}\n');
    expect(await cli(['a.ndjson', ...KEY, '--resume', 'point'])).toMatchObject({ code: 0 });
    const other = await cli(['b.ndjson', ...KEY, '--resume', 'point']);
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toContain('2 records were written by an earlier run, and there are 1');
    const nowhere = await cli(['a.ndjson', ...KEY, '--resume', 'none/point']);
    expect(nowhere).toMatchObject({ code: 1, stdout: '' });
    expect(nowhere.stderr).toContain('ENOENT');
  });
});

test('templates: fields within fields, own ones only', () => {
  const of = (text: string, value: unknown) =>
    templateOf('key-template', text)({ whole: 'w', index: 5, value });
  expect(of('{a.b}/{list.0}{#}{}', { a: { b: true }, list: ['x'] })).toBe('true/x5w');
  expect(of('{o}', { o: { x: [1] } })).toBe('{"x":[1]}');
  for (const path of ['toString', 'a.length', '__proto__'])
    expect(() => of(`{${path}}`, { a: 1 })).toThrow('it has no');
  expect(() => of('{a}', 'text')).toThrow('it has no');
});

test('the rate: what was passed over apart, share and time left where the size is known', () => {
  const pace = { proven: 500, before: 0, seconds: 2, size: 1000, read: 250, passed: 0 };
  expect(rateLine(pace)).toBe('500 records proven, 250/s, 25 %, 6 s left');
  expect(rateLine({ ...pace, size: undefined })).toBe('500 records proven, 250/s');
  // Half of it was read in no time, by an earlier run's word.
  expect(rateLine({ ...pace, before: 9000, read: 750, passed: 500 })).toBe(
    '9000 passed over, 500 records proven, 250/s, 75 %, 2 s left',
  );
  expect(rateLine({ ...pace, size: 25_000 })).toContain('3 min 18 s left');
  expect(rateLine({ ...pace, size: 1_000_000 })).toContain('2 h 13 min left');
});
