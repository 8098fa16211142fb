// Trust that begins with a given root: it is pinned in the store, and the server has to prove at once that its history extends it.
import { ImmuClient, MemoryRootStore, defaultStorePath } from '../../index.js';
import type { ImmuClientOptions, VerifiedState } from '../../index.js';
import type { Io } from '../command.js';
import type { Way } from '../server-options.js';
import { clientStore } from '../store-option.js';
import { warnOfPlace } from '../store-place.js';

export interface Beginning {
  readonly store: string;
  readonly way: Way;
  readonly key: Pick<ImmuClientOptions, 'serverPublicKey'>;
  readonly signal: AbortSignal;
}

/** The store that is named, or where clients keep theirs. */
export async function storeFor({ store }: { readonly store: string | undefined }, io: Io): Promise<string> {
  if (store !== undefined) return store;
  const path = defaultStorePath();
  await warnOfPlace(path, io);
  return path;
}

/** One job, and then the process ends: threads would take longer to start than it takes. */
const verifier = { threads: 0 };

/**
 * Pins the root, and has the server's newest state proven to extend it. Where the store has a head of the database already, the
 * older of the two is proven to be on the newer's history.
 *
 * @throws VerificationError when the server does not stand by it; that is recorded in the store, and the root stays pinned
 */
export async function beginWith(
  { store, way, key, signal }: Beginning,
  root: { readonly database: string; readonly tx: bigint; readonly alh: Uint8Array },
): Promise<VerifiedState> {
  const { database, tx, alh } = root;
  const credentials = { ...way.credentials, database };
  const trust = { policy: 'pinned', tx, alh } as const;
  await using opened = await clientStore(store);
  await using client = new ImmuClient({ ...way, ...key, credentials, store: opened.store, trust, verifier });
  return await client.verifiedState({ signal });
}

/** The identity of who answers, by its own word; nothing of it is kept. */
export async function whoAnswers({ way, signal }: Beginning): Promise<string | undefined> {
  const store = new MemoryRootStore();
  await using client = new ImmuClient({ ...way, store, verifier });
  await client.verifiedState({ signal });
  const [known] = await store.audit.databases();
  return known?.server;
}
