// A block of headers from the root store, held against the audit log: by its SHA-256, which the log has since the block was
// proven, or else by its proof, like one that the server just sent, under a root that the log has. Whoever changes it would
// have to change the log as well.
import { hash } from 'node:crypto';
import { equalBytes, toHex } from '../../../proof/bytes.js';
import { HASH_SIZE } from '../../../proof/hash.js';
import type { HeaderBlock, RootStore, StoredRoot, TrustKey } from '../../../store/root-store.js';
import { COLUMN_BYTES, alhIn } from '../../../verify/pack/header-pack.js';
import { BLOCK_TXS } from '../../../verify/verifier.js';
import type { HeaderPack, Job, Refuted, Root } from '../../../verify/verifier.js';
import { unixSeconds } from '../../input/unix-seconds.js';

/** A block with what proves it. */
export type ProvenBlock = Omit<HeaderBlock, 'columns'>;

/** What the log says of a root: the same, nothing (it is in an archive, say), or that it is another. */
export type Standing = 'logged' | 'unknown' | Refuted;

/** What is wrong with the form of what a store gave for the block that starts at `first`; undefined: nothing. */
export function malformed(block: HeaderBlock, first: bigint): Refuted | undefined {
  const { head, proof, headers, columns, last } = block;
  const isHead = typeof head === 'object' && typeof head.tx === 'bigint' && isBytes(head.alh, HASH_SIZE);
  const inBlock = typeof last === 'bigint' && last >= first && last - first < BigInt(BLOCK_TXS);
  const size = inBlock ? COLUMN_BYTES * (Number(last - first) + 1) : 0;
  const isWhole = isBytes(proof) && isBytes(headers) && isBytes(columns, size);
  if (!isHead || !inBlock || block.first !== first || !isWhole) {
    return { check: 'kept.form', detail: 'what is kept is no such block' };
  }
  // What lies above the root is not proven by it.
  if (last > head.tx)
    return { check: 'kept.root', detail: 'the block reaches above the root that it is kept under' };
  return undefined;
}

/** What the log says of blocks that were proven and kept since trust was last forgotten. */
export class Seals {
  readonly #byRange = new Map<string, string>();

  /** Takes up the row that {@link sealOf} a block was written into. */
  add(detail: string): void {
    this.#byRange.set(detail.split(SEAL)[0] ?? '', detail);
  }

  /** `unknown`: the log says nothing of such a block. */
  compare(block: HeaderBlock): 'same' | 'other' | 'unknown' {
    const seal = sealOf(block);
    const known = this.#byRange.get(seal.split(SEAL)[0] ?? '');
    if (known === undefined) return 'unknown';
    return known === seal ? 'same' : 'other';
  }

  async read(audit: RootStore['audit'], key: TrustKey, operation: string): Promise<void> {
    let after: bigint | undefined;
    for await (const row of audit.roots({ ...key, outcome: 'forget', order: 'desc', limit: 1 }))
      after = row.seq;
    const since = after === undefined ? {} : { after };
    for await (const { detail } of audit.roots({ ...key, operation, outcome: 'calls', ...since })) {
      if (detail?.includes(SEAL) === true) this.add(detail);
    }
  }
}

const SEAL = ' are kept: SHA-256 ';

/** What the log is to say of a block that was proven: the row names server and database. */
export function sealOf({ first, last, columns }: Pick<HeaderBlock, 'first' | 'last' | 'columns'>): string {
  return `headers of tx ${first.toString()} to ${last.toString()}${SEAL}${hash('sha256', columns)}`;
}

/**
 * Requires a block that is not {@link malformed}. No key: the root under which it is proven is trusted already, and the head,
 * which each logged root was proven to lead to, is signed where a key is configured. So a block that was kept without the key
 * is none that the key would not stand for.
 */
export function jobOf({ first, last, head, proof, headers }: ProvenBlock, database: string): Job {
  const now = unixSeconds();
  const { tx, alh } = head;
  return {
    question: { kind: 'block', first, last, proof },
    context: { head: { tx, alh }, database, now },
    answer: headers,
  };
}

/** Holds a root against the log since trust was last forgotten. */
export async function standing(
  audit: RootStore['audit'],
  key: TrustKey,
  root: StoredRoot,
): Promise<Standing> {
  const logged = await audit.rootAt(root.tx, key);
  if (logged?.tx !== root.tx) return 'unknown';
  return equalBytes(logged.alh, root.alh) ? 'logged' : differs('kept.root', root, logged);
}

/** Where the newest root that the log has within a proven block is another one; undefined: nowhere. */
export async function contradiction(
  audit: RootStore['audit'],
  key: TrustKey,
  pack: HeaderPack,
): Promise<Refuted | undefined> {
  const logged = await audit.rootAt(pack.first + BigInt(pack.count) - 1n, key);
  if (!logged || logged.tx < pack.first) return undefined;
  const alh = alhIn(pack, logged.tx);
  return equalBytes(alh, logged.alh) ? undefined : differs('kept.log', { tx: logged.tx, alh }, logged);
}

function differs(check: string, kept: Root, logged: Root): Refuted {
  return {
    check,
    detail: `tx ${kept.tx.toString()} has alh ${toHex(kept.alh)} in what is kept, and ${toHex(logged.alh)} in the log`,
    expected: toHex(logged.alh),
    computed: toHex(kept.alh),
  };
}

function isBytes(value: unknown, size?: number): boolean {
  return value instanceof Uint8Array && (size === undefined || value.length === size);
}
