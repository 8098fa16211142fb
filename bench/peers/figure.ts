// One figure: a client's program run once, its answer checked.
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchServer } from '../support/server.js';
import type { Contender } from './contenders.js';
import type { Command } from './prepare.js';
import { outputOf, ProgramFailed } from './process.js';
import { ENTRIES_OF, KEYS, SEED } from './work.js';
import type { Operation, Way } from './work.js';

/** Beyond warming up and measuring: starting, connecting, and calls that hang until their deadline. */
const SLACK_MS = 90_000;
const WARMUP_SECONDS = 1;

/** What a program prints. */
interface Printed {
  readonly operation: string;
  readonly concurrency: number;
  readonly calls: number;
  readonly seconds: number;
}

/** Where clients keep what they trust, an empty folder for each figure; gone with this process. */
const states = mkdtempSync(join(tmpdir(), 'immu-ts-peers-'));
process.on('exit', () => rmSync(states, { recursive: true, force: true }));

let runs = 0;

/** Entries per second. Throws ProgramFailed with what the program said. */
export async function measure(
  { warmupSeconds: warmup = WARMUP_SECONDS }: Pick<Contender, 'warmupSeconds'>,
  [program, ...before]: Command,
  server: BenchServer,
  operation: Operation,
  way: Way,
  seconds: number,
): Promise<number> {
  runs += 1;
  const state = join(states, String(runs));
  await mkdir(state);
  const options: Record<string, string | number> = {
    address: server.address,
    database: server.database,
    user: 'immudb',
    password: 'immudb',
    operation,
    concurrency: way.concurrency,
    seconds,
    warmup,
    seed: SEED,
    keys: KEYS,
    run: `written by ${runs}`,
    state,
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  if (way.ownClients) args.push('--own-clients');
  // Some clients keep what nobody told them to keep elsewhere in the home folder or the working directory.
  const env = { ...process.env, HOME: state };
  const withinMs = (warmup + seconds) * 1000 + SLACK_MS;
  const text = await outputOf([program, ...before, ...args], { withinMs, cwd: state, env });
  return rateOf(parse(text), operation, way, seconds);
}

function parse(text: string): Printed {
  try {
    return JSON.parse(text.split('\n').at(-1) ?? '') as Printed;
  } catch {
    throw new ProgramFailed(`printed no figure but ${JSON.stringify(text.slice(-500))}`);
  }
}

function rateOf(printed: Printed, operation: Operation, way: Way, seconds: number): number {
  const { calls, seconds: took } = printed;
  const asAsked = printed.operation === operation && printed.concurrency === way.concurrency;
  if (!asAsked || !(calls > 0) || !(took >= seconds * 0.9)) {
    throw new ProgramFailed(`printed a figure that cannot be: ${JSON.stringify(printed)}`);
  }
  return (calls * ENTRIES_OF[operation]) / took;
}
