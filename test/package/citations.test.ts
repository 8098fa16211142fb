// What comments and pages cite is in this repository: pages by section, rules by number, files by path.
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REPOSITORY } from './project.js';

const ROOMS = ['src', 'test', 'bench', 'docs'];
const PAGES = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md'];
const TEXTS = /\.(c|m)?(ts|js)$|\.(md|go|py|java)$/;
const RULES = 'docs/trust-rules.md';

/** This file is about wrong citations, and has some. */
const OWN = 'test/package/citations.test.ts';

/** A page or a standard, and the sections or rules that are named right behind it. */
const CITATION = new RegExp(
  [
    String.raw`(docs/[\w-]+\.md|RFC \d+|FIPS \d+-\d+|\bC2SP [\w-]+)`,
    String.raw`((?:(?:,| and)? §\d+(?:\.\d+)*(?:(?:,| and) §\d+(?:\.\d+)*)*)?`,
    String.raw`(?:(?<=trust-rules\.md) C?\d+(?:(?:,| and) C?\d+)*)?)`,
  ].join(''),
  'g',
);
const SECTION = /§(\d+(?:\.\d+)*)?/g;
const RULE = /(?<![\w.§])C?\d+\b/g;

/** Texts that are not here, and rules that are of no named page. */
const ELSEWHERE =
  /protocol file|\bfile 0\d\b|design\.md|design rule|\(design,|house\.md|\b(?:trust )?rules? C?\d+/gi;

/** Paths into the rooms, between backticks: of a file or of a folder. */
const PATH = /`((?:src|test|bench|proto|docs|\.ci)\/[\w./-]*)`/g;

const read = (path: string) => readFile(join(REPOSITORY, path), 'utf8');

/** Every text that may cite. */
async function texts(): Promise<string[]> {
  const found = await Promise.all(
    ROOMS.map(async (room) =>
      (await readdir(join(REPOSITORY, room), { recursive: true })).map((name) => `${room}/${name}`),
    ),
  );
  return [...PAGES, ...found.flat().map((path) => path.replaceAll('\\', '/'))]
    .filter((path) => TEXTS.test(path) && !path.includes('node_modules/') && path !== OWN)
    .sort();
}

/** Without fences, in which nothing is a heading. */
function prose(markdown: string): string {
  return markdown.replace(/^```[^]*?^```$/gm, '');
}

function sectionsOf(markdown: string): Set<string> {
  const headings = prose(markdown).matchAll(/^#{2,6} (\d+(?:\.\d+)*)\.? /gm);
  return new Set([...headings].map(([, number = '']) => number));
}

function rulesOf(markdown: string): Set<string> {
  const rules = prose(markdown).matchAll(/^(?:- \*\*(C\d+)\.\*\*|(\d+)\.) /gm);
  return new Set([...rules].map(([, named, numbered]) => named ?? numbered ?? ''));
}

interface Page {
  readonly sections: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
}

/** A comment that goes on in the next line cites like one that does not. */
function joined(text: string): string {
  return text.replace(/\n[ \t]*(?:\/\/+|\*(?!\/)|#(?!#))?[ \t]*/g, ' ');
}

/** What `text` (of `path`) cites that does not resolve. A bare § on a page with numbered sections is of that page. */
function unresolved(path: string, text: string, pages: ReadonlyMap<string, Page>): string[] {
  const wrong: string[] = [];
  const flat = joined(text);
  const rest = flat.replace(CITATION, (cited: string, where: string, what: string) => {
    if (!where.startsWith('docs/')) return '';
    const page = pages.get(where);
    const sections = [...what.matchAll(SECTION)].map(([, number = '']) => number);
    const rules = [...what.matchAll(RULE)].map(([number]) => number);
    const missing =
      !page ||
      sections.some((number) => !page.sections.has(number)) ||
      (where === RULES && rules.some((number) => !page.rules.has(number)));
    if (missing) wrong.push(cited);
    return '';
  });
  const own = pages.get(path === 'docs/glossary.md' ? 'docs/protocol.md' : path)?.sections;
  for (const [cited, number = ''] of rest.matchAll(SECTION)) {
    if (!own?.has(number)) wrong.push(`${cited} of no page`);
  }
  for (const [cited] of rest.matchAll(ELSEWHERE)) wrong.push(cited);
  return wrong;
}

const PATHS = await texts();
const pages = new Map<string, Page>();
for (const path of PATHS.filter((name) => name.startsWith('docs/') && name.endsWith('.md'))) {
  const text = await read(path);
  pages.set(path, { sections: sectionsOf(text), rules: rulesOf(text) });
}

test('there are sections and rules to cite, and comments that do', async () => {
  expect([...(pages.get(RULES)?.rules ?? [])].filter((rule) => !rule.startsWith('C'))).toEqual(
    Array.from({ length: 23 }, (_, i) => String(i + 1)),
  );
  expect(pages.get('docs/protocol.md')?.sections.size).toBeGreaterThan(50);
  const all = (await Promise.all(PATHS.map(read))).map(joined).join('\n');
  expect(all.match(/docs\/protocol\.md §/g)?.length).toBeGreaterThan(30);
  expect(PATHS).toEqual(expect.arrayContaining(['README.md', 'src/proof/header.ts', 'docs/audit.md']));
});

test('every citation is of a page, section or rule that is here', async () => {
  const wrong: Record<string, string[]> = {};
  for (const path of PATHS) {
    const found = unresolved(path, await read(path), pages);
    if (found.length > 0) wrong[path] = found;
  }
  expect(wrong).toEqual({});
});

test('every path that a page names is there', async () => {
  const wrong: string[] = [];
  for (const page of PATHS.filter((path) => path.endsWith('.md'))) {
    for (const [, path = ''] of (await read(page)).matchAll(PATH)) {
      if (!existsSync(join(REPOSITORY, path))) wrong.push(`${page}: ${path}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('every file that a comment names is there', async () => {
  const wrong: string[] = [];
  for (const path of PATHS.filter((name) => /\.[cm]?ts$/.test(name))) {
    for (const [line] of (await read(path)).matchAll(/^\s*(?:\/\/|\/?\*).*$/gm)) {
      for (const [named] of line.matchAll(/(?<![\w./#-])(?:src|test|bench)\/[\w./-]+\.[cm]?ts\b/g)) {
        if (!existsSync(join(REPOSITORY, named))) wrong.push(`${basename(path)}: ${named}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

describe('the finder of citations', () => {
  const page = '# A\n\n## 1. One\n\n```text\n## 9. No\n```\n\n### 1.2 Two\n\n1. rule\n\n- **C1.** rule\n';
  const known = new Map([
    ['docs/protocol.md', { sections: sectionsOf(page), rules: rulesOf(page) }],
    [RULES, { sections: new Set<string>(), rules: rulesOf(page) }],
  ]);

  test.for([
    '// see docs/protocol.md §1.2, docs/trust-rules.md 1.',
    '// see docs/protocol.md §1, §1.2 and docs/trust-rules.md C1, 1',
    '// goes on (docs/protocol.md\n// §1.2), and on',
    '// RFC 6962 §2.1.1, RFC 9162 §2.1.3.2 and §2.1.4.2, FIPS 180-4 §5.1.1',
    '// docs/protocol.md is a page with 9 lives',
  ])('takes %j', (text) => {
    expect(unresolved('src/a.ts', text, known)).toEqual([]);
  });

  test.for([
    '// docs/nothing.md',
    '// docs/protocol.md §9',
    '// docs/protocol.md §1.3',
    '// docs/protocol.md §1, §3',
    '// docs/trust-rules.md 2',
    '// docs/trust-rules.md C2',
    '// docs/trust-rules.md 1, 4',
    '// docs/trust-rules.md §1',
    '// see §1.2',
    '// protocol file 02 §1',
    '// (file 01, there)',
    '// as rule 14 says',
    '// (design, "Claims")',
    '// goes on (docs/protocol.md\n * §7), and on',
  ])('refuses %j', (text) => {
    expect(unresolved('src/a.ts', text, known)).not.toEqual([]);
  });
});
