// The ledger as its users see it: started, reached by gRPC on loopback, closed.
import type { Server } from '@grpc/grpc-js';
import { TransportError } from '../errors.js';
import { Databases } from './engine/databases.js';
import { LedgerDisk } from './engine/disk.js';
import type { Router } from './serve/core.js';
import { newServerId } from './engine/identity.js';
import { Liar } from './lies/liar.js';
import type { Lie, LieHandle } from './lies/lies.js';
import { resolveOptions } from './options.js';
import type { EmbeddedLedgerOptions, ResolvedLedgerOptions } from './options.js';
import { createServer, listen } from './serve/server.js';
import { Sessions } from './serve/sessions.js';
import { StateSigner } from './engine/state-signer.js';
import { SYSTEM_ADMIN, Users, hashPassword } from './engine/users.js';
import { Turns } from './serve/turns.js';

/**
 * An immudb-compatible ledger inside this process, served over real gRPC on loopback: sessions, databases, users, and
 * everything on keys and values with proofs. SQL, documents and replication are refused as UNIMPLEMENTED.
 *
 * @example
 * ```ts
 * await using ledger = await EmbeddedLedger.start();
 * const credentials = { user: 'immudb', password: 'immudb' };
 * await using client = new ImmuClient({ address: ledger.address, store: new MemoryRootStore(), credentials });
 * ```
 */
export class EmbeddedLedger {
  readonly #server: Server;
  readonly #disk: LedgerDisk | undefined;
  readonly #signer: StateSigner | undefined;
  readonly #serverId: string;
  readonly #liar: Liar;
  /** `host:port` to connect to. */
  readonly address: string;
  #closed: Promise<void> | undefined;

  private constructor(parts: {
    server: Server;
    disk: LedgerDisk | undefined;
    signer: StateSigner | undefined;
    serverId: string;
    address: string;
    liar: Liar;
  }) {
    this.#server = parts.server;
    this.#disk = parts.disk;
    this.#signer = parts.signer;
    this.#serverId = parts.serverId;
    this.address = parts.address;
    this.#liar = parts.liar;
  }

  /**
   * @throws ArgumentError for an option that cannot be
   * @throws StoreError when the directory cannot be opened, or does not hold what was written to it
   * @throws TransportError when the port is taken
   */
  static async start(options: EmbeddedLedgerOptions = {}): Promise<EmbeddedLedger> {
    const resolved = resolveOptions(options);
    const disk = resolved.directory === undefined ? undefined : new LedgerDisk(resolved.directory);
    try {
      return await EmbeddedLedger.#serve(resolved, disk);
    } catch (error) {
      disk?.close();
      throw error;
    }
  }

  static async #serve(options: ResolvedLedgerOptions, disk: LedgerDisk | undefined): Promise<EmbeddedLedger> {
    const databases = new Databases(disk, options);
    const users = new Users(databases.system);
    if (!users.get(SYSTEM_ADMIN)) {
      users.save({
        username: SYSTEM_ADMIN,
        ...hashPassword(Buffer.from(options.adminPassword)),
        permissions: [{ database: '*', permission: 255 }],
        sqlPrivileges: [],
        active: true,
        createdBy: '',
        createdAt: new Date().toISOString(),
      });
    }
    const signer = options.signingKey === undefined ? undefined : new StateSigner(options.signingKey);
    const serverId = disk?.serverId ?? newServerId();
    const core = {
      serverId,
      startedAtMs: Date.now(),
      databases,
      users,
      sessions: new Sessions({ timeoutMs: options.sessionTimeoutMs, max: options.maxSessions }),
      signer,
    };
    const liar = new Liar(core);
    const route: Router = (call, database) => liar.route(call, database);
    const server = createServer({ ...core, route, intermediary: liar, turns: new Turns() }, options);
    const port = await listen(server, options.host, options.port).catch((error: unknown) => {
      throw new TransportError('UNAVAILABLE', `cannot listen on ${options.host}:${options.port}`, {
        cause: error,
      });
    });
    const address = options.host.includes(':') ? `[${options.host}]:${port}` : `${options.host}:${port}`;
    return new EmbeddedLedger({ server, disk, signer, serverId, address, liar });
  }

  /** Identity that the ledger shows on every answer. */
  get serverId(): string {
    return this.#serverId;
  }

  /** PEM of the key that states are verified with; undefined when they are not signed. */
  get publicKeyPem(): string | undefined {
    return this.#signer?.publicKeyPem;
  }

  /**
   * Lies from now on, until the handle is stopped; several lies add up, later ones on top of earlier ones.
   *
   * @throws ArgumentError when there is no such lie, or it is about a database or a transaction that is not there
   * @example
   * ```ts
   * const lie = ledger.lie({ kind: 'swap-value', methods: ['VerifiableGet'] });
   * await assert.rejects(client.verifiedGet('key'), { code: 'VERIFICATION_FAILED' });
   * lie.stop();
   * ```
   */
  lie(lie: Lie): LieHandle {
    return this.#liar.tell(lie);
  }

  /** Ends every call and closes the directory. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#server.forceShutdown();
      this.#disk?.close();
      resolve();
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
