// What every queue of an audit must do. A queue is held to it by its line here; what only one does is tested in test/audit/.
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { SqliteAuditQueue } from '#dist/audit.js';
import { PostgresAuditQueue } from '#dist/postgres.js';
import { temporaryFolder } from '../cli/run.js';
import { execute } from '../store/support.js';
import { POSTGRES } from '../support/postgres-mark.js';
import { postgresBin, sharedPostgres } from '../support/postgres.js';
import { leases } from './queue/leases.js';
import type { NewPlace } from './queue/open-queue.js';
import { places } from './queue/places.js';
import { reports } from './queue/reports.js';

const queues: Readonly<Record<string, NewPlace>> = {
  SqliteAuditQueue: async () => {
    const path = join(await temporaryFolder(), 'audit.queue');
    return {
      make: (task, ranges) => SqliteAuditQueue.make(path, task, ranges),
      open: () => SqliteAuditQueue.open(path),
      tamper: (sql) => {
        execute(path, sql);
        return Promise.resolve();
      },
    };
  },
  [`${POSTGRES} PostgresAuditQueue`]: async () => {
    const server = await sharedPostgres();
    const schema = server.newSchema();
    return {
      make: (task, ranges) => PostgresAuditQueue.make(server.url(), task, ranges, { schema }),
      open: () => PostgresAuditQueue.open(`${server.url()}?schema=${schema}`),
      tamper: async (sql) => {
        await server.sql(`SET search_path TO ${schema}; ${sql}`);
      },
    };
  },
};

describe.each(Object.entries(queues))('%s', (name, newPlace) => {
  if (name.startsWith(POSTGRES) && postgresBin() === undefined) {
    it.skip('has no server', () => undefined);
    return;
  }
  leases(newPlace);
  places(newPlace);
  reports(newPlace);
});
