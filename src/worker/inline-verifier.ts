// Checks on the calling thread: no hop, no parallelism.
import { ClosedError, PoolError } from '../errors.js';
import { check, describeDefect } from '../verify/check.js';
import { assertJob } from '../verify/job.js';
import type { Job, Verdict, Verifier } from '../verify/verifier.js';

/** Values in its verdicts are views of the answers. */
export class InlineVerifier implements Verifier {
  #closed = false;

  // async: whatever goes wrong is a rejection.
  // eslint-disable-next-line @typescript-eslint/require-await
  async verify(job: Job): Promise<Verdict> {
    if (this.#closed) throw new ClosedError('the verifier');
    assertJob(job);
    return checkInline(job);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws PoolError when checking broke: that is no statement about the server */
export function checkInline(job: Job): Verdict {
  try {
    return check(job);
  } catch (cause) {
    throw new PoolError('POOL_FAILED', describeDefect(cause), { cause });
  }
}
