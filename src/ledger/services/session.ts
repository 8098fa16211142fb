// Handlers of sessions, logins, the selection of a database, and health.
import { callerOf, selected, sessionIdOf, sessionOf } from '../serve/core.js';
import type { Call, Handler, LedgerCore } from '../serve/core.js';
import { DEFAULT_DB, SYSTEM_DB } from '../engine/databases.js';
import { LedgerRefusal, refuse } from '../errors.js';
import { passwordMatches, permissionOn, isSystemAdmin } from '../engine/users.js';
import type { User } from '../engine/users.js';
import { bytes } from '../wire/messages.js';

/** What the ledger says of itself; the immudb release whose behaviour it follows. */
export const VERSION = '1.11.1-embedded';

const DEFAULT_PASSWORD_WARNING =
  'immudb user has the default password: please change it to ensure proper security';

interface Credentials {
  username?: Uint8Array;
  password?: Uint8Array;
}

function validUser(core: LedgerCore, { username, password }: Credentials): User {
  const user = core.users.get(bytes(username));
  if (!user) throw refuse.wrongCredentials('tbtree: key not found');
  if (!passwordMatches(user, bytes(password))) {
    throw refuse.wrongCredentials('crypto/bcrypt: hashedPassword is not the hash of the given password');
  }
  if (!user.active) throw refuse.userNotActive();
  return user;
}

function assertMayUse(user: User, database: string): void {
  if (!isSystemAdmin(user) && permissionOn(user, database) === 0) throw refuse.noDatabasePermission();
}

export function openSession(
  core: LedgerCore,
  request: Credentials & { databaseName?: string },
): { sessionID: string; serverUUID: string } {
  const database = (request.databaseName ?? '').toLowerCase();
  const user = validUser(core, request);
  if (database !== SYSTEM_DB && !core.databases.find(database)) throw refuse.databaseMissing();
  assertMayUse(user, database);
  return { sessionID: core.sessions.open(user.username, database).id, serverUUID: core.serverId };
}

function login(core: LedgerCore, call: Call): object {
  const request = call.request as { user?: Uint8Array; password?: Uint8Array };
  const user = validUser(core, { username: bytes(request.user), password: bytes(request.password) });
  const token = core.sessions.login(user.username, core.databases.areMany ? undefined : DEFAULT_DB);
  const isDefault = isSystemAdmin(user) && Buffer.from(bytes(request.password)).toString() === 'immudb';
  return isDefault ? { token, warning: Buffer.from(DEFAULT_PASSWORD_WARNING) } : { token };
}

function useDatabase(core: LedgerCore, call: Call): object {
  const name = (call.request as { databaseName?: string }).databaseName ?? '';
  const user = loggedIn(core, call);
  if (name !== SYSTEM_DB) {
    const record = core.databases.find(name);
    if (!record) throw refuse.namedDatabaseMissing(name);
    if (!record.database) throw refuse.alreadyClosed();
  }
  assertMayUse(user, name);
  if (sessionIdOf(call) !== undefined) sessionOf(core, call).database = name;
  return { token: core.sessions.issueToken(user.username, name) };
}

function loggedIn(core: LedgerCore, call: Call): User {
  try {
    return callerOf(core, call).user;
  } catch (error) {
    if (error instanceof LedgerRefusal && !error.message.startsWith('token has expired')) {
      throw refuse.unauthenticated();
    }
    throw error;
  }
}

export const sessionService: Record<string, Handler> = {
  OpenSession: (core, call) => openSession(core, call.request),
  CloseSession: (core, call) => {
    core.sessions.close(sessionOf(core, call).id);
    return {};
  },
  KeepAlive: (core, call) => {
    sessionOf(core, call);
    return {};
  },
  Login: login,
  Logout: (core, call) => {
    core.sessions.logout(callerOf(core, call).user.username);
    return {};
  },
  UseDatabase: useDatabase,
  Health: () => ({ status: true, version: VERSION }),
  ServerInfo: (core) => {
    const loaded = core.databases.list();
    return {
      version: VERSION,
      startedAt: Math.floor(core.startedAtMs / 1000),
      numTransactions: loaded.reduce((sum, record) => sum + (record.database?.last ?? 0), 0),
      numDatabases: loaded.length,
    };
  },
  DatabaseHealth: (core, call) => ({
    lastRequestCompletedAt: selected(core, call, 'read').lastCommitAtMs,
  }),
};
