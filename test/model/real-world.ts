// A world whose server is a real immudb: its data folder is copied, put back, and copied again.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Proxy } from '../adversary/proxy.js';
import { TestImmudb } from '../support/immudb.js';
import { WireClient } from '../support/wire-client.js';
import { Branch, hex } from './history.js';
import type { TrueEntry, TrueTx } from './history.js';
import { DATABASE } from './world.js';
import type { Backup, World } from './world.js';

/** Headers asked for at once. */
const PAGE = 200;

interface RealBackup extends Backup {
  readonly folder: string;
}

export class RealWorld implements World {
  readonly proxy: Proxy;
  readonly branches: Branch[] = [new Branch([], undefined)];
  readonly #server: TestImmudb;
  readonly #folder: string;
  readonly #backups: RealBackup[] = [];
  #wire: Promise<WireClient> | undefined;
  #order = 0;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(server: TestImmudb, proxy: Proxy, folder: string) {
    this.#server = server;
    this.proxy = proxy;
    this.#folder = folder;
  }

  static async start(): Promise<RealWorld> {
    const server = await TestImmudb.start({ signing: true });
    const folder = await mkdtemp(join(tmpdir(), 'immu-ts-model-'));
    const world = new RealWorld(server, await Proxy.start(server.address), folder);
    await world.refresh();
    return world;
  }

  get publicKeyPem(): string {
    return this.#server.publicKeyPem as string;
  }

  get present(): Branch {
    return this.branches[this.branches.length - 1] as Branch;
  }

  refresh(): Promise<void> {
    return this.#inTurn(() => this.#readOn());
  }

  backup(): Promise<Backup> {
    return this.#inTurn(() => this.#copy());
  }

  /**
   * A backup is of the newest transaction: one that is asked for further back is the latest that is not newer, which is what
   * a restored backup is in life.
   */
  restore(wanted: Backup, { forged }: { forged: boolean; keepConnections: boolean }): Promise<void> {
    return this.#inTurn(() => this.#putBack(wanted, forged));
  }

  async #putBack(wanted: Backup, forged: boolean): Promise<void> {
    await this.#readOn();
    const fits = (each: RealBackup) =>
      each.length <= wanted.length && wanted.branch.holds(lastRoot(each.branch, each.length));
    const backup = this.#backups.toSorted((a, b) => Number(b.length - a.length)).find(fits);
    if (!backup) return;
    await this.#stop();
    await rm(join(this.#server.dir, 'data'), { recursive: true });
    await cp(backup.folder, join(this.#server.dir, 'data'), { recursive: true });
    this.branches.push(backup.branch.copy(backup.length, forged));
    await this.#server.start();
    await this.proxy.dropConnections();
  }

  restart(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#readOn();
      await this.#stop();
      await this.#server.start();
      await this.proxy.dropConnections();
    });
  }

  wire(): Promise<WireClient> {
    return this.#inTurn(() => this.#connect());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#wire?.catch(() => undefined))?.close();
    await this.proxy.close();
    await this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** One thing at a time is done with the server, and what is booked. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#busy.then(work);
    this.#busy = done.catch(() => undefined);
    return done;
  }

  #connect(): Promise<WireClient> {
    return (this.#wire ??= WireClient.open(this.#server.address, DATABASE));
  }

  async #stop(): Promise<void> {
    (await this.#wire)?.close();
    this.#wire = undefined;
    await this.#server.stop();
  }

  /** With the server stopped, as a good backup is made. */
  async #copy(): Promise<RealBackup> {
    await this.#readOn();
    const branch = this.present;
    const folder = join(this.#folder, String(this.#backups.length));
    await this.#stop();
    await cp(join(this.#server.dir, 'data'), folder, { recursive: true });
    await this.#server.start();
    await this.proxy.dropConnections();
    // What was committed after the last look is in the copy too.
    await this.#readOn();
    const backup = { branch, length: branch.length, folder };
    this.#backups.push(backup);
    return backup;
  }

  async #readOn(): Promise<void> {
    const wire = await this.#connect();
    const branch = this.present;
    for (;;) {
      const { txId, txHash } = await wire.call('CurrentState');
      const last = BigInt(txId ?? 0);
      if (last === branch.length) return;
      const { txs = [] } = await wire.call('TxScan', {
        initialTx: String(branch.length + 1n),
        limit: PAGE,
      });
      // A header names the hash of the one before it; the state that of the last.
      for (let i = 0; i < txs.length; i++) {
        const { header, entries } = txs[i];
        const tx = BigInt(header.id);
        if (tx > last) break;
        const next = txs[i + 1]?.header.prevAlh;
        if (tx < last && next === undefined) break;
        branch.txs.push({
          tx,
          alh: hex(tx === last ? txHash : next),
          order: ++this.#order,
          entries: entries.map(trueEntry),
        } satisfies TrueTx);
      }
    }
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
function trueEntry({ key, hValue, metadata }: any): TrueEntry {
  const expiresAt = metadata?.expiration?.expiresAt;
  return {
    key: Buffer.from(key.subarray(1)).toString(),
    hValue: hex(hValue),
    deleted: metadata?.deleted === true,
    ...(expiresAt !== undefined && { expiresAt: Number(expiresAt) }),
  };
}

function lastRoot(branch: Branch, length: bigint): { tx: bigint; alh: string } {
  return { tx: length, alh: branch.at(length)?.alh ?? '' };
}
