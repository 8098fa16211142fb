// `immu-ts` on a database of its own, with a root store of its own.
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { call } from './call.js';
import type { Called } from './call.js';
import { temporaryFolder } from './run.js';

export interface Database {
  readonly name: string;
  readonly store: string;
  readonly wire: WireClient;
  /** The environment that leads to it. */
  readonly env: Record<string, string>;
  /** Runs a command there. */
  readonly cli: (args: readonly string[], options?: Parameters<typeof call>[1]) => Promise<Called>;
}

export async function openDatabase(): Promise<Database> {
  const [name, folder] = [await freshDatabase(), await temporaryFolder()];
  const store = join(folder, 'roots.db');
  const env = { IMMU_TS_ADDRESS: sharedImmudb(), IMMU_TS_DATABASE: name, IMMU_TS_STORE: store };
  const wire = await WireClient.open(sharedImmudb(), name);
  onTestFinished(() => wire.close());
  const before = process.env['IMMU_TS_STORE'];
  process.env['IMMU_TS_STORE'] = store;
  onTestFinished(() => {
    if (before === undefined) delete process.env['IMMU_TS_STORE'];
    else process.env['IMMU_TS_STORE'] = before;
  });
  return { name, store, wire, env, cli: (args, options) => call(args, { env, ...options }) };
}

export const jsonOf = ({ stdout }: Called) => JSON.parse(stdout) as Record<string, unknown>;

/** One object a line. */
export const linesOf = ({ stdout }: Called) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
