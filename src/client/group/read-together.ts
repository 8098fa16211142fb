// Reads the keys of one call together: each once, in one answer where one can hold them.
import type { ClaimOutcome } from '../../verify/verifier.js';
import type { Deadline } from '../flow/deadline.js';
import { isTooLarge } from './key-asker.js';
import type { KeyAsker, TellPart } from './key-asker.js';

/**
 * A key may be named again. `tell` gets the outcomes, part by part as they are checked; resolves when it has got all of them, or
 * when `isOver` says that nobody waits for more.
 */
export async function readTogether(
  asker: KeyAsker,
  keys: readonly Uint8Array[],
  names: readonly string[],
  deadline: Deadline,
  tell: TellPart,
  isOver = () => false,
): Promise<void> {
  const places = new Map<string, number>();
  const asked = keys.filter((_, i) => isFirst(places, names[i] as string));
  const outcomes: ClaimOutcome[] = [];
  const keep: TellPart = (part, from) => part.forEach((outcome, i) => (outcomes[from + i] = outcome));
  for (let at = 0; at < asked.length && !isOver();) {
    const now = asked.slice(at, at + asker.limit);
    const start = at;
    const told = asked.length === keys.length ? tell : keep;
    await askInParts(asker, now, deadline, (part, from) => told(part, start + from));
    at += now.length;
  }
  if (outcomes.length === 0 || isOver()) return;
  tell(
    names.map((name) => outcomes[places.get(name) as number] as ClaimOutcome),
    0,
  );
}

/** Gives a name that was not there before the next place. */
function isFirst(places: Map<string, number>, name: string): boolean {
  const before = places.size;
  if (!places.has(name)) places.set(name, before);
  return places.size > before;
}

/** Where the answer gets too large the keys are asked for in halves: one after the other, for they are large. */
async function askInParts(
  asker: KeyAsker,
  keys: readonly Uint8Array[],
  deadline: Deadline,
  tell: TellPart,
): Promise<void> {
  try {
    await asker.ask(keys, deadline, tell);
  } catch (error) {
    if (!isTooLarge(error) || keys.length === 1 || asker.onlySingly) throw error;
    const middle = keys.length >> 1;
    await askInParts(asker, keys.slice(0, middle), deadline, tell);
    await askInParts(asker, keys.slice(middle), deadline, (part, from) => tell(part, middle + from));
  }
}
