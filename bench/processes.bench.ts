// What does it cost that several processes share one store, and so one head? Verified writes one by one in each process: on stores of
// their own, and all on one. Proofs a transaction are what counts: `npm run bench -- processes [--processes=2,4] [--seconds=4]`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Goals } from './support/goals.js';
import { benchServer } from './support/server.js';
import { count, printTable, ratio } from './support/table.js';

const option = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];
const COUNTS = (option('processes') ?? '2,4').split(',').map(Number);
const SECONDS = Number(option('seconds') ?? 4);
const DIST = option('dist') ?? fileURLToPath(new URL('../dist', import.meta.url));
const SCRIPT = fileURLToPath(new URL('./support/set-process.mjs', import.meta.url));

interface Made {
  readonly sets: number;
  readonly proofs: number;
}

await using server = await benchServer({ synced: true });
const directory = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
let runs = 0;

/** What `processes` of them made in all. `shared`: on one store. */
async function made(processes: number, shared: boolean): Promise<Made> {
  const run = ++runs;
  const children = Array.from({ length: processes }, (_, i) => {
    const store = join(directory, `run${run}-${shared ? 'all' : i}.db`);
    const args = [SCRIPT, DIST, server.address, server.database, store, `run${run}/${i}`];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  const line = async ({ child, lines }: (typeof children)[number]) => {
    const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
    if (done === true) throw new Error(`a process ended: ${String(await once(child, 'exit'))}`);
    return value;
  };
  try {
    // One after the other: a store is made by the first.
    for (const child of children) await line(child);
    for (const { child } of children) child.stdin.write('begin\n');
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
    for (const { child } of children) child.stdin.write('end\n');
    const all = await Promise.all(children.map(async (child) => JSON.parse(await line(child)) as Made));
    return all.reduce((sum, { sets, proofs }) => ({ sets: sum.sets + sets, proofs: sum.proofs + proofs }));
  } finally {
    for (const { child } of children) child.kill();
  }
}

const goals = new Goals();
const lines: Record<string, string | number>[] = [];
for (const processes of COUNTS) {
  const own = await made(processes, false);
  const one = await made(processes, true);
  const each = ({ sets, proofs }: Made) => proofs / sets;
  const is = each(one) / each(own);
  lines.push({
    processes,
    'own stores, sets /s': count(own.sets / SECONDS),
    'proofs a set': ratio(each(own)),
    'one store, sets /s': count(one.sets / SECONDS),
    'proofs a set, one store': ratio(each(one)),
    ': own stores': ratio(is),
  });
  if (processes === 4) goals.atMost('4 processes on one store: proofs a transaction : own stores', 2, is);
}
printTable(`Processes that share a store, verified writes one by one, ${server.what}`, lines);
goals.print('Goals');
await rm(directory, { recursive: true, force: true });
