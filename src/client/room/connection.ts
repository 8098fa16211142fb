// Everything a client holds open: the channel, the sessions of the present login (one per database), the store, the
// verifier, and trust per database.
import { ClosedError } from '../../errors.js';
import { defaultStorePath } from '../../store/default-path.js';
import type { RootStore } from '../../store/root-store.js';
import { SqliteRootStore } from '../../store/sqlite/sqlite-root-store.js';
import { createVerifier } from '../../worker/create-verifier.js';
import type { Verifier } from '../../verify/verifier.js';
import type { AuditAccess } from '../audit/access.js';
import { Channel } from '../net/channel.js';
import { Closing } from '../flow/closing.js';
import { GroupedCalls } from './grouped-calls.js';
import type { GroupDiagnostics } from './grouped-calls.js';
import type { Deadline } from '../flow/deadline.js';
import { Admission } from '../flow/admission.js';
import { HeldSessions } from '../net/held-sessions.js';
import { ServerIdentity } from '../net/identity.js';
import { DEFAULT_DATABASE } from '../options/credentials.js';
import type { ResolvedOptions } from '../options/options.js';
import type { ResolvedCredentials } from '../options/credentials.js';
import type { Rpc } from '../net/rpc.js';
import { Secret } from '../options/secret.js';
import { health } from '../calls/admin/server-info.js';
import { Session } from '../net/session.js';
import type { LoginKind } from '../net/session.js';
import { askAgainIfSilent } from '../trust/head/ask-again.js';
import { DatabaseTrust } from '../trust/database-trust.js';
import type { TrustDiagnostics } from '../trust/database-trust.js';
import { TrustLog } from '../trust/log/trust-log.js';
import { ReservedTxs } from '../trust/reserved-txs.js';

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

interface Login {
  readonly kind: LoginKind;
  readonly credentials?: ResolvedCredentials;
}

export class Connection {
  readonly options: ResolvedOptions;
  readonly identity: ServerIdentity;
  readonly #channel: Channel;
  readonly #verifier: Verifier;
  readonly admission: Admission;
  readonly #trust = new Map<string, Promise<DatabaseTrust>>();
  readonly #trusted = new Map<string, DatabaseTrust>();
  readonly #calls = new Map<Session, GroupedCalls>();
  /** Txs of writes by database, whatever the session and the trust they were made under. */
  readonly #writes = new Map<string, ReservedTxs>();
  readonly #held = new HeldSessions();
  #login: Login;
  #sessions = new Map<string, Session>();
  #current: string;
  #store: Promise<RootStore> | undefined;
  /** How often another server was accepted: what was begun before is not trust in that one. */
  #acceptances = 0;
  #ending: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #notDone: readonly Error[] = [];

  constructor(options: ResolvedOptions) {
    const { credentials } = options;
    this.options = options;
    this.#verifier = createVerifier(options.verifier, options.overload);
    this.admission = new Admission(options);
    this.identity = new ServerIdentity({
      address: options.address.text,
      clientId: options.clientId,
      store: () => this.store(),
    });
    this.#channel = new Channel(options, (server) => this.identity.observe(server));
    this.#login = credentials ? { kind: 'session', credentials } : { kind: 'anonymous' };
    this.#current = credentials?.database ?? DEFAULT_DATABASE;
  }

  /** The session of the selected database. Throws ClosedError after close. */
  get session(): Session {
    return this.sessionOn(this.#current);
  }

  /** One session per database: selecting another one does not touch calls in flight. */
  sessionOn(database: string): Session {
    if (this.#closing) throw new ClosedError('the client');
    const open = this.#sessions.get(database);
    if (open) return open;
    const { timeoutMs, keepAliveMs, maxWritesInFlight, retry } = this.options;
    const onPasswordChanged = this.#passwordChanged.bind(this);
    const session = new Session({
      channel: this.#channel,
      ...this.#login,
      database,
      timeoutMs,
      keepAliveMs,
      maxWritesInFlight,
      retry,
      held: this.#held,
      onPasswordChanged,
    });
    this.#sessions.set(database, session);
    return session;
  }

  /** Reads and writes of a session that may share requests. */
  calls(session: Session): GroupedCalls {
    const known = this.#calls.get(session);
    if (known) return known;
    const { database } = session;
    const made = new GroupedCalls({
      rpc: session,
      database,
      verifier: this.#verifier,
      admission: this.admission,
      writes: this.#writesOn(database),
    });
    this.#calls.set(session, made);
    return made;
  }

  #writesOn(database: string): ReservedTxs {
    const known = this.#writes.get(database);
    if (known) return known;
    const made = new ReservedTxs(() => this.#channel.connects);
    this.#writes.set(database, made);
    return made;
  }

  /** Logs in, in place of the present login, whose sessions end. */
  async login(
    kind: 'session' | 'token',
    credentials: ResolvedCredentials,
    deadline: Deadline,
  ): Promise<void> {
    await this.logout();
    this.#login = { kind, credentials };
    this.#current = credentials.database;
    try {
      await this.session.open(deadline);
    } catch (error) {
      await this.logout();
      throw error;
    }
  }

  async logout(): Promise<void> {
    const ending = [...this.#sessions.values()];
    this.#sessions = new Map();
    this.#login = { kind: 'anonymous' };
    await Promise.all(ending.map((session) => this.#end(session)));
  }

  async #end(session: Session): Promise<void> {
    await session.close();
    this.#calls.delete(session);
  }

  /** Selects a database that this login may use. */
  async select(database: string, deadline: Deadline): Promise<void> {
    const session = this.sessionOn(database);
    try {
      if (session.kind === 'anonymous')
        await session.unary('UseDatabase', { databaseName: database }, deadline.left);
      else await session.open(deadline);
    } catch (error) {
      if (this.#sessions.get(database) === session && database !== this.#current)
        this.#sessions.delete(database);
      this.#calls.delete(session);
      throw error;
    }
    // Kept alive no longer, or a client that wanders through databases would hold a session on each.
    if (database !== this.#current) this.#sessions.get(this.#current)?.rest();
    this.#current = database;
  }

  /** A user's password was changed: if it is ours, sessions are opened with the new one from now on. */
  #passwordChanged(user: string, password: string): void {
    const { kind, credentials } = this.#login;
    if (credentials?.user !== user) return;
    const renewed = { ...credentials, password: new Secret(password) };
    this.#login = { kind, credentials: renewed };
    for (const session of this.#sessions.values()) session.renew(renewed);
  }

  get diagnostics(): ClientDiagnostics {
    const { calls, bytes } = this.admission;
    const groups = [...this.#calls].map(
      ([{ database }, { diagnostics }]) => [database, diagnostics] as const,
    );
    const trust = [...this.#trusted].flatMap(([database, { diagnostics }]) =>
      diagnostics ? [[database, diagnostics] as const] : [],
    );
    return {
      queued: { calls, bytes },
      groups: Object.fromEntries(groups),
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
    return SqliteRootStore.open(path ?? defaultStorePath(), { closeTimeoutMs });
  }

  /** Trust in a database, when it was made already. */
  trustNow(database: string): DatabaseTrust | undefined {
    return this.#trusted.get(database);
  }

  /** Trust in a database: made at its first verified call. */
  trust(database: string): Promise<DatabaseTrust> {
    const known = this.#trust.get(database);
    if (known) return known;
    const made: Promise<DatabaseTrust> = this.#makeTrust(database).catch((error: unknown) => {
      if (this.#trust.get(database) === made) this.#trust.delete(database);
      throw error;
    });
    this.#trust.set(database, made);
    return made;
  }

  /**
   * Accepts another server at this address: the next call is under what is trusted of that one. Calls under way that are not
   * proven yet end with StoreError; what was counted under the server before is written when this resolves.
   */
  async acceptServer(identity: string): Promise<void> {
    const ending: Promise<void>[] = [];
    await this.identity.accept(identity, () => {
      this.#acceptances += 1;
      for (const trust of this.#trusted.values()) ending.push(trust.end());
      this.#trust.clear();
      this.#trusted.clear();
      this.#ending = Promise.allSettled([this.#ending, ...ending]);
    });
    await Promise.all(ending);
  }

  /** What an audit of a database works with. */
  async auditAccess(database: string): Promise<AuditAccess> {
    const { publicKey, clientId, timeoutMs, maxMessageBytes, onFork } = this.options;
    const rpc = this.#rpcOn(database);
    const [trust, store] = [await this.trust(database), await this.store()];
    const { server } = trust;
    const trustLog = new TrustLog({ store, key: { server, database }, clientId, onFork });
    const signed = publicKey !== undefined;
    const limits = { timeoutMs, maxMessageBytes };
    return { server, database, rpc, trust, verifier: this.#verifier, store, trustLog, signed, ...limits };
  }

  /** Whoever is logged in when it is used: proofs do not depend on the user. */
  #rpcOn(database: string): Rpc {
    const channel = this.#channel;
    /** Once closed it rejects, as all that is asked does: whoever asks from a timer catches nothing else. */
    const ask = <T>(send: (session: Session) => Promise<T>): Promise<T> =>
      new Promise((settle) => settle(send(this.sessionOn(database))));
    return {
      get connects() {
        return channel.connects;
      },
      unary: (...args) => ask((session) => session.unary(...args)),
      raw: (...args) => ask((session) => session.raw(...args)),
    };
  }

  async #makeTrust(database: string): Promise<DatabaseTrust> {
    const rpc = this.#rpcOn(database);
    const { trust: policy, publicKey, clientId, onFork } = this.options;
    const acceptances = this.#acceptances;
    const store = await this.store();
    const server = await this.identity.bound(() => askAgainIfSilent((call) => health(rpc, call)));
    if (acceptances !== this.#acceptances) return this.trust(database);
    const trust = new DatabaseTrust({
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
      writes: this.#writesOn(database),
      onFork,
      ...(publicKey && { publicKey }),
    });
    this.#trusted.set(database, trust);
    return trust;
  }

  /**
   * Ends calls under way with ClosedError, writes what is due, and lets go of everything, within `closeTimeoutMs`. Never
   * rejects. Idempotent.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const closing = new Closing(this.options.closeTimeoutMs);
    // In this order: what is under way ends at once, then sessions are given back, then the connection goes.
    this.#channel.end();
    this.admission.close('the client');
    for (const calls of this.#calls.values()) calls.close();
    const sessions = [...this.#sessions.values()];
    await closing.step('sessions to be given back', () =>
      Promise.all(sessions.map((session) => session.close())),
    );
    this.#channel.close();
    await Promise.all(
      [...this.#trust].map(([database, made]) =>
        closing.step(`what is due on ${database} to be written`, async () => {
          // One that could not be made has told so whoever needed it, and has nothing to write.
          const trust = await made.catch(() => undefined);
          await trust?.close();
        }),
      ),
    );
    await closing.step('trust that has ended to be written', () => this.#ending);
    await closing.step('answers under way to be checked', () => this.#verifier.close());
    await closing.step('rows under way to be written', () => this.identity.close());
    // A store that was given stays open: it may serve others. One that could not be opened was told of, too.
    const opened = this.#store?.catch(() => undefined);
    if (opened) await closing.step('the root store to be closed', async () => (await opened)?.close());
    this.#notDone = closing.failures;
    for (const failure of closing.failures) process.emitWarning(failure);
  }
}
