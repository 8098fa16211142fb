// State files of immu-py (PersistentRootService): a pickled dictionary of states by the names of databases.
import { StateFileError } from './claimed-root.js';
import type { ClaimedRoot, StateFile } from './claimed-root.js';
import { unpickle } from './pickle.js';
import type { Pickled } from './pickle.js';

const STATE = 'immudb.rootService State';

/** Files of protocol 2 and later begin so; Python 3 writes protocol 3 and later unless it is told otherwise. */
export function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80;
}

export function readPythonStates(bytes: Uint8Array): StateFile {
  const states = unpickle(bytes, new Set([STATE]));
  if (!(states instanceof Map)) throw new StateFileError('it is no dictionary of states');
  return { format: 'immu-py', roots: [...states].map(([database, state]) => rootOf(database, state)) };
}

function rootOf(database: string, state: Pickled): ClaimedRoot {
  const wrong = () => new StateFileError(`what it has for ${database} is no state`);
  if (typeof state !== 'object' || state === null || !('className' in state)) throw wrong();
  const field = (name: string) => state.fields.get(name);
  const [db, tx, alh, signature] = [field('db'), field('txId'), field('txHash'), field('signature')];
  if (typeof tx !== 'bigint' || tx < 0n || !(alh instanceof Uint8Array)) throw wrong();
  if (tx > 0n && alh.length !== 32) throw wrong();
  if (typeof db === 'string' && db !== '' && db !== database)
    throw new StateFileError(`what it has for ${database} is a state of ${db}`);
  return { database, tx, alh, signed: signature instanceof Uint8Array && signature.length > 0 };
}
