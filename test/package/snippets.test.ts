// The code in the documentation compiles against the package and does what it says. See snippets.ts for the rules.
import { generateKeyPairSync } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import { startImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { Project, REPOSITORY } from './project.js';
import type { Ran } from './project.js';
import { asJavaScript, pages, parseSnippets, snippetsOf } from './snippets.js';

// Whole processes, on machines that have others to run: above the deadline that each of them has.
vi.setConfig({ testTimeout: 120_000 });

const PAGES = await pages(REPOSITORY);
const snippets = (await Promise.all(PAGES.map((page) => snippetsOf(REPOSITORY, page)))).flat();
const named = snippets.map((snippet, i) => ({ ...snippet, name: `snippet-${i}` }));

let project: Project;
let compiled: Ran;

beforeAll(async () => {
  project = await Project.create();
  const peers = ['kysely', '@opentelemetry/api', 'pg', '@types/pg', 'vitest'];
  const brokers = ['@nats-io/transport-node', '@nats-io/jetstream', '@redis/client'];
  for (const name of ['immu-ts', '@types/node', ...peers, ...brokers]) await project.link(name);
  for (const { name, code } of named) await project.write(`${name}.mts`, `${code}\nexport {};\n`);
  const options = { module: 'nodenext', target: 'es2022', lib: ['es2023'], outDir: 'out', rootDir: '.' };
  compiled = await project.tsc(
    'snippets',
    { ...options, noUncheckedIndexedAccess: true },
    named.map(({ name }) => `${name}.mts`),
  );
});

afterAll(() => project[Symbol.asyncDispose]());

test('README.md and all other pages are looked at, and README.md has code that runs', () => {
  expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'SECURITY.md', 'docs/dependencies.md']));
  expect(snippets.filter(({ place, run }) => run && place.startsWith('README.md:')).length).toBeGreaterThan(
    3,
  );
});

test('all of it compiles', () => {
  expect(compiled).toEqual({ code: 0, stdout: '', stderr: '' });
});

/** Runs a block in a folder of its own; it has to end well, and to print what it says. */
async function run({ name, place, prints, ...block }: (typeof named)[number], address: string, pem = '') {
  const mistakes = compiled.stdout.split('\n').filter((line) => line.startsWith(`${name}.mts(`));
  expect(mistakes, `${place} compiles`).toEqual([]);
  const folder = dirname(await project.write(`${name}/state-key.pub.pem`, pem));
  const code = asJavaScript(block) ?? (await readFile(join(project.folder, 'out', `${name}.mjs`), 'utf8'));
  const script = await project.write(`${name}/run.mjs`, code.replaceAll('localhost:3322', address));
  const ran = await project.node(script, { IMMU_TS_STORE: join(folder, 'roots.db') }, folder);
  expect(ran, place).toMatchObject({ code: 0, stderr: '' });
  if (prints) expect(ran.stdout.trimEnd().split('\n')).toEqual(prints);
}

test.for(named.filter((snippet) => snippet.run && snippet.on === 'ledger'))('$place', async (snippet) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const signingKey = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  await using ledger = await EmbeddedLedger.start({ signingKey });
  await run(snippet, ledger.address, publicKey.export({ type: 'spki', format: 'pem' }).toString());
});

describePrivate('snippets that need a server', () => {
  test.for(named.filter(({ on }) => on === 'server'))('$place', async (snippet) => {
    const server = await startImmudb();
    try {
      await run(snippet, server.address);
    } finally {
      await server.close();
    }
  });
});

test('README.md and the cookbook are code for those who have no TypeScript too', () => {
  const typed = snippets.filter((snippet) => asJavaScript(snippet) === null);
  expect(
    typed.filter(({ page }) => /README|cookbook|migrating|deployment/.test(page) && page[0] !== 'b'),
  ).toEqual([]);
  expect(asJavaScript({ before: '', body: 'const a: string = x;\n' })).toBeNull();
  expect(asJavaScript({ before: '', body: 'await using a = x;\n' })).toBeNull();
});

/** Of the headings of a page, as they are shown on the web. */
async function anchors(page: string): Promise<string[]> {
  const text = await readFile(join(REPOSITORY, page), 'utf8');
  const slug = (title: string) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
  return [...text.matchAll(/^#{1,6} (.*)$/gm)].map(([, title = '']) => `#${slug(title)}`);
}

test.for(PAGES)('%s: what it links to in this repository is there', async (page) => {
  const text = await readFile(join(REPOSITORY, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)/g)];
  for (const [link, path = '', anchor] of links) {
    const target = path === '' ? page : join(dirname(page), path);
    await expect(access(join(REPOSITORY, target)), link).resolves.toBeUndefined();
    if (anchor !== undefined && target.endsWith('.md')) expect(await anchors(target), link).toContain(anchor);
  }
});

describe('the finder of snippets', () => {
  const block = (info: string, body = 'x();') => `text\n\n\`\`\`${info}\n${body}\n\`\`\`\n`;

  test('takes code, what stands before it, and what it prints', () => {
    const page = `# a\n<!-- before\nconst y = 1;\n-->\n${block('ts', 'log(y); // → 1')}`.replace(
      'text\n\n',
      '',
    );
    expect(parseSnippets(page, 'a.md')).toMatchObject([
      { place: 'a.md:5', code: 'const y = 1;\nlog(y); // → 1\n', run: true, on: 'ledger', prints: ['1'] },
    ]);
    expect(parseSnippets(block('ts no-run') + block('sh') + block('ts server'), 'a.md')).toMatchObject([
      { place: 'a.md:3', code: 'x();\n', run: false, prints: null },
      { run: true, on: 'server' },
    ]);
  });

  test.for([
    block('javascript'),
    block('typescript'),
    block(''),
    block('ts skip'),
    '```ts\nx();\n',
    '  ```ts\n  x();\n  ```\n',
    '~~~ts\nx();\n~~~\n',
    `<!-- before\nx();\n-->\n${block('ts')}`,
    `<!-- before\nx();\n-->\n\`\`\`sh\nls\n\`\`\`\n`,
  ])('throws for what it would leave out: %j', (page) => {
    expect(() => parseSnippets(page, 'a.md')).toThrow('a.md');
  });
});
