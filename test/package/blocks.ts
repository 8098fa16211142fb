// The blocks of code under a heading of a page: what a reader of that part is given, for tests that walk the way a reader goes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from './project.js';
import { blocksOf } from './snippets.js';
import type { Block } from './snippets.js';

/** Those between the heading (its whole line) and the next one of any level; code that has `#` in it is no heading. */
export async function blocksUnder(page: string, heading: string): Promise<Block[]> {
  const text = await readFile(join(REPOSITORY, page), 'utf8');
  const blocks = blocksOf(text);
  const inBlock = (at: number) => blocks.some(({ index, length }) => at >= index && at < index + length);
  const headings = [...text.matchAll(/^#{1,6} .*$/gm)].filter(({ index }) => !inBlock(index));
  const i = headings.findIndex(([line]) => line === heading);
  const from = headings[i]?.index;
  if (from === undefined) throw new Error(`${page} has no heading ${JSON.stringify(heading)}`);
  const to = headings[i + 1]?.index ?? text.length;
  return blocks.filter(({ index }) => index > from && index < to);
}

/** The one among them that begins with this fence and has this text. */
export async function blockUnder(page: string, heading: string, info: string, text = ''): Promise<Block> {
  const found = (await blocksUnder(page, heading)).filter(
    (block) => block.info === info && block.body.includes(text),
  );
  const [block, another] = found;
  if (!block || another) throw new Error(`${page}, ${heading}: ${found.length} blocks are ${info} ${text}`);
  return block;
}
