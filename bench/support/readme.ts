// The parts of bench/README.md that are made of results: `<!-- figures NAME -->` to `<!-- end -->`.
import { readFileSync, readdirSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { RESULTS } from './record.js';
import type { Run } from './record.js';
import { svgOf } from './svg.js';
import { tableText } from './table.js';

export const README = new URL('../README.md', import.meta.url);
export const CHARTS = new URL('../charts/', import.meta.url);

/** The last run of each bench of which there is one. */
export function lastRuns(): Run[] {
  return readdirSync(RESULTS)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(new URL(file, RESULTS), 'utf8')) as Run);
}

/** The document with the figures of these runs; those of other benches stay. @throws Error for a run that has no place in it */
export async function withFigures(text: string, runs: readonly Run[]): Promise<string> {
  let made = text;
  for (const run of runs) {
    const place = new RegExp(`(<!-- figures ${run.bench} -->\n)[^]*?(<!-- end -->)`);
    if (!place.test(made)) throw new Error(`bench/README.md has no place for ${run.bench}`);
    made = made.replace(place, (_, begin: string, end: string) => `${begin}\n${figures(run)}\n\n${end}`);
  }
  return format(made, { ...(await resolveConfig(README.pathname)), parser: 'markdown' });
}

export function chartFiles(runs: readonly Run[]): Map<string, string> {
  return new Map(
    runs.flatMap(({ charts }) => charts.map((chart) => [`${chart.name}.svg`, svgOf(chart)] as const)),
  );
}

function figures({ at, seconds, machine, tables, charts }: Run): string {
  return [
    `_${at.slice(0, 10)}, ${machine}; the run took ${seconds} s._`,
    ...charts.map(({ name, title }) => `![${title}](charts/${name}.svg)`),
    ...tables.map(({ title, lines }) => `#### ${title}\n\n${tableText(lines)}`),
  ].join('\n\n');
}
