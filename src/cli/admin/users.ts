// `immu-ts users …`: the users of a server, their passwords and permissions.
import { Permission } from '../../index.js';
import type { GrantablePermission, User } from '../../index.js';
import { UsageError } from '../command.js';
import type { Command, Io, Options, Values } from '../command.js';
import type { Column } from '../format/columns.js';
import { visible } from '../../visible.js';
import { serverCommand } from '../data/connect.js';
import type { Job, SERVER_OPTIONS } from '../data/connect.js';
import { STDIN, readInput } from '../data/input.js';
import { list } from '../data/listing.js';
import { jsonLine } from '../data/show.js';

const MAX_PASSWORD_BYTES = 1024;

const NEW_PASSWORD = {
  'new-password': {
    type: 'string',
    value: 'PASSWORD',
    says: 'default: $IMMU_TS_NEW_PASSWORD; - reads it from standard input',
  },
} as const;
const ON = {
  on: { type: 'string', value: 'DATABASE', says: 'the database that it is for; default: --database' },
} as const;
const PERMISSION = {
  permission: {
    type: 'string',
    value: 'NAME',
    says: 'R: reads; RW: reads and writes; ADMIN: administers too',
    default: 'R',
  },
} as const;

const COLUMNS: readonly Column<User>[] = [
  { name: 'name', value: ({ name }) => name, width: 24 },
  { name: 'active', value: ({ active }) => active, width: 6 },
  { name: 'createdBy', value: ({ createdBy }) => createdBy, width: 16 },
  {
    name: 'permissions',
    value: ({ permissions }) =>
      permissions.map(({ database, permission }) => `${database}:${permissionName(permission)}`).join(' '),
    width: 0,
  },
];

export const usersListCommand = serverCommand({
  name: 'users list',
  summary: "Lists the users that this one may see, by the server's word.",
  options: {},
  async run({ client, values: { json }, io, call }) {
    await list(io, await client.users.list(call), COLUMNS, { json, verified: false });
    return 0;
  },
});

export const usersCreateCommand = onUser(
  'create',
  'Creates a user with a permission on a database.',
  { ...PERMISSION, ...ON, ...NEW_PASSWORD },
  async ({ client, login, values, io, call }, name) => {
    const permission = permissionOf(values.permission);
    const password = await newPassword(values, io);
    await client.users.create(name, password, permission, values.on ?? login.database, call);
    return 'is created';
  },
  ({ permission }) => void permissionOf(permission),
);

export const usersPasswordCommand = onUser(
  'password',
  'Changes a password, and ends the sessions of its user.',
  {
    'old-password': {
      type: 'string',
      value: 'PASSWORD',
      says: 'needed for the user immudb only; default: the one of this login',
    },
    ...NEW_PASSWORD,
  },
  async ({ client, login, values, io, call }, name) => {
    // Servers look at it for the user immudb only; it must not look like the new one.
    const old = values['old-password'] ?? (name === login.user ? login.password : 'not looked at');
    await client.users.changePassword(name, await newPassword(values, io), old, call);
    return 'has a new password';
  },
);

export const usersGrantCommand = onUser(
  'grant',
  'Gives a user a permission on a database, in place of the one it has there.',
  { ...PERMISSION, ...ON },
  async ({ client, login, values, call }, name) => {
    const database = values.on ?? login.database;
    await client.users.changePermission(name, database, permissionOf(values.permission), call);
    return `has ${values.permission} on ${visible(database)}`;
  },
  ({ permission }) => void permissionOf(permission),
);

export const usersRevokeCommand = onUser(
  'revoke',
  'Takes the permission away that a user has on a database.',
  ON,
  async ({ client, login, values, call }, name) => {
    const database = values.on ?? login.database;
    await client.users.changePermission(name, database, Permission.NONE, call);
    return `has no permission on ${visible(database)}`;
  },
);

export const usersEnableCommand = onUser('enable', 'Lets a user log in again.', {}, async (job, name) => {
  await job.client.users.setActive(name, true, job.call);
  return 'may log in';
});

export const usersDisableCommand = onUser(
  'disable',
  'Lets a user log in no longer, and ends its sessions.',
  {},
  async (job, name) => {
    await job.client.users.setActive(name, false, job.call);
    return 'may not log in';
  },
);

function onUser<O extends Options>(
  word: string,
  summary: string,
  options: O,
  work: (job: Job<O & typeof SERVER_OPTIONS>, name: string) => Promise<string>,
  check?: (values: Values<O>) => void,
): Command {
  return serverCommand({
    name: `users ${word}`,
    operand: 'NAME',
    summary,
    options,
    check(values, [name]) {
      if (name === undefined || name === '') throw new UsageError(`users ${word} takes the NAME of a user`);
      check?.(values);
    },
    async run(job) {
      const [name = ''] = job.words;
      const words = await work(job, name);
      const { json } = job.values as Values<typeof SERVER_OPTIONS>;
      await job.io.out.write(
        json ? jsonLine(false, { user: name, done: words }) : `${visible(name)} ${words}\n`,
      );
      return 0;
    },
  });
}

/** @throws UsageError */
function permissionOf(text: string): GrantablePermission {
  if (text !== 'R' && text !== 'RW' && text !== 'ADMIN')
    throw new UsageError(`--permission is R, RW or ADMIN, not ${JSON.stringify(text)}`);
  return Permission[text];
}

function permissionName(permission: number): string {
  const known = Object.entries(Permission).find(([, value]) => value === permission);
  return known ? known[0] : permission.toString();
}

/** @throws UsageError when there is none */
async function newPassword(values: Values<typeof NEW_PASSWORD>, io: Io): Promise<string> {
  const given = values['new-password'] ?? io.env['IMMU_TS_NEW_PASSWORD'];
  if (given === undefined)
    throw new UsageError(
      'which password? --new-password PASSWORD, $IMMU_TS_NEW_PASSWORD, or --new-password - to read it',
    );
  if (given !== STDIN) return given;
  return (await readInput(io, 'the password', MAX_PASSWORD_BYTES)).toString('utf8').replace(/\r?\n$/, '');
}
