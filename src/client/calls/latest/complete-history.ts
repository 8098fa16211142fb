// verifiedHistory of all that there is: as many versions as were followed.
import { toHex } from '../../../proof/bytes.js';
import { plainKey } from '../../../proof/entry.js';
import type { Root } from '../../../verify/verifier.js';
import type { CallOptions } from '../../input/call-options.js';
import type { LatestVersion } from '../../trust/latest/key-index.js';
import type { HistoryOptions } from '../scans/history.js';
import { VerifiedVersion } from '../scans/verified-history.js';
import { followed } from './as-of.js';
import type { Doors } from './as-of.js';
import type { CompleteOptions } from './complete-options.js';

/** A history that is proven to leave nothing out: without `sinceTx`, for it goes by what was followed. */
export interface CompleteHistoryOptions extends Omit<HistoryOptions, 'sinceTx'>, CompleteOptions {}

/** A version of a key in a history that is proven to be whole. */
export class NumberedVersion extends VerifiedVersion {
  /** 1 = the first one: proven. */
  declare readonly revision: bigint;
  /** Every transaction up to this root was followed: none of them has another version of the key. */
  declare readonly provenLatestAt: Root;

  constructor(version: VerifiedVersion, revision: bigint, provenLatestAt: Root) {
    super(version);
    this.revision = revision;
    this.provenLatestAt = provenLatestAt;
  }
}

/** What a whole history ends with, as of a root. */
export interface HistoryEnd {
  readonly key: Uint8Array;
  readonly at: Root;
  /** Undefined: the key was never written. */
  readonly version: LatestVersion | undefined;
}

const OPERATION = 'verifiedHistory';

export function historyEnd(
  room: Doors,
  key: Uint8Array,
  options: CallOptions,
  at: bigint,
): Promise<HistoryEnd> {
  return room.enterVerified(OPERATION, options, [], async (verified) => {
    const latest = await followed(verified, at);
    verified.trust.countCalls(OPERATION, verified.call.startedAt, 1);
    return { key, at: latest.at, version: latest.get(plainKey(key)) };
  });
}

/**
 * Every version up to the root, the oldest first. `shown`: those of the key, each proven, in strict order of their transactions: as
 * many as there are is all there are.
 *
 * @throws VerificationError when there are more or fewer
 */
export async function wholeHistory(
  room: Doors,
  { key, at, version }: HistoryEnd,
  shown: AsyncIterable<VerifiedVersion>,
  options: CallOptions,
): Promise<NumberedVersion[]> {
  if (!version) return [];
  const versions: NumberedVersion[] = [];
  for await (const each of shown) {
    // What was written since is behind the root.
    if (each.tx > at.tx || BigInt(versions.length) === version.revision) break;
    versions.push(new NumberedVersion(each, BigInt(versions.length) + 1n, at));
  }
  if (BigInt(versions.length) === version.revision && versions.at(-1)?.tx === version.tx) return versions;
  const error = await room.enterVerified(OPERATION, options, [], ({ trust }) =>
    trust.refuse(OPERATION, {
      check: 'history.incomplete',
      detail:
        `the history of key ${toHex(key)} shows ${versions.length} versions up to tx ${at.tx.toString()}, the last of tx ` +
        `${(versions.at(-1)?.tx ?? 0n).toString()}: there are ${version.revision.toString()}, the last of tx ${version.tx.toString()}`,
      expected: version.revision.toString(),
      computed: versions.length.toString(),
      tx: version.tx,
    }),
  );
  throw error;
}
