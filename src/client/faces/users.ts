// Users of a server, their passwords and permissions.
import {
  changePassword,
  changePermission,
  createUser,
  grantTo,
  listUsers,
  permissionChange,
  setActiveUser,
} from '../calls/admin/users.js';
import type { GrantablePermission, Permission, PermissionAction, User } from '../calls/admin/users.js';
import { changeSqlPrivileges, sqlPrivilegesRequest } from '../calls/admin/sql-privileges.js';
import type { SqlPrivilege } from '../calls/admin/sql-privileges.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import type { Session } from '../net/session.js';
import type { Connection } from '../room/connection.js';

export class Users {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Creates a user with a permission on a database (default: the selected one). Needs ADMIN there. The password is held to the
   * policy first: 8 to 32 characters, an upper case letter, a digit and a symbol among them.
   *
   * @throws ArgumentError also where the database is given among the options: it stands before them
   */
  async create(
    user: string,
    password: string,
    permission: GrantablePermission,
    database?: BytesInput,
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    const granted = grantTo(database) ?? this.#connection.rooms.selected.database;
    const wanted = { name: user, password, permission, database: granted };
    await this.#enter(options, (session, call) => createUser(session, wanted, call));
  }

  /**
   * Changes a password, **the new one before the old one**; ends the user's sessions. The new one is held to the policy, and
   * must not be the old one, before anything is sent. The server looks at `oldPassword` for the user `immudb` only: for others
   * it takes the word of whoever may administer them.
   */
  async changePassword(
    user: string,
    newPassword: string,
    oldPassword: string,
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    const change = { user, oldPassword, newPassword };
    await this.#enter(options, (session, call) => changePassword(session, change, call));
  }

  async list(options: CallOptions = NO_OPTIONS): Promise<User[]> {
    return this.#enter(options, listUsers);
  }

  /**
   * Gives a user a permission on a database; `Permission.NONE` takes away the one it has. Also in the order of other immudb
   * clients, with `PermissionAction.GRANT` or `REVOKE` first.
   */
  async changePermission(
    user: string,
    database: BytesInput,
    permission: GrantablePermission | typeof Permission.NONE,
    options?: CallOptions,
  ): Promise<void>;
  async changePermission(
    action: PermissionAction,
    user: string,
    database: BytesInput,
    permission: GrantablePermission,
    options?: CallOptions,
  ): Promise<void>;
  async changePermission(...given: readonly unknown[]): Promise<void> {
    await this.changePermissionAs(given);
  }

  /** @internal In either order. */
  async changePermissionAs(given: readonly unknown[]): Promise<void> {
    const { change, options = NO_OPTIONS } = permissionChange(given);
    await this.#enter(options, (session, call) => changePermission(session, change, call));
  }

  /**
   * Gives a user kinds of SQL statements on a database, or takes them away; **ends the user's sessions**. The user must have a
   * permission there, which brings some of them along. Needs ADMIN there.
   *
   * @example
   * await client.users.changeSqlPrivileges('reporting', 'invoices', 'revoke', ['DROP', 'ALTER']);
   * @throws ServerError PRECONDITION_FAILED when the user has no permission on the database, or is switched off
   */
  async changeSqlPrivileges(
    user: string,
    database: BytesInput,
    action: 'grant' | 'revoke',
    privileges: readonly SqlPrivilege[],
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    const request = sqlPrivilegesRequest(user, database, action, privileges);
    await this.#enter(options, (session, call) => changeSqlPrivileges(session, request, call));
  }

  /** Lets a user log in, or not; ends its sessions. */
  async setActive(user: string, active: boolean, options: CallOptions = NO_OPTIONS): Promise<void> {
    await this.#enter(options, (session, call) => setActiveUser(session, user, active, call));
  }

  #enter<T>(options: CallOptions, work: (session: Session, call: CallOptions) => Promise<T>): Promise<T> {
    return this.#connection.rooms.selected.enter(options, [], work);
  }
}
