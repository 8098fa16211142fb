// Refusals on their way into the log. However many calls one answer was refused to, its bytes are packed once and written once:
// calls that are refused alike share a row. Callers do not wait for megabytes to be written, and what waits is bounded.
import { createHash } from 'node:crypto';
import type { AuditEntry, Evidence, OmittedBytes, RootStore } from '../../../store/root-store.js';
import { packJob, packedSize } from '../../../verify/pack/packet.js';
import type { Job } from '../../../verify/verifier.js';

/**
 * Longest evidence that is kept whole. Beyond it the question is kept, and of the answer its SHA-256 and length. Honest answers
 * are shorter unless values of megabytes are stored; a larger bound would let fewer refusals fit the store's budget.
 */
export const MAX_EVIDENCE_BYTES = 8 * 1024 * 1024;
/** A caller waits until the row is durable when no more than this is to be written until then: some milliseconds. */
const WAITED_FOR_BYTES = 1024 * 1024;
/** Evidence that is being written at a time. */
const WRITTEN_BYTES = 16 * 1024 * 1024;
/** Evidence on its way. Beyond it rows are written without bytes: the store does not keep up. */
const UNWRITTEN_BYTES = 64 * 1024 * 1024;

export type RefusalEntry = Omit<AuditEntry, 'evidence'> & { readonly detail: string };

type Terms = Pick<Evidence, 'check' | 'expected' | 'computed'>;

/** Calls that were refused alike, and become one row. */
interface Group {
  readonly entry: RefusalEntry;
  readonly evidence: Evidence | undefined;
  calls: number;
  /** Refusals besides the first, whose words the row has, that were told in other words. */
  others: number;
  /** It will be durable soon. */
  readonly isShort: boolean;
  readonly written: Promise<void>;
  readonly settle: { resolve: () => void; reject: (error: unknown) => void };
}

interface Packed {
  readonly job: Uint8Array;
  readonly omitted?: OmittedBytes;
}

export class Refusals {
  readonly #store: Pick<RootStore, 'record'>;
  /** In the order in which they came; by what they have in common. */
  readonly #waiting = new Map<string, Group>();
  /** What an answer has become as evidence: kept as long as anybody holds the answer. */
  readonly #packed = new WeakMap<Job, Packed & { readonly number: number }>();
  #numbers = 0;
  #unwrittenBytes = 0;
  #writing: Promise<void> | undefined;

  constructor(store: Pick<RootStore, 'record'>) {
    this.#store = store;
  }

  /**
   * Writes the row of a refusal. `written` resolves when it is durable and rejects when the store cannot take it; `isShort`: that
   * does not take long.
   */
  add(
    entry: RefusalEntry,
    terms: Terms,
    job: Job | undefined,
  ): { readonly written: Promise<void>; readonly isShort: boolean } {
    const packed = job && this.#pack(job);
    const name = packed && nameOf(packed.number, entry, terms);
    const waiting = name === undefined ? undefined : this.#waiting.get(name);
    if (waiting) {
      waiting.calls += entry.calls;
      if (entry.detail !== waiting.entry.detail) waiting.others += 1;
      return waiting;
    }
    const isShort = this.#unwrittenBytes + (packed?.job.length ?? 0) <= WAITED_FOR_BYTES;
    const group = newGroup(entry, packed && this.#evidence(terms, packed), isShort);
    this.#waiting.set(name ?? `alone ${String(this.#numbers++)}`, group);
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    return group;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /** Never rejects: who waits for a row is told. */
  async #write(): Promise<void> {
    // What is refused at once is refused together.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const due: Group[] = [];
      let bytes = 0;
      for (const [name, group] of this.#waiting) {
        const length = group.evidence?.job.length ?? 0;
        if (due.length > 0 && bytes + length > WRITTEN_BYTES) break;
        this.#waiting.delete(name);
        bytes += length;
        due.push(group);
      }
      await Promise.all(due.map((group) => this.#record(group)));
      this.#unwrittenBytes -= bytes;
    }
  }

  async #record({ entry, evidence, calls, others, settle }: Group): Promise<void> {
    const detail = others === 0 ? entry.detail : `${entry.detail} (and ${others} more of the same answer)`;
    try {
      await this.#store.record({ ...entry, calls, detail, ...(evidence && { evidence }) });
      settle.resolve();
    } catch (error) {
      settle.reject(error);
    }
  }

  #pack(job: Job): Packed & { readonly number: number } {
    const known = this.#packed.get(job);
    if (known) return known;
    const packed = { ...packedWithin(job, MAX_EVIDENCE_BYTES), number: this.#numbers++ };
    this.#packed.set(job, packed);
    return packed;
  }

  #evidence(terms: Terms, { job, omitted }: Packed): Evidence {
    const evidence = { ...terms, job, ...(omitted && { omitted }) };
    if (this.#unwrittenBytes + job.length > UNWRITTEN_BYTES) {
      const left = omitted ?? { part: 'job' as const, sha256: sha256(job), length: job.length };
      return { ...evidence, job: new Uint8Array(0), omitted: { ...left, reason: 'budget' } };
    }
    this.#unwrittenBytes += job.length;
    return evidence;
  }
}

/** The job as evidence has it: whole, or its question, or nothing, as `max` allows. */
export function packedWithin(job: Job, max: number): Packed {
  const { answer } = job;
  const size = packedSize(job);
  if (size <= max) return { job: packJob(job) };
  if (size - answer.length <= max) {
    const omitted = {
      part: 'answer',
      reason: 'size',
      sha256: sha256(answer),
      length: answer.length,
    } as const;
    return { job: packJob({ ...job, answer: new Uint8Array(0) }), omitted };
  }
  const whole = packJob(job);
  const omitted = { part: 'job', reason: 'size', sha256: sha256(whole), length: whole.length } as const;
  return { job: new Uint8Array(0), omitted };
}

function newGroup(entry: RefusalEntry, evidence: Evidence | undefined, isShort: boolean): Group {
  const settle: { resolve?: () => void; reject?: (error: unknown) => void } = {};
  const written = new Promise<void>((resolve, reject) => Object.assign(settle, { resolve, reject }));
  // Nobody need wait for it.
  written.catch(() => undefined);
  return {
    entry,
    evidence,
    calls: entry.calls,
    others: 0,
    isShort,
    written,
    settle: settle as Group['settle'],
  };
}

/** Alike for what makes the same row. */
function nameOf(job: number, entry: RefusalEntry, { check, expected, computed }: Terms): string {
  const { outcome, operation, tx } = entry;
  return JSON.stringify([job, outcome, operation, tx.toString(), check, expected ?? null, computed ?? null]);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
