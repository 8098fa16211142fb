// Whether a scan is at its end. A server counts references that lead nowhere among the entries that it was asked for, and does not
// show them: an empty page may be one that only they fill. So the range is looked at from its other end: what is the last entry?
import { ImmuError, ServerError, TransportError } from '../../../errors.js';
import { compareBytes } from '../../../proof/bytes.js';
import { follows } from '../../../verify/readings/scan.js';
import type { KeyRange } from '../../../verify/readings/scan.js';
import { readEntries } from '../../../verify/wire/answers.js';
import type { ShownEntry } from '../../../verify/wire/answers.js';
import type { ScanRequest } from '../../../wire/messages.js';
import { isTooLarge } from '../../group/key-asker.js';
import { readPlain } from '../../results/plain-answer.js';
import { MAX_RESULTS } from './steps.js';

/** How the questions of a page are sent. */
export interface EndAsker {
  scan(request: ScanRequest): Promise<Uint8Array>;
  /** How many keys begin so, whatever they hold. */
  count(prefix: Uint8Array): Promise<bigint>;
}

/** `unknown`: from the other end, too, there is nothing but references that lead nowhere, as far as a server shows. */
export type Ending = 'end' | 'more' | 'unknown';

/** How far is looked from the other end: most often its first entry is one that is shown. */
const LOOKS = [1, 32, MAX_RESULTS] as const;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The key that was scanned: of a reference, its own. */
export function scannedKey({ key, referencedBy }: ShownEntry['entry']): Uint8Array {
  return referencedBy?.key ?? key;
}

/** Whether anything is behind the start of this range, by the server's word. */
export async function endingOf(range: KeyRange, ask: EndAsker): Promise<Ending> {
  for (const limit of LOOKS) {
    let last: Uint8Array | undefined;
    try {
      const answer = await ask.scan({ ...otherWay(range), limit: limit.toString() });
      const [first] = readPlain(() => readEntries(answer, limit, false));
      last = first && scannedKey(first.entry);
    } catch (error) {
      // There is one, but which? The page itself tells.
      if (error instanceof ServerError && isTooLarge(error)) return limit === 1 ? 'more' : 'unknown';
      throw error;
    }
    if (last) return isBehindStart(range, last) ? 'more' : 'end';
  }
  return (await ask.count(range.prefix)) < BigInt(MAX_RESULTS) ? 'end' : 'unknown';
}

/** From the end of the range to its start and past it, to whatever is there: that nothing is shown then says something. */
function otherWay({ prefix, endKey, inclusiveEnd, desc }: KeyRange): ScanRequest {
  // A scan that is bound by its prefix ends with it; one way that is where it begins.
  const bound = desc ? prefix : behindPrefix(prefix);
  const isOutside = endKey.length > 0 && bound.length > 0 && compareBytes(endKey, bound) < 0 === desc;
  const isByPrefix = endKey.length === 0 || isOutside;
  return {
    ...(isByPrefix
      ? { seekKey: bound, inclusiveSeek: desc }
      : { seekKey: endKey, inclusiveSeek: inclusiveEnd }),
    desc: !desc,
  };
}

/** The smallest key that is greater than all with this prefix; empty where there is none. */
function behindPrefix(prefix: Uint8Array): Uint8Array {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  if (last < 0) return NO_BYTES;
  const bytes = prefix.slice(0, last + 1);
  bytes[last] = (bytes[last] ?? 0) + 1;
  return bytes;
}

/** Whether a key that is not past the end of the range is behind its start. */
function isBehindStart({ prefix, seekKey, inclusiveSeek, desc }: KeyRange, key: Uint8Array): boolean {
  if (seekKey.length > 0 && !follows(seekKey, key, desc, inclusiveSeek)) return false;
  return compareBytes(key.subarray(0, prefix.length), prefix) === 0;
}

/** Pages in a row that may show nothing although there is more: of references that lead nowhere there are not so many. */
const MAX_VAIN = 400;

/** Where a scan goes on behind a page of the largest size that shows nothing. @throws when that is nowhere to be seen */
export function assertGoesOn(ending: Ending, vain: number): void {
  if (ending === 'unknown') {
    const what = `more than ${MAX_RESULTS} references that lead nowhere follow one another: the server does not show whether the scan ends there`;
    throw new ImmuError('LIMIT_EXCEEDED', what);
  }
  if (vain > MAX_VAIN)
    throw new TransportError(
      'UNAVAILABLE',
      'the server says again and again that there is more, and shows nothing',
    );
}
