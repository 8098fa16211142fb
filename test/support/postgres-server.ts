// A PostgreSQL of our own: a cluster in a temporary folder, stopped and removed at the end. It never runs as root, which it refuses:
// the user `postgres` of the system's package has it then.
import { execFile, execFileSync } from 'node:child_process';
import { chownSync, readFileSync, readdirSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort, isProgram } from './programs.js';

const run = promisify(execFile);
/** Where Debian's packages put what is on nobody's PATH. */
const DEBIAN = '/usr/lib/postgresql';
const WAIT_S = '60';

/** Folder of `initdb` and `pg_ctl`: `$POSTGRES_BIN`, Debian's newest, or one on `PATH`; undefined: there is none. */
export function postgresBin(): string | undefined {
  const { POSTGRES_BIN, PATH = '' } = process.env;
  const places = [...(POSTGRES_BIN ? [POSTGRES_BIN] : []), ...debianFolders(), ...PATH.split(delimiter)];
  return places.find((folder) =>
    ['initdb', 'pg_ctl', 'postgres'].every((name) => isProgram(join(folder, name))),
  );
}

function debianFolders(): string[] {
  try {
    const versions = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(DEBIAN, version, 'bin'));
  } catch {
    return [];
  }
}

const IS_ROOT = process.getuid?.() === 0;

/** Runs a program of PostgreSQL as who may run it. */
async function asPostgres(program: string, ...args: string[]): Promise<void> {
  const [file, all] = IS_ROOT ? ['runuser', ['-u', 'postgres', '--', program, ...args]] : [program, args];
  await run(file, all, { cwd: '/', env: { ...process.env, LC_ALL: 'C' } });
}

export class Postgres {
  readonly port: number;
  readonly folder: string;
  readonly #bin: string;
  #number = 0;

  private constructor(port: number, folder: string, bin: string) {
    this.port = port;
    this.folder = folder;
    this.#bin = bin;
  }

  /** A new cluster, with these lines in its configuration. */
  static async start(settings: readonly string[] = []): Promise<Postgres> {
    const server = await Postgres.#made();
    const data = join(server.folder, 'data');
    await asPostgres(
      join(server.#bin, 'initdb'),
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '-N',
    );
    await server.#configure(settings);
    await server.startAgain();
    return server;
  }

  static async #made(): Promise<Postgres> {
    const bin = postgresBin();
    if (bin === undefined) throw new Error('there is no PostgreSQL');
    const folder = await mkdtemp(join(tmpdir(), 'immu-ts-pg-'));
    if (IS_ROOT) {
      const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
      chownSync(folder, id('-u'), id('-g'));
    }
    return new Postgres(await freePort(), folder, bin);
  }

  /** A standby of this one, which follows it. */
  async standby(name: string): Promise<Postgres> {
    const other = await Postgres.#made();
    const from = `host=127.0.0.1 port=${this.port} user=postgres application_name=${name}`;
    await asPostgres(
      join(this.#bin, 'pg_basebackup'),
      '-D',
      join(other.folder, 'data'),
      '-d',
      from,
      '-X',
      'stream',
      '-R',
      '-c',
      'fast',
    );
    await other.#configure([`primary_conninfo = '${from}'`]);
    await other.startAgain();
    return other;
  }

  async #configure(settings: readonly string[]): Promise<void> {
    const lines = [
      `port = ${this.port}`,
      `listen_addresses = '127.0.0.1'`,
      // A socket's lock file would outlive a server that is killed.
      `unix_socket_directories = ''`,
      'max_connections = 60',
      'max_wal_senders = 4',
      'shared_buffers = 64MB',
      ...settings,
    ];
    await appendFile(join(this.folder, 'data', 'postgresql.conf'), `${lines.join('\n')}\n`);
  }

  async startAgain(): Promise<void> {
    const log = join(this.folder, 'log');
    const start = ['-D', join(this.folder, 'data'), '-l', log, '-w', '-t', WAIT_S, 'start'];
    await asPostgres(join(this.#bin, 'pg_ctl'), ...start).catch(async (error: unknown) => {
      const words = (await readFile(log, 'utf8').catch(() => '')).slice(-2000);
      throw new Error(`the server did not start: ${words}`, { cause: error });
    });
  }

  async set(...settings: string[]): Promise<void> {
    await appendFile(join(this.folder, 'data', 'postgresql.conf'), `${settings.join('\n')}\n`);
    await asPostgres(join(this.#bin, 'pg_ctl'), '-D', join(this.folder, 'data'), 'reload');
  }

  async promote(): Promise<void> {
    await asPostgres(
      join(this.#bin, 'pg_ctl'),
      '-D',
      join(this.folder, 'data'),
      '-w',
      '-t',
      WAIT_S,
      'promote',
    );
  }

  /** As a power cut: every process of the server, at once. Resolves when they are gone. */
  async kill(): Promise<void> {
    const pidFile = join(this.folder, 'data', 'postmaster.pid');
    const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
    // It makes no other process from here on.
    process.kill(pid, 'SIGSTOP');
    const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(pid)]);
    const all = [...stdout.trim().split(/\s+/).map(Number), pid].filter((each) => each > 1);
    for (const each of all) if (isRunning(each)) process.kill(each, 'SIGKILL');
    while (all.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 10));
    // Its number may be that of another process by now, or of one that nobody has buried.
    await rm(pidFile, { force: true });
  }

  async stop(): Promise<void> {
    const stop = ['-D', join(this.folder, 'data'), '-m', 'immediate', '-w', '-t', WAIT_S, 'stop'];
    await asPostgres(join(this.#bin, 'pg_ctl'), ...stop).catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  /** A schema that nobody has used. */
  newSchema(): string {
    return `s${(this.#number += 1)}`;
  }

  /** Runs statements as a superuser, by hand. */
  async sql<T extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values: unknown[] = [],
  ): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.url() });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end();
    }
  }
}

/** Not when it is gone, or dead and not buried. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
