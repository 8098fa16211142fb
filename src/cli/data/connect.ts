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

/** Who asks, and for which database. */
interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** What a command works with. */
export interface Job<O extends Options> {
  readonly client: ImmuClient;
  readonly login: Login;
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

/** A command that takes the server's word. Its options stand before {@link SERVER_OPTIONS}. */
export function serverCommand<O extends Options>(
  definition: ServerDefinition<O, Job<O & typeof SERVER_OPTIONS>>,
): Command {
  return command({
    ...definition,
    options: { ...definition.options, ...SERVER_OPTIONS },
    run: async (values, _operand, io, _second, words) =>
      runOn(definition, values, words, io, { store: new MemoryRootStore() }),
  });
}

/** A command that takes the server's word, and tells the root store what became of trust. */
export function storeCommand<O extends Options>(
  definition: ServerDefinition<O, Job<O & typeof SERVER_OPTIONS>>,
): Command {
  const { store } = VERIFIED_OPTIONS;
  return command({
    ...definition,
    options: { ...definition.options, ...SERVER_OPTIONS, store },
    run: async (values, _operand, io, _second, words) => {
      const { store: path } = values as Values<{ readonly store: typeof store }>;
      return runOn(definition, values, words, io, { store: path ?? defaultStorePath() });
    },
  });
}

/** A command that is verified unless `--unverified` is given. */
export function verifiedCommand<O extends Options>(
  definition: ServerDefinition<O, Job<O & typeof SERVER_OPTIONS & typeof VERIFIED_OPTIONS>>,
): Command {
  return command({
    ...definition,
    options: { ...definition.options, ...SERVER_OPTIONS, ...VERIFIED_OPTIONS },
    async run(values, _operand, io, _second, words) {
      const { unverified, store, key } = values as Values<typeof VERIFIED_OPTIONS>;
      if (unverified && (store !== undefined || key !== undefined)) {
        throw new UsageError(`--unverified goes without --${store === undefined ? 'key' : 'store'}`);
      }
      return runOn(definition, values, words, io, {
        store: unverified ? new MemoryRootStore() : (store ?? defaultStorePath()),
        ...(key !== undefined && { serverPublicKey: await readFile(key) }),
      });
    },
  });
}

/** Checks what was given, connects, and runs. */
async function runOn<O extends Options, G extends Options>(
  { check, run }: ServerDefinition<O, Job<G>>,
  values: Values<G>,
  words: readonly string[],
  io: Io,
  told: Pick<ImmuClientOptions, 'store' | 'serverPublicKey'>,
): Promise<number> {
  check?.(values as unknown as Values<O>, words);
  const given = values as unknown as Values<typeof SERVER_OPTIONS>;
  const login = loginOf(given, io.env);
  await using client = new ImmuClient({
    ...told,
    address: given.address ?? io.env['IMMU_TS_ADDRESS'] ?? 'localhost:3322',
    credentials: login,
    ...(given.ca === undefined ? given.tls && { tls: true } : { tls: { ca: await readFile(given.ca) } }),
    // One job, and then the process ends: threads would take longer to start than it takes.
    verifier: { threads: 0 },
  });
  return await run({ client, login, values, words, io, call: { signal: io.signal } });
}

function loginOf({ user, password, database }: Values<typeof SERVER_OPTIONS>, env: Io['env']): Login {
  return {
    user: user ?? env['IMMU_TS_USER'] ?? 'immudb',
    password: password ?? env['IMMU_TS_PASSWORD'] ?? 'immudb',
    database: database ?? env['IMMU_TS_DATABASE'] ?? 'defaultdb',
  };
}
