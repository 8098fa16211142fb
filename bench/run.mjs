// Runs the benches named on the command line (default: all), one after the other. With --json what each found is kept as
// bench/results/NAME.json, of which `npm run bench:readme` makes the tables and charts of bench/README.md. TypeScript is loaded for
// this thread only: a loader in the worker threads would be measured with them.
import { readdirSync } from 'node:fs';
import { tsImport } from 'tsx/esm/api';

const all = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));
// Options are for the benches themselves.
const asked = process.argv.slice(2).filter((name) => !name.startsWith('--'));
const { keepRecord, startRecord } = await tsImport('./support/record.ts', import.meta.url);
for (const name of asked.length > 0 ? asked : all) {
  if (!all.includes(name)) throw new Error(`no bench ${name}; there are: ${all.join(', ')}`);
  startRecord();
  await tsImport(`./${name}.bench.ts`, import.meta.url);
  if (process.argv.includes('--json')) keepRecord(name);
}
