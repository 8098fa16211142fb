// The shape of the source: no circle of imports, types counted (lint sees those of values only), no room too full to look at.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const MAX_FILES = 20;

const files = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.c?ts$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));

const imports = new Map(
  files.map((file) => {
    const specifiers = [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import\()\s*'(\.[^']+)'/g)];
    return [
      file,
      specifiers.map(([, to]) => normalize(join(dirname(file), to as string)).replace(/js$/, 'ts')),
    ] as const;
  }),
);

/** Files on the way from one back to it, if there is a way. */
function circleThrough(file: string): string[] | undefined {
  const ways = [[file]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way; way = ways.shift()) {
    for (const next of imports.get(way.at(-1) as string) ?? []) {
      if (next === file) return [...way, file];
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}

test('no imports run in a circle', () => {
  expect(files.map(circleThrough).filter((circle) => circle !== undefined)).toEqual([]);
  for (const [file, targets] of imports)
    for (const target of targets) if (target.endsWith('.ts')) expect(files, file).toContain(target);
});

test(`no folder holds more than ${MAX_FILES} files`, () => {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > MAX_FILES)).toEqual([]);
});
