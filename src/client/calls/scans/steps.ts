// From one page to the next: where it begins, and how much is asked for.
import { ServerError } from '../../../errors.js';
import { isTooLarge } from '../../group/key-asker.js';

/** Most results that a server gives at once. */
export const MAX_RESULTS = 2500;
/** What is asked for at once when nothing else was said: few enough that one page is on its way while another is proven. */
export const PAGE_SIZE = 1000;

/** gRPC: RESOURCE_EXHAUSTED, which is said of messages; of numbers of results the server says something else. */
const MESSAGE_TOO_LARGE = 8;

/** What is asked for at once by one iterator: less after an answer that was too large. */
export class PageSize {
  #size: number;

  constructor(size = PAGE_SIZE) {
    this.#size = size;
  }

  get now(): number {
    return this.#size;
  }

  /** Asks for `limit` results, or for as many as one message holds. */
  async fitting<T>(
    limit: number,
    ask: (limit: number) => Promise<T>,
  ): Promise<{ readonly answer: T; readonly asked: number }> {
    for (let asked = limit; ;) {
      try {
        return { answer: await ask(asked), asked };
      } catch (error) {
        const isMessage = error instanceof ServerError && error.grpcCode === MESSAGE_TOO_LARGE;
        if (asked === 1 || !isMessage || !isTooLarge(error)) throw error;
        asked >>= 1;
        this.#size = Math.min(this.#size, asked);
      }
    }
  }
}

/** Where a page of a scan begins. */
export interface Step<Seek> {
  /** Absent: at the start of the range. */
  readonly seek?: Seek;
  /** Results to be passed over. */
  readonly offset: number;
  /** Results that the caller still takes. */
  readonly left: number;
  /** Results to ask for. */
  readonly limit: number;
}

export function firstStep<Seek>(
  size: PageSize,
  { seek, offset = 0, limit = Infinity }: { seek?: Seek; offset?: number; limit?: number },
): Step<Seek> {
  const asked = Math.min(size.now, limit);
  return { ...(seek !== undefined && { seek }), offset, left: limit, limit: asked };
}

/**
 * The step behind a page of `count` results, the last of them at `last`. A page that is not full is no end: the server counts
 * what it then does not show (references that lead nowhere any more, members whose score was not asked for) among those that
 * it was asked for. The end is where the largest page is empty.
 */
export function nextStep<Seek>(
  size: PageSize,
  step: Step<Seek>,
  asked: number,
  count: number,
  last: Seek | undefined,
): Step<Seek> | undefined {
  const left = step.left - count;
  if (left <= 0) return undefined;
  if (last === undefined) return asked >= MAX_RESULTS ? undefined : { ...step, limit: MAX_RESULTS };
  const isFull = count >= asked;
  return { seek: last, offset: 0, left, limit: isFull ? Math.min(size.now, left) : MAX_RESULTS };
}
