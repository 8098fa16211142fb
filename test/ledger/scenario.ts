// Generated scenarios: a seeded stream of requests of every kind, valid and invalid, that any immudb must answer alike.

export interface Step {
  readonly method: string;
  readonly request: object;
}

/** Mulberry32: small, seeded, good enough to vary scenarios. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

const b = (text: string): Buffer => Buffer.from(text);
const ACTIONS = ['EXCLUDE', 'ONLY_DIGEST', 'RAW_VALUE', 'RESOLVE'];
const SCORES = [0, -0, 1, -1, 2.5, -2.5, 1e300, -1e300, Number.MIN_VALUE, 100, Number.MAX_VALUE];

/** Steps against a database that has `last` transactions, whatever `last` is when each step is made. */
export class Scenario {
  readonly #random: Random;
  #last = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  step(last: number): Step {
    const r = this.#random;
    this.#last = last;
    const tx = (): number => (r.chance(0.05) ? last + 1 + r.below(3) : r.below(last + 1));
    const make = r.pick<() => Step>([
      () => ({ method: 'Set', request: this.#set() }),
      () => ({ method: 'Set', request: this.#set() }),
      () => ({ method: 'VerifiableSet', request: { setRequest: this.#set(), proveSinceTx: tx() } }),
      () => ({ method: 'VerifiableSet', request: { setRequest: this.#set(), proveSinceTx: tx() } }),
      () => ({ method: 'Delete', request: this.#delete() }),
      () => ({ method: 'SetReference', request: this.#reference(tx) }),
      () => ({
        method: 'VerifiableSetReference',
        request: { referenceRequest: this.#reference(tx), proveSinceTx: tx() },
      }),
      () => ({ method: 'ZAdd', request: this.#zAdd(tx) }),
      () => ({ method: 'VerifiableZAdd', request: { zAddRequest: this.#zAdd(tx), proveSinceTx: tx() } }),
      () => ({ method: 'ExecAll', request: this.#execAll(tx) }),
      () => ({ method: 'ExecAll', request: this.#execAll(tx) }),
      () => ({ method: 'Get', request: this.#get(tx) }),
      () => ({ method: 'Get', request: this.#get(tx) }),
      () => ({ method: 'VerifiableGet', request: { keyRequest: this.#get(tx), proveSinceTx: tx() } }),
      () => ({ method: 'VerifiableGet', request: { keyRequest: this.#get(tx), proveSinceTx: tx() } }),
      () => ({ method: 'VerifiableGet', request: { keyRequest: { key: this.#key() }, proveSinceTx: tx() } }),
      () => ({
        method: 'GetAll',
        request: { keys: this.#list(5, () => this.#key()), sinceTx: this.#since() },
      }),
      () => ({ method: 'History', request: this.#history() }),
      () => ({ method: 'Scan', request: this.#scan() }),
      () => ({ method: 'Scan', request: this.#scan() }),
      () => ({ method: 'ZScan', request: this.#zScan() }),
      () => ({ method: 'ZScan', request: this.#zScan() }),
      () => ({ method: 'TxById', request: this.#tx(tx) }),
      () => ({ method: 'VerifiableTxById', request: { ...this.#tx(tx), proveSinceTx: tx() } }),
      () => ({ method: 'TxScan', request: this.#txScan(tx) }),
      () => ({ method: 'Count', request: { prefix: b(r.pick(['', 'k', 'k1', 'zz'])) } }),
      () => ({ method: 'CountAll', request: {} }),
      () => ({ method: 'CurrentState', request: {} }),
    ]);
    return make();
  }

  #list<T>(max: number, make: () => T): T[] {
    return Array.from({ length: this.#random.below(max + 1) }, make);
  }

  #key(): Buffer {
    const r = this.#random;
    if (r.chance(0.02)) return Buffer.alloc(0);
    if (r.chance(0.02)) return Buffer.alloc(r.pick([40, 63, 64, 65]), r.pick([0x61, 0xff, 0]));
    return b(`${r.pick(['k', 'k1', 'ref'])}${r.below(8)}`);
  }

  #plain(): Buffer {
    const r = this.#random;
    return r.chance(0.9) ? b(`k${r.below(10)}`) : this.#key();
  }

  #metadata(): object | undefined {
    const r = this.#random;
    if (r.chance(0.75)) return undefined;
    return {
      ...(r.chance(0.15) ? { deleted: true } : {}),
      ...(r.chance(0.5)
        ? { expiration: r.pick([{ expiresAt: 4102444800 }, { expiresAt: 1 }, {}, { expiresAt: -5 }]) }
        : {}),
      ...(r.chance(0.2) ? { nonIndexable: true } : {}),
    };
  }

  #pair(): object {
    const r = this.#random;
    const metadata = this.#metadata();
    return {
      key: this.#plain(),
      value: r.chance(0.02)
        ? Buffer.alloc(r.pick([255, 256, 300]), 7)
        : b(`v${r.below(1000)}`.slice(0, r.below(6))),
      ...(metadata ? { metadata } : {}),
    };
  }

  #preconditions(): object[] {
    const r = this.#random;
    if (r.chance(0.8)) return [];
    return this.#list(3, () =>
      r.pick<() => object>([
        () => ({ keyMustExist: { key: this.#key() } }),
        () => ({ keyMustNotExist: { key: this.#key() } }),
        () => ({ keyNotModifiedAfterTX: { key: this.#key(), txID: r.below(40) } }),
        () => (r.chance(0.2) ? {} : { keyMustExist: { key: this.#plain() } }),
      ])(),
    );
  }

  #set(): object {
    const r = this.#random;
    const many = r.chance(0.1) ? 18 : r.chance(0.4) ? 5 : 1;
    return {
      KVs: many === 1 ? [this.#pair()] : this.#list(many, () => this.#pair()),
      noWait: r.chance(0.1),
      preconditions: this.#preconditions(),
    };
  }

  #delete(): object {
    return {
      keys: this.#list(3, () => this.#key()),
      sinceTx: this.#since(),
      noWait: this.#random.chance(0.2),
    };
  }

  /** Never an older tx: a server may answer such a request from any snapshot that is new enough. */
  #since(): number {
    const r = this.#random;
    return r.chance(0.8) ? 0 : this.#last + (r.chance(0.8) ? 0 : 1);
  }

  #bound(tx: () => number): object {
    const r = this.#random;
    if (r.chance(0.5)) return {};
    return { atTx: r.chance(0.9) ? tx() : 0, boundRef: r.chance(0.9) };
  }

  #reference(tx: () => number): object {
    const r = this.#random;
    return {
      key: r.chance(0.8) ? b(`ref${r.below(8)}`) : this.#key(),
      referencedKey: this.#plain(),
      ...this.#bound(tx),
      noWait: r.chance(0.1),
      preconditions: this.#preconditions(),
    };
  }

  #zAdd(tx: () => number): object {
    const r = this.#random;
    return {
      set: r.chance(0.03) ? Buffer.alloc(0) : b(`s${r.below(2)}`),
      score: r.pick(SCORES),
      key: this.#plain(),
      ...this.#bound(tx),
    };
  }

  #execAll(tx: () => number): object {
    const r = this.#random;
    const here: Buffer[] = [];
    const target = (): Buffer => (here.length > 0 && r.chance(0.6) ? r.pick(here) : this.#plain());
    const bound = (): object => (r.chance(0.4) ? { boundRef: true } : this.#bound(tx));
    return {
      Operations: this.#list(6, () =>
        r.pick<() => object>([
          () => {
            const kv = this.#pair() as { key: Buffer };
            here.push(kv.key);
            return { kv };
          },
          () => ({ ref: { key: b(`ref${r.below(12)}`), referencedKey: target(), ...bound() } }),
          () => ({ zAdd: { set: b(`s${r.below(2)}`), score: r.pick(SCORES), key: target(), ...bound() } }),
          () => (r.chance(0.1) ? {} : { kv: { key: b(`x${r.below(50)}`), value: b('x') } }),
        ])(),
      ),
      noWait: r.chance(0.2),
      preconditions: this.#preconditions(),
    };
  }

  #get(tx: () => number): object {
    const r = this.#random;
    return {
      key: this.#key(),
      ...(r.chance(0.4) ? { atTx: tx() } : {}),
      ...(r.chance(0.1) ? { sinceTx: this.#since() } : {}),
      ...(r.chance(0.2) ? { atRevision: r.below(9) - 4 } : {}),
    };
  }

  #history(): object {
    const r = this.#random;
    return {
      key: this.#key(),
      offset: r.chance(0.5) ? 0 : r.below(6),
      limit: r.pick([0, 1, 3, 2500, 2501, -1]),
      desc: r.chance(0.5),
      sinceTx: this.#since(),
    };
  }

  #scan(): object {
    const r = this.#random;
    const maybe = (): Buffer => (r.chance(0.5) ? Buffer.alloc(0) : this.#key());
    return {
      seekKey: maybe(),
      endKey: maybe(),
      prefix: b(r.pick(['', '', 'k', 'k1', 'ref', 'zz'])),
      desc: r.chance(0.5),
      limit: r.pick([0, 0, 1, 3, 10, 2501]),
      offset: r.pick([0, 0, 1, 4]),
      inclusiveSeek: r.chance(0.5),
      inclusiveEnd: r.chance(0.5),
      sinceTx: this.#since(),
    };
  }

  #zScan(): object {
    const r = this.#random;
    return {
      set: r.chance(0.03) ? Buffer.alloc(0) : b(`s${r.below(2)}`),
      ...(r.chance(0.3) ? { seekKey: this.#plain(), seekScore: r.pick(SCORES), seekAtTx: r.below(3) } : {}),
      inclusiveSeek: r.chance(0.5),
      limit: r.pick([0, 0, 1, 3, 10, 2501]),
      desc: r.chance(0.5),
      ...(r.chance(0.3) ? { minScore: { score: r.pick(SCORES) } } : {}),
      ...(r.chance(0.3) ? { maxScore: r.chance(0.1) ? {} : { score: r.pick(SCORES) } } : {}),
      offset: r.pick([0, 0, 1, 4]),
      sinceTx: this.#since(),
    };
  }

  #spec(): object {
    const r = this.#random;
    if (r.chance(0.3)) return {};
    const one = (): object => (r.chance(0.2) ? {} : { action: r.pick(ACTIONS) });
    return {
      entriesSpec: {
        ...(r.chance(0.8) ? { kvEntriesSpec: one() } : {}),
        ...(r.chance(0.7) ? { zEntriesSpec: one() } : {}),
        ...(r.chance(0.3) ? { sqlEntriesSpec: one() } : {}),
      },
    };
  }

  #tx(tx: () => number): object {
    return {
      tx: tx(),
      ...this.#spec(),
      sinceTx: this.#since(),
      keepReferencesUnresolved: this.#random.chance(0.5),
    };
  }

  #txScan(tx: () => number): object {
    const r = this.#random;
    return {
      initialTx: tx(),
      limit: r.pick([0, 1, 2, 5, 2501]),
      desc: r.chance(0.5),
      ...this.#spec(),
      sinceTx: this.#since(),
    };
  }
}
