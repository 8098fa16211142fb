// Handlers that create users, change their passwords and permissions, and list them.
import { administers, callerOf } from '../serve/core.js';
import type { Call, Handler, LedgerCore } from '../serve/core.js';
import { DEFAULT_DB, SYSTEM_DB } from '../engine/databases.js';
import { refuse } from '../errors.js';
import {
  PERMISSION,
  SQL_PRIVILEGES,
  SYSTEM_ADMIN,
  hashPassword,
  isSystemAdmin,
  passwordMatches,
  permissionOn,
  sqlPrivilegesFor,
} from '../engine/users.js';
import type { User } from '../engine/users.js';
import { bytes } from '../wire/messages.js';
import { status } from '@grpc/grpc-js';

const PERMISSIONS: readonly number[] = Object.values(PERMISSION);

interface CreateUserRequest {
  user?: Uint8Array;
  password?: Uint8Array;
  permission?: number;
  database?: string;
}

function createUser(core: LedgerCore, call: Call): object {
  const request = call.request as CreateUserRequest;
  const { user: creator } = callerOf(core, call);
  const username = Buffer.from(bytes(request.user)).toString();
  if (username === '') throw refuse.because('username can not be empty');
  if ((request.database ?? '') === '' && core.databases.areMany) {
    throw refuse.because('database name can not be empty when there are multiple databases');
  }
  const database = request.database === undefined || request.database === '' ? DEFAULT_DB : request.database;
  const permission = request.permission ?? 0;
  if (!core.databases.find(database)) throw refuse.because(`database ${database} does not exist`);
  if (!PERMISSIONS.includes(permission)) throw refuse.because('unrecognized permission');
  if (!administers(creator, database)) throw refuse.because('you do not have permission on this database');
  if (permission === PERMISSION.systemAdmin) throw refuse.because('can not create another system admin');
  if (core.users.get(username)) throw refuse.because('user already exists');
  if (!/^[A-Za-z0-9_]{1,63}$/.test(username)) {
    throw refuse.argument('username can only contain letters, digits and underscores');
  }
  core.users.save({
    username,
    ...newPassword(request.password),
    permissions: [{ database, permission }],
    sqlPrivileges: sqlPrivilegesFor(database, permission),
    active: true,
    createdBy: creator.username,
    createdAt: new Date().toISOString(),
  });
  return {};
}

function newPassword(password: Uint8Array | undefined): { salt: string; passwordHash: string } {
  if (bytes(password).length === 0) throw refuse.because('password is empty');
  return hashPassword(bytes(password));
}

function changePassword(core: LedgerCore, call: Call): object {
  const request = call.request as { user?: Uint8Array; oldPassword?: Uint8Array; newPassword?: Uint8Array };
  const { user: caller } = callerOf(core, call);
  const username = Buffer.from(bytes(request.user)).toString();
  if (username === SYSTEM_ADMIN && !passwordMatches(caller, bytes(request.oldPassword))) {
    throw refuse.status(status.PERMISSION_DENIED, 'old password is incorrect');
  }
  assertAdminSomewhere(caller);
  if (username === '') throw refuse.because('username can not be empty');
  const target = core.users.get(username);
  if (!target || (!isSystemAdmin(caller) && target.createdBy !== caller.username)) {
    throw refuse.because(`user ${username} was not found or it was not created by you`);
  }
  saveChanged(core, caller, { ...target, ...newPassword(request.newPassword) }, true);
  return {};
}

function assertAdminSomewhere(user: User): void {
  if (isSystemAdmin(user) || user.permissions.some((one) => one.permission === PERMISSION.admin)) return;
  throw refuse.because('user is not system admin nor admin in any of the databases');
}

/** Every change of a user ends its sessions. */
function saveChanged(core: LedgerCore, by: User, user: User, tokens = false): void {
  core.users.save({ ...user, createdBy: by.username, createdAt: new Date().toISOString() });
  core.sessions.dropUser(user.username, { tokens });
}

interface ChangeRequest {
  action?: 'GRANT' | 'REVOKE';
  username?: string;
  database?: string;
}

/** Checks that permissions and SQL privileges have in common. */
function targetOf(core: LedgerCore, caller: User, request: ChangeRequest, what: string): User {
  const username = request.username ?? '';
  if (username === caller.username) throw refuse.argument(`changing your own ${what} is not allowed`);
  if (username === SYSTEM_ADMIN) throw refuse.argument(`changing sysadmin ${what} is not allowed`);
  const target = core.users.get(username);
  if (!target) throw refuse.status(status.NOT_FOUND, `user ${username} not found`);
  if (!target.active) throw refuse.status(status.FAILED_PRECONDITION, `user ${username} is not active`);
  return target;
}

function assertAdministers(caller: User, database: string): void {
  if (!administers(caller, database)) {
    throw refuse.status(status.PERMISSION_DENIED, 'you do not have permission on this database');
  }
}

function changePermission(core: LedgerCore, call: Call): object {
  const request = call.request as ChangeRequest & { permission?: number };
  const database = request.database ?? '';
  const permission = request.permission ?? 0;
  if ((request.username ?? '') === '') throw refuse.argument('username can not be empty');
  if (database === '') throw refuse.argument('database can not be empty');
  if (database !== SYSTEM_DB && !core.databases.find(database))
    throw refuse.argument('database does not exist');
  if (!PERMISSIONS.includes(permission)) throw refuse.argument('unrecognized permission');
  const { user: caller } = callerOf(core, call);
  const target = targetOf(core, caller, request, 'permissions');
  if (database === SYSTEM_DB && permission === PERMISSION.readWrite) throw refuse.permissionDenied();
  assertAdministers(caller, database);
  const others = target.permissions.filter((one) => one.database !== database);
  saveChanged(core, caller, {
    ...target,
    permissions: request.action === 'REVOKE' ? others : [...others, { database, permission }],
    sqlPrivileges: sqlPrivilegesFor(database, permission),
  });
  return {};
}

function changeSqlPrivileges(core: LedgerCore, call: Call): object {
  const request = call.request as ChangeRequest & { privileges?: string[] };
  const database = request.database ?? '';
  const username = request.username ?? '';
  const privileges = request.privileges ?? [];
  if (username === '') throw refuse.argument('username can not be empty');
  if (!core.databases.find(database)) throw refuse.argument('database does not exist');
  if (privileges.some((one) => !(SQL_PRIVILEGES as readonly string[]).includes(one))) {
    throw refuse.argument('SQL privilege not recognized');
  }
  const { user: caller } = callerOf(core, call);
  const target = targetOf(core, caller, request, 'privileges');
  if (permissionOn(target, database) === 0) {
    throw refuse.status(
      status.FAILED_PRECONDITION,
      `user ${username} doesn't have permission on database ${database}`,
    );
  }
  assertAdministers(caller, database);
  const others = target.sqlPrivileges.filter(
    (one) => one.database !== database || !privileges.includes(one.privilege),
  );
  const granted = privileges.map((privilege) => ({ database, privilege }));
  saveChanged(core, caller, {
    ...target,
    sqlPrivileges: request.action === 'REVOKE' ? others : [...others, ...granted],
  });
  return {};
}

function setActiveUser(core: LedgerCore, call: Call): object {
  const request = call.request as { active?: boolean; username?: string };
  const username = request.username ?? '';
  if (username === '') throw refuse.because('username can not be empty');
  const { user: caller } = callerOf(core, call);
  assertAdminSomewhere(caller);
  if (username === caller.username) throw refuse.because('changing your own status is not allowed');
  const target = core.users.get(username);
  if (!target) throw refuse.because(`user ${username} not found`);
  if (!isSystemAdmin(caller) && target.createdBy !== caller.username) {
    throw refuse.because(`${username} was not created by you`);
  }
  saveChanged(core, caller, { ...target, active: request.active === true });
  return {};
}

function listUsers(core: LedgerCore, call: Call): object {
  const { user: caller, database } = callerOf(core, call);
  const all = core.users.list();
  if (isSystemAdmin(caller)) return { users: all.map(wireUser) };
  if (database !== undefined && administers(caller, database)) {
    return {
      users: all.filter((user) => user.permissions.some((one) => one.database === database)).map(wireUser),
    };
  }
  return { users: [wireUser(caller)] };
}

function wireUser(user: User): object {
  return {
    user: Buffer.from(user.username),
    permissions: user.permissions,
    createdby: user.createdBy,
    createdat: user.createdAt,
    active: user.active,
    sqlPrivileges: user.sqlPrivileges,
  };
}

const removed: Handler = () => {
  throw refuse.notSupported();
};

export const userService: Record<string, Handler> = {
  CreateUser: createUser,
  ListUsers: listUsers,
  ChangePassword: changePassword,
  ChangePermission: changePermission,
  ChangeSQLPrivileges: changeSqlPrivileges,
  SetActiveUser: setActiveUser,
  UpdateAuthConfig: removed,
  UpdateMTLSConfig: removed,
};
