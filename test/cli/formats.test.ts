// Tables, CSV, JSON and NDJSON: whatever the text is, a reader of the format gets it back, and a terminal is left alone.
import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvLine, formatNamed, jsonText, print } from '#dist/cli/format/formats.js';
import { shortened, visible } from '#dist/visible.js';
import { isoTime, rowColumns } from '#dist/cli/format/row-columns.js';
import { Output } from '#dist/cli/output.js';
import { entry } from './audited.js';

const row = (fields: Parameters<typeof entry>[0]) => ({
  ...entry(fields),
  seq: 5n,
  hash: new Uint8Array(32),
});
const HOSTILE = 'a"b,c\r\nd\u001b[2J\u202e=1\u009b';

/** A reader of CSV, as RFC 4180 has it. */
function readCsv(text: string): string[][] {
  const lines: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    lines.at(-1)!.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
    if (end === '\r\n') lines.push([]);
  }
  return lines.slice(0, -1);
}

describe('CSV', () => {
  test('any text comes back, but for an apostrophe before a formula', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (cells) => {
        const [back] = readCsv(csvLine(cells));
        expect(back).toEqual(
          cells.map((cell) =>
            /^[=+\-@\t\r]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell,
          ),
        );
      }),
    );
  });

  test.for([
    ['=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['+1-2', "'+1-2"],
    ['-1', '-1'],
    ['-1.5', '-1.5'],
    [' padded', '" padded"'],
    [null, ''],
    [undefined, ''],
    [0, '0'],
  ])('%j', ([cell, written]) => expect(csvLine([cell!, 'x'])).toBe(`${String(written)},x\r\n`));

  test('a row, with its heading', () => {
    const format = formatNamed('csv', rowColumns({ jobs: true }));
    const evidence = { check: 'c', expected: '1', computed: HOSTILE, job: Uint8Array.of(1, 2, 255) };
    const [heading, cells] = readCsv(
      format.begin + format.item(row({ detail: HOSTILE, evidence }), 0) + format.end,
    );
    const fields = Object.fromEntries(heading!.map((name, i) => [name, cells![i]]));
    expect(fields).toMatchObject({
      seq: '5',
      tx: '1',
      alh: '07'.repeat(32),
      verifiedAt: '2026-01-31T08:00:00.000Z',
      previousTx: '',
      detail: HOSTILE,
      computed: HOSTILE,
      job: 'AQL/',
    });
    expect(cells).toHaveLength(heading!.length);
  });
});

describe('JSON', () => {
  test('is the same value, and nothing in it moves a terminal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const written = jsonText({ value, text });
        expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify({ value, text })));
        expect(written).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  test('an array of none, one and two; a line for each in NDJSON', async () => {
    for (const count of [0, 1, 2]) {
      const rows = Array.from({ length: count }, () => row({ tx: 2n ** 63n - 1n, detail: HOSTILE }));
      const parsed = JSON.parse(await printed(rows, 'json')) as { tx: string; detail: string }[];
      expect(parsed).toHaveLength(count);
      for (const { tx, detail } of parsed) expect([tx, detail]).toEqual(['9223372036854775807', HOSTILE]);
      const lines = (await printed(rows, 'ndjson')).split('\n');
      expect(lines.pop()).toBe('');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(parsed);
    }
  });
});

describe('a table', () => {
  test('has a line for each row, with nothing in it that does something', async () => {
    const text = await printed([row({ operation: HOSTILE, database: HOSTILE, detail: HOSTILE })], 'table');
    expect(text.split('\n')).toHaveLength(3);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(text).toContain('d\\u{1b}[2J\\u{202e}=1');
  });
});

async function printed(
  rows: readonly ReturnType<typeof row>[],
  name: 'table' | 'json' | 'ndjson',
): Promise<string> {
  const stream = new PassThrough();
  const out = new Output(stream);
  await print(rows, formatNamed(name, rowColumns({ jobs: false })), out);
  stream.end();
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk as string;
  return text;
}

test('text is cut between characters', () => {
  expect(shortened('ab🙂cd', 4)).toBe('ab🙂…');
  expect(shortened('ab🙂c', 4)).toBe('ab🙂c');
  expect(visible('tab\tand\u2028line')).toBe('tab\\u{9}and\\u{2028}line');
});

test('a time that is no date stays a number', () => {
  expect(isoTime(Number.MAX_SAFE_INTEGER)).toBe('9007199254740991');
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
});

test('a slow reader is waited for; one that is gone ends the printing', async () => {
  let release: () => void = () => undefined;
  let taken = 0;
  const slow = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      taken += 1;
      release = done;
    },
  });
  let asked = 0;
  const endless = async function* () {
    await Promise.resolve();
    for (;;) {
      asked += 1;
      yield row({ detail: 'x'.repeat(1000) });
    }
  };
  const printing = print(endless(), formatNamed('ndjson', rowColumns({ jobs: false })), new Output(slow));
  while (taken === 0) await new Promise(setImmediate);
  const before = asked;
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  expect(asked).toBe(before);
  release();
  while (taken === 1) await new Promise(setImmediate);
  slow.destroy();
  await expect(printing).resolves.toBeGreaterThan(before);
});

test('JSON of a row whose column has the name of the method that makes JSON of it', () => {
  const row = Object.assign(Object.create({ toJSON: () => 'own' }) as object, {
    toJSON: 5n,
    id: 2n ** 63n - 1n,
  });
  expect(jsonText(row)).toBe('{"toJSON":"5","id":"9223372036854775807"}');
});
