// litewitness of filippo.io/torchwood, and a program around golang.org/x/mod/sumdb/note: built once, from the Go proxy.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { madeOnce } from '../support/made-once.js';
import { temporaryFolder } from '../trust/support.js';
import { freePort } from '../support/programs.js';

const run = promisify(execFile);
const GO = fileURLToPath(new URL('../foreign/witness/', import.meta.url));

/** Folder with the programs `witness` and `litewitness`. */
export function goPrograms(): Promise<string> {
  const sources = { folder: GO, files: ['go.mod', 'go.sum', 'main.go'] };
  return madeOnce('foreign-clients/witness-', sources, async (work) => {
    // One package at a time: the tests beside this one want to run too.
    const packages = ['.', 'filippo.io/torchwood/cmd/litewitness'];
    await run('go', ['build', '-p', '1', '-o', `${work}/`, ...packages], { cwd: GO });
  });
}

/** One command of that program. */
export async function goNotes<T>(args: readonly string[], input = ''): Promise<T> {
  const running = run(join(await goPrograms(), 'witness'), [...args]);
  // A program that needs none of it may be gone by then: what it says, or its exit code, is what counts.
  running.child.stdin!.on('error', () => undefined).end(input);
  return JSON.parse((await running).stdout) as T;
}

export interface Litewitness {
  readonly url: string;
  readonly key: string;
  addLog(origin: string, ...keys: readonly string[]): void;
}

/** For as long as the test runs. */
export async function startLitewitness(name: string): Promise<Litewitness> {
  const programs = await goPrograms();
  const folder = await temporaryFolder();
  const [socket, db] = [join(folder, 'agent.sock'), join(folder, 'witness.db')];
  const agent = started(
    spawn(join(programs, 'witness'), ['agent', socket], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const fingerprint = await lineOf(agent, 'stdout', /^SHA256:.*/);
  const address = `127.0.0.1:${await freePort()}`;
  const options = ['-db', db, '-name', name, '-key', fingerprint, '-ssh-agent', socket, '-listen', address];
  const witness = started(
    spawn(join(programs, 'litewitness'), options, { stdio: ['ignore', 'ignore', 'pipe'] }),
  );
  const key = (await lineOf(witness, 'stderr', /vkey="?([^ "]+)/)).trim();
  const url = `http://${address}/`;
  for (let tries = 0; ; tries++) {
    const up = await fetch(url)
      .then(() => true)
      .catch(() => tries > 100);
    if (up) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    key,
    addLog(origin, ...keys) {
      const file = new Database(db);
      const empty = createHash('sha256').digest('base64');
      file.prepare('INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)').run(origin, empty);
      for (const each of keys) file.prepare('INSERT INTO key (origin, key) VALUES (?, ?)').run(origin, each);
      file.close();
    },
  };
}

function started(child: ChildProcess): ChildProcess {
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  return child;
}

/** The first line that fits: its group, or the whole of it. */
async function lineOf(child: ChildProcess, stream: 'stdout' | 'stderr', wanted: RegExp): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child[stream]! })) {
    lines.push(line);
    const found = wanted.exec(line);
    if (!found) continue;
    child[stream]!.resume();
    return found[1] ?? found[0];
  }
  throw new Error(`${child.spawnfile} ended: ${lines.join('\n')}`);
}
