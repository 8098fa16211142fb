// How a mirror begins: of a database that is followed from its first transaction on, into a file of its own. What a mirror before has
// left there is gone on with, where it is what that one wrote and its root is trusted.
import { ImmuError, NotProvableError, VerificationError } from '../../../errors.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Seals } from '../../trust/latest/seals.js';
import type { Verified } from '../documents/verified/verified.js';
import { isWhole } from '../latest/proven.js';
import type { MakeDeadline } from '../latest/follow.js';
import { knownTable } from '../sql/known-table.js';
import { collectionsAt } from '../documents/verified/collections-at.js';
import { Mirror } from './mirror.js';
import type { MirrorBeginning } from './mirror.js';
import { MirrorFile } from './mirror-file.js';
import { MIRROR_NAMES, checkMirrorOptions } from './options.js';
import type { MirrorOptions } from './options.js';
import type { Ask } from './snapshot.js';
import type { Root } from '../../../verify/verifier.js';

const OPERATION = 'mirror';

/** One database, as mirrors come into it. */
export interface MirrorRoom {
  enterVerified<T>(
    operation: string,
    options: CallOptions,
    own: readonly string[],
    work: (verified: Verified) => Promise<T>,
  ): Promise<T>;
}

/** The door of the client. */
export interface MirrorDoor {
  readonly deadline: MakeDeadline;
}

export async function beginMirror(
  room: MirrorRoom,
  door: MirrorDoor,
  options: MirrorOptions,
): Promise<Mirror> {
  const checked = checkMirrorOptions(options);
  return room.enterVerified(OPERATION, options, MIRROR_NAMES, async (verified) => {
    const { trust, call } = verified;
    await trust.ready(call);
    const { latest } = trust;
    const view = isWhole(latest) ? latest.view() : undefined;
    if (!view)
      throw new NotProvableError(
        `${OPERATION}: keys are not followed in order, from genesis on: follow({ ordered: true }) does`,
      );
    view.close();
    // A name that nothing has is told at once.
    for (const name of checked.tables ?? []) await knownTable({ rpc: verified.session, trust, call }, name);
    await assertCollections(verified, checked.collections);
    const ask: Ask = (work, each: CallOptions = {}) =>
      room.enterVerified(OPERATION, each, [], async (asking) => {
        if (asking.trust.latestNow !== latest) throw asking.trust.forgotten();
        return work(asking);
      });
    const seals = trust.seals(OPERATION);
    const file = new MirrorFile(checked.path, trust.owner);
    try {
      const { at, beginning } = await leftBy(verified, file, seals);
      trust.countCalls(OPERATION, call.startedAt, 1);
      return new Mirror({ options: checked, file, latest, ask, seals, at, beginning, ...door });
    } catch (error) {
      file.close();
      throw error;
    }
  });
}

/** What there is to be gone on from. */
async function leftBy(
  { trust, call }: Verified,
  file: MirrorFile,
  seals: Seals,
): Promise<{ readonly at: Root | undefined; readonly beginning: MirrorBeginning }> {
  if (file.isNew) return { at: undefined, beginning: { how: 'new' } };
  const anew = (why: string) => ({ at: undefined, beginning: { how: 'anew', why } as const });
  const left = await file.takeOver(async (seal) => (await seals.all()).has(seal));
  if ('why' in left) return anew(left.why);
  const { at } = left;
  try {
    await trust.assertOnHistory(call, at);
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return anew(`what it is as of, tx ${at.tx.toString()}, is not on the trusted history`);
  }
  return { at, beginning: { how: 'resumed', tx: at.tx } };
}

async function assertCollections(verified: Verified, names: ReadonlySet<string> | undefined): Promise<void> {
  if (!names || names.size === 0) return;
  const { trust, call } = verified;
  const { latest } = trust;
  const reached = latest.reach(call.deadline);
  if (reached) await reached;
  const found = await collectionsAt(verified, latest.at.tx);
  for (const name of names)
    if (!found.some((collection) => collection.name === name))
      throw new ImmuError(
        'NOT_FOUND',
        `there is no collection ${name}: no transaction that was followed has made one`,
      );
}
