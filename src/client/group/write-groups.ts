// Groups the writes that are in flight: what waits goes out as the next transaction, several of them on their way at a
// time. Writes of one key keep their order: a key that is in a group already waits for the next one.
import { ServerError } from '../../errors.js';
import type { Deadline } from '../flow/deadline.js';
import { isBusy, isNotDone } from '../net/server-errors.js';
import { readSetRequest } from '../../verify/wire/requests.js';
import { AdaptiveSize } from './adaptive-size.js';
import { keyName } from '../../verify/key-name.js';
import { SetRequestEncoder } from './set-request.js';

export interface WriteEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * One caller's write: its entries share a transaction with whatever else is in the group. They are kept in the group's
 * request alone: with thousands of writes in line, every object that a write holds costs in collecting garbage.
 */
export interface GroupedWrite {
  readonly entryCount: number;
  readonly deadline: Deadline;
  /** Nobody waits for it any more: it need not be sent if it has not been yet. */
  readonly settled: boolean;
  reject(error: unknown): void;
}

export interface WriteGroupsOptions<W extends GroupedWrite> {
  /**
   * Sends one transaction and tells its writes their outcome. `request`: the SetRequest in its wire form; `names`: its keys
   * (`keyName`). Resolves when the server has answered; rejects when it refused, or when it is not known what became of it.
   */
  readonly send: (writes: readonly W[], request: Uint8Array, names: Iterable<string>) => Promise<Answered>;
}

/** The server has answered a write. */
export interface Answered {
  /** Resolves when every write of the group was told its outcome. Never rejects. */
  readonly told: Promise<void>;
}

/** Entries that an immudb takes in a transaction by default. */
const MAX_ENTRIES = 1024;
/** A group is closed at this size: larger ones hold up those behind them and save little. */
const MAX_REQUEST_BYTES = 1024 * 1024;
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

/** What goes into one transaction. */
class Group<W extends GroupedWrite> {
  readonly writes: W[] = [];
  readonly names = new Set<string>();
  readonly #request = new SetRequestEncoder();

  get bytes(): number {
    return this.#request.length;
  }

  /** Whether these may join: not a key twice, not too much. */
  takes(names: readonly string[], bytes: number, limit: number): boolean {
    if (this.names.size + names.length > limit || this.bytes + bytes > MAX_REQUEST_BYTES) return false;
    return !names.some((name) => this.names.has(name));
  }

  add(write: W, entries: readonly WriteEntry[], names: readonly string[]): void {
    this.writes.push(write);
    for (const name of names) this.names.add(name);
    for (const { key, value } of entries) this.#request.add(key, value);
  }

  get request(): Uint8Array {
    return this.#request.finish();
  }

  /** These writes of it, with their entries, as a group of their own. */
  part(isIn: (write: W, place: number) => boolean): Group<W> {
    const entries = readSetRequest(this.request);
    const part = new Group<W>();
    let next = 0;
    this.writes.forEach((write, place) => {
      const own = entries.slice(next, (next += write.entryCount));
      if (isIn(write, place)) part.add(write, own, namesOf(own));
    });
    return part;
  }
}

export class WriteGroups<W extends GroupedWrite> {
  readonly counts: WriteCounts = { groups: 0, writes: 0, entries: 0 };
  readonly #options: WriteGroupsOptions<W>;
  readonly #size = new AdaptiveSize(MAX_ENTRIES, MAX_REQUEST_BYTES);
  #line: Group<W>[] = [];
  #flying: readonly Group<W>[] = [];
  #maxInFlight = FIRST_IN_FLIGHT;
  #untold = 0;
  #turnEnds = false;

  constructor(options: WriteGroupsOptions<W>) {
    this.#options = options;
  }

  /** Sends `write`, which is of these entries, of distinct keys, with what else waits. */
  write(write: W, entries: readonly WriteEntry[]): void {
    const names = namesOf(entries);
    const bytes = entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    let group = this.#line.at(-1);
    if (!group?.takes(names, bytes, this.#size.limit)) {
      group = new Group<W>();
      this.#line.push(group);
    }
    group.add(write, entries, names);
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => {
      this.#turnEnds = false;
      this.#sendAll();
    });
  }

  /** Sends `write` at once, in a transaction that holds nothing else. */
  writeAlone(write: W, entries: readonly WriteEntry[]): void {
    const group = new Group<W>();
    group.add(write, entries, namesOf(entries));
    this.#options
      .send([write], group.request, group.names)
      .catch((error: unknown) => rejectAll(group, error));
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
      const group = stillWanted(next);
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
  #isHeldUp({ names }: Group<W>): boolean {
    for (const flying of this.#flying) {
      for (const name of names) if (flying.names.has(name)) return true;
    }
    return false;
  }

  /** Ends with the server's answer. Never rejects: its writes are told. */
  async #run(group: Group<W>): Promise<void> {
    const { writes, names, request } = group;
    this.counts.groups += 1;
    this.counts.writes += writes.length;
    this.counts.entries += names.size;
    try {
      const { told } = await this.#options.send(writes, request, names);
      this.#untold += 1;
      void told.finally(() => {
        this.#untold -= 1;
        this.#sendAll();
      });
      this.#size.learn(request.length, names.size);
      if (this.#line.length > 0) this.#maxInFlight = Math.min(MAX_IN_FLIGHT, this.#maxInFlight + 1);
    } catch (error) {
      if (isBusy(error)) this.#maxInFlight = Math.max(1, this.#maxInFlight >> 1);
      if (writes.length > 1 && isAboutContent(error)) await this.#apart(group);
      else for (const write of writes) write.reject(error);
    }
  }

  /** Nothing was written, for certain, and one write may be to blame: the others go without it. In order, as they came. */
  async #apart(group: Group<W>): Promise<void> {
    const { writes, names } = group;
    this.#size.tooLarge(names.size);
    const middle = writes.length >> 1;
    await this.#run(group.part((_, place) => place < middle));
    await this.#run(group.part((_, place) => place >= middle));
  }
}

function rejectAll({ writes }: Group<GroupedWrite>, error: unknown): void {
  for (const write of writes) write.reject(error);
}

/** gRPC's status for a request that is wrong in itself. */
const INVALID_ARGUMENT = 3;

/**
 * The server refused what was in the request, rather than to serve just then or at all, before it wrote any of it: only then
 * may any of it be sent again.
 */
function isAboutContent(error: unknown): boolean {
  if (!(error instanceof ServerError) || !isNotDone(error) || isBusy(error)) return false;
  return (
    error.code === 'LIMIT_EXCEEDED' ||
    (error.code === 'SERVER_REFUSED' && error.grpcCode === INVALID_ARGUMENT)
  );
}

function namesOf(entries: readonly WriteEntry[]): string[] {
  return entries.map(({ key }) => keyName(key));
}

/** The group without the writes that were given up before they were sent; undefined when none is left. */
function stillWanted<W extends GroupedWrite>(group: Group<W>): Group<W> | undefined {
  if (!group.writes.some(({ settled }) => settled)) return group;
  const left = group.part(({ settled }) => !settled);
  return left.writes.length === 0 ? undefined : left;
}
