// What does a store lose on the SQLite of the platform? Durable appends over both drivers, in turns. Needs Node 22.22 or later, and
// a better-sqlite3 that is built for it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteRootStore } from '#dist/index.js';
import { openerOf } from '#dist/sqlite/open.js';
import type { SqliteDriver } from '#dist/sqlite/open.js';
import { appendsPerSecond } from './support/appends.js';
import { count, printTable, ratio } from './support/table.js';

const DRIVERS: readonly SqliteDriver[] = ['better-sqlite3', 'node:sqlite'];
const CALLERS = [1, 64];
const EACH = 500;
const ROUNDS = 15;
const GOAL = 0.8;

const missing = DRIVERS.filter((driver) => openerOf(driver) === undefined);
if (missing.length > 0) console.log(`\nNo drivers are compared: there is no ${missing.join(', no ')} here.`);
else await compare();

async function compare(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'immu-ts-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const stores: SqliteRootStore[] = [];
  for (const driver of DRIVERS) {
    // Each store's thread takes the choice that stands when it starts.
    process.env['IMMU_TS_SQLITE'] = driver;
    const store = await SqliteRootStore.open(join(folder, `${stores.length}.db`));
    if (store.driver !== driver) throw new Error(`${store.driver} serves, not ${driver}`);
    stores.push(store);
  }
  const lines = [];
  for (const callers of CALLERS) {
    const ratios: number[] = [];
    const best = [0, 0];
    const cpu = [Infinity, Infinity];
    for (let round = 0; round < ROUNDS; round++) {
      const rates = [0, 0];
      // Who begins changes: what the disk has left to do of one is not always the other's.
      for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const { rate, cpuMicros } = await appendsPerSecond(stores[at]!, callers, EACH, round);
        rates[at] = rate;
        best[at] = Math.max(best[at]!, rate);
        cpu[at] = Math.min(cpu[at]!, cpuMicros);
      }
      ratios.push(rates[1]! / rates[0]!);
    }
    ratios.sort((a, b) => a - b);
    const median = ratios[ROUNDS >> 1]!;
    lines.push({
      what: `durable appends per second, ${callers} caller${callers === 1 ? '' : 's'}`,
      'better-sqlite3': count(best[0]!),
      'node:sqlite': count(best[1]!),
      ratio: `${ratio(median)} (${ratio(ratios[0]!)} to ${ratio(ratios.at(-1)!)})`,
      'processor time a row': cpu.map((micros) => `${micros.toFixed(1)} µs`).join(' : '),
      goal: callers === 64 ? `>= ${GOAL}: ${median >= GOAL ? 'met' : 'NOT MET'}` : '',
    });
  }
  for (const store of stores) await store.close();
  printTable(`SQLite drivers, Node ${process.version}: median of ${ROUNDS} rounds`, lines);
}
