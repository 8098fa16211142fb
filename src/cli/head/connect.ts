// How the commands about published heads reach a server.
import { ImmuClient } from '../../index.js';
import type { Io, Values } from '../command.js';
import { CONNECT_OPTIONS, TRUST_OPTIONS, trustOf, wayTo } from '../server-options.js';
import { STORE_OPTION, openStore } from '../store-option.js';

export const HEAD_OPTIONS = { ...CONNECT_OPTIONS, ...STORE_OPTION, ...TRUST_OPTIONS } as const;

/** Makes the store where there is none: the first contact is then logged like any other. */
export async function withClient<T>(
  words: Values<typeof HEAD_OPTIONS>,
  io: Io,
  work: (client: ImmuClient) => Promise<T>,
): Promise<T> {
  const told = { ...(await wayTo(words, io)), ...(await trustOf(words, io)) };
  await using store = await openStore(words.store, 'if-new');
  await using client = new ImmuClient({ ...told, store });
  return await work(client);
}
