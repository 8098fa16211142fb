// What every call handler works with, and who may do what with which database.
import type { Metadata } from '@grpc/grpc-js';
import type { Database } from '../engine/database.js';
import { SYSTEM_DB } from '../engine/databases.js';
import type { Databases } from '../engine/databases.js';
import { refuse } from '../errors.js';
import type { Session, Sessions } from './sessions.js';
import type { StateSigner } from '../engine/state-signer.js';
import { PERMISSION, isSystemAdmin, permissionOn } from '../engine/users.js';
import type { User, Users } from '../engine/users.js';

/** One call of a client. */
export interface Call {
  /** Name of the RPC, e.g. `VerifiableGet`. */
  readonly method: string;
  readonly request: object;
  readonly metadata: Metadata;
  /** The database that answered it; set once that is known. */
  served?: Database;
}

/** Chooses the database that serves a call, in place of the one that is selected. */
export type Router = (call: Call, database: Database) => Database;

export interface HonestCore {
  readonly serverId: string;
  readonly startedAtMs: number;
  readonly databases: Databases;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly signer: StateSigner | undefined;
}

export interface LedgerCore extends HonestCore {
  /** The selected database itself, unless somebody lies. */
  readonly route: Router;
}

/** Answers a call; refusals are thrown. */
export type Handler = (core: LedgerCore, call: Call) => object;

export type Access = 'read' | 'write' | 'admin';

/** RPCs that may be used on systemdb. */
const SYSTEM_READS = new Set([
  'CurrentState',
  'Get',
  'GetAll',
  'VerifiableGet',
  'Scan',
  'ZScan',
  'History',
  'Count',
  'CountAll',
  'TxById',
  'TxScan',
  'VerifiableTxById',
  'streamGet',
  'streamVerifiableGet',
  'streamScan',
  'streamZScan',
  'streamHistory',
  'FlushIndex',
  'CompactIndex',
]);

export function sessionIdOf(call: Call): string | undefined {
  const values = call.metadata.get('sessionid');
  return values.length === 0 ? undefined : values[0]?.toString();
}

/** Session of the call. Throws when it has none or it is over. */
export function sessionOf(core: HonestCore, call: Call): Session {
  const id = sessionIdOf(call);
  if (id === undefined) throw refuse.noSessionData();
  if (id === '') throw refuse.emptySessionId();
  const session = core.sessions.find(id);
  if (!session) throw refuse.noSessionFound();
  return session;
}

/** User of the call and the database selected, by session or token. */
export function callerOf(core: HonestCore, call: Call): { user: User; database: string | undefined } {
  if (sessionIdOf(call)) {
    const session = sessionOf(core, call);
    return { user: knownUser(core, session.username), database: session.database };
  }
  const header = call.metadata.get('authorization')[0];
  if (header === undefined) throw refuse.notLoggedIn();
  const token = core.sessions.token(header.toString());
  return { user: knownUser(core, token.username), database: token.database };
}

function knownUser(core: HonestCore, username: string): User {
  const user = core.users.get(username);
  if (!user) throw refuse.notLoggedIn();
  return user;
}

/** The selected database, if the caller may do this with it. */
export function selected(core: LedgerCore, call: Call, access: Access): Database {
  const { user, database } = callerOf(core, call);
  if (database === undefined) throw refuse.noDatabaseSelected();
  if (database === SYSTEM_DB && !SYSTEM_READS.has(call.method)) throw refuse.permissionDenied();
  if (!mayUse(user, database, access)) throw refuse.permissionDenied();
  call.served = core.route(call, core.databases.use(database));
  return call.served;
}

function mayUse(user: User, database: string, access: Access): boolean {
  const permission = permissionOn(user, database);
  if (permission >= PERMISSION.admin) return true;
  if (access === 'admin') return false;
  return permission === PERMISSION.readWrite || (access === 'read' && permission === PERMISSION.read);
}

/** True when the user administers this database. */
export function administers(user: User, database: string): boolean {
  return isSystemAdmin(user) || permissionOn(user, database) === PERMISSION.admin;
}
