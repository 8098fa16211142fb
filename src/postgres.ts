// Exports of `immu-ts/postgres`: a root store that many machines share. Needs the package `pg`, which is not installed along.
export { PostgresRootStore } from './store/postgres/postgres-root-store.js';
export type { PostgresRootStoreOptions } from './store/postgres/postgres-root-store.js';
export type { Durability, PostgresDiagnostics } from './store/postgres/public-types.js';
export { PostgresAuditQueue } from './client/audit/ranges/queues/postgres-queue.js';
export type { PostgresQueueOptions } from './client/audit/ranges/queues/postgres-queue.js';
