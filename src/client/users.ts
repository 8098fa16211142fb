// Users and what they may do.
import { ArgumentError } from '../errors.js';
import { kindOf } from './option-checks.js';
import { checkedPassword, databaseName } from './options.js';
import type { CallOptions } from './options.js';
import { checkPassword } from './password-policy.js';
import type { Rpc } from './rpc.js';

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

export interface User {
  readonly name: string;
  readonly active: boolean;
  readonly permissions: readonly { readonly database: string; readonly permission: number }[];
  readonly createdBy: string;
  readonly createdAt: string;
}

/** Permissions that can be given: SYS_ADMIN belongs to the user `immudb` alone. */
export type GrantablePermission = typeof Permission.ADMIN | typeof Permission.R | typeof Permission.RW;

/** Creates an active user with a permission on a database. Needs ADMIN there. */
export async function createUser(
  rpc: Rpc,
  user: { name: string; password: string; permission: GrantablePermission; database: string },
  options: CallOptions,
): Promise<void> {
  checkPassword(user.password);
  const request = {
    user: Buffer.from(userName(user.name)),
    password: Buffer.from(user.password),
    permission: grantable(user.permission),
    database: databaseName(user.database),
  };
  await rpc.unary('CreateUser', request, { ...options, idempotent: false });
}

/** Changes a password; ends the user's sessions. The old one is looked at only for the user `immudb`. */
export async function changePassword(
  rpc: Rpc,
  change: { user: string; oldPassword: string; newPassword: string },
  options: CallOptions,
): Promise<void> {
  checkPassword(change.newPassword);
  checkedPassword('oldPassword', change.oldPassword);
  const request = {
    user: Buffer.from(userName(change.user)),
    oldPassword: Buffer.from(change.oldPassword),
    newPassword: Buffer.from(change.newPassword),
  };
  await rpc.unary('ChangePassword', request, { ...options, idempotent: false });
  rpc.passwordChanged?.(change.user, change.newPassword);
}

/** The users this user may see. */
export async function listUsers(rpc: Rpc, options: CallOptions): Promise<User[]> {
  const answer = (await rpc.unary('ListUsers', {}, { ...options, idempotent: true })) as {
    users?: {
      user?: Uint8Array;
      active?: boolean;
      permissions?: { database?: string; permission?: number }[];
      createdby?: string;
      createdat?: string;
    }[];
  };
  return (answer.users ?? []).map((user) => ({
    name: Buffer.from(user.user ?? []).toString(),
    active: user.active ?? false,
    permissions: (user.permissions ?? []).map(({ database = '', permission = 0 }) => ({
      database,
      permission,
    })),
    createdBy: user.createdby ?? '',
    createdAt: user.createdat ?? '',
  }));
}

/** Gives a user a permission on a database in place of the one it has; NONE takes away whatever it has. */
export async function changePermission(
  rpc: Rpc,
  change: { user: string; database: string; permission: GrantablePermission | typeof Permission.NONE },
  options: CallOptions,
): Promise<void> {
  const username = userName(change.user);
  const database = databaseName(change.database);
  // The server takes back whatever is held; it only wants some permission to be named.
  const asked =
    change.permission === Permission.NONE
      ? { action: 'REVOKE', permission: Permission.R }
      : { action: 'GRANT', permission: grantable(change.permission) };
  await rpc.unary('ChangePermission', { ...asked, username, database }, { ...options, idempotent: false });
}

/** Lets a user log in, or not; ends its sessions. */
export async function setActiveUser(
  rpc: Rpc,
  user: string,
  active: boolean,
  options: CallOptions,
): Promise<void> {
  if (typeof active !== 'boolean') throw new ArgumentError('active', 'active must be true or false');
  await rpc.unary('SetActiveUser', { username: userName(user), active }, { ...options, idempotent: false });
}

function userName(name: string): string {
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
