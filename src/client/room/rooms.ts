// The rooms of the present login, one per database, and which of them is selected. Another login has rooms of its own.
import { ClosedError } from '../../errors.js';
import type { Verifier } from '../../verify/verifier.js';
import type { ReplicaDoor } from '../calls/kv/replica-reader.js';
import type { Admission } from '../flow/admission.js';
import type { Deadline } from '../flow/deadline.js';
import type { Door } from '../flow/door.js';
import type { Channel } from '../net/channel.js';
import { HeldSessions } from '../net/held-sessions.js';
import { Session } from '../net/session.js';
import type { LoginKind } from '../net/session.js';
import { DEFAULT_DATABASE } from '../options/credentials.js';
import type { ResolvedCredentials } from '../options/credentials.js';
import type { ResolvedOptions } from '../options/options.js';
import { Secret } from '../options/secret.js';
import { GroupedCalls } from './grouped-calls.js';
import type { GroupDiagnostics } from './grouped-calls.js';
import { Room } from './room.js';
import type { Trusts } from './trusts.js';
import type { Watch } from '../watch/watch.js';

export interface Login {
  readonly kind: LoginKind;
  readonly credentials?: ResolvedCredentials;
}

export interface RoomsOptions {
  readonly options: ResolvedOptions;
  readonly channel: Channel;
  readonly verifier: Verifier;
  readonly admission: Admission;
  readonly door: Door;
  readonly trusts: Trusts;
  readonly watch: Watch;
  /** A replica that verified reads of a database may go to. */
  readonly replica?: (database: string) => ReplicaDoor | undefined;
}

export class Rooms {
  readonly #shared: RoomsOptions;
  readonly #held = new HeldSessions();
  #login: Login;
  #rooms = new Map<string, Room>();
  #selected: string;
  #closed = false;

  constructor(shared: RoomsOptions) {
    const { credentials } = shared.options;
    this.#shared = shared;
    this.#login = credentials ? { kind: 'session', credentials } : { kind: 'anonymous' };
    this.#selected = credentials?.database ?? DEFAULT_DATABASE;
  }

  /** Who is logged in: another object after each change. */
  get present(): Login {
    return this.#login;
  }

  /** Name of the database that is selected. */
  get selectedName(): string {
    return this.#selected;
  }

  /** The room of the database that is selected. Throws ClosedError. */
  get selected(): Room {
    return this.of(this.#selected);
  }

  /** The room of a database: one session each, so selecting another one does not touch calls in flight. Throws ClosedError. */
  of(database: string): Room {
    if (this.#closed) throw new ClosedError('the client');
    const open = this.#rooms.get(database);
    if (open) return open;
    const { verifier, admission, door, trusts, replica } = this.#shared;
    const session = this.#openSession(database);
    const writes = trusts.writesOn(database);
    const calls = new GroupedCalls({
      ...{ rpc: session, database, verifier, admission, writes },
      ...(replica && { replica: () => replica(database) }),
    });
    const room = new Room({ session, calls, door, trusts });
    this.#rooms.set(database, room);
    return room;
  }

  #openSession(database: string): Session {
    const { channel, options, trusts, watch } = this.#shared;
    const { timeoutMs, keepAliveMs, maxWritesInFlight, retry } = options;
    const onPasswordChanged = this.#passwordChanged.bind(this);
    return new Session({
      ...{ channel, ...this.#login, database },
      ...{ timeoutMs, keepAliveMs, maxWritesInFlight, retry },
      ...{ held: this.#held, watch },
      ...(options.addresses.length > 1 && { guard: () => trusts.now(database)?.assureHeld() }),
      onPasswordChanged,
    });
  }

  /** Logs in, in place of the present login, whose sessions end. */
  async login(
    kind: 'session' | 'token',
    credentials: ResolvedCredentials,
    deadline: Deadline,
  ): Promise<void> {
    await this.logout();
    this.#login = { kind, credentials };
    this.#selected = credentials.database;
    try {
      await this.selected.session.open(deadline);
    } catch (error) {
      await this.logout();
      throw error;
    }
  }

  async logout(): Promise<void> {
    const ending = this.#rooms;
    this.#rooms = new Map();
    this.#login = { kind: 'anonymous' };
    await closeSessions(ending);
  }

  /** Selects a database that this login may use. */
  async select(database: string, deadline: Deadline): Promise<void> {
    const room = this.of(database);
    const { session } = room;
    try {
      if (session.kind === 'anonymous')
        await session.unary('UseDatabase', { databaseName: database }, deadline.left);
      else await session.open(deadline);
    } catch (error) {
      if (this.#rooms.get(database) === room && database !== this.#selected) this.#rooms.delete(database);
      throw error;
    }
    // Kept alive no longer, or a client that wanders through databases would hold a session on each.
    if (database !== this.#selected) this.#rooms.get(this.#selected)?.session.rest();
    this.#selected = database;
  }

  /** A user's password was changed: if it is ours, sessions are opened with the new one from now on. */
  #passwordChanged(user: string, password: string): void {
    const { kind, credentials } = this.#login;
    if (credentials?.user !== user) return;
    const renewed = { ...credentials, password: new Secret(password) };
    this.#login = { kind, credentials: renewed };
    for (const { session } of this.#rooms.values()) session.renew(renewed);
  }

  /** What was grouped, by database. */
  get groups(): Readonly<Record<string, GroupDiagnostics>> {
    const groups = [...this.#rooms].map(([database, { calls }]) => [database, calls.diagnostics] as const);
    return Object.fromEntries(groups);
  }

  /** Ends calls that wait to share a request, at once; resolves when the sessions are given back. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { calls } of this.#rooms.values()) calls.close();
    await closeSessions(this.#rooms);
  }
}

async function closeSessions(rooms: ReadonlyMap<string, Room>): Promise<void> {
  await Promise.all([...rooms.values()].map(({ session }) => session.close()));
}
