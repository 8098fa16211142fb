// A verifier that tells how every check ended, where somebody listens.
import type { Job, Verdict, Verifier, VerifyOptions } from '../../verify/verifier.js';
import type { Watch } from './watch.js';

const VERIFY = 'immu-ts:verify';

export class WatchedVerifier implements Verifier {
  readonly #verifier: Verifier;
  readonly #watch: Watch;

  constructor(verifier: Verifier, watch: Watch) {
    this.#verifier = verifier;
    this.#watch = watch;
  }

  verify(job: Job, options?: VerifyOptions): Promise<Verdict> {
    return this.#watch.wants(VERIFY) ? this.#watched(job, options) : this.#verifier.verify(job, options);
  }

  async #watched(job: Job, options?: VerifyOptions): Promise<Verdict> {
    const { question, context, answer } = job;
    const about = { database: context.database, question: question.kind, bytes: answer.length };
    const began = performance.now();
    const verdict = await this.#verifier.verify(job, options);
    const { ok } = verdict;
    this.#watch.tell(VERIFY, () => ({
      ...{ ...about, ok, durationMs: performance.now() - began },
      ...(!ok && { check: verdict.refuted.check }),
    }));
    return verdict;
  }

  ready(): Promise<void> {
    return this.#verifier.ready?.() ?? Promise.resolve();
  }

  backlog(): Promise<void> | undefined {
    return this.#verifier.backlog?.();
  }

  prepare(): void {
    this.#verifier.prepare?.();
  }

  close(): Promise<void> {
    return this.#verifier.close();
  }
}
