// What verify holds against a walk along the chain, alike for every store.
import { knownNames } from '../../known-names.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import { HASH_SIZE } from '../../proof/hash.js';
import { checkedBytes, checkedId, isObject, sameRoot } from './audit-entry.js';
import type { AuditVerdict, ChainPoint, Checkpoint, VerifyOptions } from '../audit-log.js';
import { bad, checkedSeq } from './audit-query.js';
import { checkedCheckpoint } from './checkpoint.js';
import { nameOf } from './log-state.js';
import type { StateAt } from './log-state.js';

const CHECKPOINTS = 1000;

/** A log that does not hold. */
export type Broken = Extract<AuditVerdict, { ok: false }>;

/** @throws ArgumentError naming the part that makes no sense */
export function checkedVerifyOptions(options: VerifyOptions = {}): VerifyOptions {
  if (!isObject(options)) bad('options', 'must be an object');
  knownNames('options', options, ['checkpoint', 'startsAfter', 'onProgress']);
  const { checkpoint, startsAfter, onProgress } = options;
  if (onProgress !== undefined && typeof onProgress !== 'function') bad('onProgress', 'must be a function');
  if (startsAfter !== undefined && !isObject(startsAfter)) bad('startsAfter', 'must be { seq, hash }');
  return {
    ...(onProgress !== undefined && { onProgress }),
    ...(checkpoint !== undefined && { checkpoint: checkedCheckpoint(checkpoint) }),
    ...(startsAfter !== undefined && {
      startsAfter: {
        seq: checkedId('startsAfter.seq', startsAfter.seq),
        hash: checkedBytes('startsAfter.hash', startsAfter.hash, HASH_SIZE),
      },
    }),
  };
}

export function checkedCheckpointsQuery(query: { after?: bigint; limit?: number } = {}): {
  after: bigint | null;
  limit: number;
} {
  if (!isObject(query)) bad('query', 'must be an object');
  knownNames('query', query, ['after', 'limit']);
  const { after, limit = CHECKPOINTS } = query;
  if (!Number.isSafeInteger(limit) || limit < 0) bad('limit', 'must be an integer of 0 or more');
  return { after: after === undefined ? null : checkedSeq('after', after), limit };
}

/** What is wrong when a log does not start where it is said to; undefined: nothing. */
export function startDiffers(start: ChainPoint, wanted: ChainPoint | undefined): Broken | undefined {
  if (!wanted || (start.seq === wanted.seq && equalBytes(start.hash, wanted.hash))) return undefined;
  const words = (point: ChainPoint) => `row ${point.seq.toString()} with hash ${toHex(point.hash)}`;
  return broken(start.seq + 1n, `the log goes on from ${words(start)}, not from ${words(wanted)}`);
}

/** What of a checkpoint does not fit the chain and the state at its row; undefined: nothing. */
export function contradicts(checkpoint: Checkpoint, hash: Uint8Array, state: StateAt): Broken | undefined {
  const { seq } = checkpoint;
  if (!equalBytes(checkpoint.hash, hash)) {
    return broken(
      seq,
      `rows at or before this one were changed: the checkpoint has hash ${toHex(checkpoint.hash)}, the log ${toHex(hash)}`,
    );
  }
  const words = stateDiffers(checkpoint, state);
  return words === undefined ? undefined : broken(seq, `the checkpoint is not of this log: ${words}`);
}

/** What of the checkpoints of one row does not fit; undefined: nothing. `state` is asked for where there are some. */
export function contradictsAny(
  checkpoints: readonly Checkpoint[],
  seq: bigint,
  storeId: Uint8Array,
  hash: Uint8Array,
  state: () => StateAt,
): Broken | undefined {
  for (const checkpoint of checkpoints) {
    if (!equalBytes(checkpoint.storeId, storeId))
      return broken(seq, 'a checkpoint kept of this row is of another store');
    const wrong = contradicts(checkpoint, hash, state());
    if (wrong) return wrong;
  }
  return undefined;
}

/** Where `held` is not what the rows `say`; undefined: nowhere. */
export function stateDiffers(held: StateAt, say: StateAt): string | undefined {
  const heads = new Map(say.heads.map((head) => [nameOf(head), head]));
  for (const head of held.heads) {
    const said = heads.get(nameOf(head)) ?? null;
    if (!sameRoot(head, said)) return headWords(head.database, head.tx, said?.tx);
    heads.delete(nameOf(head));
  }
  for (const { database, tx } of heads.values()) return headWords(database, undefined, tx);
  const identities = new Map(say.identities.map(({ address, server }) => [address, server]));
  for (const { address, server } of held.identities) {
    if (identities.get(address) !== server) {
      return `the identity at ${address} is ${server}, the log says ${identities.get(address) ?? 'none'}`;
    }
    identities.delete(address);
  }
  for (const [address, server] of identities) {
    return `the identity at ${address} is not there, the log says ${server}`;
  }
  return undefined;
}

export function broken(seq: bigint, finding: string): Broken {
  return { ok: false, seq, finding };
}

function headWords(database: string, held: bigint | undefined, said: bigint | undefined): string {
  const place = (tx: bigint | undefined) => (tx === undefined ? 'not there' : `at tx ${tx.toString()}`);
  return `the head of ${database} is ${place(held)}, the log says ${place(said)}`;
}
