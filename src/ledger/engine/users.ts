// Users, their passwords and permissions: kept as entries of systemdb, as immudb keeps them.
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { concatBytes } from '../../proof/bytes.js';
import { plainKey, plainValue } from '../../proof/entry.js';
import type { Database } from './database.js';
import { readKeys } from '../kv/key-reader.js';

export const SYSTEM_ADMIN = 'immudb';
export const PERMISSION = { read: 1, readWrite: 2, admin: 254, systemAdmin: 255 } as const;

export interface DatabasePermission {
  readonly database: string;
  readonly permission: number;
}

export interface SqlPrivilege {
  readonly database: string;
  readonly privilege: string;
}

export interface User {
  readonly username: string;
  readonly salt: string;
  readonly passwordHash: string;
  readonly permissions: readonly DatabasePermission[];
  readonly sqlPrivileges: readonly SqlPrivilege[];
  readonly active: boolean;
  readonly createdBy: string;
  /** ISO time of creation or of the last change. */
  readonly createdAt: string;
}

export const SQL_PRIVILEGES = ['SELECT', 'CREATE', 'INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER'] as const;

/** What a permission on a database brings along for SQL. */
export function sqlPrivilegesFor(database: string, permission: number): SqlPrivilege[] {
  const names = permission === PERMISSION.read ? SQL_PRIVILEGES.slice(0, 1) : SQL_PRIVILEGES;
  return names.map((privilege) => ({ database, privilege }));
}

export function isSystemAdmin(user: User): boolean {
  return user.username === SYSTEM_ADMIN;
}

export function permissionOn(user: User, database: string): number {
  if (isSystemAdmin(user)) return PERMISSION.systemAdmin;
  return user.permissions.find((one) => one.database === database)?.permission ?? 0;
}

// Cheap on purpose: a ledger for tests and first steps logs in often and guards nothing but itself.
const SCRYPT = { N: 256, r: 8, p: 1 };

export function hashPassword(password: Uint8Array): { salt: string; passwordHash: string } {
  const salt = randomBytes(16);
  return { salt: salt.toString('hex'), passwordHash: scryptSync(password, salt, 32, SCRYPT).toString('hex') };
}

export function passwordMatches(user: User, password: Uint8Array): boolean {
  const hash = scryptSync(password, Buffer.from(user.salt, 'hex'), 32, SCRYPT);
  return timingSafeEqual(hash, Buffer.from(user.passwordHash, 'hex'));
}

const USER_PREFIX = new Uint8Array([1]);

export class Users {
  readonly #systemDb: Database;
  readonly #cache = new Map<string, User>();

  constructor(systemDb: Database) {
    this.#systemDb = systemDb;
  }

  get(username: Uint8Array | string): User | undefined {
    const name = typeof username === 'string' ? username : Buffer.from(username).toString();
    const cached = this.#cache.get(name);
    if (cached) return cached;
    const latest = this.#systemDb.index.latest(userKey(name));
    if (!latest) return undefined;
    const user = this.#read(latest.entry);
    this.#cache.set(name, user);
    return user;
  }

  save(user: User): void {
    const value = plainValue(Buffer.from(JSON.stringify(user)));
    this.#systemDb.commit(this.#systemDb.prepare([{ key: userKey(user.username), value }]));
    this.#cache.set(user.username, user);
  }

  /** By name. */
  list(): User[] {
    const range = {
      seekKey: new Uint8Array(0),
      endKey: new Uint8Array(0),
      prefix: plainKey(USER_PREFIX),
      descending: false,
      inclusiveSeek: true,
      inclusiveEnd: true,
    };
    return [...readKeys(this.#systemDb.index, range, this.#systemDb.limits.maxKeyBytes)].map((latest) =>
      this.#read(latest.entry),
    );
  }

  #read(entry: number): User {
    return JSON.parse(Buffer.from(this.#systemDb.log.value(entry).subarray(1)).toString()) as User;
  }
}

function userKey(username: Uint8Array | string): Uint8Array {
  return plainKey(concatBytes(USER_PREFIX, Buffer.from(username)));
}
