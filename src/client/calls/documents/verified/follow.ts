// Follows transactions for the catalog of documents: each stretch is proven under the head before it is looked at. One catalog per
// trust, shared by all calls: what one call has followed the next one needs not.
import { readTxList } from '../../../../verify/wire/answers.js';
import type { Verified } from './verified.js';
import type { ProvenHistory } from '../../../trust/known/proven-history.js';
import { askDigests, askHeaderUnder } from '../../../trust/trust-wire.js';
import type { Latest } from '../../../trust/latest/latest.js';
import { CATALOG_PREFIXES } from '../../../trust/latest/row-observers.js';
import { followedNow } from '../../latest/proven.js';
import { CatalogWalk } from '../../txs/catalog-walk.js';
import { DocumentCatalog } from './catalog.js';

const DOCUMENT_CATALOG = CATALOG_PREFIXES[1] as Uint8Array;

const walks = new WeakMap<ProvenHistory, { readonly catalog: DocumentCatalog; readonly walk: CatalogWalk }>();

function walkOf(known: ProvenHistory) {
  let walked = walks.get(known);
  if (!walked) walks.set(known, (walked = { catalog: new DocumentCatalog(), walk: new CatalogWalk() }));
  return walked;
}

/** Catalogs that a follower of the database feeds. */
const fed = new WeakMap<DocumentCatalog, Latest>();
const byFollower = new WeakMap<Latest, DocumentCatalog>();

/** Where the database is followed from its first transaction on, the catalog is made of that. */
export function catalogOf({ trust }: Verified): DocumentCatalog {
  const latest = followedNow(trust);
  return latest ? fedBy(latest) : walkOf(trust.known).catalog;
}

function fedBy(latest: Latest): DocumentCatalog {
  const known = byFollower.get(latest);
  if (known) return known;
  const catalog = new DocumentCatalog();
  byFollower.set(latest, catalog);
  fed.set(catalog, latest);
  latest.observe(DOCUMENT_CATALOG, {
    row: ({ tx, key, hValue, deleted }) => catalog.takeEntry(tx, key, hValue, deleted),
    reached: ({ tx }) => catalog.reached(tx),
  });
  return catalog;
}

/**
 * Follows until `isEnough` says so, or the catalog ({@link catalogOf}) has all transactions up to `to`, which must not lie beyond the head. A page at a
 * time, whoever asks for it; true when `isEnough` did.
 */
export async function follow(
  verified: Verified,
  catalog: DocumentCatalog,
  to: bigint,
  isEnough: (catalog: DocumentCatalog) => boolean,
): Promise<boolean> {
  const { deadline } = verified.call;
  const latest = fed.get(catalog);
  if (latest) {
    const reached = latest.reach(deadline, to);
    if (reached) await reached;
    return isEnough(catalog);
  }
  const { catalog: current, walk } = walkOf(verified.trust.known);
  // What it was begun under was forgotten meanwhile.
  if (current !== catalog) throw verified.trust.forgotten();
  const take = async (first: bigint, count: number): Promise<number> => {
    const digests = await provenDigests(verified, first, count);
    for (const tx of readTxList(digests, BigInt(count))) catalog.take(tx.header.id, tx.entries());
    return digests.length;
  };
  return walk.upTo(deadline, to, take, () => isEnough(catalog));
}

/** A TxList with all entries, as digests, of these transactions: chain, tree and entries proven under the head. */
export async function provenDigests(
  { session: rpc, trust, call }: Verified,
  first: bigint,
  count: number,
): Promise<Uint8Array> {
  const { operation, deadline } = call;
  const last = first + BigInt(count) - 1n;
  await trust.ready(call);
  await trust.reach(call, last);
  const { tx, alh } = await trust.head(call);
  const head = { tx, alh };
  const asked = askDigests(rpc, first, count, deadline.left);
  asked.catch(() => undefined);
  // First the one that names the head: if it fails, it says why.
  const proof = await trust.ask(call, head, () => askHeaderUnder(rpc, last, head, deadline.left));
  const digests = await asked;
  const question = { kind: 'stretch', first, last, proof } as const;
  const checked = trust.check(operation, question, head, digests, call.askedAt, deadline);
  await deadline.race(checked, 'its answer to be checked');
  await trust.ready(call);
  return digests;
}
