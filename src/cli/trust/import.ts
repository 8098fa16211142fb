// `immu-ts trust import`: what other clients have trusted, taken over, once the server has proven that its history extends it.
import { VerificationError } from '../../index.js';
import { visible } from '../../visible.js';
import { UsageError, command } from '../command.js';
import { errorLine } from '../error-line.js';
import { FAILED, HOLDS, REFUTED } from '../exit-code.js';
import { hex } from '../format/row-columns.js';
import { CONNECT_OPTIONS, TRUST_OPTIONS, trustOf, wayTo } from '../server-options.js';
import { STORE_OPTION } from '../store-option.js';
import { beginWith, storeFor, whoAnswers } from './begin.js';
import type { Beginning } from './begin.js';
import type { ClaimedRoot, StateFile } from './files/claimed-root.js';
import { readStateFile } from './files/read.js';

const { 'state-key': stateKey } = TRUST_OPTIONS;

export const trustImportCommand = command({
  name: 'trust import',
  operand: 'FILE',
  summary:
    'Takes over what the Go client, or immu-py, has trusted; the server must prove that it extends it.',
  options: {
    ...CONNECT_OPTIONS,
    'state-key': stateKey,
    ...STORE_OPTION,
    'any-server': { type: 'boolean', says: 'also when another server answers than the file is of' },
    'dry-run': { type: 'boolean', says: 'only says what the file holds; asks no server' },
    json: { type: 'boolean', says: 'JSON, one object a line' },
  },
  more: `FILE is a .state-… file of the Go client, or a file of immu-py's PersistentRootService (by default ~/.immudbRoot). Of the
databases in it those are taken over that --database names, or all of them. Each root is pinned and logged, and then has to
be proven: exit code 3 says that the server does not stand by one; it stays pinned (trust forget takes it back).`,
  async run(options, path, io) {
    if (path === undefined) throw new UsageError('trust import takes FILE');
    const { 'any-server': anyServer, 'dry-run': dryRun, json } = options;
    const file = await readStateFile(path);
    const roots = file.roots.filter(
      ({ tx, database }) => tx > 0n && (options.database ?? database) === database,
    );
    const [first] = roots;
    if (!first) {
      const of = options.database === undefined ? '' : ` of ${options.database}`;
      throw new Error(`${path} holds no state${of} with a transaction`);
    }
    const say = async (root: ClaimedRoot, outcome: object, words: string) => {
      const { database, tx, alh, signed } = root;
      const text = json
        ? JSON.stringify({ database, tx: tx.toString(), alh: hex(alh), signedInFile: signed, ...outcome })
        : `${visible(database)}: tx ${tx.toString()} ${hex(alh)}: ${words}`;
      await io.out.write(`${text}\n`);
    };
    if (dryRun) {
      for (const root of roots)
        await say(root, { outcome: 'claimed' }, 'claimed by the file, nothing is proven');
      return HOLDS;
    }
    const way = await wayTo(options, io);
    const { serverPublicKey } = await trustOf({ ...options, pin: undefined }, io);
    const key = serverPublicKey === undefined ? {} : { serverPublicKey };
    const store = await storeFor(options, io);
    const of = (database: string): Beginning => ({
      ...{ store, key, signal: io.signal },
      way: { ...way, credentials: { ...way.credentials, database } },
    });
    if (!anyServer) await assertServer(file, path, of(first.database));
    let code: number = HOLDS;
    for (const root of roots) {
      io.signal.throwIfAborted();
      try {
        const state = await beginWith(of(root.database), root);
        const proven = `proven: the history up to tx ${state.tx.toString()} extends it; ${state.signed ? 'signed by the state key' : 'no state key was given'}`;
        await say(root, { outcome: 'proven', headTx: state.tx.toString(), signed: state.signed }, proven);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        const refuted = error instanceof VerificationError;
        code = refuted || code === REFUTED ? REFUTED : FAILED;
        const words = `${refuted ? 'REFUTED' : 'not taken over'}: ${errorLine(error)}`;
        await say(root, { outcome: refuted ? 'refuted' : 'failed', error: errorLine(error) }, words);
      }
    }
    return code;
  },
});

/** The Go client's file says whose roots it holds. */
async function assertServer({ server }: StateFile, path: string, beginning: Beginning): Promise<void> {
  if (server === undefined) return;
  const answers = await whoAnswers(beginning);
  if (answers === server) return;
  const { address } = beginning.way;
  throw new Error(
    `${path} is of the server ${visible(server)}, and ${visible(answers ?? 'none')} answers at ${[address].flat().join(' or ')}: with --any-server its roots are taken over all the same (a replica, a server that was moved)`,
  );
}
