// Finds the code in the documentation.
//
// A ```ts block is a program of its own. What a reader need not see stands in an HTML comment right above it and goes
// before its code:
//
//     <!-- before
//     import { ImmuClient } from 'immu-ts';
//     -->
//
// Every block is type-checked and run: as JavaScript, as it stands, where it has nothing but JavaScript that Node 20 knows; compiled
// where it has more. `localhost:3322` is then a fresh embedded ledger that signs its states with the key in `state-key.pub.pem`.
// Comments `// → text` are what it prints, line by line; a block that has any must print exactly them. A block marked ```ts server is
// run against a real immudb (what the embedded ledger has not got); one that cannot run is marked ```ts no-run, type-checked all the
// same, and counted. ```js is CommonJS, for a runner that is named beside it: walks.slow.test.ts runs it.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';

export interface Snippet {
  /** Where a reader finds it, e.g. `README.md:46`. */
  readonly place: string;
  readonly page: string;
  /** The code before it that a reader does not see, and what a reader sees. */
  readonly before: string;
  readonly body: string;
  readonly code: string;
  readonly run: boolean;
  /** What it runs against. */
  readonly on: 'ledger' | 'server';
  /** What it says that it prints; null when it says nothing of it. */
  readonly prints: readonly string[] | null;
}

/** Fences that are not code of ours. */
const OTHER_LANGUAGES = ['sh', 'sh no-run', 'text', 'json', 'csv', 'sql', 'proto', 'yaml', 'js'];
const PROGRAMS = ['ts', 'ts no-run', 'ts server'];
const BLOCK = /(?:^<!-- before\n([^]*?)^-->\n+)?^```([^\n]*)\n([^]*?)^```$/gm;

/** Every page of documentation, as a path in the repository. */
export async function pages(repository: string): Promise<string[]> {
  const found = await Promise.all([
    readdir(repository),
    readdir(join(repository, 'docs'), { recursive: true }).then((names) =>
      names.map((name) => `docs/${name}`),
    ),
    readdir(join(repository, 'bench')).then((names) => names.map((name) => `bench/${name}`)),
  ]);
  return found
    .flat()
    .filter((name) => name.endsWith('.md'))
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
}

export async function snippetsOf(repository: string, page: string): Promise<Snippet[]> {
  return parseSnippets(await readFile(join(repository, page), 'utf8'), page);
}

/** A fenced block of a page, with what stands before it. */
export interface Block {
  /** What follows the fence: `ts`, `sh no-run`. */
  readonly info: string;
  readonly before: string;
  readonly body: string;
  /** Where it is, with what stands before it. */
  readonly index: number;
  readonly length: number;
}

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(BLOCK)].map(
    ({ 0: whole, 1: before = '', 2: info = '', 3: body = '', index }) => ({
      ...{ info, before, body, index },
      length: whole.length,
    }),
  );
}

/** Throws for a fence that it does not understand: nothing is left out in silence. */
export function parseSnippets(markdown: string, page: string): Snippet[] {
  const blocks = [...markdown.matchAll(BLOCK)];
  const fences = markdown.match(/^[ >]*(```|~~~)/gm)?.length ?? 0;
  if (fences !== 2 * blocks.length) {
    throw new Error(`${page}: ${fences} fences, but ${blocks.length} blocks that begin and end at the left`);
  }
  const comments = markdown.match(/^<!-- before/gm)?.length ?? 0;
  const used = blocks.filter(([, before, info = '']) => before !== undefined && info.startsWith('ts'));
  if (comments !== used.length) throw new Error(`${page}: a "before" that does not stand above a ts block`);
  return blocks.flatMap((block) => {
    const [whole, before = '', info = '', body = ''] = block;
    const code = `${before}${body}`;
    const at = block.index + whole.indexOf('```');
    const place = `${page}:${markdown.slice(0, at).split('\n').length}`;
    if (OTHER_LANGUAGES.includes(info)) return [];
    if (!PROGRAMS.includes(info))
      throw new Error(
        `${place}: what is ${JSON.stringify(info)}? Code is one of \`${PROGRAMS.join('`, `')}\``,
      );
    const prints = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text = '']) => text.trim());
    const on = info === 'ts server' ? 'server' : 'ledger';
    const run = info !== 'ts no-run';
    return [{ place, page, before, body, code, run, on, prints: prints.length > 0 ? prints : null }];
  });
}

/**
 * The block as somebody runs it who has no TypeScript: what a reader sees as it stands, to the letter; what stands before it without
 * types. Null for a block with more than the JavaScript that Node 20 knows: types, or `using`.
 */
export function asJavaScript({ before, body }: Pick<Snippet, 'before' | 'body'>): string | null {
  const { diagnostics = [] } = ts.transpileModule(body, {
    fileName: 'block.mjs',
    reportDiagnostics: true,
    compilerOptions: { allowJs: true, checkJs: true, target: ts.ScriptTarget.ESNext },
  });
  if (diagnostics.length > 0 || /^\s*(await )?using /m.test(body)) return null;
  const { outputText } = ts.transpileModule(before, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  const USING = /^await using (\w+) = /gm;
  const opened = [...outputText.matchAll(USING)].map(([, name = '']) => `await ${name}.close();\n`);
  const start = outputText.replaceAll(USING, 'const $1 = ').replace('export {};\n', '');
  return `${start}${body}${opened.reverse().join('')}`;
}
