// State files of other clients: what is read of them, and that nothing else is read, called or believed.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStateFile } from '#dist/cli/trust/files/read.js';
import { temporaryFolder } from '../run.js';
import { goLine } from './go-line.js';
import { PICKLES } from './pickles.js';

async function file(content: string | Uint8Array, name = 'states'): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return path;
}

const pickle = (name: keyof typeof PICKLES) => Buffer.from(PICKLES[name], 'base64');
const alh = (byte: number) => new Uint8Array(32).fill(byte);

test.for(['protocol3', 'protocol4', 'protocol5'] as const)(
  "immu-py's dictionary of states, %s",
  async (name) => {
    expect(await readStateFile(await file(pickle(name)))).toEqual({
      format: 'immu-py',
      roots: [
        { database: 'defaultdb', tx: 7n, alh: alh(0xaa), signed: false },
        { database: 'shop', tx: 70_000n, alh: alh(0xbb), signed: true },
        { database: 'big', tx: 2n ** 40n, alh: alh(0xcc), signed: false },
      ],
    });
  },
);

test.for([
  ['protocol2', /_codecs.encode: only plain states are read, and nothing is called/],
  ['eval', /builtins.eval: only plain states are read, and nothing is called/],
  ['list', /what a file of states needs not/],
  ['text', /what it has for a is no state/],
  ['short', /what it has for a is no state/],
  ['other', /what it has for a is a state of b/],
] as const)('a pickle of something else is refused: %s', async ([name, words]) => {
  await expect(readStateFile(await file(pickle(name)))).rejects.toThrow(words);
});

test('a pickle that is broken off anywhere, or changed anywhere, is an error or a file of states', async () => {
  const whole = pickle('protocol4');
  for (let end = 1; end < whole.length; end++)
    await expect(readStateFile(await file(whole.subarray(0, end)))).rejects.toThrow(/no state file/);
  for (let at = 1; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0xff;
    const read = await readStateFile(await file(changed)).catch((error: unknown) => error);
    if (read instanceof Error) expect(read.message).toMatch(/no state file/);
    else
      for (const { alh: hash } of (read as { roots: { alh: Uint8Array }[] }).roots)
        expect(hash.length).toBe(32);
  }
}, 60_000);

test("the Go client's lines, with the server of the file's name", async () => {
  const path = await file(
    `${goLine('defaultdb', 7n, alh(1))}\n\n${goLine('shop', 2n ** 40n, alh(2), true)}\n`,
    '.state-cs5bmqjk5l0c73b8rr2g',
  );
  expect(await readStateFile(path)).toEqual({
    format: 'go',
    server: 'cs5bmqjk5l0c73b8rr2g',
    roots: [
      { database: 'defaultdb', tx: 7n, alh: alh(1), signed: false },
      { database: 'shop', tx: 2n ** 40n, alh: alh(2), signed: true },
    ],
  });
  expect(await readStateFile(await file(`${goLine('a', 1n, alh(1))}\n`))).not.toHaveProperty('server');
});

test.for([
  ['defaultdb', /line 1 is not NAME:BASE64/],
  ['defaultdb:***', /line 1 is not NAME:BASE64/],
  [`${goLine('a', 1n, alh(1))}\nb`, /line 2 is not/],
  [`a:${Buffer.from([0x10]).toString('base64')}`, /line 1 holds no state/],
  [`a:${Buffer.from([0x1a, 0xff, 0x01]).toString('base64')}`, /line 1 holds no state/],
  [`a:${Buffer.from([0x0d, 1, 2, 3, 4]).toString('base64')}`, /line 1 holds no state/],
  [goLine('a', 1n, new Uint8Array(31)), /line 1 holds no state/],
  [goLine('a', 2n ** 63n, alh(1)), /too high a number/],
  [goLine('b', 1n, alh(1)).replace('b:', 'a:'), /line 1 is of a, and its state of b/],
  [`${goLine('a', 1n, alh(1))}\n${goLine('a', 2n, alh(2))}`, /names a database twice/],
  [Buffer.from([0xff, 0xfe, 0x41]), /it is no text/],
  ['x'.repeat(1024 * 1024 + 1), /too long/],
] as const)('lines that hold no state are refused (%#)', async ([content, words]) => {
  const path = await file(content);
  await expect(readStateFile(path)).rejects.toThrow(words);
  await expect(readStateFile(path)).rejects.toThrow(path);
});

test('an empty file holds nothing; noise is an error and no more', async () => {
  expect(await readStateFile(await file(''))).toEqual({ format: 'go', roots: [] });
  for (let i = 0; i < 200; i++) {
    const noise = randomBytes(64);
    if (i % 2 === 0) noise[0] = 0x80;
    await expect(readStateFile(await file(noise))).rejects.toThrow(/no state file/);
  }
});
