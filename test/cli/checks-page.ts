// docs/checks.md, as the words of the checks have it: `npm run checks` writes it.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { checksDocument } from '../../src/cli/checks/document.js';

const TARGET = fileURLToPath(new URL('../../docs/checks.md', import.meta.url));

/** The page as it has to be. */
export async function checksPage(): Promise<string> {
  return format(checksDocument(), { ...(await resolveConfig(TARGET)), parser: 'markdown' });
}

/** The page as it is. */
export function writtenPage(): string {
  return readFileSync(TARGET, 'utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, await checksPage());
