// What the `immu-ts` command can be told.
import { parseArgs } from 'node:util';

export const USAGE = `immu-ts ingest [options]   verified ingestion of a package-lock.json, read back verified

  --address HOST:PORT   a running immudb; without it an embedded ledger is started for the job
  --user NAME           default: immudb
  --password PASSWORD   default: $IMMU_TS_PASSWORD, or immudb
  --database NAME       default: defaultdb
  --lockfile FILE       default: package-lock.json
  --store FILE          root store to use and keep; without it a temporary one
  --version             print the version
  --help                print this
`;

const OPTIONS = {
  address: { type: 'string' },
  user: { type: 'string', default: 'immudb' },
  password: { type: 'string' },
  database: { type: 'string', default: 'defaultdb' },
  lockfile: { type: 'string', default: 'package-lock.json' },
  store: { type: 'string' },
  version: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** The command line is wrong: nothing was done. */
export class UsageError extends Error {}

export type Command =
  | { readonly kind: 'help' | 'version' }
  | {
      readonly kind: 'ingest';
      readonly address: string | undefined;
      readonly user: string;
      readonly password: string;
      readonly database: string;
      readonly lockfile: string;
      readonly store: string | undefined;
    };

/** Throws UsageError. */
export function parseCommand(args: readonly string[], env: NodeJS.ProcessEnv): Command {
  const { values, positionals } = parsed(args);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  const [command, ...more] = positionals;
  if (command === undefined) throw new UsageError('no command');
  if (command !== 'ingest') throw new UsageError(`unknown command ${JSON.stringify(command)}`);
  if (more.length > 0) throw new UsageError(`ingest takes options only, not ${JSON.stringify(more[0])}`);
  const { address, user, database, lockfile, store } = values;
  const password = values.password ?? env['IMMU_TS_PASSWORD'] ?? 'immudb';
  return { kind: 'ingest', address, user, password, database, lockfile, store };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // Node explains how to escape a dash behind the first full stop: more than one line's worth.
    const [said = ''] = (error as Error).message.split(/[.\n]\s/, 1);
    throw new UsageError(said, { cause: error });
  }
}
