// Groups the reads that are in flight: what is asked in one turn goes out as few GetAll, each key once. A lone read goes
// out at once, on its own. Users who may not call GetAll are served one by one.
import { ServerError } from '../../errors.js';
import type { ClaimOutcome, Context, Verifier } from '../../verify/verifier.js';
import type { Deadline } from '../flow/deadline.js';
import { isKeyNotFound, isNotAllowed } from '../net/server-errors.js';
import type { Rpc } from '../net/rpc.js';
import { answerParts } from './answer-parts.js';
import { AdaptiveSize } from './adaptive-size.js';

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

/** Told the outcomes of some of the keys that were asked for: of those from place `from` on. */
export type TellPart = (outcomes: readonly ClaimOutcome[], from: number) => void;

/** A key and all who asked for it in the same turn. */
interface Asked<R extends Reader> {
  readonly key: Uint8Array;
  readonly readers: R[];
}

export interface ReadGroupsOptions<R extends Reader> {
  readonly rpc: Rpc;
  readonly verifier: Verifier;
  readonly context: () => Context;
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
const MAX_KEYS = 1024;
/** What the answer to one group should have at most, by what answers had lately. */
const MAX_ANSWER_BYTES = 1024 * 1024;

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
  readonly #size = new AdaptiveSize(MAX_KEYS, MAX_ANSWER_BYTES);
  #queue = new Map<string, Asked<R>>();
  #inFlight = 0;
  #turnEnds = false;
  #onlyAlone = false;

  constructor(options: ReadGroupsOptions<R>) {
    this.#options = options;
  }

  /** Asks for `key`, whose `keyName` is `name`, with what else is asked in this turn. */
  read(key: Uint8Array, name: string, reader: R): void {
    if (this.#onlyAlone) {
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

  /**
   * Reads keys together: in one answer, where one can hold them. A key may be named again. `tell` gets the outcomes, part by
   * part as they are checked; resolves when it has got all of them, or when `isOver` says that nobody waits for more.
   */
  async readTogether(
    keys: readonly Uint8Array[],
    names: readonly string[],
    deadline: Deadline,
    tell: TellPart,
    isOver = () => false,
  ): Promise<void> {
    const places = new Map<string, number>();
    const asked = keys.filter((_, i) => isFirst(places, names[i] as string));
    const outcomes: ClaimOutcome[] = [];
    const keep: TellPart = (part, from) => part.forEach((outcome, i) => (outcomes[from + i] = outcome));
    for (let at = 0; at < asked.length && !isOver();) {
      const now = asked.slice(at, at + this.#size.limit);
      const start = at;
      const told = asked.length === keys.length ? tell : keep;
      await this.#askInParts(now, deadline, (part, from) => told(part, start + from));
      at += now.length;
    }
    if (outcomes.length === 0 || isOver()) return;
    tell(
      names.map((name) => outcomes[places.get(name) as number] as ClaimOutcome),
      0,
    );
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
      const group = this.#take(Math.min(share, this.#size.limit));
      if (group.length === 0) return;
      this.#inFlight += 1;
      void (group.length === 1 ? this.#one(group[0] as Asked<R>) : this.#group(group)).finally(() => {
        this.#inFlight -= 1;
        if (!this.#turnEnds) this.#sendAll();
      });
    }
  }

  /** From now on every read goes out on its own, those in line too. */
  #goAlone(): void {
    this.#onlyAlone = true;
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
      await this.#ask(keys, latest(group), (part, from) => {
        part.forEach((outcome, i) => (outcomes[from + i] = outcome));
      });
      deliver(group, outcomes, probed && (await probed));
    } catch (error) {
      if (error instanceof ServerError && !this.#isForAll(error)) await this.#apart(group);
      else for (const { readers } of group) for (const reader of readers) reader.reject(error);
    }
  }

  /** Errors that a part of the group would meet just as well. */
  #isForAll(error: ServerError): boolean {
    return error.code !== 'SERVER_REFUSED' && error.code !== 'LIMIT_EXCEEDED';
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
      const learn = (bytes: number) => this.#size.learn(bytes, 1);
      if (lone && readers.length === 1 && lone.verified && this.#options.askAlone(key, lone, learn)) return;
      const group = [{ key, readers }];
      const probed = this.#probe(group);
      deliver(group, await this.#askOne(key, latest(group)), probed && (await probed));
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

  /** Where the answer gets too large the keys are asked for in halves: one after the other, for they are large. */
  async #askInParts(keys: readonly Uint8Array[], deadline: Deadline, tell: TellPart): Promise<void> {
    try {
      await this.#ask(keys, deadline, tell);
    } catch (error) {
      if (!isTooLarge(error) || keys.length === 1 || this.#onlyAlone) throw error;
      const middle = keys.length >> 1;
      await this.#askInParts(keys.slice(0, middle), deadline, tell);
      await this.#askInParts(keys.slice(middle), deadline, (part, from) => tell(part, middle + from));
    }
  }

  async #ask(keys: readonly Uint8Array[], deadline: Deadline, tell: TellPart): Promise<void> {
    if (this.#onlyAlone || keys.length === 1) {
      await this.#askSingly(keys, deadline, tell);
      return;
    }
    const { rpc, context } = this.#options;
    const asked = context();
    let answer: Uint8Array;
    try {
      answer = await rpc.raw('GetAll', { keys }, timeLeft(deadline));
    } catch (error) {
      if (!isNotAllowed(error)) {
        if (error instanceof ServerError && !this.#isForAll(error)) this.#size.tooLarge(keys.length);
        throw error;
      }
      this.#goAlone();
      await this.#askSingly(keys, deadline, tell);
      return;
    }
    this.#size.learn(answer.length, keys.length);
    await Promise.all(
      answerParts(keys, answer).map(async (part) => {
        tell(await this.#claims(part.keys, part.answer, { asked, until: deadline.endsAt }), part.from);
      }),
    );
  }

  async #askSingly(keys: readonly Uint8Array[], deadline: Deadline, tell: TellPart): Promise<void> {
    tell((await Promise.all(keys.map((key) => this.#askOne(key, deadline)))).flat(), 0);
  }

  async #askOne(key: Uint8Array, deadline: Deadline): Promise<ClaimOutcome[]> {
    const asked = this.#options.context();
    let answer: Uint8Array;
    try {
      answer = await this.#options.rpc.raw('Get', { key }, timeLeft(deadline));
    } catch (error) {
      if (!isKeyNotFound(error)) throw error;
      this.#size.learn(key.length, 1);
      return [{ kind: 'missing' }];
    }
    this.#size.learn(answer.length, 1);
    return this.#claims([key], answer, { asked, until: deadline.endsAt }, true);
  }

  /** `asked`: context of the question, when it was sent. `until`: when the last reader is gone. */
  async #claims(
    keys: readonly Uint8Array[],
    answer: Uint8Array,
    { asked: context, until }: { readonly asked: Context; readonly until: number },
    single = false,
  ): Promise<ClaimOutcome[]> {
    const question = { kind: 'claims', keys, ...(single && { single }) } as const;
    const job = { question, context, answer };
    const verdict = await this.#options.verifier.verify(job, { until });
    if (verdict.ok && verdict.proven.kind === 'claims') {
      const { outcomes } = verdict.proven;
      if (!outcomes.some(isAboutWhole)) return [...outcomes];
      return outcomes.map((outcome) => (isAboutWhole(outcome) ? { ...outcome, job } : outcome));
    }
    // Not even an answer: every key of it is refuted.
    const refuted = verdict.ok ? { check: 'claims', detail: 'no claims' } : verdict.refuted;
    return keys.map(() => ({ kind: 'refuted', refuted, shown: answer, job }));
  }
}

/** The answer was larger than the server sends, or than this client takes. */
function isTooLarge(error: unknown): boolean {
  return error instanceof ServerError && error.code === 'LIMIT_EXCEEDED';
}

/** Gives a name that was not there before the next place. */
function isFirst(places: Map<string, number>, name: string): boolean {
  const before = places.size;
  if (!places.has(name)) places.set(name, before);
  return places.size > before;
}

/** What fails only beside the other entries: its evidence is the whole answer. */
function isAboutWhole(outcome: ClaimOutcome): outcome is Extract<ClaimOutcome, { kind: 'refuted' }> {
  return outcome.kind === 'refuted' && outcome.refuted.check.startsWith('claims.');
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

function timeLeft(deadline: Deadline): { timeoutMs?: number } {
  const { timeoutMs } = deadline.left;
  return timeoutMs === undefined ? {} : { timeoutMs };
}
