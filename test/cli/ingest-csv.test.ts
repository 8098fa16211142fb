// `immu-ts ingest` of CSV: what becomes of its records, and where it ends; on the embedded ledger.
import { describe, expect, test, vi } from 'vitest';
import { open } from './ingest-support.js';
import { start } from './run.js';

vi.setConfig({ testTimeout: 120_000 });

const KEY = ['--key-template', 'c/{id}'];

describe('CSV', () => {
  test('the first line of each file names the fields', async () => {
    const { cli, file, text } = await open();
    await file('a.csv', '\ufeffid,name,a.b\r\n1,"Ada, ""L""",x\r\n\r\n2,"two\nlines",ö\r\n');
    await file('b.CSV', 'name,id\nBob,3\n');
    const ran = await cli(['a.csv', 'b.CSV', ...KEY]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^3 records are written/);
    expect(JSON.parse((await text('c/1')) ?? '')).toEqual({ id: '1', name: 'Ada, "L"', 'a.b': 'x' });
    expect(JSON.parse((await text('c/2')) ?? '')).toEqual({ id: '2', name: 'two\nlines', 'a.b': 'ö' });
    expect(await text('c/3')).toBe('{"name":"Bob","id":"3"}');
    const again = await cli(['a.csv', '--key-template', 'd/{a.b}', '--value-template', '{name}#{#}']);
    expect(again.code, again.stderr).toBe(0);
    expect(await text('d/x')).toBe('Ada, "L"#0');
  });

  test('another delimiter, from standard input, in pieces', async () => {
    const { folder, env, text } = await open();
    const args = ['ingest', '-', '--format', 'csv', '--delimiter', 'tab', ...KEY];
    const { child, outcome } = await start(args, { cwd: folder, env, stdin: true });
    for (const byte of Buffer.from('id\tv\n1\t"ö\t"')) {
      child.stdin?.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    child.stdin?.end();
    expect(await outcome).toMatchObject({ code: 0, stderr: '' });
    expect(await text('c/1')).toBe('{"id":"1","v":"ö\\t"}');
  });

  test('records that cannot be written: too few fields, too many, no UTF-8, no key', async () => {
    const { cli, file, text, read } = await open();
    const rows = ['id,v', '1,a', '2', '3,b,c', ',d', '4,e'];
    await file('a.csv', Buffer.concat([Buffer.from(`${rows.join('\n')}\n5,`), Buffer.from([0xff, 10])]));
    const key = ['--key-template', '{id}'];
    const ended = await cli(['a.csv', ...key]);
    expect(ended.stderr).toContain('a.csv:3: it has 1 fields, and the header 2 (--reject-file goes on');
    expect(await text('1')).toBe('{"id":"1","v":"a"}');
    const whole = await cli(['a.csv', ...key, '--reject-file', 'rejects']);
    expect(whole.stdout).toMatch(/^2 records are written .*\n4 lines are in the reject file\n$/);
    expect(await text('4')).toBe('{"id":"4","v":"e"}');
    const rejects = (await read('rejects'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    const base64 = Buffer.from('5,\xff', 'latin1').toString('base64');
    expect(rejects).toEqual([
      { file: 'a.csv', line: 3, reason: 'it has 1 fields, and the header 2', text: '2' },
      { file: 'a.csv', line: 4, reason: 'it has 3 fields, and the header 2', text: '3,b,c' },
      { file: 'a.csv', line: 5, reason: 'its key is empty', text: ',d' },
      { file: 'a.csv', line: 7, reason: 'it is no UTF-8', base64 },
    ]);
  });

  test.each([
    ['id,v\n1,a\n2,"b"c\n3,d\n', /a\.csv:3: its quotes are broken/],
    ['id,v\n1,a\n2,b"c"\n', /a\.csv:3: its quotes are broken/],
    ['id,v\n1,a\n2,"b\n3,c\n', /a\.csv:\d: its quotes are broken/],
  ])('%j: broken quotes end it, behind all before them', async (content, words) => {
    const { cli, file, text } = await open();
    await file('a.csv', content);
    const ran = await cli(['a.csv', ...KEY, '--reject-file', 'rejects']);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(words);
    expect(await text('c/1')).toBe('{"id":"1","v":"a"}');
    expect(await text('c/3')).toBeNull();
  });

  test('a header that names a field twice, and one that is no UTF-8', async () => {
    const { cli, file } = await open();
    const header = 'its first line names the fields, and';
    await file('a.csv', 'id,id\n1,2\n');
    expect((await cli(['a.csv', ...KEY])).stderr).toContain(`a.csv: ${header} has "id" twice`);
    await file('b.csv', Buffer.from('id,\xff\n1,2\n', 'latin1'));
    expect((await cli(['b.csv', ...KEY])).stderr).toContain(`b.csv: ${header} is no UTF-8`);
  });

  test('goes on from its resume file', async () => {
    const { cli, file } = await open();
    await file('a.csv', 'id\n1\nx,y\n2\n"3"x\n');
    const given = ['a.csv', ...KEY, '--resume', 'point', '--reject-file', 'rejects'];
    expect(await cli(given)).toMatchObject({ code: 1 });
    await file('a.csv', 'id\n1\nx,y\n2\n3\n');
    const ran = await cli(given);
    expect(ran.stdout).toMatch(/^3 records are written and verified, 2 of them by an earlier run, proven/);
  });

  test.each([
    [['a.csv', 'b.ndjson'], /some of the files end with \.csv/],
    [['a.csv', '--delimiter', '"'], /--delimiter is one ASCII character/],
    [['a.csv', '--delimiter', ';;'], /--delimiter is one ASCII character/],
    [['a.csv', '--delimiter', 'ö'], /--delimiter is one ASCII character/],
    [['a', '--delimiter', ';'], /--delimiter goes with --format csv/],
  ])('%j is a wrong command line', async (args, words) => {
    const { cli } = await open();
    const ran = await cli([...args, ...KEY]);
    expect(ran.stderr).toMatch(words);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
  });
});
