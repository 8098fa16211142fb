// Everything the package exports, values first.
export { ImmuClient } from './client/immu-client.js';
export { Permission } from './client/users.js';
export { MemoryRootStore } from './store/memory-root-store.js';
export { SqliteRootStore } from './store/sqlite-root-store.js';
export { defaultStorePath } from './store/default-path.js';
export {
  ArgumentError,
  ClosedError,
  ImmuError,
  PoolError,
  ServerError,
  StoreError,
  TransportError,
  VerificationError,
} from './errors.js';

export type { BytesInput } from './client/bytes-input.js';
export type {
  CallOptions,
  Credentials,
  ImmuClientOptions,
  TlsOptions,
  TrustPolicy,
} from './client/options.js';
export type { VerifiedEntry, VerifiedReference } from './client/verified/verified-get.js';
export type { VerifiedWrite } from './client/verified/verified-set.js';
export type { ImmuErrorCode, VerificationEvidence } from './errors.js';
export type { KVMetadata } from './proof/types.js';
export type {
  AuditEntry,
  AuditLog,
  AuditOutcome,
  AuditRow,
  AuditVerdict,
  RootsQuery,
  RootStore,
  StoredRoot,
  TrustKey,
} from './store/root-store.js';
