// Whether the headers that a root store keeps are what was proven: each block is proven again, offline.
import { ArgumentError } from '../../errors.js';
import { equalBytes } from '../../proof/bytes.js';
import type { HeaderBlockInfo, RootStore, TrustKey } from '../../store/root-store.js';
import { check } from '../../verify/check.js';
import { packColumns } from '../../verify/pack/header-pack.js';
import { assertJob } from '../../verify/job.js';
import { contradiction, jobOf, malformed, standing } from '../trust/known/kept-block.js';

/** Result of {@link verifyKeptHeaders}: the first block that is not proven, or how many are. */
export type KeptHeadersVerdict =
  | {
      readonly ok: true;
      readonly blocks: number;
      /**
       * Blocks among them that hold together under a root that the log does not have: its row is in an archive. A client
       * asks the server for another proof before it uses them.
       */
      readonly underArchived: number;
    }
  | (TrustKey & {
      readonly ok: false;
      readonly first: bigint;
      readonly last: bigint;
      readonly finding: string;
    });

/**
 * Proves every block of headers in a store that clients with `keepHeaders` use: under a root of the store's log, which
 * `store.audit.verify()` holds against its hashes. Needs no server. Without kept headers: 0 blocks.
 *
 * @throws StoreError when the store cannot be read
 *
 * @example
 * const verdict = await verifyKeptHeaders(store);
 * if (!verdict.ok) console.log(verdict.database, verdict.first, verdict.finding);
 */
export async function verifyKeptHeaders(
  store: Pick<RootStore, 'audit' | 'headers'>,
): Promise<KeptHeadersVerdict> {
  const { audit, headers } = store;
  let blocks = 0;
  let underArchived = 0;
  for (const info of (await headers?.list()) ?? []) {
    const found = headers && (await provenBy(headers, audit, info));
    // Dropped since it was listed.
    if (!found) continue;
    if (typeof found === 'object') {
      const { server, database, first, last } = info;
      return { ok: false, server, database, first, last, finding: found.finding };
    }
    blocks += 1;
    if (found === 'unknown') underArchived += 1;
  }
  return { ok: true, blocks, underArchived };
}

async function provenBy(
  headers: NonNullable<RootStore['headers']>,
  audit: RootStore['audit'],
  { server, database, first }: HeaderBlockInfo,
): Promise<'logged' | 'unknown' | { readonly finding: string } | undefined> {
  const key = { server, database };
  const block = await headers.load(key, first);
  if (!block) return undefined;
  const wrong = malformed(block, first);
  if (wrong) return { finding: wrong.detail };
  const root = await standing(audit, key, block.head);
  if (typeof root === 'object') return { finding: root.detail };
  const job = jobOf(block, database);
  try {
    assertJob(job);
  } catch (error) {
    if (error instanceof ArgumentError) return { finding: error.message };
    throw error;
  }
  const verdict = check(job);
  if (!verdict.ok) return { finding: verdict.refuted.detail };
  if (verdict.proven.kind !== 'block') throw new Error('unreachable: a block was asked for');
  const proven = verdict.proven.headers;
  if (!equalBytes(packColumns(proven), block.columns))
    return { finding: 'its columns are not those of its headers' };
  const other = await contradiction(audit, key, proven);
  return other ? { finding: other.detail } : root;
}
