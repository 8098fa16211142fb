// A world whose server is the embedded ledger's rooms, put together so that its history can be taken back and changed.
import { generateKeyPairSync } from 'node:crypto';
import type { Server } from '@grpc/grpc-js';
import { Database } from '#dist/ledger/engine/database.js';
import type { Journal } from '#dist/ledger/engine/database.js';
import { Databases } from '#dist/ledger/engine/databases.js';
import { newServerId } from '#dist/ledger/engine/identity.js';
import { resolveOptions } from '#dist/ledger/options.js';
import { createServer, listen } from '#dist/ledger/serve/server.js';
import { Sessions } from '#dist/ledger/serve/sessions.js';
import { StateSigner } from '#dist/ledger/engine/state-signer.js';
import { Turns } from '#dist/ledger/serve/turns.js';
import { SYSTEM_ADMIN, Users, hashPassword } from '#dist/ledger/engine/users.js';
import type { TxHeader } from '#dist/proof/types.js';
import { Proxy } from '../adversary/proxy.js';
import { WireClient } from '../support/wire-client.js';
import { Branch, hex } from './history.js';
import type { TrueEntry } from './history.js';
import { DATABASE } from './world.js';
import type { Backup, World } from './world.js';

const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SIGNING_KEY = KEY.privateKey.export({ type: 'sec1', format: 'pem' }).toString();
/** Header times are counted, not taken: no two branches hold the same transaction by chance, and runs repeat. */
const FIRST_TIME = 1_700_000_000n;

/** A history whose commits are written into the oracle's book. */
class BookedDatabase extends Database {
  readonly #nextTime: () => bigint;

  constructor(like: Database, nextTime: () => bigint, trustLog: Journal) {
    super(like.name, like.limits, like.format, trustLog);
    this.#nextTime = nextTime;
  }

  override nextHeader(...args: Parameters<Database['nextHeader']>): TxHeader {
    return { ...super.nextHeader(...args), ts: this.#nextTime() };
  }
}

export class LedgerWorld implements World {
  readonly proxy: Proxy;
  readonly branches: Branch[] = [];
  readonly publicKeyPem = KEY.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  readonly #server: Server;
  readonly #address: string;
  readonly #databases = new Map<Branch, Database>();
  readonly #template: Database;
  #wire: Promise<WireClient> | undefined;
  #time = FIRST_TIME;
  #order = 0;

  private constructor(server: Server, address: string, proxy: Proxy, template: Database) {
    this.#server = server;
    this.#address = address;
    this.proxy = proxy;
    this.#template = template;
    this.#serve(new Branch([], undefined));
  }

  static async start(): Promise<LedgerWorld> {
    const options = resolveOptions({ signingKey: SIGNING_KEY, maxSessions: 1000 });
    const databases = new Databases(undefined, options);
    const users = new Users(databases.system);
    users.save({
      username: SYSTEM_ADMIN,
      ...hashPassword(Buffer.from(options.adminPassword)),
      permissions: [{ database: '*', permission: 255 }],
      sqlPrivileges: [],
      active: true,
      createdBy: '',
      createdAt: new Date(0).toISOString(),
    });
    const started: { world?: LedgerWorld } = {};
    const serverId = newServerId();
    const server = createServer(
      {
        serverId,
        startedAtMs: Date.now(),
        databases,
        users,
        sessions: new Sessions({ timeoutMs: options.sessionTimeoutMs, max: options.maxSessions }),
        signer: new StateSigner(SIGNING_KEY),
        route: (_call, database) =>
          database.name === DATABASE && started.world ? started.world.#present : database,
        intermediary: {
          before: () => undefined,
          after: (_call, answer) => answer,
          serverId: () => serverId,
        },
        turns: new Turns(),
      },
      options,
    );
    const address = `127.0.0.1:${await listen(server, '127.0.0.1', 0)}`;
    const world = new LedgerWorld(server, address, await Proxy.start(address), databases.use(DATABASE));
    started.world = world;
    return world;
  }

  get present(): Branch {
    return this.branches[this.branches.length - 1] as Branch;
  }

  get #present(): Database {
    return this.#databases.get(this.present) as Database;
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  backup(): Promise<Backup> {
    return Promise.resolve({ branch: this.present, length: this.present.length });
  }

  async restore(
    { branch, length }: Backup,
    { forged, keepConnections }: { forged: boolean; keepConnections: boolean },
  ): Promise<void> {
    const copy = branch.copy(length, forged);
    this.#serve(copy, this.#databases.get(branch));
    if (!keepConnections) await this.restart();
  }

  restart(): Promise<void> {
    return this.proxy.dropConnections();
  }

  wire(): Promise<WireClient> {
    return (this.#wire ??= WireClient.open(this.#address, DATABASE));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#wire)?.close();
    await this.proxy.close();
    this.#server.forceShutdown();
  }

  /** Serves a branch, with the transactions that it begins with from another database. */
  #serve(branch: Branch, from?: Database): void {
    const database = new BookedDatabase(
      this.#template,
      () => this.#time++,
      () => undefined,
    );
    for (const { tx } of branch.txs) {
      const entries = (from as Database).log
        .entries(Number(tx))
        .map((entry) => ({ ...entry, key: entry.key.slice(), value: entry.value.slice() }));
      database.replay((from as Database).log.header(Number(tx)), entries);
    }
    // From here on: what was there before is in the book already.
    const replay = database.replay.bind(database);
    database.replay = (header, entries) => {
      replay(header, entries);
      branch.txs.push({
        tx: header.id,
        alh: hex(database.log.alh(Number(header.id))),
        order: ++this.#order,
        entries: entries.map(({ key, hValue, metadata }): TrueEntry => ({
          key: Buffer.from(key.subarray(1)).toString(),
          hValue: hex(hValue),
          deleted: metadata?.deleted === true,
          ...(metadata?.expiresAt !== undefined && { expiresAt: Number(metadata.expiresAt) }),
        })),
      });
    };
    this.branches.push(branch);
    this.#databases.set(branch, database);
  }
}
