// Tables and their columns for Kysely, by the server's word.
import type { DatabaseIntrospector, DatabaseMetadata, SchemaMetadata, TableMetadata } from 'kysely';
import type { DatabaseHandle } from '../index.js';

/** Tables that are described at a time. */
const AT_ONCE = 16;

/** Kysely's own, which its migrations make. */
const OWN = ['kysely_migration', 'kysely_migration_lock'];

export class ImmuIntrospector implements DatabaseIntrospector {
  readonly #database: DatabaseHandle;

  constructor(database: DatabaseHandle) {
    this.#database = database;
  }

  /** There are none. */
  getSchemas(): Promise<SchemaMetadata[]> {
    return Promise.resolve([]);
  }

  async getTables({ withInternalKyselyTables = false } = {}): Promise<TableMetadata[]> {
    const { sql } = this.#database;
    const names = (await sql.tables()).filter((name) => withInternalKyselyTables || !OWN.includes(name));
    const tables: TableMetadata[] = [];
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE);
      for (const table of await Promise.all(some.map((name) => this.#table(name)))) tables.push(table);
    }
    return tables;
  }

  async getMetadata(options?: { withInternalKyselyTables: boolean }): Promise<DatabaseMetadata> {
    return { tables: await this.getTables(options) };
  }

  async #table(name: string): Promise<TableMetadata> {
    const described = await this.#database.sql.describe(name);
    const columns = described.map(({ name: column, type, nullable, autoIncrement }) => ({
      name: column,
      dataType: type,
      isNullable: nullable,
      isAutoIncrementing: autoIncrement,
      // The server does not say.
      hasDefaultValue: false,
    }));
    // `isForeign` is of newer releases.
    const table = { name, isView: false, isForeign: false, columns };
    return table;
  }
}
