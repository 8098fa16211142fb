// How the commands that read and write reach their server: the same options for all, from the command line or the environment.
import { ImmuClient, MemoryRootStore } from '../../index.js';
import type { ImmuClientOptions } from '../../index.js';
import { UsageError, command } from '../command.js';
import type { Command, Definition, Io, Options, Values } from '../command.js';
import { CONNECT_OPTIONS, TRUST_OPTIONS, trustOf, wayTo } from '../server-options.js';
import type { Login } from '../server-options.js';
import { clientStore } from '../store-option.js';
import { warnOfPlace } from '../store-place.js';

/** Options of every command that asks a server. */
export const SERVER_OPTIONS = {
  ...CONNECT_OPTIONS,
  json: { type: 'boolean', says: 'JSON, one object a line' },
} as const;

/** Options of every command that can be verified, which is the default. */
export const VERIFIED_OPTIONS = {
  unverified: { type: 'boolean', says: "takes the server's word: nothing is proven, no store is used" },
  store: {
    type: 'string',
    value: 'FILE|URL',
    says: 'root store; default: $IMMU_TS_STORE, or where clients keep theirs',
  },
  ...TRUST_OPTIONS,
} as const;

/** Option of commands that name keys. */
export const KEY_OPTIONS = {
  base64: { type: 'boolean', says: 'keys on the command line are base64, for those that are no text' },
} as const;

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
      await using opened = await clientStore(path);
      return await runOn(definition, values, words, io, { store: opened.store });
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
      const told = values as Values<typeof VERIFIED_OPTIONS & typeof SERVER_OPTIONS>;
      const { unverified, store } = told;
      const idle = (['store', 'state-key', 'pin'] as const).find((name) => values[name] !== undefined);
      if (unverified && idle !== undefined) throw new UsageError(`--unverified goes without --${idle}`);
      if (unverified) return runOn(definition, values, words, io, { store: new MemoryRootStore() });
      const trusted = await trustOf(told, io);
      await using opened = await clientStore(store);
      return await runOn(definition, values, words, io, { store: opened.store, ...trusted });
    },
  });
}

/** Checks what was given, connects, and runs. */
async function runOn<O extends Options, G extends Options>(
  { check, run }: ServerDefinition<O, Job<G>>,
  values: Values<G>,
  words: readonly string[],
  io: Io,
  told: Pick<ImmuClientOptions, 'store' | 'serverPublicKey' | 'trust'>,
): Promise<number> {
  check?.(values as unknown as Values<O>, words);
  const way = await wayTo(values as unknown as Values<typeof SERVER_OPTIONS>, io);
  const { store } = values as { readonly store?: string | undefined };
  if (typeof told.store === 'string' && store === undefined) await warnOfPlace(told.store, io);
  await using client = new ImmuClient({
    ...told,
    ...way,
    // One job, and then the process ends: threads would take longer to start than it takes.
    verifier: { threads: 0 },
  });
  return await run({ client, login: way.credentials, values, words, io, call: { signal: io.signal } });
}
