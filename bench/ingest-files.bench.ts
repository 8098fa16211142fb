// What does `immu-ts ingest` of a file cost beside `client.ingest` of the same records in memory? NDJSON of some 120 bytes a line,
// SQLite stores, a real immudb; the processor and the memory of the command too. `npm run bench -- ingest-files [--records=N]`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { ImmuClient } from '#dist/index.js';
import { newDatabase } from './support/data.js';
import { Goals } from './support/goals.js';
import { benchServer } from './support/server.js';
import { count, printTable, ratio } from './support/table.js';

const given = process.argv.find((word) => word.startsWith('--records='))?.split('=')[1];
const RECORDS = Number(given ?? 200_000);
const ROUNDS = 3;
const MIB = 2 ** 20;
const MAIN = fileURLToPath(new URL('../dist/cjs/cli/main.js', import.meta.url));

const lineOf = (i: number) => `{"id":${i},"sum":"${i * 7}","pad":"${'x'.repeat(80)}"}`;

await using server = await benchServer();
const folder = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
const file = join(folder, 'records.ndjson');
const out = createWriteStream(file);
for (let i = 0; i < RECORDS; i++) if (!out.write(`${lineOf(i)}\n`)) await once(out, 'drain');
await finished(out.end());

/** Records a second, and the most memory in MiB after a quarter of the time and in all. */
interface Figures {
  readonly perSecond: number;
  readonly early: number;
  readonly most: number;
}

async function inMemory(store: string): Promise<Figures> {
  const records = Array.from({ length: RECORDS }, (_, i) => [`r/${i}`, lineOf(i)] as const);
  await using client = new ImmuClient({
    ...{ address: server.address, store },
    credentials: { user: 'immudb', password: 'immudb', database: await newDatabase(server.address) },
  });
  const start = performance.now();
  let proven = 0;
  for await (const { index } of client.ingest(records)) proven = index + 1;
  if (proven !== RECORDS) throw new Error(`${proven} records were proven`);
  return { perSecond: (RECORDS / (performance.now() - start)) * 1000, early: NaN, most: NaN };
}

async function byCommand(store: string): Promise<Figures> {
  const database = await newDatabase(server.address);
  const args = ['ingest', file, '--key-template', 'r/{id}', '--json', '--store', store];
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [MAIN, ...args, '--address', server.address, '--database', database],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const seen: number[] = [];
  const looking = setInterval(() => seen.push(rss(child.pid)), 100);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await once(child, 'close');
  clearInterval(looking);
  const { records } = JSON.parse(said) as { records: number };
  if (records !== RECORDS) throw new Error(`${records} records were proven`);
  const perSecond = (RECORDS / (performance.now() - start)) * 1000;
  return { perSecond, early: Math.max(...seen.slice(0, seen.length / 4)), most: Math.max(...seen) };
}

/** MiB that a process has in memory; NaN where that cannot be told. */
function rss(pid: number | undefined): number {
  try {
    const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    // Of one that has just ended there is no such line.
    return (Number(kib ?? 0) * 1024) / MIB;
  } catch {
    return 0;
  }
}

const all: { memory: Figures; command: Figures }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  // In turns, so that what else the machine does meets both.
  const memory = await inMemory(join(folder, `memory-${round}.db`));
  const command = await byCommand(join(folder, `command-${round}.db`));
  all.push({ memory, command });
}
const ratios = all.map(({ memory, command }) => command.perSecond / memory.perSecond).sort((a, b) => a - b);
const median = ratios[Math.floor(ROUNDS / 2)] ?? NaN;
const most = Math.max(...all.map(({ command }) => command.most));
printTable(
  `Ingestion of ${count(RECORDS)} records, its start counted`,
  all.map(({ memory, command }) => ({
    'client.ingest /s': count(memory.perSecond),
    'immu-ts ingest /s': count(command.perSecond),
    ratio: ratio(command.perSecond / memory.perSecond),
    'MiB, first quarter': count(command.early),
    'MiB, most': count(command.most),
  })),
);
const goals = new Goals();
goals.atLeast('immu-ts ingest : client.ingest', 0.7, median);
goals.atMost('RSS in MB', 250, (most * MIB) / 1e6);
goals.print('Goals');
await rm(folder, { recursive: true, force: true });
