// How a mirror begins: of a database that is followed from its first transaction on, into a file of its own.
import { NotProvableError } from '../../../errors.js';
import type { CallOptions } from '../../input/call-options.js';
import { followed } from '../latest/as-of.js';
import type { Doors } from '../latest/as-of.js';
import type { MakeDeadline } from '../latest/follow.js';
import { knownTable } from '../sql/known-table.js';
import { Mirror } from './mirror.js';
import { MirrorFile } from './mirror-file.js';
import { MIRROR_NAMES, checkMirrorOptions } from './options.js';
import type { MirrorOptions } from './options.js';
import type { Ask } from './snapshot.js';

const OPERATION = 'mirror';

/** The door of the client. */
export interface MirrorDoor {
  readonly deadline: MakeDeadline;
  readonly whenClosed: (tell: () => void) => () => void;
}

export async function beginMirror(
  room: Pick<Doors, 'enterVerified'>,
  door: MirrorDoor,
  options: MirrorOptions,
): Promise<Mirror> {
  const checked = checkMirrorOptions(options);
  return room.enterVerified(OPERATION, options, MIRROR_NAMES, async ({ session, trust, call }) => {
    const latest = await followed({ session, trust, call }, 0n);
    const view = latest.view();
    if (!view)
      throw new NotProvableError(
        `${OPERATION}: keys are not kept in order: follow({ ordered: true }) keeps them`,
      );
    view.close();
    // A name that no table has is told at once.
    for (const name of checked.tables ?? []) await knownTable({ rpc: session, trust, call }, name);
    const ask: Ask = (work, each: CallOptions = {}) =>
      room.enterVerified(OPERATION, each, [], async (verified) => {
        if (verified.trust.latestNow !== latest) throw verified.trust.forgotten();
        const asking = { rpc: verified.session, trust: verified.trust, call: verified.call };
        return work(asking);
      });
    const file = new MirrorFile(checked.path, trust.owner);
    trust.countCalls(OPERATION, call.startedAt, 1);
    return new Mirror({ options: checked, file, latest, ask, ...door });
  });
}
