// Finds the code in the documentation.
//
// A ```ts block is a program of its own. What a reader need not see stands in an HTML comment right above it and goes
// before its code:
//
//     <!-- before
//     import { ImmuClient } from 'immu-ts';
//     -->
//
// Every block is type-checked and run. `localhost:3322` is then a fresh embedded ledger that signs its states with the
// key in `state-key.pub.pem`. Comments `// → text` are what it prints, line by line; a block that has any must print
// exactly them. A block that cannot run is marked ```ts no-run; it is type-checked all the same, and counted.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Snippet {
  /** Where a reader finds it, e.g. `README.md:46`. */
  readonly place: string;
  readonly code: string;
  readonly run: boolean;
  /** What it says that it prints; null when it says nothing of it. */
  readonly prints: readonly string[] | null;
}

/** Fences that are not code of ours. */
const OTHER_LANGUAGES = ['sh', 'sh no-run', 'text', 'json', 'csv', 'sql', 'proto', 'yaml'];
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
    if (info !== 'ts' && info !== 'ts no-run')
      throw new Error(`${place}: what is ${JSON.stringify(info)}? Code is \`ts\` or \`ts no-run\``);
    const prints = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text = '']) => text.trim());
    return [{ place, code, run: info === 'ts', prints: prints.length > 0 ? prints : null }];
  });
}
