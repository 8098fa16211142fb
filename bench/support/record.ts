// What a bench found: all that it prints as tables, and what is drawn. Kept by the process, for every bench is loaded with a copy of
// this module of its own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { Line } from './table.js';

export interface Table {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** Lines over a common axis, one a series. */
export interface Chart {
  /** Name of its file, without `.svg`. */
  readonly name: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** One run of a bench, as `bench/results/NAME.json`. */
export interface Run {
  readonly bench: string;
  readonly at: string;
  readonly seconds: number;
  readonly machine: string;
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
}

interface Found {
  readonly since: number;
  readonly tables: Table[];
  readonly charts: Chart[];
}

export const RESULTS = new URL('../results/', import.meta.url);
const PLACE = Symbol.for('immu-ts.bench.found');
const place = globalThis as { [PLACE]?: Found };

/** All that is found from here on is one run. */
export function startRecord(): void {
  place[PLACE] = { since: performance.now(), tables: [], charts: [] };
}

export function recordTable(table: Table): void {
  place[PLACE]?.tables.push(table);
}

/** Drawn by `npm run bench:readme`. */
export function recordChart(chart: Chart): void {
  place[PLACE]?.charts.push(chart);
}

/** Writes what was found as the last run of a bench. */
export function keepRecord(bench: string): void {
  const { since, tables, charts } = place[PLACE] ?? { since: NaN, tables: [], charts: [] };
  const model = cpus()[0]?.model ?? 'unknown processor';
  const run: Run = {
    bench,
    at: new Date().toISOString(),
    seconds: Math.round((performance.now() - since) / 1000),
    machine: `${availableParallelism()} cores (${model}), Node ${process.version}, ${platform()} ${arch()}`,
    tables,
    charts,
  };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(new URL(`${bench}.json`, RESULTS), `${JSON.stringify(run, null, 2)}\n`);
}
