// A broker of our own: a program of the system's packages on a free port, with its data in a temporary folder; stopped and removed at
// the end. It ends at the latest when this process does.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { endWithUs } from './immudb.js';
import { freePort, isProgram } from './programs.js';
import { waitListening } from './wait-ready.js';

const READY_WITHIN_MS = 30_000;
/** Where Debian's packages put what is on root's PATH only. */
const DEBIAN = ['/usr/sbin', '/usr/bin'];

/** The program: what this variable of the environment names, else the one on `PATH`; undefined: there is none. */
export function brokerProgram(variable: string, name: string): string | undefined {
  const { [variable]: given, PATH = '' } = process.env;
  const places = [...PATH.split(delimiter), ...DEBIAN].map((folder) => join(folder, name));
  return (given ? [given] : places).find(isProgram);
}

export class BrokerProcess {
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(
    readonly port: number,
    folder: string,
    child: ChildProcess,
  ) {
    this.#folder = folder;
    this.#child = child;
  }

  static async start(
    program: string | undefined,
    argsOf: (port: number, folder: string) => readonly string[],
  ): Promise<BrokerProcess> {
    if (program === undefined) throw new Error('there is no such broker');
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'immu-ts-broker-'));
    const child = spawn(program, argsOf(port, folder), { stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid !== undefined) endWithUs(child, child.pid);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${String(code)} before it was ready: ${said}`);
    });
    failed.catch(() => undefined);
    const broker = new BrokerProcess(port, folder, child);
    try {
      await Promise.race([waitListening(`127.0.0.1:${port}`, READY_WITHIN_MS), failed]);
    } catch (error) {
      await broker.stop();
      throw error;
    }
    return broker;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
