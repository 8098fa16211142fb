// The replicas that verified reads go to, in turn: each with a connection and sessions of its own. Where one stands is found out
// before it is read from, and again while it is: its newest transaction is on the history that the primary proves, or it is left.
import { VerificationError } from '../../errors.js';
import type { Root, Verifier } from '../../verify/verifier.js';
import { claimedState } from '../calls/admin/server-info.js';
import type { ReplicaDoor, ReplicaReader } from '../calls/kv/replica-reader.js';
import { Deadline } from '../flow/deadline.js';
import { KeyAsker } from '../group/key-asker.js';
import { ReadGroups } from '../group/read-groups.js';
import { unixSeconds } from '../input/unix-seconds.js';
import { Channel } from '../net/channel.js';
import { Session } from '../net/session.js';
import type { Address } from '../options/address.js';
import type { ResolvedOptions } from '../options/options.js';
import type { DatabaseTrust } from '../trust/database-trust.js';
import { askHeader } from '../trust/trust-wire.js';
import type { Login } from './rooms.js';
import type { Trusts } from './trusts.js';

export interface ReplicasOptions {
  readonly options: ResolvedOptions;
  readonly verifier: Verifier;
  readonly trusts: Trusts;
  /** As calls to the primary are made. */
  readonly login: () => Login;
}

/** Name in the log of what is found out about a replica. */
const OPERATION = 'replica';
/** How often it is looked where one stands that is read from. */
const LOOK_EVERY_MS = 1000;
/** One that did not answer is not asked for so long; one of another history for longer. */
const REST_MS = 1000;
const LONG_REST_MS = 30_000;
const LOOK_TIMEOUT_MS = 5000;

export class Replicas {
  readonly #all: readonly Replica[];
  #next = 0;

  constructor(shared: ReplicasOptions) {
    this.#all = shared.options.readFrom.map((address) => new Replica(address, shared));
  }

  /** One that reads of the database may go to now; undefined: the primary is to be asked. */
  pick(database: string): ReplicaDoor | undefined {
    for (let tries = this.#all.length; tries > 0; tries--) {
      const door = this.#all[this.#next++ % this.#all.length]?.of(database);
      if (door?.isUsable() === true) return door;
    }
    return undefined;
  }

  /** Calls under way end by themselves, sessions are given back. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map((replica) => replica.close()));
  }
}

class Replica {
  readonly #address: Address;
  readonly #shared: ReplicasOptions;
  readonly #channel: Channel;
  readonly #rooms = new Map<string, ReplicaRoom>();
  #login: Login | undefined;

  constructor(address: Address, shared: ReplicasOptions) {
    this.#address = address;
    this.#shared = shared;
    // Whoever it says it is: it proves nothing.
    this.#channel = new Channel({ ...shared.options, addresses: [address] }, () => undefined);
  }

  of(database: string): ReplicaRoom {
    const login = this.#shared.login();
    if (login !== this.#login) {
      this.#login = login;
      for (const room of this.#rooms.values()) void room.close();
      this.#rooms.clear();
    }
    const open = this.#rooms.get(database);
    if (open) return open;
    const { options, verifier, trusts } = this.#shared;
    const { timeoutMs, keepAliveMs, maxWritesInFlight, retry } = options;
    const session = new Session({
      ...{ channel: this.#channel, ...login, database },
      ...{ timeoutMs, keepAliveMs, maxWritesInFlight, retry: { ...retry, attempts: 1 } },
    });
    const room = new ReplicaRoom(this.#address.text, session, verifier, () => trusts.now(database));
    this.#rooms.set(database, room);
    return room;
  }

  async close(): Promise<void> {
    this.#channel.end();
    await Promise.all([...this.#rooms.values()].map((room) => room.close()));
    this.#channel.close();
  }
}

class ReplicaRoom implements ReplicaDoor {
  readonly #address: string;
  readonly #session: Session;
  readonly #verifier: Verifier;
  readonly #trust: () => DatabaseTrust | undefined;
  readonly #reads: ReadGroups<ReplicaReader>;
  /** Over which connection, and when, it was found to be of the trusted history, and by whose head. */
  #stood: { readonly at: number; readonly connects: number; readonly trust: DatabaseTrust } | undefined;
  #looking: Promise<void> | undefined;
  #restsUntil = -Infinity;
  /** That it is of another history, and nobody who reads was told yet. */
  #untold: VerificationError | undefined;

  constructor(address: string, session: Session, verifier: Verifier, trust: () => DatabaseTrust | undefined) {
    const { database } = session;
    this.#address = address;
    this.#session = session;
    this.#verifier = verifier;
    this.#trust = trust;
    const context = () => trust()?.headContext ?? { head: null, database, now: unixSeconds() };
    this.#reads = new ReadGroups<ReplicaReader>({
      asker: new KeyAsker({ rpc: session, verifier, context }),
      askAlone: () => false,
      // What shows whether it lags is held against what is proven.
      probe: () => undefined,
    });
  }

  isUsable(): boolean {
    const trust = this.#trust();
    const now = performance.now();
    if (this.#untold) return true;
    if (!trust?.headContext || now < this.#restsUntil) return false;
    const { at, connects, trust: under } = this.#stood ?? {};
    const stands = connects === this.#session.connects && under === trust;
    if (!stands || now - (at ?? 0) > LOOK_EVERY_MS) void this.#look(trust).catch(() => undefined);
    return stands;
  }

  read(key: Uint8Array, name: string, reader: ReplicaReader): void {
    const fork = this.#untold;
    this.#untold = undefined;
    if (fork) reader.refuse(fork);
    else this.#reads.read(key, name, reader);
  }

  failed(): void {
    this.#restsUntil = performance.now() + REST_MS;
  }

  async contradicted(trust: DatabaseTrust): Promise<void> {
    try {
      // From now on, not what was under way already.
      await this.#looking?.catch(() => undefined);
      await this.#look(trust);
    } catch (error) {
      // Whoever asks is told.
      if (error === this.#untold) this.#untold = undefined;
      if (error instanceof VerificationError) throw error;
    }
  }

  #look(trust: DatabaseTrust): Promise<void> {
    return (this.#looking ??= this.#findOut(trust).finally(() => (this.#looking = undefined)));
  }

  async #findOut(trust: DatabaseTrust): Promise<void> {
    const { connects } = this.#session;
    const at = performance.now();
    try {
      await this.#assertOnHistory(trust);
      // The first question may have made the connection.
      this.#stood = { at, trust, connects: this.#stood === undefined ? this.#session.connects : connects };
    } catch (error) {
      this.#stood = undefined;
      const isOther = error instanceof VerificationError && error.code === 'FORK_DETECTED';
      this.#restsUntil = performance.now() + (isOther ? LONG_REST_MS : REST_MS);
      if (isOther) this.#untold = error;
      throw error;
    }
  }

  async #assertOnHistory(trust: DatabaseTrust): Promise<void> {
    const deadline = new Deadline({}, LOOK_TIMEOUT_MS);
    const call = { operation: OPERATION, startedAt: deadline.startedAt, deadline };
    const state = await claimedState(this.#session, deadline.left);
    if (state.tx > trust.headTx) await trust.assureNow(OPERATION);
    const { root: head } = trust;
    if (state.tx <= 0n || head.tx === 0n) return;
    // Where it has more than the primary, what it says of the primary's newest is looked at.
    const shown = state.tx > head.tx ? await this.#rootAt(trust, head.tx, deadline) : state;
    const { tx, alh } = shown;
    await trust.assertOnHistory(call, { tx, alh }, `that the replica at ${this.#address} shows`);
  }

  async #rootAt(trust: DatabaseTrust, tx: bigint, deadline: Deadline): Promise<Root> {
    const answer = await askHeader(this.#session, tx, 0n, deadline.left);
    const verdict = await this.#verifier.verify(trust.job({ kind: 'tx', tx }, null, answer));
    if (!verdict.ok || verdict.proven.kind !== 'tx') throw new Error('a replica that proves nothing at all');
    return verdict.proven.target;
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
