// How the commands that read and write reach their server: the same options for all, from the command line or the environment.
import { readFile } from 'node:fs/promises';
import { ImmuClient, MemoryRootStore, defaultStorePath } from '../../index.js';
import type { ImmuClientOptions } from '../../index.js';
import { UsageError, command } from '../command.js';
import type { Command, Definition, Io, Options, Values } from '../command.js';

/** Options of every command that asks a server. */
export const SERVER_OPTIONS = {
  address: { type: 'string', value: 'HOST:PORT', says: 'default: $IMMU_TS_ADDRESS, or localhost:3322' },
  user: { type: 'string', value: 'NAME', says: 'default: $IMMU_TS_USER, or immudb' },
  password: { type: 'string', value: 'PASSWORD', says: 'default: $IMMU_TS_PASSWORD, or immudb' },
  database: { type: 'string', value: 'NAME', says: 'default: $IMMU_TS_DATABASE, or defaultdb' },
  tls: { type: 'boolean', says: "TLS, with the platform's authorities" },
  ca: { type: 'string', value: 'PEM', says: 'TLS, with the authorities in this file' },
  json: { type: 'boolean', says: 'JSON, one object a line' },
} as const;

/** Options of every command that can be verified, which is the default. */
export const VERIFIED_OPTIONS = {
  unverified: { type: 'boolean', says: "takes the server's word: nothing is proven, no store is used" },
  store: {
    type: 'string',
    value: 'FILE',
    says: 'root store; default: $IMMU_TS_STORE, or where clients keep theirs',
  },
  key: { type: 'string', value: 'PEM', says: "public key file: the server's states must be signed with it" },
} as const;

/** Option of commands that name keys. */
export const KEY_OPTIONS = {
  base64: { type: 'boolean', says: 'keys on the command line are base64, for those that are no text' },
} as const;

/** What a command works with. */
export interface Job<O extends Options> {
  readonly client: ImmuClient;
  readonly values: Values<O>;
  /** All that stands behind the command's name. */
  readonly words: readonly string[];
  readonly io: Io;
  /** For every call: ended by Ctrl-C. */
  readonly call: { readonly signal: AbortSignal };
}

interface ServerDefinition<O extends Options, J> extends Omit<Definition<O>, 'run'> {
  /** Looks at what was given before there is a client. @throws UsageError */
  readonly check?: (values: Values<O>, words: readonly string[]) => void;
  /** Resolves to the exit code. */
  readonly run: (job: J) => Promise<number>;
}

/** A command that takes the server's word. Its options are added to {@link SERVER_OPTIONS}. */
export function serverCommand<O extends Options>(
  definition: ServerDefinition<O, Job<O & typeof SERVER_OPTIONS>>,
): Command {
  const options = { ...definition.options, ...SERVER_OPTIONS };
  return command({
    ...definition,
    options,
    async run(values, _operand, io, _second, words) {
      const given = values;
      definition.check?.(given, words);
      await using client = new ImmuClient({
        ...(await clientOptions(given, io)),
        store: new MemoryRootStore(),
      });
      return await definition.run({ client, values: given, words, io, call: { signal: io.signal } });
    },
  });
}

/** A command that is verified unless `--unverified` is given. */
export function verifiedCommand<O extends Options>(
  definition: ServerDefinition<O, Job<O & typeof SERVER_OPTIONS & typeof VERIFIED_OPTIONS>>,
): Command {
  const options = { ...definition.options, ...SERVER_OPTIONS, ...VERIFIED_OPTIONS };
  return command({
    ...definition,
    options,
    async run(values, _operand, io, _second, words) {
      const given = values as Values<O & typeof SERVER_OPTIONS & typeof VERIFIED_OPTIONS>;
      definition.check?.(given, words);
      const { unverified, store, key } = given as Values<typeof VERIFIED_OPTIONS>;
      if (unverified && (store !== undefined || key !== undefined)) {
        throw new UsageError(`--unverified goes without --${store === undefined ? 'key' : 'store'}`);
      }
      const serverPublicKey = key === undefined ? undefined : await readFile(key);
      await using client = new ImmuClient({
        ...(await clientOptions(given, io)),
        store: unverified ? new MemoryRootStore() : (store ?? defaultStorePath()),
        ...(serverPublicKey && { serverPublicKey }),
      });
      return await definition.run({ client, values: given, words, io, call: { signal: io.signal } });
    },
  });
}

type ServerWords = Values<typeof SERVER_OPTIONS>;

async function clientOptions(words: ServerWords, { env }: Io): Promise<ImmuClientOptions> {
  const { address, user, password, database, tls, ca } = words;
  const told = (given: string | undefined, name: string, otherwise: string) =>
    given ?? env[`IMMU_TS_${name}`] ?? otherwise;
  const authorities = ca === undefined ? undefined : await readFile(ca);
  return {
    address: told(address, 'ADDRESS', 'localhost:3322'),
    credentials: {
      user: told(user, 'USER', 'immudb'),
      password: told(password, 'PASSWORD', 'immudb'),
      database: told(database, 'DATABASE', 'defaultdb'),
    },
    ...(authorities ? { tls: { ca: authorities } } : tls && { tls }),
    // One job, and then the process ends: threads would take longer to start than it takes.
    verifier: { threads: 0 },
  };
}
