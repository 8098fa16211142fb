// Everything a client holds open: the channel, the rooms of the present login, the store, the verifier, and trust per
// database.
import { ClosedError } from '../../errors.js';
import { defaultStorePath, isPlaceGiven } from '../../store/default-path.js';
import { notLastingWords, whyNotLasting } from '../../store/lasting.js';
import type { RootStore } from '../../store/root-store.js';
import { SqliteRootStore } from '../../store/sqlite/sqlite-root-store.js';
import { createVerifier } from '../../worker/create-verifier.js';
import type { Verifier } from '../../verify/verifier.js';
import type { AuditAccess } from '../audit/access.js';
import { Channel } from '../net/channel.js';
import { Closing } from '../flow/closing.js';
import { Door } from '../flow/door.js';
import type { GroupDiagnostics } from './grouped-calls.js';
import { Admission } from '../flow/admission.js';
import { Identities } from '../net/identities.js';
import type { ResolvedOptions } from '../options/options.js';
import type { Rpc, StreamRpc } from '../net/rpc.js';
import { health } from '../calls/admin/server-info.js';
import type { Session } from '../net/session.js';
import { askAgainIfSilent } from '../trust/head/ask-again.js';
import { DatabaseTrust } from '../trust/database-trust.js';
import type { TrustDiagnostics } from '../trust/trust-over-time.js';
import { TrustLog } from '../trust/log/trust-log.js';
import type { ReservedTxs } from '../trust/reserved-txs.js';
import { Replicas } from './replicas.js';
import { Rooms } from './rooms.js';
import { logTo } from '../watch/logger.js';
import { Status } from '../watch/status.js';
import type { StatusNow } from '../watch/status.js';
import { Watch } from '../watch/watch.js';
import { WatchedVerifier } from '../watch/watched-verifier.js';
import { Trusts } from './trusts.js';

/** A client seen from inside. */
export interface ClientDiagnostics {
  /** Calls that wait or are on their way, with the bytes of their keys and values. */
  readonly queued: { readonly calls: number; readonly bytes: number };
  /** What was grouped, per open session's database. */
  readonly groups: Readonly<Record<string, GroupDiagnostics>>;
  /** What is trusted and known, per database with verified calls. */
  readonly trust: Readonly<Record<string, TrustDiagnostics>>;
  /**
   * What `close` could not do any more, each told as a warning of the process too: counts of calls that the store did not take,
   * a fork that it found then, a wait that was given up. What calls were told rests on rows that are durable all the same.
   */
  readonly notDone: readonly Error[];
}

export class Connection {
  readonly options: ResolvedOptions;
  readonly identity: Identities;
  readonly #channel: Channel;
  readonly #verifier: Verifier;
  readonly admission: Admission;
  readonly door: Door;
  readonly rooms: Rooms;
  readonly status: Status;
  readonly #watch: Watch;
  readonly #trusts: Trusts;
  readonly #replicas: Replicas | undefined;
  #store: Promise<RootStore> | undefined;
  #closing: Promise<void> | undefined;
  /** When calls went to another address last. */
  #movedAt = -Infinity;
  #notDone: readonly Error[] = [];

  constructor(options: ResolvedOptions) {
    this.options = options;
    const { clientId, observe, logger } = options;
    const watch = new Watch({
      client: clientId,
      address: options.addresses.map(({ text }) => text).join(),
      ...observe,
    });
    this.#watch = watch;
    if (logger) logTo(logger, watch);
    this.#verifier = new WatchedVerifier(createVerifier(options.verifier, options.overload), watch);
    this.admission = new Admission(options);
    this.door = new Door(this.admission, options.timeoutMs, watch);
    this.#trusts = new Trusts({
      make: (database, writes) => this.#makeTrust(database, writes),
      connection: () => this.#channel.connects,
    });
    this.identity = new Identities({
      addresses: options.addresses.map(({ text }) => text),
      here: () => this.#channel.here,
      clientId: options.clientId,
      store: () => this.store(),
      watch,
    });
    this.#channel = new Channel(options, (server, address) => this.identity.observe(server, address), {
      watch,
      // What answers there is believed when it has proven that it extends what is trusted.
      onMoved: () => {
        this.#movedAt = performance.now();
        for (const [, trust] of this.#trusts) trust.doubt();
      },
    });
    const replicas =
      options.readFrom.length > 0
        ? new Replicas({
            ...{ options, verifier: this.#verifier, trusts: this.#trusts },
            login: () => this.rooms.present,
          })
        : undefined;
    this.#replicas = replicas;
    this.rooms = new Rooms({
      ...(replicas && { replica: (database: string) => replicas.pick(database) }),
      options,
      channel: this.#channel,
      verifier: this.#verifier,
      admission: this.admission,
      door: this.door,
      trusts: this.#trusts,
      watch,
    });
    this.status = new Status(watch, {
      isOpen: () => this.door.isOpen,
      isFull: () => this.admission.isFull,
      load: () => this.admission.load,
      databases: () => this.#standings,
      whenClosed: (tell) => this.door.whenClosed(tell),
    });
  }

  get #standings(): StatusNow['databases'] {
    const standings = [...this.#trusts].map(
      ([database, { headTx, isRefused }]) => [database, { headTx, refused: isRefused }] as const,
    );
    return Object.fromEntries(standings);
  }

  get diagnostics(): ClientDiagnostics {
    const { calls, bytes } = this.admission;
    const trust = [...this.#trusts].flatMap(([database, { diagnostics }]) =>
      diagnostics ? [[database, diagnostics] as const] : [],
    );
    return {
      queued: { calls, bytes },
      groups: this.rooms.groups,
      trust: Object.fromEntries(trust),
      notDone: this.#notDone,
    };
  }

  /** The root store, opened at first use. A store that could not be opened is tried again by the next call. */
  store(): Promise<RootStore> {
    const { store } = this.options;
    if (typeof store === 'object') return Promise.resolve(store);
    // Nothing is opened that nobody would close.
    if (this.#closing && !this.#store) return Promise.reject(new ClosedError('the client'));
    this.#store ??= this.#openStore(store).catch((error: unknown) => {
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }

  /** async: that there is no place for it is a rejection too. */
  async #openStore(path: string | undefined): Promise<RootStore> {
    const { closeTimeoutMs } = this.options;
    if (path === undefined) await this.#warnOfPlace(defaultStorePath());
    return SqliteRootStore.open(path ?? defaultStorePath(), { closeTimeoutMs });
  }

  /** Nobody has said where the store is to be: it may be where it does not last. */
  async #warnOfPlace(path: string): Promise<void> {
    if (isPlaceGiven()) return;
    const why = await whyNotLasting(path);
    if (why === undefined) return;
    const message = notLastingWords(path, why);
    this.#watch.tell('immu-ts:warning', () => ({ warning: 'STORE_MAY_NOT_LAST' as const, message }));
  }

  /**
   * Accepts another server at this address: the next call is under what is trusted of that one. Calls under way that are not
   * proven yet end with StoreError; what was counted under the server before is written when this resolves.
   */
  async acceptServer(identity: string): Promise<void> {
    let ending: Promise<void> | undefined;
    await this.identity.accept(identity, () => {
      ending = this.#trusts.end();
    });
    await ending;
  }

  /** What an audit of a database works with. */
  async auditAccess(database: string): Promise<AuditAccess> {
    const { publicKey, clientId, timeoutMs, maxMessageBytes, onFork } = this.options;
    const rpc = this.#rpcOn(database);
    const [trust, store] = [await this.#trusts.of(database), await this.store()];
    const { server } = trust;
    const trustLog = new TrustLog({ store, key: { server, database }, clientId, onFork, watch: this.#watch });
    const signed = publicKey !== undefined;
    const limits = { timeoutMs, maxMessageBytes };
    return { server, database, rpc, trust, verifier: this.#verifier, store, trustLog, signed, ...limits };
  }

  /** Whoever is logged in when it is used: proofs do not depend on the user. */
  #rpcOn(database: string): Rpc & Pick<StreamRpc, 'down'> {
    const channel = this.#channel;
    /** Once closed it rejects, as all that is asked does: whoever asks from a timer catches nothing else. */
    const ask = <T>(send: (session: Session) => Promise<T>): Promise<T> =>
      new Promise((settle) => settle(send(this.rooms.of(database).session)));
    return {
      get connects() {
        return channel.connects;
      },
      unary: (method, request, options) =>
        ask((session) => session.unary(method, request, { ...options, proving: true })),
      raw: (method, request, options) =>
        ask((session) => session.raw(method, request, { ...options, proving: true })),
      down: (method, request, options, use) =>
        ask((session) => session.down(method, request, { ...options, proving: true }, use)),
    };
  }

  async #makeTrust(database: string, writes: ReservedTxs): Promise<DatabaseTrust> {
    const rpc = this.#rpcOn(database);
    const { trust: policy, publicKey, clientId, onFork } = this.options;
    const store = await this.store();
    const ask = () => askAgainIfSilent((call) => health(rpc, call));
    const server = await this.identity.bound(ask);
    const several = this.options.addresses.length > 1 && {
      assertKnown: async () => {
        await this.identity.assertKnown(ask);
      },
      refused: (connects: number) => void this.#channel.moveOn(connects),
      movedAt: () => this.#movedAt,
    };
    return new DatabaseTrust({
      rpc,
      server,
      database,
      store,
      introduction: this.identity.introduction(server, database),
      verifier: this.#verifier,
      policy,
      clientId,
      cacheBytes: this.options.cacheBytes,
      ...(this.options.keepHeaders && { keepHeaders: this.options.keepHeaders }),
      followMs: this.options.followMs,
      writes,
      onFork,
      watch: this.#watch,
      ...(publicKey && { publicKey }),
      ...(several && { several }),
    });
  }

  /**
   * Ends calls under way with ClosedError, writes what is due, and lets go of everything, within `closeTimeoutMs`. Never
   * rejects. Idempotent.
   */
  close(): Promise<void> {
    this.door.close();
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const closing = new Closing(this.options.closeTimeoutMs);
    // In this order: what is under way ends at once, then sessions are given back, then the connection goes.
    this.#channel.end();
    this.admission.close('the client');
    await closing.step('streams to be taken back', () => this.#channel.uploadsOver());
    await closing.step('sessions to be given back', () =>
      Promise.all([this.rooms.close(), this.#replicas?.close()]).then(() => undefined),
    );
    this.#channel.close();
    await Promise.all([...this.#trusts.closing()].map(([what, close]) => closing.step(what, close)));
    await closing.step('answers under way to be checked', () => this.#verifier.close());
    await closing.step('rows under way to be written', () => this.identity.close());
    // A store that was given stays open: it may serve others. One that could not be opened was told of, too.
    const opened = this.#store?.catch(() => undefined);
    if (opened) await closing.step('the root store to be closed', async () => (await opened)?.close());
    this.#notDone = closing.failures;
    for (const failure of closing.failures) process.emitWarning(failure);
  }
}
