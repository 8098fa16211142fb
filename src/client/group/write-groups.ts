// Groups the writes that are in flight: what waits goes out as the next transaction, several of them on their way at a
// time. Writes of one key keep their order: a key that is in a group already waits for the next one.
import { ServerError } from '../../errors.js';
import type { Deadline } from '../flow/deadline.js';
import { MAX_TX_ENTRIES } from '../input/bytes-input.js';
import { isBusy, isNotDone } from '../net/server-errors.js';
import { AdaptiveSize } from './adaptive-size.js';
import { BatchGroup } from './batch-group.js';
import type { WriterOf } from './batch-group.js';
import type { EntryBatch } from './entry-batch.js';
import type { WriteContent, WriteForm } from './write-form.js';
import { SET } from './write-forms.js';
import { Group, MAX_REQUEST_BYTES, keysOf } from './write-group.js';
import type { GroupRequest, Keys, WaitingGroup } from './write-group.js';

/**
 * One caller's write: its entries share a transaction with whatever else is in the group. They are kept in the group's
 * request alone: with thousands of writes in line, every object that a write holds costs in collecting garbage.
 */
export interface GroupedWrite {
  readonly deadline: Deadline;
  /** Nobody waits for it any more: it need not be sent if it has not been yet. */
  readonly settled: boolean;
  reject(error: unknown): void;
}

export interface WriteGroupsOptions<W extends GroupedWrite> {
  /**
   * Sends one transaction and tells its writes their outcome. Resolves when the server has answered; rejects when it refused,
   * or when it is not known what became of it.
   */
  readonly send: (writes: readonly W[], group: GroupRequest) => Promise<Answered>;
}

/** The server has answered a write. */
export interface Answered {
  /** Resolves when every write of the group was told its outcome. Never rejects. */
  readonly told: Promise<void>;
}

/**
 * Groups on their way at a time, at first and at most. More than four never wrote more (measured, groups of 1000, server
 * on the same machine: 155 k entries/s with one, 176 k with two, 178 k with four, 185 k with eight); an immudb takes 30
 * writes at a time, those of all its clients counted.
 */
const FIRST_IN_FLIGHT = 2;
const MAX_IN_FLIGHT = 4;
/** Groups that are answered and not told yet, at most: they are proven while others are on their way. */
const MAX_UNTOLD = 8;

/** What was sent so far. */
export interface WriteCounts {
  groups: number;
  writes: number;
  entries: number;
}

export class WriteGroups<W extends GroupedWrite> {
  readonly counts: WriteCounts = { groups: 0, writes: 0, entries: 0 };
  readonly #options: WriteGroupsOptions<W>;
  /** How many entries of a form go together. */
  readonly #sizes = new Map<WriteForm, AdaptiveSize>();
  #line: WaitingGroup<W>[] = [];
  #flying: readonly WaitingGroup<W>[] = [];
  #maxInFlight = FIRST_IN_FLIGHT;
  #untold = 0;
  #turnEnds = false;

  constructor(options: WriteGroupsOptions<W>) {
    this.#options = options;
  }

  /** Sends `write`, which is of this content, with what else waits. */
  write(write: W, content: WriteContent): void {
    if (content.batch) {
      this.begin(write, content.batch);
      return;
    }
    const keys = keysOf(content);
    let group = this.#newest(content.form, keys);
    if (!group?.takes(keys, content)) {
      group = new Group<W>(content.form, this.#sizeOf(content.form));
      this.#line.push(group);
    }
    group.add(write, keys, content);
    this.#sendSoon();
  }

  /**
   * Sends a batch as a transaction of its own, in its turn. Entries may be added to it as long as {@link takesMore} says so.
   * `apart`: they need not be written together.
   */
  begin(write: W, batch: EntryBatch, apart?: WriterOf<W>): void {
    this.#line.push(new BatchGroup(this.#sizeOf(SET), batch, write, apart));
    this.#sendSoon();
  }

  /** Whether a batch that was begun is in line still, with nothing behind it that is about this key. */
  takesMore(batch: EntryBatch, keyName: () => string): boolean {
    for (let i = this.#line.length - 1; i >= 0; i--) {
      const group = this.#line[i] as WaitingGroup<W>;
      if (group instanceof BatchGroup && group.batch === batch) return true;
      if (group.meets([keyName()], undefined)) return false;
    }
    return false;
  }

  /** How many plain entries go together. */
  get batchSize(): number {
    return this.#sizeOf(SET).limit;
  }

  #sendSoon(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => {
      this.#turnEnds = false;
      this.#sendAll();
    });
  }

  /** Sends `write` at once, in a transaction that holds nothing else. */
  writeAlone(write: W, content: WriteContent): void {
    const group = this.#alone(write, content);
    this.#options.send([write], group).catch((error: unknown) => rejectAll(group, error));
  }

  #alone(write: W, content: WriteContent): WaitingGroup<W> {
    const size = this.#sizeOf(content.form);
    if (content.batch) return new BatchGroup(size, content.batch, write);
    const group = new Group<W>(content.form, size);
    group.add(write, keysOf(content), content);
    return group;
  }

  /** The newest group of a form that waits: undefined where a write of these keys must not go before those behind it. */
  #newest(form: WriteForm, { written, needed }: Keys): Group<W> | undefined {
    for (let i = this.#line.length - 1; i >= 0; i--) {
      const group = this.#line[i] as WaitingGroup<W>;
      if (group instanceof Group && group.form === form) return group;
      if (group.meets(written, needed)) return undefined;
    }
    return undefined;
  }

  #sizeOf(form: WriteForm): AdaptiveSize {
    let size = this.#sizes.get(form);
    if (!size) this.#sizes.set(form, (size = new AdaptiveSize(MAX_TX_ENTRIES, MAX_REQUEST_BYTES)));
    return size;
  }

  /** A defect must not get past the promises of those who wait. */
  #sendAll(): void {
    try {
      this.#send();
    } catch (error) {
      for (const group of this.#line.splice(0)) rejectAll(group, error);
    }
  }

  #send(): void {
    while (this.#flying.length < this.#maxInFlight && this.#untold < MAX_UNTOLD) {
      const [next] = this.#line;
      if (!next || this.#isHeldUp(next)) return;
      const group = next.wanted(({ settled }) => settled);
      this.#line.shift();
      if (!group) continue;
      this.#flying = [...this.#flying, group];
      const run = this.#run(group).catch((error: unknown) => rejectAll(group, error));
      void run.finally(() => {
        this.#flying = this.#flying.filter((other) => other !== group);
        this.#sendAll();
      });
    }
  }

  /** A key of it is on its way: sent now, it might be written before that one. */
  #isHeldUp(group: WaitingGroup<W>): boolean {
    return this.#flying.some((flying) => group.follows(flying));
  }

  /** Ends with the server's answer. Never rejects: its writes are told. */
  async #run(group: WaitingGroup<W>): Promise<void> {
    const { writes, count, request, size } = group;
    this.counts.groups += 1;
    this.counts.writes += writes.length;
    this.counts.entries += count;
    try {
      const { told } = await this.#options.send(writes, group);
      this.#untold += 1;
      void told.finally(() => {
        this.#untold -= 1;
        this.#sendAll();
      });
      size.learn(request.length, count);
      if (this.#line.length > 0) this.#maxInFlight = Math.min(MAX_IN_FLIGHT, this.#maxInFlight + 1);
    } catch (error) {
      if (isBusy(error)) this.#maxInFlight = Math.max(1, this.#maxInFlight >> 1);
      const halves = isAboutContent(error) ? group.halves(error.code) : undefined;
      if (halves) await this.#apart(group, halves, (error as ServerError).code === 'LIMIT_EXCEEDED');
      else for (const write of writes) write.reject(error);
    }
  }

  /** Nothing was written, for certain, and one write may be to blame: the others go without it. In order, as they came. */
  async #apart(
    group: WaitingGroup<W>,
    halves: readonly WaitingGroup<W>[],
    isTooLarge: boolean,
  ): Promise<void> {
    if (isTooLarge) group.size.tooLarge(group.count);
    for (const half of halves) await this.#run(half);
  }
}

function rejectAll({ writes }: WaitingGroup<GroupedWrite>, error: unknown): void {
  for (const write of writes) write.reject(error);
}

/** gRPC's status for an RPC that is not there. */
const UNIMPLEMENTED = 12;

/** What a server says of what is in a request: of other codes it would say so whatever was in it. */
const ABOUT_CONTENT: ReadonlySet<string> = new Set([
  'LIMIT_EXCEEDED',
  'PRECONDITION_FAILED',
  'NOT_FOUND',
  'SERVER_REFUSED',
]);

/**
 * The server refused what was in the request, rather than to serve just then or at all, before it wrote any of it: only then
 * may any of it be sent again.
 */
function isAboutContent(error: unknown): error is ServerError {
  if (!(error instanceof ServerError) || !isNotDone(error) || isBusy(error)) return false;
  return ABOUT_CONTENT.has(error.code) && error.grpcCode !== UNIMPLEMENTED;
}
