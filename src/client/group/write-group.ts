// What goes into one transaction: the writes, their request as it grows, and the keys that they are about.
import type { ImmuErrorCode } from '../../errors.js';
import { keyName } from '../../verify/key-name.js';
import { AdaptiveSize } from './adaptive-size.js';
import { encodeCondition } from './encode-condition.js';
import type { NamedKeys } from './key-table.js';
import { RequestEncoder } from './request-encoder.js';
import type { Ending, WriteContent, WriteForm } from './write-form.js';

/** A group is closed at this size: larger ones hold up those behind them and save little. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** The keys that a write is about, by their `keyName`. */
export interface Keys {
  readonly written: readonly string[];
  /** That it leads to or depends on; undefined when there are none. */
  readonly needed: readonly string[] | undefined;
}

/** What is sent for a group. */
export interface GroupRequest {
  readonly form: WriteForm;
  /** In its wire form. */
  readonly request: Uint8Array;
  /** How many entries it writes. */
  readonly count: number;
  /** What they are called ({@link WriteForm.nameOf}). */
  readonly names: Iterable<string>;
  /** Of the names that do not stand for a value that stays. */
  readonly endings: ReadonlyMap<string, Ending>;
  /** The names, as what is kept when the request is not: where all stand for values that stay. */
  readonly keys?: () => NamedKeys;
}

/** What goes into one transaction, and waits in line. */
export interface WaitingGroup<W> extends GroupRequest {
  /** How many entries go together. */
  readonly size: AdaptiveSize;
  readonly writes: readonly W[];
  /** Whether it is about one of these keys: then what is about them must not overtake it. */
  meets(written: Iterable<string>, needed: Iterable<string> | undefined): boolean;
  /** Whether the other one, which is on its way, has to be answered first. */
  follows(other: WaitingGroup<W>): boolean;
  /** Without the writes that are settled; undefined when none is left. */
  wanted(isSettled: (write: W) => boolean): WaitingGroup<W> | undefined;
  /** In two, in order; undefined for what is all or nothing. `refused`: the code of what the whole was refused with. */
  halves(refused: ImmuErrorCode): readonly [WaitingGroup<W>, WaitingGroup<W>] | undefined;
}

const SINCE_TX = 0x10;
export const NO_ENDINGS: ReadonlyMap<string, Ending> = new Map();

export class Group<W> implements WaitingGroup<W> {
  readonly writes: W[] = [];
  readonly names = new Set<string>();
  readonly #request = new RequestEncoder();
  /** Where in the request each write ends. */
  readonly #ends: number[] = [];
  #needed: Set<string> | undefined;
  #endings: ReadonlyMap<string, Ending> = NO_ENDINGS;
  #conditions = 0;

  constructor(
    readonly form: WriteForm,
    /** How many entries go together. */
    readonly size: AdaptiveSize,
  ) {}

  get request(): Uint8Array {
    return this.#request.finish();
  }

  get count(): number {
    return this.names.size;
  }

  get endings(): ReadonlyMap<string, Ending> {
    return this.#endings;
  }

  /** Whether a write may join: not a key twice, not too much. */
  takes({ written, needed }: Keys, { bytes, conditions }: WriteContent): boolean {
    const { limit } = this.size;
    if (this.names.size + written.length > limit || this.#conditions + conditions.length > limit)
      return false;
    return this.#request.length + bytes <= MAX_REQUEST_BYTES && !this.meets(written, needed);
  }

  /** The same for one transaction. */
  meets(written: Iterable<string>, needed: Iterable<string> | undefined): boolean {
    for (const name of written) if (this.names.has(name) || this.#needed?.has(name)) return true;
    if (needed) for (const name of needed) if (this.names.has(name)) return true;
    return false;
  }

  follows(other: WaitingGroup<W>): boolean {
    return other.meets(this.names, this.#needed);
  }

  wanted(isSettled: (write: W) => boolean): Group<W> | undefined {
    if (!this.writes.some(isSettled)) return this;
    const left = this.part((write) => !isSettled(write));
    return left.writes.length === 0 ? undefined : left;
  }

  halves(): readonly [Group<W>, Group<W>] | undefined {
    if (this.writes.length < 2) return undefined;
    const middle = this.writes.length >> 1;
    return [this.part((_, place) => place < middle), this.part((_, place) => place >= middle)];
  }

  add(write: W, { written, needed }: Keys, { entries, conditions, noWait, sinceTx }: WriteContent): void {
    const { form } = this;
    const request = this.#request;
    this.writes.push(write);
    for (let i = 0; i < entries.length; i++) this.#put(entries[i], written[i] as string);
    if (needed) {
      this.#needed ??= new Set();
      for (const name of needed) this.#needed.add(name);
    }
    if (form.conditionTag !== undefined)
      for (const condition of conditions) encodeCondition(request, form.conditionTag, condition);
    this.#conditions += conditions.length;
    if (sinceTx !== undefined) request.id(SINCE_TX, sinceTx);
    if (noWait === true) request.flag(form.noWaitTag);
    this.#ends.push(request.length);
  }

  /** These writes of it as a group of their own. It needs what the whole one needs. */
  part(isIn: (write: W, place: number) => boolean): Group<W> {
    const { form, size, request } = this;
    const part = new Group<W>(form, size);
    let start = 0;
    this.writes.forEach((write, place) => {
      const end = this.#ends[place] as number;
      if (isIn(write, place)) part.#append(write, request.subarray(start, end));
      start = end;
    });
    part.#needed = this.#needed;
    for (const entry of form.read(part.request)) part.#note(entry, form.nameOf(entry));
    return part;
  }

  #append(write: W, fields: Uint8Array): void {
    this.writes.push(write);
    this.#request.append(fields);
    this.#ends.push(this.#request.length);
  }

  #put(entry: unknown, name: string): void {
    this.form.encode(this.#request, entry);
    this.#note(entry, name);
  }

  #note(entry: unknown, name: string): void {
    this.names.add(name);
    const ending = this.form.endingOf?.(entry);
    if (ending === undefined) return;
    if (this.#endings === NO_ENDINGS) this.#endings = new Map();
    (this.#endings as Map<string, Ending>).set(name, ending);
  }
}

/** The request of a write that goes alone. */
export function requestOf(content: WriteContent): Uint8Array {
  if (content.batch) return content.batch.request();
  const group = new Group<undefined>(content.form, new AdaptiveSize(1, 1));
  group.add(undefined, keysOf(content), content);
  return group.request;
}

/** The keys that a write is about. */
export function keysOf<E>({ form, entries, conditions }: WriteContent<E>): Keys {
  const written = entries.map((entry) => form.nameOf(entry));
  if (!form.targetOf && conditions.length === 0) return { written, needed: undefined };
  const needed = conditions.map(({ key }) => keyName(key));
  for (const entry of entries) {
    const target = form.targetOf?.(entry);
    if (target !== undefined) needed.push(target);
  }
  return { written, needed };
}
