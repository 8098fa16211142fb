// How a client stands: what is now, and what changes, for who watches it. Whoever watches slowly loses the oldest changes, and is
// told how many; moves of a head that nobody has taken yet are one.
import { visible } from '../../visible.js';
import type {
  ConnectionEvent,
  ForkEvent,
  HeadEvent,
  RefusalEvent,
  SessionEvent,
  WarningEvent,
  WatchEvents,
  WatchName,
} from './events.js';
import type { Watch } from './watch.js';

/** Changes that wait for one who watches. */
const MAX_CHANGES = 256;
/** Warnings that are kept for {@link ClientStatus.now}. */
const MAX_WARNINGS = 16;

interface Change<Kind extends string, Event> {
  readonly kind: Kind;
  readonly event: Event;
  /** Changes before this one that were dropped, because they were not taken in time. */
  readonly dropped: number;
}

/** What changed: `event` is what was published of it. */
export type StatusChange =
  | Change<'connection', ConnectionEvent>
  | Change<'session', SessionEvent>
  /** `moves`: how many moves of this database's head are told at once. */
  | (Change<'head', HeadEvent> & { readonly moves: number })
  | Change<'refusal', RefusalEvent>
  | Change<'fork', ForkEvent>
  | Change<'warning', WarningEvent>;

/** How a client stands at a moment. */
export interface StatusNow {
  /**
   * A call that is made now has what it needs, as far as is known: the client is open, its connection stands (or has not been needed
   * yet), no session was refused, and no database of it is refused. Says nothing of how busy it is: see `saturated`.
   */
  readonly ready: boolean;
  /** A further call would wait for room, or be refused with QUEUE_FULL: back-pressure, not trouble. */
  readonly saturated: boolean;
  /** `idle`: not needed yet. A connection that was lost is made again by the next call. */
  readonly connection: 'idle' | ConnectionEvent['state'];
  /** Calls that were let in, the bytes of their keys and values, and calls that wait to be let in. */
  readonly load: { readonly calls: number; readonly bytes: number; readonly waiting: number };
  /** Why `ready` is false, in words; empty where it is true. */
  readonly troubles: readonly string[];
  /** Databases with verified calls. `refused`: the server did not stand by what is trusted when it was last asked. */
  readonly databases: Readonly<Record<string, { readonly headTx: bigint; readonly refused: boolean }>>;
  /** What a person should look at; nothing fails by it. */
  readonly warnings: readonly string[];
}

/** How a client stands: {@link now}, and, iterated over, every change from then on until the client is closed. */
export interface ClientStatus extends AsyncIterable<StatusChange> {
  readonly now: StatusNow;
}

/** What a status is made of that is not told by events. */
export interface Standing {
  readonly isOpen: () => boolean;
  readonly isFull: () => boolean;
  readonly load: () => StatusNow['load'];
  readonly databases: () => StatusNow['databases'];
  /** Told once when the client is closed; returns what takes it back. */
  readonly whenClosed: (tell: () => void) => () => void;
}

const KINDS = {
  'immu-ts:connection': 'connection',
  'immu-ts:session': 'session',
  'immu-ts:head': 'head',
  'immu-ts:refusal': 'refusal',
  'immu-ts:fork': 'fork',
  'immu-ts:warning': 'warning',
} as const satisfies Partial<Record<WatchName, StatusChange['kind']>>;
type StatusName = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as StatusName[];

export class Status implements ClientStatus {
  readonly #watch: Watch;
  readonly #standing: Standing;
  readonly #warnings: string[] = [];
  readonly #refusedSessions = new Map<string, string>();
  #connection: StatusNow['connection'] = 'idle';

  constructor(watch: Watch, standing: Standing) {
    this.#watch = watch;
    this.#standing = standing;
    watch.listen(['immu-ts:connection', 'immu-ts:session', 'immu-ts:warning'], (name, event) => {
      this.#note(name, event);
    });
  }

  #note(name: WatchName, event: WatchEvents[WatchName]): void {
    if (name === 'immu-ts:connection') this.#connection = (event as ConnectionEvent).state;
    else if (name === 'immu-ts:session') {
      const { database, state, code = 'UNKNOWN' } = event as SessionEvent;
      if (state === 'refused') this.#refusedSessions.set(database, code);
      else this.#refusedSessions.delete(database);
    } else if (this.#warnings.length < MAX_WARNINGS) this.#warnings.push((event as WarningEvent).message);
  }

  get now(): StatusNow {
    const { isFull, load, databases } = this.#standing;
    const known = databases();
    const troubles = this.#troubles(known);
    return {
      ready: troubles.length === 0,
      saturated: isFull(),
      connection: this.#connection,
      load: load(),
      troubles,
      databases: known,
      warnings: [...this.#warnings],
    };
  }

  #troubles(databases: StatusNow['databases']): string[] {
    if (!this.#standing.isOpen()) return ['the client is closed'];
    const without = this.#connection === 'lost' || this.#connection === 'failed';
    return [
      ...(without || this.#connection === 'reconnecting' ? [`no connection: ${this.#connection}`] : []),
      ...[...this.#refusedSessions].map(([name, code]) => `no session on ${visible(name)}: ${code}`),
      ...Object.entries(databases).flatMap(([name, { refused }]) =>
        refused ? [`the server is refused on ${visible(name)}`] : [],
      ),
    ];
  }

  [Symbol.asyncIterator](): AsyncIterator<StatusChange, undefined> {
    return new Changes(this.#watch, this.#standing);
  }
}

class Changes implements AsyncIterator<StatusChange, undefined> {
  readonly #stop: () => void;
  readonly #waiting: StatusChange[] = [];
  readonly #takers: ((result: IteratorResult<StatusChange, undefined>) => void)[] = [];
  #dropped = 0;
  #over = false;

  constructor(watch: Watch, standing: Standing) {
    const ignore = watch.listen(NAMES, (name, event) => this.#add(name as StatusName, event));
    const forget = standing.isOpen() ? standing.whenClosed(() => this.#end()) : undefined;
    this.#stop = () => {
      ignore();
      forget?.();
    };
    if (!forget) this.#end();
  }

  #add(name: StatusName, event: WatchEvents[WatchName]): void {
    const change = { kind: KINDS[name], event, dropped: 0 } as StatusChange;
    const told = change.kind === 'head' ? { ...change, moves: 1 } : change;
    const taker = this.#takers.shift();
    if (taker) {
      taker({ done: false, value: told });
      return;
    }
    this.#waiting.push(told.kind === 'head' ? { ...told, moves: 1 + this.#movesBefore(told.event) } : told);
    if (this.#waiting.length <= MAX_CHANGES) return;
    this.#waiting.shift();
    this.#dropped += 1;
  }

  /** Takes back the move of the same head that nobody has taken yet; the number of moves that it told. */
  #movesBefore({ database, outcome }: HeadEvent): number {
    const at = this.#waiting.findLastIndex(
      (change) => change.kind === 'head' && change.event.database === database,
    );
    const before = this.#waiting[at];
    if (before?.kind !== 'head' || before.event.outcome !== 'root' || outcome !== 'root') return 0;
    this.#waiting.splice(at, 1);
    return before.moves;
  }

  next(): Promise<IteratorResult<StatusChange, undefined>> {
    const next = this.#waiting.shift();
    if (next) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      return Promise.resolve({ done: false, value: { ...next, dropped } });
    }
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  return(): Promise<IteratorResult<StatusChange, undefined>> {
    this.#waiting.length = 0;
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** What waits is told all the same. */
  #end(): void {
    if (this.#over) return;
    this.#over = true;
    // While it is being made it does not know yet how.
    queueMicrotask(() => this.#stop());
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
  }
}
