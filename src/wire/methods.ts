// What may be sent again, RPC by RPC. By hand: nothing in the schema says it.
import type { Methods } from './messages.js';

type Named<Kind> = {
  [M in keyof Methods]: Methods[M] extends { readonly kind: Kind } ? M : never;
}[keyof Methods];

/** RPCs with one request and one answer. */
export type UnaryMethod = Named<'unary'>;

/** RPCs that answer one request with a stream, and RPCs that answer a stream of chunks at once. */
export type DownMethod = Named<'down'>;
export type UpMethod = Named<'up'>;

/**
 * RPCs within a transaction of SQL: what they do counts when it is committed, and is gone when it is not. Sent once, since each is a
 * step after the one before; but whatever they end with, nothing was written.
 */
export const TENTATIVE: ReadonlySet<keyof Methods> = new Set<keyof Methods>([
  'NewTx',
  'TxSQLExec',
  'TxSQLQuery',
  'Rollback',
]);

/**
 * RPCs that may be sent again whatever they ended with: what they do twice is as if done once. All others are sent again only
 * where they are certain not to have been done.
 */
export const REPEATABLE: ReadonlySet<keyof Methods> = new Set<keyof Methods>([
  // Logging in: at worst the server holds a session that nobody uses until it idles out.
  'OpenSession',
  'KeepAlive',
  'CloseSession',
  'Login',
  'Logout',
  'UseDatabase',
  'AuthorizationService.OpenSession',
  'AuthorizationService.KeepAlive',
  'AuthorizationService.CloseSession',

  // Keys and values, references and sorted sets.
  'Get',
  'VerifiableGet',
  'GetAll',
  'Scan',
  'Count',
  'CountAll',
  'History',
  'ZScan',
  'streamGet',
  'streamVerifiableGet',
  'streamScan',
  'streamZScan',
  'streamHistory',

  // Transactions, and the state of a database.
  'TxById',
  'VerifiableTxById',
  'TxScan',
  'CurrentState',
  'exportTx',

  // SQL: queries outside of its transactions, which are another session's after a new login.
  'UnarySQLQuery',
  'SQLQuery',
  'ListTables',
  'DescribeTable',
  'VerifiableSQLGet',

  // Documents. A page of a search that is kept open is given again when it is asked for again.
  'GetCollections',
  'GetCollection',
  'SearchDocuments',
  'CountDocuments',
  'AuditDocument',
  'ProofDocument',

  // Users, databases, the server.
  'ListUsers',
  'DatabaseListV2',
  'DatabaseList',
  'GetDatabaseSettingsV2',
  'GetDatabaseSettings',
  'ServerInfo',
  'Health',
  'DatabaseHealth',
  'FlushIndex',
]);
