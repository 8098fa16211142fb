// Records of an ingestion that share a transaction: they are put into its request while it waits for its turn, and told together
// what became of them. One promise for all of them.
import type { Admission } from '../../flow/admission.js';
import type { Deadline } from '../../flow/deadline.js';
import type { Turn, Turns } from '../../flow/turns.js';
import type { WaitingCall } from '../../flow/waiting-call.js';
import type { EntryBatch, PairNames } from '../../group/entry-batch.js';
import type { WriteGroups } from '../../group/write-groups.js';
import { MAX_REQUEST_BYTES } from '../../group/write-group.js';
import { toKey } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { VerifiedWrite } from '../../trust/write.js';
import { keyName } from '../../../verify/key-name.js';
import type { ProvenWriter, Writer } from '../kv/writers.js';

/** Entries from `from` to before `to`, in one transaction. */
export interface ProvenPart {
  readonly from: number;
  readonly to: number;
  readonly write: VerifiedWrite;
  /** They were written before, among others: not by this batch. */
  readonly wasThere?: true;
}

/** Entries that were not proven. */
export interface FailedPart {
  readonly from: number;
  readonly to: number;
  readonly error: unknown;
}

/** What became of a batch: one part, or more where the server refused it as it was. In order, each entry in one of them. */
export interface BatchEnd {
  readonly parts: readonly ProvenPart[];
  readonly failures: readonly FailedPart[];
}

/** Where batches wait for their turn. */
export interface BatchRoom {
  readonly admission: Admission;
  readonly turns: Turns;
  readonly groups: WriteGroups<Writer>;
}

export class RecordBatch {
  readonly entries: EntryBatch;
  readonly #room: BatchRoom;
  readonly #turn: Turn;
  readonly #parts: ProvenPart[] = [];
  #call: WaitingCall<BatchEnd> | undefined;
  readonly #failures: FailedPart[] = [];
  #told = 0;
  #isIn = false;
  #begun = false;
  #over = false;

  /** Requires the first record in `entries`. */
  constructor(room: BatchRoom, turn: Turn, entries: EntryBatch) {
    this.#room = room;
    this.#turn = turn;
    this.entries = entries;
  }

  /**
   * Takes a further record, if it may go into the same transaction; false when the next one has to be begun with it: the
   * transaction is under way, or full, or has this key already, or a write was called meanwhile that it must not overtake.
   *
   * @throws ArgumentError for what is no key or no value
   */
  add(key: BytesInput, value: BytesInput, names: PairNames): boolean {
    const { entries } = this;
    const before = entries.bytes;
    if (!this.#takesMore(key, value) || !entries.add(key, value, names)) return false;
    if (this.#isIn) this.#room.admission.grow(1, entries.bytes - before);
    return true;
  }

  /** Its turn has come, with trust to prove it under. */
  begin(trust: DatabaseTrust, call: WaitingCall<BatchEnd>, from: Call): void {
    this.#call = call;
    const writer = (start: number, end?: number): BatchWriter =>
      new BatchWriter(this, trust, call, from, start, end);
    const whole = writer(0);
    this.#turn.take(() => {
      this.#begun = true;
      try {
        this.#room.groups.begin(whole, this.entries, writer);
      } catch (error) {
        whole.reject(error);
      }
    });
  }

  /** It was let in, as one call without bytes. */
  entered(): void {
    this.#room.admission.grow(this.entries.count - 1, this.entries.bytes);
    this.#isIn = true;
  }

  /** It has ended: gives back what its records held, that call aside. */
  end(): void {
    this.#over = true;
    this.#room.admission.leave(this.entries.bytes, this.entries.count - 1);
  }

  told(part: ProvenPart): void {
    this.#parts.push(part);
    this.#count(part.to - part.from);
  }

  failed(from: number, to: number, error: unknown): void {
    this.#failures.push({ from, to, error });
    this.#count(to - from);
  }

  #count(entries: number): void {
    this.#told += entries;
    if (this.#told < this.entries.count) return;
    this.#call?.resolve({ parts: inOrder(this.#parts), failures: inOrder(this.#failures) });
  }

  #takesMore(key: BytesInput, value: BytesInput): boolean {
    const { turns, groups } = this.#room;
    if (this.#over || this.#call?.settled === true) return false;
    const { count, requestBytes } = this.entries;
    if (count >= groups.batchSize) return false;
    if (requestBytes + sizeOf(key) + sizeOf(value) > MAX_REQUEST_BYTES) return false;
    if (!this.#begun) return turns.last === this.#turn;
    return turns.last === undefined && groups.takesMore(this.entries, () => keyName(toKey(key, 'key')));
  }
}

/** Who waits for a batch, or for a part of it. */
class BatchWriter implements ProvenWriter {
  readonly kind = 'verified';
  readonly ownTx = false;
  readonly #batch: RecordBatch;
  readonly #call: WaitingCall<BatchEnd>;
  readonly #start: number;
  readonly #end: number | undefined;

  constructor(
    batch: RecordBatch,
    readonly trust: DatabaseTrust,
    call: WaitingCall<BatchEnd>,
    readonly from: Call,
    start: number,
    end: number | undefined,
  ) {
    this.#batch = batch;
    this.#call = call;
    this.#start = start;
    this.#end = end;
  }

  get #to(): number {
    return this.#end ?? this.#batch.entries.count;
  }

  get calls(): number {
    return this.#to - this.#start;
  }

  get deadline(): Deadline {
    return this.#call.deadline;
  }

  /** Told when trust is forgotten, or the server refused: it has not been sent, and is not any more. */
  get settled(): boolean {
    const held = this.#call.settled ? undefined : this.trust.heldBack(this.from);
    if (held) this.#call.reject(held);
    return this.#call.settled;
  }

  tell(write: VerifiedWrite): void {
    this.#batch.told({ from: this.#start, to: this.#to, write });
  }

  reject(error: unknown): void {
    this.#batch.failed(this.#start, this.#to, error);
  }
}

export function inOrder<T extends { readonly from: number }>(parts: T[]): T[] {
  return parts.sort((a, b) => a.from - b.from);
}

/** About, for text beyond ASCII. */
function sizeOf(input: unknown): number {
  return typeof input === 'string' || input instanceof Uint8Array ? input.length : 0;
}
