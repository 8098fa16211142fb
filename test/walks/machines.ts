// Machines that share a network and nothing else: network namespaces, each with one cable to a bridge of this machine. What runs on this
// machine is reached through the bridge. Where namespaces cannot be made, machines are processes of this one.
import { execFile, execFileSync, spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { createServer, connect } from 'node:net';
import type { Server, Socket } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PREFIX = 'immu-ts-walk';

/** Why there are no network namespaces; undefined: they can be made. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'this is no Linux';
  if (process.env['NO_NETNS'] === 'true') return 'NO_NETNS is true';
  const name = `${PREFIX}-try-${process.pid}`;
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    ip('netns', 'add', name);
    try {
      ip('link', 'add', `iwt${process.pid}`, 'type', 'bridge');
      ip('link', 'del', `iwt${process.pid}`);
      ip('netns', 'exec', name, 'true');
    } finally {
      ip('netns', 'del', name);
    }
    return undefined;
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1);
  }
}

export interface Machine {
  readonly name: string;
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
}

export class Machines {
  readonly all: readonly Machine[];
  /** Under which this machine is reached from all of them, and by itself. */
  readonly host: string;
  readonly #bridge: string | undefined;
  readonly #forwarders = new Map<number, Server>();

  private constructor(all: readonly Machine[], host: string, bridge?: string) {
    this.all = all;
    this.host = host;
    this.#bridge = bridge;
  }

  /** `apart`: in network namespaces. */
  static async make(names: readonly string[], apart: boolean): Promise<Machines> {
    if (!apart) return new Machines(names.map(processOf), '127.0.0.1');
    const id = process.pid.toString(36);
    const bridge = `iw${id}`;
    // Set apart for tests of networks (RFC 2544).
    const network = `198.18.${process.pid % 256}`;
    const made: Machine[] = [];
    const machines = new Machines(made, `${network}.1`, bridge);
    try {
      await ip(`link add ${bridge} type bridge`);
      await ip(`address add ${network}.1/24 dev ${bridge}`);
      await ip(`link set ${bridge} up`);
      for (const [i, name] of names.entries()) {
        const [space, here, there] = [`${PREFIX}-${id}-${name}`, `iw${id}h${i}`, `iw${id}m${i}`];
        await ip(`netns add ${space}`);
        made.push(namespaceOf(space));
        await ip(`link add ${here} type veth peer name ${there}`);
        await ip(`link set ${there} netns ${space}`);
        await ip(`link set ${here} master ${bridge} up`);
        await ip(`-n ${space} address add ${network}.${i + 2}/24 dev ${there}`);
        for (const device of ['lo', there]) await ip(`-n ${space} link set ${device} up`);
      }
      return machines;
    } catch (error) {
      await machines.close();
      throw error;
    }
  }

  get areApart(): boolean {
    return this.#bridge !== undefined;
  }

  /** Where a server that listens on loopback of this machine is reached. */
  async reach(port: number): Promise<string> {
    if (this.areApart && !this.#forwarders.has(port))
      this.#forwarders.set(port, await forwarder(this.host, port));
    return `${this.host}:${port}`;
  }

  async close(): Promise<void> {
    for (const server of this.#forwarders.values()) server.close();
    if (this.#bridge === undefined) return;
    for (const { name } of this.all) await ip(`netns delete ${name}`).catch(() => undefined);
    await ip(`link delete ${this.#bridge}`).catch(() => undefined);
  }
}

async function ip(words: string): Promise<void> {
  await run('ip', words.split(' '));
}

function processOf(name: string): Machine {
  return { name, spawn };
}

function namespaceOf(name: string): Machine {
  return {
    name,
    // `ip` becomes the program: signals reach it.
    spawn: (program, args, options) => spawn('ip', ['netns', 'exec', name, program, ...args], options),
  };
}

/** What is behind it refuses, or is gone: so is it to who connects. */
async function forwarder(host: string, port: number): Promise<Server> {
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    const pairs: [Socket, Socket][] = [
      [from, to],
      [to, from],
    ];
    for (const [one, other] of pairs) {
      one.on('error', () => other.resetAndDestroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  return server;
}
