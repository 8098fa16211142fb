// Runs the benches named on the command line (default: all), one after the other; a bench is given the words behind its
// name that name no bench. TypeScript is loaded for this thread only: a loader in the worker threads would be measured
// with them.
import { readdirSync } from 'node:fs';
import { tsImport } from 'tsx/esm/api';

const all = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));
const words = process.argv.slice(2);
const asked = words.filter((word) => all.includes(word));
if (words.length > 0 && !all.includes(words[0])) {
  throw new Error(`no bench ${words[0]}; there are: ${all.join(', ')}`);
}
for (const name of asked.length > 0 ? asked : all) {
  await tsImport(`./${name}.bench.ts`, import.meta.url);
}
