// Users and what they may do.
import { types } from 'node:util';
import { ArgumentError } from '../../../errors.js';
import type { BytesInput } from '../../input/bytes-input.js';
import { kindOf } from '../../input/option-checks.js';
import { checkedPassword, databaseName } from '../../options/credentials.js';
import type { CallOptions } from '../../input/call-options.js';
import { checkPassword } from './password-policy.js';
import type { Rpc } from '../../net/rpc.js';
import type { ChangePermissionRequest } from '../../../wire/messages.js';

/** Permissions of a user on a database. */
export const Permission = {
  /** Everything, everywhere: the user `immudb`. */
  SYS_ADMIN: 255,
  /** Reads, writes and administers the database. */
  ADMIN: 254,
  NONE: 0,
  /** Reads. */
  R: 1,
  /** Reads and writes. */
  RW: 2,
} as const;
export type Permission = (typeof Permission)[keyof typeof Permission];

/** What {@link ImmuClient.changePermission} does, for those who name it first. */
export const PermissionAction = { GRANT: 0, REVOKE: 1 } as const;
export type PermissionAction = (typeof PermissionAction)[keyof typeof PermissionAction];

export interface User {
  readonly name: string;
  readonly active: boolean;
  readonly permissions: readonly { readonly database: string; readonly permission: number }[];
  /** Kinds of SQL statements, by their first word. */
  readonly sqlPrivileges: readonly { readonly database: string; readonly privilege: string }[];
  readonly createdBy: string;
  readonly createdAt: string;
}

/** Permissions that can be given: SYS_ADMIN belongs to the user `immudb` alone. */
export type GrantablePermission = typeof Permission.ADMIN | typeof Permission.R | typeof Permission.RW;

/** Creates an active user with a permission on a database. Needs ADMIN there. */
export async function createUser(
  rpc: Rpc,
  user: { name: string; password: string; permission: GrantablePermission; database: BytesInput },
  options: CallOptions,
): Promise<void> {
  checkPassword(user.password);
  const request = {
    user: Buffer.from(userName(user.name)),
    password: Buffer.from(user.password),
    permission: grantable(user.permission),
    database: databaseName(user.database),
  };
  await rpc.unary('CreateUser', request, options);
}

/** The database that a permission is for, as it was given before the options; undefined where none was. */
export function grantTo(database: unknown): BytesInput | undefined {
  if (database === undefined || typeof database === 'string' || types.isUint8Array(database)) return database;
  throw new ArgumentError(
    'database',
    `database must be a string or a Uint8Array, not ${kindOf(database)}: createUser(user, password, permission, database, options)`,
  );
}

/** Changes a password; ends the user's sessions. The old one is looked at only for the user `immudb`. */
export async function changePassword(
  rpc: Rpc,
  change: { user: string; oldPassword: string; newPassword: string },
  options: CallOptions,
): Promise<void> {
  checkPassword(change.newPassword, 'newPassword');
  checkedPassword('oldPassword', change.oldPassword);
  if (change.oldPassword === change.newPassword)
    throw new ArgumentError('newPassword', 'newPassword is the old one: (user, newPassword, oldPassword)');
  const request = {
    user: Buffer.from(userName(change.user)),
    oldPassword: Buffer.from(change.oldPassword),
    newPassword: Buffer.from(change.newPassword),
  };
  await rpc.unary('ChangePassword', request, options);
  rpc.passwordChanged?.(change.user, change.newPassword);
}

/** The users this user may see. */
export async function listUsers(rpc: Rpc, options: CallOptions): Promise<User[]> {
  const { users = [] } = await rpc.unary('ListUsers', {}, options);
  return users.map((user) => ({
    name: Buffer.from(user.user ?? []).toString(),
    active: user.active ?? false,
    permissions: (user.permissions ?? []).map(({ database = '', permission = 0 }) => ({
      database,
      permission,
    })),
    sqlPrivileges: (user.sqlPrivileges ?? []).map(({ database = '', privilege = '' }) => ({
      database,
      privilege,
    })),
    createdBy: user.createdby ?? '',
    createdAt: user.createdat ?? '',
  }));
}

/** A user's permission on a database; NONE takes away whatever it has. */
export interface PermissionChange {
  readonly user: string;
  readonly database: BytesInput;
  readonly permission: GrantablePermission | typeof Permission.NONE;
}

/** What changePermission was given, in either order: an action comes first, and is a number, or does not come. */
export function permissionChange(given: readonly unknown[]): {
  change: PermissionChange;
  options: CallOptions | undefined;
} {
  const [action] = given;
  if (typeof action !== 'number') {
    const [user, database, permission, options] = given;
    return { change: { user, database, permission } as PermissionChange, options: options as CallOptions };
  }
  const [, user, database, permission, options] = given;
  const isGrant = action === PermissionAction.GRANT;
  if (!isGrant && action !== PermissionAction.REVOKE)
    throw new ArgumentError('action', `action must be GRANT (0) or REVOKE (1), not ${action}`);
  grantable(permission as number);
  const change = { user, database, permission: isGrant ? permission : Permission.NONE } as PermissionChange;
  return { change, options: options as CallOptions };
}

/** Gives a user a permission on a database in place of the one it has; NONE takes away whatever it has. */
export async function changePermission(
  rpc: Rpc,
  change: PermissionChange,
  options: CallOptions,
): Promise<void> {
  const username = userName(change.user);
  const database = databaseName(change.database);
  // The server takes back whatever is held; it only wants some permission to be named.
  const asked: ChangePermissionRequest =
    change.permission === Permission.NONE
      ? { action: 'REVOKE', permission: Permission.R }
      : { action: 'GRANT', permission: grantable(change.permission) };
  await rpc.unary('ChangePermission', { ...asked, username, database }, options);
}

/** Lets a user log in, or not; ends its sessions. */
export async function setActiveUser(
  rpc: Rpc,
  user: string,
  active: boolean,
  options: CallOptions,
): Promise<void> {
  if (typeof active !== 'boolean') throw new ArgumentError('active', 'active must be true or false');
  await rpc.unary('SetActiveUser', { username: userName(user), active }, options);
}

/** Throws ArgumentError. */
export function userName(name: string): string {
  if (typeof name !== 'string' || !/^[A-Za-z0-9_]{1,63}$/.test(name)) {
    throw new ArgumentError('user', `not a user name: ${describe(name)} (1 to 63 letters, digits, _)`);
  }
  return name;
}

function describe(name: unknown): string {
  return typeof name === 'string' ? JSON.stringify(name.slice(0, 100)) : kindOf(name);
}

function grantable(permission: number): number {
  if (permission !== Permission.R && permission !== Permission.RW && permission !== Permission.ADMIN) {
    throw new ArgumentError(
      'permission',
      `permission must be R (1), RW (2) or ADMIN (254), not ${typeof permission === 'number' ? permission : kindOf(permission)}`,
    );
  }
  return permission;
}
