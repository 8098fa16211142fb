// What is said of the coverage is so: every RPC has a row, every call that is named is there and ran on a real server, every
// verified one is lied to, and no public call is without a row.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { allMethods } from '#dist/wire/schema.js';
import { coveragePage, isThere } from './coverage/document.js';
import { BESIDE, COVERAGE, PENDING } from './coverage/table.js';
import type { Row } from './coverage/table.js';

const ROWS = COVERAGE.flatMap(({ rows }) => Object.entries<Row>(rows));
const CALLED = ROWS.flatMap(([rpc, row]) => ('ranIn' in row ? [[rpc, row] as const] : []));

/** Nothing is asked of it. */
const client = new ImmuClient({ store: new MemoryRootStore() });
const FAMILIES = ['databases', 'users', 'server', 'audit', 'documents', 'sql'] as const;

/** Names of the methods of an object, those it inherits too. */
function methodsOf(object: object): string[] {
  const names: string[] = [];
  for (let of: object = object; of !== Object.prototype; of = Object.getPrototypeOf(of) as object)
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(of)))
      if (typeof value === 'function' && name !== 'constructor') names.push(name);
  return names;
}

const PUBLIC = new Set([
  ...methodsOf(client),
  ...FAMILIES.flatMap((family) => methodsOf(client[family]).map((name) => `${family}.${name}`)),
]);

const namedIn = (row: (typeof CALLED)[number][1]) => [...(row.plain ?? []), ...(row.verified ?? [])];
const NAMED = new Set(CALLED.flatMap(([, row]) => namedIn(row)));

/** Comments do not call anything. */
function code(path: string): string {
  return readFileSync(path, 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
}

/** By its name, or where a test makes it and others in turn, by its name as text. */
function calls(text: string, call: string): boolean {
  const name = call.slice(call.lastIndexOf('.') + 1);
  return text.includes(`.${name}(`) || text.includes(`'${name}'`);
}

test('every RPC has one row', () => {
  expect(ROWS.map(([rpc]) => rpc).sort()).toEqual([...allMethods().keys()].sort());
});

test('every row of an RPC that is called says by what, and where that ran', () => {
  for (const [rpc, row] of CALLED) {
    const says = (namedIn(row).length > 0 || row.inside !== undefined) && row.ranIn.length > 0;
    expect([rpc, says]).toEqual([rpc, true]);
  }
});

test('every call that a row names is there; those that are pending are not', () => {
  expect([...NAMED].filter((call) => isThere(call) !== PUBLIC.has(call))).toEqual([]);
  expect(PENDING.filter((call) => !NAMED.has(call))).toEqual([]);
});

test('every public call has a row, or is known to need none', () => {
  const unknown = [...PUBLIC].filter((call) => !NAMED.has(call) && !BESIDE.includes(call));
  expect(unknown.filter((call) => !call.startsWith('audit.'))).toEqual([]);
  expect(BESIDE.filter((call) => !PUBLIC.has(call) || NAMED.has(call))).toEqual([]);
});

describe('ran on a real server', () => {
  test.each(CALLED.map(([rpc, row]) => ({ rpc, row })))('$rpc', ({ rpc, row }) => {
    const due = namedIn(row).filter((call) => isThere(call));
    if (due.length === 0 && row.inside === undefined) return;
    const files = row.ranIn.filter((path) => existsSync(path));
    expect(files, rpc).not.toEqual([]);
    const texts = files.map(code);
    for (const text of texts) expect(text).toMatch(/\bdescribe(Real|Server|Private|Sql)\(/);
    // One of several names for the same is enough of each.
    for (const call of due.filter((name) => !isOtherName(name)))
      expect([call, texts.some((text) => calls(text, call))]).toEqual([call, true]);
  });
});

/** Of a family: the flat name calls it. Or a name of other clients. */
function isOtherName(call: string): boolean {
  return call.includes('.') || call.startsWith('safe');
}

test('every verified call is lied to', () => {
  const folder = 'test/adversary';
  const lies = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^(scenarios\/.*|particular-lies\.test|regrouping\.test)\.ts$/.test(path))
    .map((path) => join(folder, path))
    .concat('test/sql/hostile.test.ts')
    .map(code)
    .join('\n');
  const verified = new Set(CALLED.flatMap(([, row]) => row.verified ?? []));
  const due = [...verified].filter((call) => isThere(call) && !isOtherName(call));
  expect(due.length).toBeGreaterThan(4);
  expect(due.filter((call) => !calls(lies, call))).toEqual([]);
});

test('docs/coverage.md is what the table gives: `npm run coverage` writes it', async () => {
  expect(readFileSync('docs/coverage.md', 'utf8')).toBe(await coveragePage());
});
