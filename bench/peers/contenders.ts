// Who is compared, and how each may be driven to be at its best.
import { fileURLToPath } from 'node:url';
import { goProgram, javaProgram, nodeProgram, pythonProgram } from './prepare.js';
import type { Command } from './prepare.js';
import type { Way } from './work.js';

export interface Contender {
  /** Name of its row. */
  readonly name: string;
  /** Chosen on the command line; several rows may be of one peer. */
  readonly peer: string;
  readonly command: () => Promise<Command>;
  readonly ways: readonly Way[];
  /** Seconds of the same work before it is measured. @default 1 */
  readonly warmupSeconds?: number;
  /** Never asks more of a server at once than it takes: any number of calls may be waiting. */
  readonly limitsItself?: boolean;
}

const lanes = (...counts: number[]): Way[] => counts.map((concurrency) => ({ concurrency }));
const own = (...counts: number[]): Way[] => counts.map((concurrency) => ({ concurrency, ownClients: true }));
const ours = async (): Promise<Command> =>
  Promise.resolve([process.execPath, fileURLToPath(new URL('./immu-ts/bench.mjs', import.meta.url))]);

/** A JVM compiles as it goes: with 1 s it was measured at two thirds of the verified gets that it makes later. */
const java = { peer: 'immudb4j', command: javaProgram, warmupSeconds: 8 };

export const GO = 'Go client';
export const OURS_IN_FLIGHT = 'immu-ts, in flight';

export const CONTENDERS: readonly Contender[] = [
  { name: GO, peer: 'go', command: goProgram, ways: lanes(1, 8, 24, 64) },
  // A client holds a lock over every verified call; several clients do not share it, nor what they trust.
  { name: 'Go, a client per goroutine', peer: 'go', command: goProgram, ways: own(8, 24, 64) },
  { name: 'immu-py', peer: 'immu-py', command: pythonProgram, ways: lanes(1, 8, 24) },
  { name: 'immu-py, a process per caller', peer: 'immu-py', command: pythonProgram, ways: own(2, 8, 24) },
  { name: 'immudb-node', peer: 'immudb-node', command: nodeProgram, ways: lanes(1, 8, 24, 64) },
  // Its calls wait for each other too, verified or not.
  { name: 'immudb4j', ...java, ways: lanes(1, 8, 24) },
  { name: 'immudb4j, a client per thread', ...java, ways: own(8, 24, 64) },
  { name: 'immu-ts', peer: 'immu-ts', command: ours, ways: lanes(1, 8, 24) },
  {
    name: OURS_IN_FLIGHT,
    peer: 'immu-ts',
    command: ours,
    ways: lanes(64, 256, 1024, 4096, 8192),
    limitsItself: true,
  },
];
