// The commands that read and write a database, and those about databases and users of a server.
import type { Listed } from '../command.js';

export const DATA_COMMANDS: readonly Listed[] = [
  {
    name: 'get',
    summary: 'one value, verified',
    load: async () => (await import('./get.js')).getCommand,
  },
  {
    name: 'set',
    summary: 'writes one value, verified; - reads standard input',
    load: async () => (await import('./set.js')).setCommand,
  },
  {
    name: 'delete',
    summary: 'deletes keys, verified',
    load: async () => (await import('./delete.js')).deleteCommand,
  },
  {
    name: 'scan',
    summary: 'entries of a range of keys, verified',
    load: async () => (await import('./scan.js')).scanCommand,
  },
  {
    name: 'history',
    summary: 'versions of a key, verified',
    load: async () => (await import('./history.js')).historyCommand,
  },
  {
    name: 'count',
    summary: "how many keys, by the server's word",
    load: async () => (await import('./count.js')).countCommand,
  },
  {
    name: 'absent',
    summary: 'proves that a key has no value',
    load: async () => (await import('../latest/absent.js')).absentCommand,
  },
  {
    name: 'follow',
    summary: 'reads and proves every transaction, and says how far it is',
    load: async () => (await import('../latest/follow.js')).followCommand,
  },
  {
    name: 'mirror',
    summary: 'rows of tables in a SQLite file, proven and complete',
    load: async () => (await import('../latest/mirror.js')).mirrorCommand,
  },
  {
    name: 'exec',
    summary: 'several writes in one transaction, from JSON, verified',
    load: async () => (await import('./exec.js')).execCommand,
  },
  {
    name: 'reference',
    summary: 'lets a key lead to another one, verified',
    load: async () => (await import('./reference.js')).referenceCommand,
  },
  {
    name: 'zadd',
    summary: 'puts a key into a sorted set, verified',
    load: async () => (await import('./sets/zadd.js')).zAddCommand,
  },
  {
    name: 'zscan',
    summary: 'members of a sorted set, what their keys hold verified',
    load: async () => (await import('./sets/zscan.js')).zScanCommand,
  },
  {
    // Before `tx`, whose word may stand alone.
    name: 'tx export',
    summary: 'a whole transaction as replicas take it, verified',
    load: async () => (await import('./tx-export.js')).txExportCommand,
  },
  {
    name: 'sql',
    summary: 'a statement of SQL: what it writes is verified',
    load: async () => (await import('../sql/sql.js')).sqlCommand,
  },
  {
    name: 'tx',
    summary: 'one transaction with its entries, verified',
    load: async () => (await import('./tx.js')).txCommand,
  },
  {
    name: 'txs',
    summary: 'transactions one after another, verified',
    load: async () => (await import('./txs.js')).txsCommand,
  },
  {
    name: 'state',
    summary: 'the newest transaction, verified',
    load: async () => (await import('./state.js')).stateCommand,
  },
  {
    name: 'stream-get',
    summary: 'a large value, verified',
    load: async () => (await import('./stream-get.js')).streamGetCommand,
  },
  {
    name: 'stream-set',
    summary: 'writes a large value from a file, verified',
    load: async () => (await import('./stream-set.js')).streamSetCommand,
  },
  {
    name: 'databases list',
    summary: 'the databases of the server',
    load: async () => (await import('../admin/databases.js')).databasesListCommand,
  },
  {
    name: 'databases create',
    summary: 'creates a database',
    load: async () => (await import('../admin/databases.js')).databasesCreateCommand,
  },
  {
    name: 'databases settings',
    summary: 'shows or changes the settings of a database',
    load: async () => (await import('../admin/databases.js')).databasesSettingsCommand,
  },
  {
    name: 'databases load',
    summary: 'loads a database',
    load: async () => (await import('../admin/databases.js')).databasesLoadCommand,
  },
  {
    name: 'databases unload',
    summary: 'unloads a database',
    load: async () => (await import('../admin/databases.js')).databasesUnloadCommand,
  },
  {
    name: 'databases truncate',
    summary: 'gives up old values of a database for good',
    load: async () => (await import('../admin/databases.js')).databasesTruncateCommand,
  },
  {
    name: 'databases flush',
    summary: 'writes the index of a database to its files',
    load: async () => (await import('../admin/databases.js')).databasesFlushCommand,
  },
  {
    name: 'databases compact',
    summary: 'writes the index of a database anew',
    load: async () => (await import('../admin/databases.js')).databasesCompactCommand,
  },
  {
    name: 'databases delete',
    summary: 'deletes a database for good',
    load: async () => (await import('../admin/databases.js')).databasesDeleteCommand,
  },
  {
    name: 'users list',
    summary: 'the users of the server',
    load: async () => (await import('../admin/users.js')).usersListCommand,
  },
  {
    name: 'users create',
    summary: 'creates a user',
    load: async () => (await import('../admin/users.js')).usersCreateCommand,
  },
  {
    name: 'users password',
    summary: 'changes a password',
    load: async () => (await import('../admin/users.js')).usersPasswordCommand,
  },
  {
    name: 'users grant',
    summary: 'gives a permission',
    load: async () => (await import('../admin/users.js')).usersGrantCommand,
  },
  {
    name: 'users revoke',
    summary: 'takes a permission away',
    load: async () => (await import('../admin/users.js')).usersRevokeCommand,
  },
  {
    name: 'users enable',
    summary: 'lets a user log in',
    load: async () => (await import('../admin/users.js')).usersEnableCommand,
  },
  {
    name: 'users disable',
    summary: 'lets a user log in no longer',
    load: async () => (await import('../admin/users.js')).usersDisableCommand,
  },
];
