// What the tests of the PostgreSQL store share: stores in schemas of their own on one server.
import type { PostgresRootStoreOptions } from '#dist/store/postgres/postgres-root-store.js';
import { PostgresRootStore } from '#dist/store/postgres/postgres-root-store.js';
import { sharedPostgres } from '../../support/postgres.js';
import { closing } from '../support.js';

/** A store in a schema that nobody has used, closed after the test. */
export async function newPostgresStore(options: PostgresRootStoreOptions = {}): Promise<PostgresRootStore> {
  const server = await sharedPostgres();
  return closing(await PostgresRootStore.open(server.url(), { schema: server.newSchema(), ...options }));
}
