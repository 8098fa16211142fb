// A program of a page as a service of a machine: started again when it fails, as the page has systemd do, but not when it says that
// something is refuted.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Machine } from './machines.js';

const AGAIN_AFTER_MS = 1000;
const REFUTED = 3;

export class Service {
  /** What it ended with, each time. */
  readonly ends: (number | NodeJS.Signals)[] = [];
  readonly #start: () => ChildProcess;
  readonly #over: Promise<void>;
  #child: ChildProcess | undefined;
  #said = '';
  readonly #stopping = new AbortController();

  constructor(
    machine: Machine,
    script: string,
    options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  ) {
    this.#start = () =>
      machine.spawn(process.execPath, [script], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#over = this.#run();
  }

  /** What it wrote, over all of its lives. */
  get said(): string {
    return this.#said;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Asks it to end by itself; resolves to what it ended with. */
  async stop(): Promise<number | NodeJS.Signals | undefined> {
    this.#stopping.abort();
    this.kill('SIGTERM');
    await this.#over;
    return this.ends.at(-1);
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    for (;;) {
      const child = this.#start();
      this.#child = child;
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
      const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      const end = code ?? signal ?? 'SIGKILL';
      this.ends.push(end);
      if (end === 0 || end === REFUTED || this.#isStopping()) return;
      await delay(AGAIN_AFTER_MS);
      if (this.#isStopping()) return;
    }
  }
}
