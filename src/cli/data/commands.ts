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
    name: 'exec',
    summary: 'several writes in one transaction, from JSON, verified',
    load: async () => (await import('./exec.js')).execCommand,
  },
];
