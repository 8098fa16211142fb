// Groups the reads that are in flight: what is asked in one turn goes out as few GetAll, each key once. A lone read goes
// out at once, on its own. Users who may not call GetAll are served one by one.
import type { ClaimOutcome } from '../../verify/verifier.js';
import type { Deadline } from '../flow/deadline.js';
import { isOfSomeKeys } from './key-asker.js';
import type { KeyAsker } from './key-asker.js';

/** Who waits for a key. Told the outcome, or why there is none. */
export interface Reader {
  readonly deadline: Deadline;
  /** Nobody waits any more. */
  readonly settled: boolean;
  /** Must be proven: a lone one is better asked for together with its proof. */
  readonly verified: boolean;
  deliver(outcome: ClaimOutcome): void;
  reject(error: unknown): void;
}

/** A key and all who asked for it in the same turn. */
interface Asked<R extends Reader> {
  readonly key: Uint8Array;
  readonly readers: R[];
}

export interface ReadGroupsOptions<R extends Reader> {
  readonly asker: KeyAsker;
  /**
   * Asks for a lone key with its proof, when that is the better way; false when a plain Get is. `learn` is to be told how many
   * bytes the entry turned out to have.
   */
  readonly askAlone: (key: Uint8Array, reader: R, learn: (bytes: number) => void) => boolean;
  /**
   * Rejects when the server has fallen behind the trusted head, which answers to plain reads do not show. Undefined: it had
   * not a moment ago.
   */
  readonly probe: () => Promise<void> | undefined;
}

/**
 * Groups under way at a time. Two keep the server busy while the answer of one is worked through (measured: one gives
 * two thirds of the reads, four no more than three).
 */
const MAX_GROUPS = 3;
/** Below this a group is not split to fill the places. */
const MIN_SPLIT_KEYS = 48;

/** What was sent so far. */
export interface ReadCounts {
  groups: number;
  /** Keys in groups; those that several readers asked for count once. */
  groupedKeys: number;
  /** Reads that went out on their own. */
  alone: number;
}

export class ReadGroups<R extends Reader> {
  readonly counts: ReadCounts = { groups: 0, groupedKeys: 0, alone: 0 };
  readonly #options: ReadGroupsOptions<R>;
  readonly #asker: KeyAsker;
  #queue = new Map<string, Asked<R>>();
  #inFlight = 0;
  #turnEnds = false;

  constructor(options: ReadGroupsOptions<R>) {
    this.#options = options;
    this.#asker = options.asker;
    this.#asker.whenOnlySingly(() => this.#sendAllAlone());
  }

  /** Asks for `key`, whose `keyName` is `name`, with what else is asked in this turn. */
  read(key: Uint8Array, name: string, reader: R): void {
    if (this.#asker.onlySingly) {
      void this.#one({ key, readers: [reader] });
      return;
    }
    const asked = this.#queue.get(name);
    if (asked) asked.readers.push(reader);
    else this.#queue.set(name, { key, readers: [reader] });
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    const end = () => {
      this.#turnEnds = false;
      this.#sendAll();
    };
    // With nothing on its way, what is asked right now is all: whoever asks one by one is not kept waiting. (Promises that
    // are due are served before the tick.) Else answers that come in together have their readers ask together.
    if (this.#inFlight === 0) process.nextTick(end);
    else setImmediate(end);
  }

  /** A defect must not get past the promises of those who wait. */
  #sendAll(): void {
    try {
      this.#send();
    } catch (error) {
      for (const { readers } of this.#take(Infinity)) for (const reader of readers) reader.reject(error);
    }
  }

  #send(): void {
    while (this.#queue.size > 0 && this.#inFlight < MAX_GROUPS) {
      const share = Math.max(MIN_SPLIT_KEYS, Math.ceil(this.#queue.size / (MAX_GROUPS - this.#inFlight)));
      const group = this.#take(Math.min(share, this.#asker.limit));
      if (group.length === 0) return;
      this.#inFlight += 1;
      void (group.length === 1 ? this.#one(group[0] as Asked<R>) : this.#group(group)).finally(() => {
        this.#inFlight -= 1;
        if (!this.#turnEnds) this.#sendAll();
      });
    }
  }

  /** From now on every read goes out on its own: so do those in line. */
  #sendAllAlone(): void {
    for (const asked of this.#take(Infinity)) void this.#one(asked);
  }

  /** The oldest keys that somebody still waits for. */
  #take(count: number): Asked<R>[] {
    const taken: Asked<R>[] = [];
    const waiting = this.#queue;
    // Not emptied but left behind: see `LinkedList`.
    this.#queue = new Map();
    for (const [name, asked] of waiting) {
      if (taken.length >= count) this.#queue.set(name, asked);
      else if (asked.readers.some(({ settled }) => !settled)) taken.push(asked);
    }
    return taken;
  }

  /** Never rejects: its readers are told. */
  async #group(group: readonly Asked<R>[]): Promise<void> {
    this.counts.groups += 1;
    this.counts.groupedKeys += group.length;
    try {
      const probed = this.#probe(group);
      const keys = group.map(({ key }) => key);
      const outcomes: ClaimOutcome[] = [];
      await this.#asker.ask(keys, latest(group), (part, from) => {
        part.forEach((outcome, i) => (outcomes[from + i] = outcome));
      });
      deliver(group, outcomes, probed && (await probed));
    } catch (error) {
      if (isOfSomeKeys(error)) await this.#apart(group);
      else for (const { readers } of group) for (const reader of readers) reader.reject(error);
    }
  }

  /** One key, or an answer that got too large, must not fail the others: the group is asked in halves. */
  async #apart(group: readonly Asked<R>[]): Promise<void> {
    const middle = group.length >> 1;
    await Promise.all(
      [group.slice(0, middle), group.slice(middle)].map((half) =>
        half.length === 1 ? this.#one(half[0] as Asked<R>) : this.#group(half),
      ),
    );
  }

  /** Never rejects. */
  async #one({ key, readers }: Asked<R>): Promise<void> {
    this.counts.alone += 1;
    try {
      const [lone] = readers;
      const learn = (bytes: number) => this.#asker.learn(bytes);
      if (lone && readers.length === 1 && lone.verified && this.#options.askAlone(key, lone, learn)) return;
      const group = [{ key, readers }];
      const probed = this.#probe(group);
      deliver(group, await this.#asker.askOne(key, latest(group)), probed && (await probed));
    } catch (error) {
      for (const reader of readers) reader.reject(error);
    }
  }

  /** Why verified readers must not be told what was answered; undefined when they may. */
  #probe(group: readonly Asked<R>[]): Promise<unknown> | undefined {
    if (!group.some(({ readers }) => readers.some(({ verified }) => verified))) return undefined;
    return this.#options.probe()?.then(
      () => undefined,
      (error: unknown) => error,
    );
  }
}

function deliver(group: readonly Asked<Reader>[], outcomes: readonly ClaimOutcome[], behind: unknown): void {
  group.forEach(({ readers }, i) => {
    for (const reader of readers) {
      if (reader.verified && behind !== undefined) reader.reject(behind);
      else reader.deliver(outcomes[i] as ClaimOutcome);
    }
  });
}

/** The deadline of whoever waits longest: no reader is cut off by another's. Aborts are each reader's own. */
function latest(group: readonly Asked<Reader>[]): Deadline {
  let latest: Deadline | undefined;
  for (const { readers } of group) {
    for (const { deadline } of readers) if (!latest || deadline.endsAt > latest.endsAt) latest = deadline;
  }
  if (!latest) throw new Error('a group has readers');
  return latest;
}
