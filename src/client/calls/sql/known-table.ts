// What a table is known from: where the database is followed from its first transaction on, from that; else from the transactions of it
// that are found and proven.
import { ImmuError } from '../../../errors.js';
import { ProofFailure } from '../../../proof/failure.js';
import type { Root } from '../../../verify/verifier.js';
import type { Latest } from '../../trust/latest/latest.js';
import { followedNow } from '../latest/proven.js';
import { ProvenCatalog } from './catalog.js';
import type { ProvenTable, SqlAsking } from './catalog.js';
import { FollowedCatalog } from './followed/catalog.js';

/** A table, and how it is known. */
export type KnownTable = ProvenTable &
  (
    | { readonly level: 'proven' }
    | {
        readonly level: 'followed';
        /** Everything up to this root was followed. */
        readonly at: Root;
      }
  );

/**
 * The table of this name. `anew`: as the server has it when it is asked now. Requires that trust is ready.
 *
 * @throws ImmuError NOT_FOUND when no transaction of a table of this name is shown, or was followed; DECODE_FAILED for one that cannot be
 *   read
 */
export async function knownTable(asking: SqlAsking, name: string, anew = false): Promise<KnownTable> {
  const latest = followedNow(asking.trust);
  const found = await readable(name, async () => {
    if (!latest) return provenTable(asking, name, anew);
    return (
      (await followedTable(asking, latest, name, anew)) ??
      // Made a moment ago, perhaps.
      (anew ? undefined : followedTable(asking, latest, name, true))
    );
  });
  if (found) return found;
  const why = latest
    ? 'no transaction that was followed has made one'
    : 'no transaction that makes one is shown';
  throw new ImmuError('NOT_FOUND', `there is no table ${name}: ${why}`);
}

/** Names of all tables. Those that cannot be read among them. */
export async function knownTables(asking: SqlAsking): Promise<readonly string[]> {
  const latest = followedNow(asking.trust);
  return readable(undefined, async () => {
    if (latest) {
      await latest.reach(asking.call.deadline);
      return (await FollowedCatalog.of(latest).at(asking, latest.at.tx)).names;
    }
    const catalog = ProvenCatalog.of(asking);
    await catalog.refresh(asking);
    return catalog.names;
  });
}

async function followedTable(
  asking: SqlAsking,
  latest: Latest,
  name: string,
  anew: boolean,
): Promise<KnownTable | undefined> {
  const { trust, call } = asking;
  const reached = latest.reach(call.deadline, anew ? undefined : trust.headTx);
  if (reached) await reached;
  const { at } = latest;
  const table = (await FollowedCatalog.of(latest).at(asking, at.tx)).named(name);
  return table && { ...table, level: 'followed', at };
}

async function provenTable(asking: SqlAsking, name: string, anew: boolean): Promise<KnownTable | undefined> {
  const catalog = ProvenCatalog.of(asking);
  if (anew) await catalog.refresh(asking);
  let table = catalog.named(name);
  if (!table && !anew) {
    await catalog.refresh(asking);
    table = catalog.named(name);
  }
  return table && { ...table, level: 'proven' };
}

/** @throws ImmuError DECODE_FAILED where entries of the catalog, which are proven, cannot be read */
export async function readable<T>(table: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof ProofFailure)) throw cause;
    const message = `the columns of ${table === undefined ? 'a table' : `table ${table}`} cannot be read (${cause.message})`;
    throw new ImmuError('DECODE_FAILED', message, { cause });
  }
}
