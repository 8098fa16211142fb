// Tests that need a PostgreSQL, and one server for those of a file.
import { afterAll, describe } from 'vitest';
import { POSTGRES } from './postgres-mark.js';
import { Postgres, postgresBin } from './postgres-server.js';

export { Postgres, postgresBin };

/** Tests that need a PostgreSQL; skipped, and counted loudly, when there is none. */
export function describePostgres(name: string, body: () => void): void {
  describe.skipIf(postgresBin() === undefined)(`${POSTGRES} ${name}`, body);
}

let shared: Promise<Postgres> | undefined;

/** One server for the tests of a file, started by the first that asks. */
export function sharedPostgres(): Promise<Postgres> {
  return (shared ??= Postgres.start());
}

afterAll(async () => {
  await (await shared)?.stop();
});
