// One request to a witness: no redirects, a bounded answer, an end.
const MAX_ANSWER_BYTES = 64 * 1024;

export interface WitnessAnswer {
  readonly status: number;
  readonly body: string;
}

/** No answer that could be read: why. Says nothing about the tree. */
export class Unreached extends Error {}

/**
 * Posts text. `signal`: of a caller who waits no longer, or a client that is closed.
 *
 * @throws Unreached when there is no whole answer of a sane size in time
 */
export async function post(
  endpoint: URL,
  text: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<WitnessAnswer> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(endpoint, {
      method: 'POST',
      body: text,
      redirect: 'manual',
      signal: AbortSignal.any([late, signal]),
    });
    return { status: answer.status, body: await bodyOf(answer) };
  } catch (error) {
    if (error instanceof Unreached) throw error;
    if (late.aborted) throw new Unreached(`no answer within ${timeoutMs} ms`, { cause: error });
    throw new Unreached(wordsOf(error), { cause: error });
  }
}

/** Leaving the loop ends the connection. */
async function bodyOf({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Unreached(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** `fetch` says what happened in the cause. */
function wordsOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const inner = cause instanceof Error ? cause : error;
  const { code, message } = inner as { code?: unknown; message?: unknown };
  return [code, message].filter((word) => typeof word === 'string' && word !== '').join(': ') || 'no answer';
}
