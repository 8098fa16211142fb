// A recipe of docs/ingestion.md as a process of its own: the code of the page, to the letter but for addresses and times.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Project } from '../package/project.js';
import { blockUnder } from '../package/blocks.js';
import { asJavaScript } from '../package/snippets.js';

const PAGE = 'docs/ingestion.md';
/** Longer than anything here takes. */
const DEADLINE_MS = 120_000;

export class Recipe {
  readonly #project: Project;
  readonly #script: string;
  #running: ChildProcess | undefined;
  #said = '';

  private constructor(project: Project, script: string) {
    this.#project = project;
    this.#script = script;
  }

  /** The block of the page under this heading that has `text`; each of `replaced` must be in it. */
  static async of(
    heading: string,
    text: string,
    replaced: Readonly<Record<string, string>>,
  ): Promise<Recipe> {
    const project = await Project.create();
    for (const name of ['immu-ts', '@nats-io/transport-node', '@nats-io/jetstream', '@redis/client'])
      await project.link(name);
    let code = asJavaScript(await blockUnder(PAGE, heading, 'ts no-run', text));
    if (code === null) throw new Error(`${PAGE}, ${heading}: it has more than JavaScript`);
    for (const [from, to] of Object.entries(replaced)) {
      if (!code.includes(from)) throw new Error(`${PAGE}, ${heading}: it has no ${from}`);
      code = code.replaceAll(from, to);
    }
    return new Recipe(project, await project.write('recipe.mjs', code));
  }

  /** What it wrote to standard error, over all of its lives. */
  get said(): string {
    return this.#said;
  }

  get isRunning(): boolean {
    return this.#running?.exitCode === null && this.#running.signalCode === null;
  }

  /** With a root store that outlives it. */
  start(): void {
    if (this.isRunning) throw new Error('it is running');
    const env = { ...process.env, IMMU_TS_STORE: join(this.#project.folder, 'roots.db') };
    const child = spawn(process.execPath, [this.#script], {
      ...{ cwd: this.#project.folder, env, stdio: ['ignore', 'ignore', 'pipe'] },
      ...{ timeout: DEADLINE_MS, killSignal: 'SIGKILL' },
    });
    child.stderr.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
    this.#running = child;
  }

  /** Resolves, when it is over, to its exit code or to the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    const child = this.#running;
    if (!child) throw new Error('it was not started');
    if (this.isRunning) await once(child, 'exit');
    return child.exitCode ?? child.signalCode;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.isRunning) throw new Error('it is not running');
    this.#running?.kill(signal);
  }

  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    const ended = this.ended();
    if (this.isRunning) this.#running?.kill(signal);
    return ended;
  }

  async close(): Promise<void> {
    if (this.isRunning) await this.end('SIGKILL');
    await this.#project[Symbol.asyncDispose]();
  }
}
