// How the commands about published heads reach a server.
import { readFile } from 'node:fs/promises';
import { ImmuClient, SqliteRootStore, defaultStorePath } from '../../index.js';
import { SERVER_OPTIONS } from '../audit/server-audit.js';
import type { Io } from '../command.js';

const { store, address, user, password, database, key } = SERVER_OPTIONS;

export const CONNECT_OPTIONS = { store, address, user, password, database, key } as const;

type Words = { readonly [Name in keyof typeof CONNECT_OPTIONS]: string | undefined };

/** Makes the store where there is none: the first contact is then logged like any other. */
export async function withClient<T>(
  words: Words,
  { env }: Io,
  work: (client: ImmuClient) => Promise<T>,
): Promise<T> {
  const password = words.password ?? env['IMMU_TS_PASSWORD'] ?? 'immudb';
  const serverPublicKey = words.key === undefined ? undefined : await readFile(words.key);
  await using store = await SqliteRootStore.open(words.store ?? defaultStorePath());
  await using client = new ImmuClient({
    ...{ address: words.address ?? '', store },
    credentials: { user: words.user ?? '', password, database: words.database ?? '' },
    ...(serverPublicKey && { serverPublicKey }),
  });
  return await work(client);
}
