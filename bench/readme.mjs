// `npm run bench:readme`: the tables and charts of bench/README.md, of the last runs in bench/results/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tsImport } from 'tsx/esm/api';

const { CHARTS, README, chartFiles, lastRuns, withFigures } = await tsImport(
  './support/readme.ts',
  import.meta.url,
);
const runs = lastRuns();
writeFileSync(README, await withFigures(readFileSync(README, 'utf8'), runs));
mkdirSync(CHARTS, { recursive: true });
for (const [file, svg] of chartFiles(runs)) writeFileSync(new URL(file, CHARTS), svg);
