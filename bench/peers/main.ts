// How does this client compare with the others on the same work, against one server, in one run? Each figure is the
// best of the ways tried; every program checks what comes back. See bench/README.md.
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { benchServer } from '../support/server.js';
import type { BenchServer } from '../support/server.js';
import { keepRecord, recordChart, startRecord } from '../support/record.js';
import { count, printTable } from '../support/table.js';
import { CONTENDERS } from './contenders.js';
import type { Contender } from './contenders.js';
import { measure } from './figure.js';
import { goalLines } from './goals.js';
import type { Command } from './prepare.js';
import { ProgramFailed, whenInterrupted } from './process.js';
import { KEYS, OPERATIONS, settled, waysFor, writeData } from './work.js';
import type { Operation, Way } from './work.js';

const { values: given } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '2' },
    synced: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    peers: { type: 'string', default: [...new Set(CONTENDERS.map(({ peer }) => peer))].join() },
    operations: { type: 'string', default: OPERATIONS.join() },
  },
});
startRecord();
const seconds = Number(given.seconds);
if (given.synced && process.env['IMMUDB_ADDRESS'] !== undefined) {
  throw new Error('--synced is for the server that is started: IMMUDB_ADDRESS names another');
}
if (!(seconds > 0)) throw new Error(`--seconds must be a number above 0, not ${given.seconds}`);
const rounds = Number(given.rounds);
if (!(rounds >= 1)) throw new Error(`--rounds must be 1 or more, not ${given.rounds}`);
const peers = chosen('--peers', given.peers, [...new Set(CONTENDERS.map(({ peer }) => peer))]);
const operations = chosen('--operations', given.operations, OPERATIONS);

function chosen<T extends string>(option: string, list: string, all: readonly T[]): readonly T[] {
  const names = list.split(',');
  for (const name of names) {
    if (!all.some((one) => one === name)) throw new Error(`${option}: there is no ${name} in ${all.join()}`);
  }
  return all.filter((one) => names.includes(one));
}

interface Best {
  readonly rate: number;
  readonly way: Way;
}

/** Rates by calls in flight: all that were measured, of the last round. */
const curves = new Map<string, Map<number, number>>();
function curve(operation: Operation, contender: string): Map<number, number> {
  const key = `${operation} ${contender}`;
  const found = curves.get(key) ?? new Map<number, number>();
  curves.set(key, found);
  return found;
}

const notes: string[] = [];
function note(text: string): void {
  notes.push(text);
  console.error(`!!! ${text}`);
}

/** First of the lines that say most: a stack trace is for who runs the program alone. */
function summary(error: unknown): string {
  const lines = stripVTControlCharacters((error as Error).message)
    .split('\n')
    .filter((line) => !/^\s+at |^\s*$/.test(line));
  return [...new Set(lines)].slice(0, 3).join(' / ').slice(0, 300);
}

/** Commands by peer; whoever cannot be run is noted and left out. */
async function prepare(): Promise<Map<string, Command>> {
  const commands = new Map<string, Command>();
  for (const peer of peers) {
    const contender = CONTENDERS.find((one) => one.peer === peer);
    try {
      if (contender) commands.set(peer, await contender.command());
    } catch (error) {
      note(`${peer} is left out: ${summary(error)}`);
    }
  }
  return commands;
}

/** The best of all ways; of a later round, with its best way of the first one. */
async function best(
  contender: Contender,
  command: Command,
  server: BenchServer,
  operation: Operation,
  before: Best | undefined,
): Promise<Best | undefined> {
  let found = before;
  const failures = new Map<string, number[]>();
  const ways = before ? [before.way] : waysFor(operation, contender.ways, contender.limitsItself ?? false);
  for (const way of ways) {
    await settled(server);
    const what = `${contender.name}: ${operation}, ${way.concurrency} at the same time`;
    try {
      const rate = await measure(contender, command, server, operation, way, seconds);
      console.error(`${what}: ${count(rate)} /s`);
      curve(operation, contender.name).set(way.concurrency, rate);
      if (rate > (found?.rate ?? 0)) found = { rate, way };
    } catch (error) {
      if (!(error instanceof ProgramFailed)) throw error;
      const why = summary(error);
      failures.set(why, [...(failures.get(why) ?? []), way.concurrency]);
      console.error(`${what}: failed`);
    }
  }
  for (const [why, ways] of failures) {
    note(`${contender.name}: ${operation} failed with ${ways.join(', ')} at the same time: ${why}`);
  }
  return found;
}

const [busy = 0] = loadavg();
if (busy > availableParallelism() / 4) {
  note(`the machine was busy before the run (load ${busy.toFixed(1)}): rates are too low, and not all alike`);
}
const commands = await prepare();
const rows = CONTENDERS.filter(({ peer }) => commands.has(peer));
const results = new Map<string, Best | undefined>();
const at = (contender: string, operation: Operation) => results.get(`${contender} ${operation}`);

const server = await benchServer({ synced: given.synced });
whenInterrupted(() => Promise.resolve(server[Symbol.asyncDispose]()));
try {
  await writeData(server);
  for (const operation of operations) {
    for (let round = 1; round <= rounds; round++) {
      // In turns, so that what else the machine does meets all of them.
      for (const contender of rows) {
        const command = commands.get(contender.peer);
        const before = at(contender.name, operation);
        // Who could not do it once is not asked again.
        if (!command || (round > 1 && !before)) continue;
        results.set(
          `${contender.name} ${operation}`,
          await best(contender, command, server, operation, before),
        );
      }
    }
  }
} finally {
  await server[Symbol.asyncDispose]();
}

printTable(
  `Entries per second (callers at the same time) on ${server.what}, ${count(KEYS)} keys, best of ${rounds} × ${seconds} s`,
  rows.map(({ name }) => ({
    client: name,
    ...Object.fromEntries(
      operations.map((operation) => {
        const found = at(name, operation);
        return [operation, found ? `${count(found.rate)} (${found.way.concurrency})` : '-'];
      }),
    ),
  })),
);
for (const operation of operations) {
  recordChart({
    name: `peers-${operation}`,
    title: `${operation}: entries a second over calls in flight`,
    x: 'calls in flight',
    y: 'entries a second',
    series: rows
      .map(({ name }) => ({ name, points: [...curve(operation, name)].sort(([a], [b]) => a - b) }))
      .filter(({ points }) => points.length > 0),
  });
}
if (peers.includes('immu-ts')) {
  const others = rows.filter(({ peer }) => peer !== 'immu-ts').map(({ name }) => name);
  printTable(
    'Goals',
    goalLines((name, operation) => at(name, operation)?.rate, others),
  );
}
if (notes.length > 0) console.log(`\n${notes.map((text) => `- ${text}`).join('\n')}`);
if (given.json) keepRecord('peers');
