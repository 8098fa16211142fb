// `immu-ts ledger`: the embedded ledger as a development server, until it is told to end.
import { once } from 'node:events';
import { ImmuClient, MemoryRootStore, Permission } from '../../index.js';
import { EmbeddedLedger } from '../../testing.js';
import { visible } from '../../visible.js';
import { UsageError, command } from '../command.js';
import { readPasswordFile } from '../password-file.js';

const MAX_PORT = 65_535;
const ADMIN = 'immudb';

interface NewUser {
  readonly name: string;
  readonly password: string;
}

export const ledgerCommand = command({
  name: 'ledger',
  summary: 'A development server on this machine, until Ctrl-C or SIGTERM: keys and values, no SQL.',
  options: {
    port: { type: 'string', value: 'N', says: '0: one that is free', default: '3322' },
    data: { type: 'string', value: 'DIR', says: 'where it is kept; default: in memory, gone at the end' },
    users: {
      type: 'string',
      value: 'LIST',
      says: 'NAME:PASSWORD,...: users that may read and write defaultdb, beside the administrator immudb',
    },
    'password-file': {
      type: 'string',
      value: 'FILE',
      says: "the administrator's password on a new ledger; default: immudb",
    },
    json: { type: 'boolean', says: 'where it is as JSON, on one line' },
  },
  more: `Its first line on standard output says where it is, once it takes calls. It serves this machine only, without TLS, and is
for development and tests. Exit code: 0 ended as it was told to; 1 it could not start.`,
  async run({ port, data, users, 'password-file': file, json }, _operand, { out, err, signal }) {
    const added = usersOf(users);
    if (!/^\d{1,5}$/.test(port) || Number(port) > MAX_PORT)
      throw new UsageError(`--port is a whole number up to ${MAX_PORT}`);
    const adminPassword = file === undefined ? ADMIN : await readPasswordFile(file);
    await using ledger = await EmbeddedLedger.start({
      port: Number(port),
      adminPassword,
      ...(data !== undefined && { directory: data }),
    });
    const { address } = ledger;
    if (added.length > 0) await addUsers(address, adminPassword, added, signal);
    const url = `immudb://${ADMIN}@${address}/defaultdb`;
    await out.write(json ? `${JSON.stringify({ address, url, directory: data ?? null })}\n` : `${address}\n`);
    const where = data === undefined ? 'in memory' : `in ${visible(data)}`;
    const login = file === undefined ? `user ${ADMIN}, password ${ADMIN}` : `user ${ADMIN}`;
    if (!json) await err.write(`A ledger for development, ${where}; ${login}. Ctrl-C ends it.\n`);
    if (!signal.aborted) await once(signal, 'abort');
    return 0;
  },
});

/** @throws UsageError */
function usersOf(list: string | undefined): readonly NewUser[] {
  return (list?.split(',') ?? []).map((each) => {
    const colon = each.indexOf(':');
    const [name, password] = [each.slice(0, colon), each.slice(colon + 1)];
    if (colon < 1 || password === '')
      throw new UsageError('--users is NAME:PASSWORD, with commas between them');
    if (name === ADMIN) throw new UsageError(`--users has ${ADMIN}, whose password is in --password-file`);
    return { name, password };
  });
}

/** Those that are in the directory already get the password that is given now. */
async function addUsers(
  address: string,
  password: string,
  users: readonly NewUser[],
  signal: AbortSignal,
): Promise<void> {
  await using client = new ImmuClient({
    address,
    credentials: { user: ADMIN, password },
    store: new MemoryRootStore(),
    verifier: { threads: 0 },
  });
  const there = new Set((await client.users.list({ signal })).map(({ name }) => name));
  for (const { name, password: own } of users) {
    if (there.has(name)) await client.users.changePassword(name, own, 'not looked at', { signal });
    else await client.users.create(name, own, Permission.RW, 'defaultdb', { signal });
  }
}
