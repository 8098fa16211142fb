// The list of questions: what stored evidence depends on, and what the CLI says of them.
import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import { questionWords } from '#dist/audit.js';
import type { Question } from '#dist/audit.js';
import { KINDS, kindOf, kindWithTag } from '#dist/verify/kinds.js';
import { unpackJob } from '#dist/verify/pack/packet.js';

const FOLDER = new URL('../vectors/evidence-v1/', import.meta.url);

it('has for each kind the numbers that stored evidence has for it', () => {
  expect(KINDS.map(({ kind, tags }) => [kind, ...tags])).toEqual([
    ['get', 1],
    ['set', 2],
    ['tx', 3, 10, 40],
    ['segment', 4],
    ['claims', 5],
    ['claim', 6, 33, 71],
    ['written', 7],
    ['block', 8],
    ['leaves', 9],
    ['stretch', 11],
    ['state', 12],
    ['gone', 13],
    ['deleted', 14],
    ['executed', 21],
    ['referenced', 22],
    ['added', 23],
    ['uploaded', 30],
    ['streamed', 31],
    ['scan', 50],
    ['history', 51],
    ['z-scan', 52],
    ['exported', 41],
    ['row', 80, 81],
    ['document', 70],
  ]);
});

it('has no number twice, and none of a verdict that belongs to no kind', () => {
  const tags = KINDS.flatMap((kind) => kind.tags);
  expect(new Set(tags).size).toBe(tags.length);
  const proven = KINDS.flatMap(({ provenTags }) => provenTags);
  expect(new Set(proven).size).toBe(proven.length);
  expect(Math.min(...proven)).toBe(2);
  expect(new Set(KINDS.map(({ kind }) => kind)).size).toBe(KINDS.length);
});

it('finds a kind by its question and by its number', () => {
  for (const kind of KINDS) {
    expect(kindOf({ kind: kind.kind } as Question)).toBe(kind);
    for (const tag of kind.tags) expect(kindWithTag(tag)).toBe(kind);
  }
  for (const tag of [0, 15, 255]) expect(kindWithTag(tag)).toBeUndefined();
  for (const kind of ['toString', '__proto__', '', undefined])
    expect(() => kindOf({ kind } as unknown as Question)).toThrow(ArgumentError);
});

it('says in words what was asked', () => {
  const words = readdirSync(FOLDER).map((name) => {
    const { refused } = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as { refused: string };
    return [name, questionWords(unpackJob(new Uint8Array(Buffer.from(refused, 'hex'))).question)];
  });
  expect(Object.fromEntries(words)).toEqual({
    'added.json': 'to put "k" into the set "s" at -0',
    'block.json': 'the headers from tx 1 to 12',
    'claim-raw.json':
      'the entry 0x03522e00000001000000070000000080000102030405060708090a0b0c0d0e0f0000000000000000000000000000000000000010 in tx 5',
    'claim-version.json': 'key "alone" in tx 5, as its history showed it',
    'claim.json': 'key "alone" in tx 5, as a plain read showed it',
    'claims-single.json': 'key "alone", in a plain read',
    'claims.json': 'key "b" and 2 more, in a plain read',
    'deleted.json': 'to delete "marked"',
    'document.json': 'document 000102030405060708090a0b0c0d0e0f of collection 7 at tx 5',
    'executed.json': 'to write "k" = "v" and 2 more',
    'exported.json': 'an export of tx 4',
    'get-at-tx.json': 'key "b" at tx 4 at revision 3, not through a reference',
    'get-reference.json': 'key "bound"',
    'get.json': 'key "b"',
    'gone-shown.json': 'why key "marked" has no value any more, by tx 10',
    'gone.json': 'why key "marked" has no value any more, by tx 10',
    'history.json': 'the last 5 versions of key "b"',
    'leaves.json': 'the entries of 2 transactions from tx 4 on',
    'referenced.json': 'to let "q" refer to "k" as of tx 2',
    'row-at-tx.json': 'the row 0x8001 of table 1 at tx 6',
    'row.json': 'the row 0x8001 of table 1',
    'scan-range.json': '7 keys that begin with "a" from "a" on, the last ones first',
    'scan.json': '10 keys',
    'segment-frontier.json': 'the headers from tx 26 to 40',
    'segment.json': 'the headers from tx 26 to 28',
    'set.json': 'to write "a" = "1" and 2 more',
    'state-behind.json': 'its newest transaction',
    'state.json': 'its newest transaction',
    'streamed-at-tx.json': 'key "b" at tx 4, not through a reference, by stream',
    'streamed-reference.json': 'key "bound", by stream',
    'streamed.json': 'key "b", by stream',
    'stretch-next.json': 'everything in txs 4 to 4',
    'stretch-rows.json': 'everything in txs 3 to 12',
    'stretch-values.json': 'everything in txs 1 to 12, with values',
    'stretch.json': 'everything in txs 3 to 12',
    'tx-leaves.json': 'the header of tx 4',
    'tx-values.json': 'tx 4, with values',
    'tx.json': 'the header of tx 5',
    'uploaded.json': 'to write "a" = 1 bytes and 1 more, by stream',
    'written.json': 'to write a group of 12 bytes',
    'z-scan-range.json': '5 members of the sorted set "set", the last ones first',
    'z-scan.json': '5 members of the sorted set "set"',
  });
});
