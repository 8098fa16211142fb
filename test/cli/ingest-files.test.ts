// `immu-ts ingest FILE...`: what it writes, leaves out, goes on from and ends with; on the embedded ledger.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { rateLine } from '#dist/cli/ingest/files/rate-line.js';
import { templateOf } from '#dist/cli/ingest/files/template.js';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { run, start, temporaryFolder } from './run.js';

vi.setConfig({ testTimeout: 120_000 });

async function open() {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const folder = await temporaryFolder();
  const env = { IMMU_TS_STORE: join(folder, 'roots.db'), IMMU_TS_ADDRESS: ledger.address };
  const client = new ImmuClient({
    address: ledger.address,
    credentials: { user: 'immudb', password: 'immudb' },
    store: new MemoryRootStore(),
  });
  onTestFinished(() => client.close());
  const text = async (key: string) => {
    const entry = await client.verifiedGet(key);
    return entry && Buffer.from(entry.value).toString();
  };
  let ran = 0;
  const cli = (args: readonly string[]) => run(['ingest', ...args], { cwd: folder, env, again: ran++ > 0 });
  const file = async (name: string, content: string | Uint8Array) => {
    await writeFile(join(folder, name), content);
    return name;
  };
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  return { ledger, folder, env, text, cli, file, read };
}

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
    [['a', ...KEY, '--format', 'xml'], /--format is ndjson or lines/],
    [['-', '-', ...KEY], /- can be read once/],
    [['a', ...KEY, '--unverified'], /always verified/],
    [['a', ...KEY, '--lockfile', 'b'], /lockfile/],
  ])('%j is a wrong command line', async (args, words) => {
    const { cli } = await open();
    const ran = await cli(args);
    expect(ran.stderr).toMatch(words);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
  });

  test('a file that is not there, and one that is UTF-16', async () => {
    const { cli, file } = await open();
    expect(await cli(['none', ...KEY])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ENOENT.*none/) as string,
    });
    await file('wide', Buffer.from('\ufeff{"id":1}\n', 'utf16le'));
    expect((await cli(['wide', ...KEY])).stderr).toContain('wide is UTF-16: make it UTF-8 first');
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

test('the rate: share and time left where the size is known', () => {
  expect(rateLine(500, 250.4, 1000, 250, 2)).toBe('500 records proven, 250/s, 25 %, 6 s left');
  expect(rateLine(500, 250, undefined, 250, 2)).toBe('500 records proven, 250/s');
});
