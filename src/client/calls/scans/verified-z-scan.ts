// verifiedZScan, page by page: what the members of a sorted set lead to, proven.
import type { ClaimedMember } from '../../../verify/readings/z-scan.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import { resultOf } from '../../results/result.js';
import { VerifiedEntry } from '../kv/verified-entry.js';
import { ClaimRun } from './claim-run.js';
import type { TellNext } from './pages.js';
import { Together } from './together.js';
import { VerifiedPage } from './verified-page.js';
import type { PageRoom } from './verified-page.js';
import { placeOf, rawOf, stepAfter, zScanRequest } from './z-scan.js';
import type { ZScanInput, ZScanStep } from './z-scan.js';

/** A member of a sorted set: what its key holds is proven, that it is a member is not. */
export interface VerifiedZEntry {
  readonly key: Uint8Array;
  /** What that key holds, proven. */
  readonly entry: VerifiedEntry;
  /**
   * What no proof covers: that the key is a member of this set, with this score, and which version of the key it is bound to
   * (0 = whatever is latest). The server does not say in which transaction that was written.
   */
  readonly unproven: { readonly score: number; readonly atTx: bigint };
}

/** What members lead to, proven; see the face for what that is. */
export async function verifiedZScanPage(
  room: PageRoom,
  input: ZScanInput,
  step: ZScanStep,
  next: TellNext<ZScanStep>,
): Promise<VerifiedZEntry[]> {
  const { set, options, size } = input;
  const page = await VerifiedPage.begin(room);
  const { call, head } = page;
  const { answer, asked } = await size.fitting(step.limit, (limit) =>
    page.ask((rpc) => rpc.raw('ZScan', zScanRequest(input, step, limit, head.tx), call.deadline.left)),
  );
  const { minScore, maxScore, desc = false } = options;
  const { seek } = step;
  const question = {
    ...{ kind: 'z-scan' as const, set, desc, max: asked },
    ...(minScore !== undefined && { minScore }),
    ...(maxScore !== undefined && { maxScore }),
    seek: seek ? rawOf(set, seek) : new Uint8Array(0),
    inclusiveSeek: seek?.inclusive ?? false,
  };
  const { members } = await page.check(question, answer);
  const taken = members.length > step.left ? members.slice(0, step.left) : members;
  const last = taken.at(-1);
  next(stepAfter(input, step, asked, taken.length, placeOf(last && { ...last, key: last.claim.claim.key })));

  const together = new Together<VerifiedEntry | null>(taken.length);
  taken.forEach((member, i) => {
    if (member.atTx === 0n) page.prove([member.claim], together, i);
    else proveBound(page, member, together, i);
  });
  const entries = await page.end(together);
  return taken.flatMap(({ score: at, atTx }, i) => {
    const entry = entries[i];
    return entry ? resultOf({ key: copyBytes(entry.key), entry, unproven: { score: at, atTx } }) : [];
  });
}

/** A version that a member is bound to: whatever was written since. */
function proveBound(
  page: VerifiedPage,
  { claim: { claim, shown } }: ClaimedMember,
  together: Together<VerifiedEntry | null>,
  place: number,
): void {
  const { unprovenRevision: revision } = claim;
  const key = copyBytes(claim.key);
  new ClaimRun(
    page,
    { key, claim, shown },
    {
      resolve: ({ ts: timestamp }) =>
        together.resolve(
          new VerifiedEntry(key, copyBytes(claim.value), claim, timestamp, page.trust.root, revision),
          place,
        ),
      reject: (error) => together.reject(error),
    },
  ).begin();
}
