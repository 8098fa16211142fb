// A question whose answer does not come is asked again beside the first: one stalled proof must not hold up all who wait for
// the head. It changes nothing on the server, and whichever answer comes first is checked like any other.
import { ServerError, VerificationError } from '../../../errors.js';
import type { CallOptions } from '../../input/call-options.js';
import { isBusy } from '../../net/server-errors.js';

/** After so many milliseconds without an answer another one is asked for. */
const PAUSES_MS: readonly number[] = [1000, 2000, 4000];
/** For what may take a busy server a while: asked for too early it would only be busier. */
export const PATIENT_MS: readonly number[] = [3000, 6000];

/**
 * The first answer of several attempts; rejects when all that are under way have failed, or one was answered with a refusal,
 * or is one: for the others nothing else is to be expected.
 */
export function askAgainIfSilent<T>(
  send: (call: CallOptions) => Promise<T>,
  { signal, timeoutMs }: CallOptions = {},
  pausesMs: readonly number[] = PAUSES_MS,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const others = new AbortController();
    const ends = signal ? AbortSignal.any([signal, others.signal]) : others.signal;
    const call = { signal: ends, ...(timeoutMs !== undefined && { timeoutMs }) };
    let underWay = 0;
    let attempts = 0;
    let timer: NodeJS.Timeout | undefined;
    const end = (tell: () => void) => {
      clearTimeout(timer);
      tell();
      others.abort();
    };
    const attempt = () => {
      underWay += 1;
      const pause = pausesMs[attempts++];
      if (pause !== undefined) timer = setTimeout(attempt, pause);
      // Also what it throws at once, as a closed client does: from a timer nobody would catch it.
      void new Promise<T>((settle) => settle(send(call))).then(
        (answer) => end(() => resolve(answer)),
        (error: unknown) => {
          underWay -= 1;
          if (underWay === 0 || isAnswer(error))
            end(() => reject(error instanceof Error ? error : new Error(String(error))));
        },
      );
    };
    attempt();
  });
}

function isAnswer(error: unknown): boolean {
  return error instanceof VerificationError || (error instanceof ServerError && !isBusy(error));
}
