// Knows what each client may believe and how often each write may exist, from what really happened on the server; judges
// every answer of a client by it.
import { createPublicKey, verify } from 'node:crypto';
import { ImmuError, VerificationError } from '#dist/index.js';
import type { AuditRow, ImmuClient, ImmuErrorCode, RootStore, VerifiedEntry } from '#dist/index.js';
import { stateToSign } from '#dist/proof/signature.js';
import { hex, plainHash, referenceHash, rootOf } from './history.js';
import type { Branch, TrueEntry, TrueRoot } from './history.js';
import { DATABASE } from './world.js';
import type { World } from './world.js';

/** What a run was found to do that it must never do; `rule` is what it breaks. */
export class Violation extends Error {
  readonly rule: string;

  constructor(rule: string, what: string) {
    super(`[${rule}] ${what}`);
    this.name = 'Violation';
    this.rule = rule;
  }
}

/** Clocks are in seconds. */
const EXPIRY_SLACK_S = 2;
/** Refusals that say for certain that nothing was written. */
const NOTHING_DONE: ReadonlySet<ImmuErrorCode> = new Set<ImmuErrorCode>([
  'UNAVAILABLE',
  'SESSION_EXPIRED',
  'OVERLOADED',
  'NOT_LOGGED_IN',
  'PERMISSION_DENIED',
  'DATABASE_NOT_FOUND',
  'DATABASE_CLOSED',
  'QUEUE_FULL',
  'INVALID_ARGUMENT',
  'CONFLICT',
  'PRECONDITION_FAILED',
]);
/** How a client may name a history that is not the one it trusts. */
const DIVERGED: ReadonlySet<ImmuErrorCode> = new Set<ImmuErrorCode>([
  'FORK_DETECTED',
  'SERVER_BEHIND_TRUST',
  'VERIFICATION_FAILED',
]);
/** Without a fault on the way, a call may not end like this. */
const ON_THE_WAY: ReadonlySet<ImmuErrorCode> = new Set<ImmuErrorCode>([
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'DEADLINE_EXCEEDED',
  'SESSION_EXPIRED',
  'OVERLOADED',
  'NOT_LOGGED_IN',
]);
const REFUSALS = ['failure', 'fork', 'rollback', 'identity-change'] as const;

/** A store, and what clients were told under the trust that it holds now. */
export interface StoreTruth {
  readonly store: RootStore;
  /** Roots, by the identity of the server that was asked. */
  readonly told: Map<string, TrueRoot[]>;
  /** Counts how often trust was forgotten, or another server accepted. */
  epoch: number;
  readonly refusals: Map<string, VerificationError>;
}

/** A client, and what it has proven. */
export interface ClientTruth {
  readonly client: ImmuClient;
  readonly store: StoreTruth;
  readonly keyed: boolean;
  /** What it was told to begin with. */
  readonly pin?: TrueRoot;
  /** Newest tx that it has proven, by key. */
  readonly floors: Map<string, bigint>;
  /** Epoch of the store that the floors belong to. */
  epoch: number;
  /** It was shown a history that it must refuse, and has not been shown since that all is well again. */
  unsettled: boolean;
}

export interface Written {
  readonly key: string;
  readonly value: string;
}

/** How the present history stands to what the client trusts. */
export type Relation = 'extends' | 'behind' | 'diverged' | 'unsigned';

/** What was so when a call began. */
export interface Asked {
  readonly who: ClientTruth;
  readonly branch: Branch;
  readonly length: number;
  readonly order: number;
  readonly epoch: number;
  readonly relation: Relation;
  readonly floors: ReadonlyMap<string, bigint>;
  readonly at: number;
  /** A lie may be told to it, or a fault met. */
  readonly lied: boolean;
  readonly faulty: boolean;
  /** Trust or connections were changed meanwhile. */
  readonly disturbed: boolean;
  /** The history was changed, with connections kept, and so lately that a client need not have looked. */
  readonly quiet: boolean;
  /** A request of an earlier step was never answered. */
  readonly afterSilence: boolean;
}

interface Count {
  ok: number;
  unknown: number;
}

export class Oracle {
  readonly #world: World;
  /** Raw values of references, by their hash. */
  readonly #references = new Map<string, { target: string; atTx: bigint }>();
  readonly #writes = new Map<string, Count>();
  /** Entries that a write was told to be its own, and of which client. */
  readonly #claimed = new Map<string, { readonly what: string; readonly who: ClientTruth }>();

  /** History was taken back while connections stayed: one connection may then be told one tx of two writes. */
  takenBackUnderway = false;
  /** Clients may be bound to another identity than is shown. */
  identityChanged = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** Identity that the server shows now. */
  get #identity(): string {
    const { identity, upstreamIdentity } = this.#world.proxy;
    return identity ?? upstreamIdentity ?? '';
  }

  /** Roots that clients of a store were told, of the server that is shown now, since they last forgot. */
  told({ told }: StoreTruth): readonly TrueRoot[] {
    return told.get(this.#identity) ?? [];
  }

  /** Trust in the server that is shown now was dropped. */
  forgotten(truth: StoreTruth): void {
    // Who is bound to another identity than is shown forgets that one.
    if (this.identityChanged) truth.told.clear();
    else truth.told.delete(this.#identity);
    truth.epoch += 1;
  }

  reference(target: string, atTx: bigint): void {
    this.#references.set(referenceHash(target, atTx), { target, atTx });
  }

  async relation(who: ClientTruth): Promise<Relation> {
    const { present } = this.#world;
    const roots = [...this.told(who.store)];
    if (who.pin) roots.push(who.pin);
    const head = await this.#storedHead(who.store);
    if (head) roots.push(head);
    const newest = roots.toSorted((a, b) => Number(a.tx - b.tx)).at(-1);
    const isUnsigned = who.keyed && present.signedUpTo !== undefined;
    const isPinned = !who.pin || present.length < who.pin.tx || present.holds(who.pin);
    if (!newest || (isPinned && present.length >= newest.tx && present.holds(newest)))
      return isUnsigned ? 'unsigned' : 'extends';
    if (present.length >= newest.tx) return 'diverged';
    const trusted = this.#branchesOf(roots)[0];
    const last = present.at(present.length);
    return !last || trusted?.holds(last) === true ? 'behind' : 'diverged';
  }

  /** What is so now, for a call that begins now. */
  async ask(
    who: ClientTruth,
    how: Pick<Asked, 'lied' | 'faulty' | 'disturbed' | 'quiet' | 'afterSilence'>,
  ): Promise<Asked> {
    await this.#world.refresh();
    if (who.epoch !== who.store.epoch) {
      who.floors.clear();
      who.epoch = who.store.epoch;
    }
    const branch = this.#world.present;
    return {
      ...how,
      who,
      branch,
      length: branch.txs.length,
      order: Math.max(0, ...this.#world.branches.map(({ txs }) => txs.at(-1)?.order ?? 0)),
      epoch: who.store.epoch,
      relation: await this.relation(who),
      floors: new Map(who.floors),
      at: Date.now(),
    };
  }

  /** A verified write was told to be done. */
  written(
    asked: Asked,
    entries: readonly Written[],
    told: { tx: bigint; alh: Uint8Array; root: { tx: bigint; alh: Uint8Array } },
    alone: boolean,
  ): void {
    const what = `verified write of ${names(entries)} told tx ${told.tx}`;
    this.#count(entries, 'ok');
    const root = this.#believe(asked, told.root, what);
    const subject = rootOf(told);
    if (subject.tx > root.tx) throw new Violation('head', `${what}, newer than its root ${root.tx}`);
    const branches = this.#branchesOf([root, subject]);
    const tx = branches[0]?.at(told.tx);
    if (!tx) throw new Violation('one-history', `${what}, which is not on the history of its root`);
    // Equal writes of two clients may be told one tx: neither knows of the other's.
    const isOthers = entries.every(({ key }) => this.#isOthers(asked, tx.alh, key));
    if (tx.order <= asked.order && !isOthers)
      throw new Violation('not-executed', `${what}, which was there before the call was made`);
    for (const { key, value } of entries) {
      const entry = tx.entries.find((each) => each.key === key);
      if (entry?.hValue !== plainHash(value) || entry.deleted || entry.expiresAt !== undefined)
        throw new Violation('entries', `${what}, which does not hold ${key}`);
      if (!isOthers) this.#claim(asked, tx.alh, key, what);
      this.#note(asked, key, told.tx);
    }
    if (alone && tx.entries.length !== entries.length)
      throw new Violation('entries', `${what}, which holds ${tx.entries.length} entries`);
  }

  /** A plain write was told to be done: by the server's word. */
  writtenPlain(asked: Asked, entries: readonly Written[], told: { tx: bigint }): void {
    if (asked.lied) {
      this.#count(entries, 'unknown');
      return;
    }
    this.#count(entries, 'ok');
    const tx = asked.branch.at(told.tx);
    for (const { key, value } of entries) {
      if (tx?.entries.find((each) => each.key === key)?.hValue !== plainHash(value))
        throw new Violation(
          'plain-write',
          `a write of ${key} was told tx ${told.tx}, which does not hold it`,
        );
      this.#claim(asked, tx.alh, key, `plain write of ${key}`);
    }
  }

  /** A write failed: by its error it was not done, or may have been. */
  failedWrite(entries: readonly Written[], error: unknown): void {
    const code = error instanceof ImmuError ? error.code : undefined;
    if (!code || !NOTHING_DONE.has(code)) this.#count(entries, 'unknown');
  }

  /** A verified read told an entry, or that there is none. */
  read(asked: Asked, key: string, told: VerifiedEntry | null, atTx?: bigint): void {
    if (!told) this.#nothing(asked, key, atTx);
    else this.#something(asked, key, told, atTx);
  }

  /** A plain read of an honest server. */
  readPlain(asked: Asked, key: string, value: string | null): void {
    if (asked.lied || asked.disturbed) return;
    const { branch, length } = asked;
    const seen = [];
    for (let at = length; at <= branch.txs.length; at++) {
      const { value: due } = this.#valueAt(branch, key, at);
      if (due === 'either' || due === (value === null ? null : plainHash(value))) return;
      seen.push(due);
    }
    throw new Violation('plain-read', `${key} reads ${String(value)}, which no state meanwhile has`);
  }

  /** Any call failed. */
  failed(asked: Asked, what: string, error: unknown, isVerified: boolean, now: Relation): void {
    if (!(error instanceof ImmuError)) throw new Violation('error', `${what} failed with ${String(error)}`);
    const { code, message } = error;
    const { who } = asked;
    // An answer of before may have led the head past where the server was put back to meanwhile.
    const relation = asked.relation === 'extends' ? now : asked.relation;
    if (code === 'INVALID_ARGUMENT') throw new Violation('error', `${what}: ${message}`);
    if (!(error instanceof VerificationError)) {
      const sharesTx = this.takenBackUnderway && message.includes('without a transaction of its own');
      const excused = asked.faulty || asked.lied || asked.disturbed || sharesTx || code === 'ABORTED';
      if (ON_THE_WAY.has(code) && !excused) {
        // Something earlier was never answered: that call has ended, and this one is not to wait for it.
        const rule = asked.afterSilence && code === 'DEADLINE_EXCEEDED' ? 'stalled' : 'honest-server';
        throw new Violation(rule, `${what} failed with ${code} for no reason: ${message}`);
      }
      return;
    }
    who.store.refusals.set(`${code} ${error.evidence.check}`, error);
    if (code === 'IDENTITY_CHANGED') {
      if (!this.identityChanged) throw new Violation('honest-server', `${what}: ${message}`);
      return;
    }
    if (relation === 'extends') {
      const isTakenBack = this.takenBackUnderway && error.evidence.check === 'set.tx-shared';
      const excused = asked.lied || asked.disturbed || who.unsettled || isTakenBack;
      if (!excused)
        throw new Violation('honest-server', `${what} blames an honest server: ${code} ${message}`);
      return;
    }
    who.unsettled = true;
    if (asked.lied || asked.disturbed) return;
    // What is written meanwhile leads past the head, on another history.
    const isPast = asked.branch.txs.length > asked.length;
    const isRollback = code === 'SERVER_BEHIND_TRUST' || (isPast && DIVERGED.has(code));
    if (relation === 'behind' && !isRollback && isVerified)
      throw new Violation('rollback-code', `${what} of a server that went back: ${code} ${message}`);
    if (relation === 'diverged' && !DIVERGED.has(code))
      throw new Violation('fork-code', `${what} on another history: ${code} ${message}`);
  }

  /** No write exists more often than it may. */
  async counted(): Promise<void> {
    await this.#world.refresh();
    const executed = new Map<string, Set<number>>();
    for (const { txs } of this.#world.branches) {
      for (const { entries, order } of txs) {
        for (const { key, hValue } of entries) {
          const id = `${key} ${hValue}`;
          const orders = executed.get(id);
          if (orders) orders.add(order);
          else executed.set(id, new Set([order]));
        }
      }
    }
    for (const [id, { ok, unknown }] of this.#writes) {
      const times = executed.get(id)?.size ?? 0;
      if (times > ok + unknown)
        throw new Violation(
          'once',
          `a write of ${id.split(' ')[0]} exists ${times} times: ${ok} were told to be done and ${unknown} may be`,
        );
    }
  }

  /** What a store holds is on the one history its clients were told of, and is not behind it. */
  async stored(truth: StoreTruth, what: string): Promise<void> {
    const head = await this.#storedHead(truth);
    const told = this.told(truth);
    const newest = told.toSorted((a, b) => Number(a.tx - b.tx)).at(-1);
    if (!newest) return;
    if (!head || head.tx < newest.tx)
      throw new Violation(
        'kept',
        `${what}: the store has head ${String(head?.tx)}, behind what was told (${newest.tx})`,
      );
    if (this.#branchesOf([...told, head]).length === 0)
      throw new Violation(
        'one-history',
        `${what}: the head of tx ${head.tx} is not on the history that was told`,
      );
  }

  /** The log of a store, when all its clients are closed. */
  async logged(truth: StoreTruth): Promise<void> {
    const verdict = await truth.store.audit.verify();
    if (!verdict.ok)
      throw new Violation('log', `the log does not verify: ${JSON.stringify(verdict, bigints)}`);
    const rows: AuditRow[] = [];
    for await (const row of truth.store.audit.roots({ outcome: 'all' })) rows.push(row);
    for (const [name, error] of truth.refusals) {
      const { check } = error.evidence;
      const isOf = (row: AuditRow) =>
        (REFUSALS as readonly string[]).includes(row.outcome) &&
        (row.evidence?.check === check || row.evidence === undefined || row.outcome === 'fork');
      if (!rows.some(isOf)) throw new Violation('row', `a refusal has no row: ${name}: ${error.message}`);
    }
    const key = createPublicKey(this.#world.publicKeyPem);
    for (const { outcome, keyFingerprint, signature, tx, alh, seq } of rows) {
      if (!keyFingerprint || tx === 0n || !(outcome === 'root' || outcome === 'first-use')) continue;
      const signed = stateToSign(DATABASE, tx, alh);
      if (!signature || !verify('sha256', signed, { key, dsaEncoding: 'der' }, signature))
        throw new Violation(
          'fingerprint',
          `row ${seq} (${outcome}, tx ${tx}) bears the fingerprint of a key whose signature it does not have`,
        );
    }
  }

  async #storedHead({ store }: StoreTruth): Promise<TrueRoot | undefined> {
    const server = this.#identity;
    if (server === '') return undefined;
    const { value } = await store.audit
      .roots({
        server,
        database: DATABASE,
        outcome: ['root', 'first-use', 'pinned', 'forget'],
        order: 'desc',
        limit: 1,
      })
      .next();
    return value && value.outcome !== 'forget' ? rootOf(value) : undefined;
  }

  #branchesOf(roots: readonly TrueRoot[]): Branch[] {
    return this.#world.branches.filter((branch) => roots.every((root) => branch.holds(root)));
  }

  /** The root that an answer was proven under: on the one history, and signed for who has a key. */
  #believe({ who, epoch }: Asked, told: { tx: bigint; alh: Uint8Array }, what: string): TrueRoot {
    const root = rootOf(told);
    const { store, keyed, pin } = who;
    const known = [...(store.epoch === epoch ? this.told(store) : []), ...(pin ? [pin] : [])];
    const holding = this.#branchesOf([root]);
    if (holding.length === 0)
      throw new Violation('one-history', `${what} under root ${root.tx}, on no history`);
    if (this.#branchesOf([...known, root]).length === 0)
      throw new Violation(
        'one-history',
        `${what} under root ${root.tx} of another history than was told before`,
      );
    if (keyed && root.tx > 0n && !holding.some((branch) => branch.isSigned(root.tx)))
      throw new Violation('key', `${what} under root ${root.tx}, which no signature of the key covers`);
    if (store.epoch === epoch && !known.some(({ tx, alh }) => tx === root.tx && alh === root.alh))
      store.told.set(this.#identity, [...this.told(store), root]);
    who.unsettled = false;
    return root;
  }

  #something(asked: Asked, key: string, told: VerifiedEntry, atTx?: bigint): void {
    const { reference } = told;
    const shown = Buffer.from(told.key).toString();
    const what = `${key} told ${shown} = ${Buffer.from(told.value).toString().slice(0, 40)} of tx ${told.tx}`;
    const root = this.#believe(asked, told.root, what);
    const [branch] = this.#branchesOf([...this.told(asked.who.store), root]);
    if (!branch || told.tx > root.tx) throw new Violation('head', `${what}, newer than its root ${root.tx}`);
    const entry = branch.at(told.tx)?.entries.find((each) => each.key === shown);
    if (entry?.hValue !== plainHash(Buffer.from(told.value).toString()) || entry.deleted)
      throw new Violation('entry', `${what}, which is not in that transaction`);
    this.#unexpired(asked, entry, what);
    const latest = (of: string, tx: bigint) => this.#fresh(asked, of, tx, what);
    if (reference) {
      const name = Buffer.from(reference.key).toString();
      if (name !== key)
        throw new Violation('question', `${what}, through a reference that was not asked for`);
      const of = branch.at(reference.tx)?.entries.find((each) => each.key === key);
      const known = of && this.#references.get(of.hValue);
      if (!known || of.deleted || known.target !== shown || known.atTx !== reference.atTx)
        throw new Violation('entry', `${what}, through a reference that is not there`);
      this.#unexpired(asked, of, what);
      if (atTx === undefined) latest(key, reference.tx);
      else if (reference.tx !== atTx) throw new Violation('question', `${what}, asked for tx ${atTx}`);
      if (reference.atTx === 0n) latest(shown, told.tx);
      else if (reference.atTx !== told.tx)
        throw new Violation('question', `${what}, bound to ${reference.atTx}`);
      this.#note(asked, key, reference.tx);
    } else {
      if (shown !== key) throw new Violation('question', what);
      if (atTx === undefined) latest(key, told.tx);
      else if (told.tx !== atTx) throw new Violation('question', `${what}, asked for tx ${atTx}`);
    }
    this.#note(asked, shown, told.tx);
  }

  /** Not older than was proven before the question, nor than an honest server had by then. */
  #fresh(asked: Asked, key: string, tx: bigint, what: string): void {
    const floor = asked.floors.get(key) ?? 0n;
    if (tx < floor && asked.who.store.epoch === asked.epoch)
      throw new Violation('floor', `${what}, though tx ${floor} of ${key} was proven before`);
    if (asked.relation !== 'extends' || asked.lied || asked.disturbed) return;
    const due = asked.branch.latest(key, asked.length)?.tx ?? 0n;
    if (tx < due) throw new Violation('fresh', `${what}, though ${key} was written in tx ${due} by then`);
  }

  #unexpired({ at }: Asked, { expiresAt }: TrueEntry, what: string): void {
    if (expiresAt !== undefined && expiresAt + EXPIRY_SLACK_S < at / 1000)
      throw new Violation('expired', `${what}, which expired at ${expiresAt}`);
  }

  #nothing(asked: Asked, key: string, atTx?: bigint): void {
    const { who, branch, length, relation, lied, disturbed, floors } = asked;
    who.unsettled &&= relation !== 'extends';
    if (atTx !== undefined) {
      if (lied || disturbed || relation !== 'extends') return;
      const entry = branch.at(atTx)?.entries.find((each) => each.key === key);
      const gone =
        !entry || entry.deleted || entry.expiresAt !== undefined || this.#references.has(entry.hValue);
      if (!gone) throw new Violation('null', `${key} at tx ${atTx} told null, and is there`);
      return;
    }
    const isTheirs = relation === 'extends' || (relation === 'unsigned' && branch.isSigned(BigInt(length)));
    const proven = who.store.epoch === asked.epoch ? (floors.get(key) ?? 0n) : 0n;
    let absent = false;
    let absentAfter = false;
    for (let at = length; at <= branch.txs.length; at++) {
      const { value, tx } = this.#valueAt(branch, key, at);
      if (value !== null && value !== 'either') continue;
      absent = true;
      absentAfter ||= tx !== undefined && tx >= proven;
    }
    if (proven > 0n) {
      const really = absent && absentAfter && isTheirs;
      if (!really)
        throw new Violation(
          'null-proven',
          `${key} told null, though it was proven in tx ${proven} and nothing shows it gone (${relation})`,
        );
      return;
    }
    if (!absent && !lied && !disturbed) throw new Violation('null', `${key} told null, and is there`);
    if (!isTheirs && !asked.quiet && !disturbed && !lied)
      throw new Violation(
        'null-history',
        `${key} told null from a history that does not extend the head (${relation})`,
      );
  }

  /** What the server shows for a key after so many transactions: the hash of its value, null, or either. */
  #valueAt(branch: Branch, key: string, length: number): { value: string | null; tx?: bigint } {
    const latest = branch.latest(key, length);
    if (!latest) return { value: null };
    const { entry, tx } = latest;
    const state = this.#stateOf(entry);
    if (state !== 'there') return { value: state === 'gone' ? null : 'either', tx };
    const reference = this.#references.get(entry.hValue);
    if (!reference) return { value: entry.hValue, tx };
    const { target, atTx } = reference;
    const found =
      atTx === 0n
        ? branch.latest(target, length)?.entry
        : branch.at(atTx)?.entries.find((each) => each.key === target);
    const there = found ? this.#stateOf(found) : 'gone';
    if (!found || there === 'gone') return { value: null, tx };
    return { value: there === 'either' ? 'either' : found.hValue, tx };
  }

  #stateOf({ deleted, expiresAt }: TrueEntry): 'there' | 'gone' | 'either' {
    if (deleted) return 'gone';
    if (expiresAt === undefined) return 'there';
    const now = Date.now() / 1000;
    if (expiresAt + EXPIRY_SLACK_S < now) return 'gone';
    return expiresAt - EXPIRY_SLACK_S > now ? 'there' : 'either';
  }

  #isOthers({ who, lied }: Asked, alh: string, key: string): boolean {
    const claimed = this.#claimed.get(`${alh} ${key}`);
    return lied && claimed !== undefined && claimed.who !== who;
  }

  #claim({ who }: Asked, alh: string, key: string, what: string): void {
    const id = `${alh} ${key}`;
    const other = this.#claimed.get(id);
    if (other) throw new Violation('shared-tx', `${what}, which is that of another: ${other.what}`);
    this.#claimed.set(id, { what, who });
  }

  #note({ who, epoch }: Asked, key: string, tx: bigint): void {
    if (who.store.epoch !== epoch) return;
    const known = who.floors.get(key) ?? 0n;
    if (tx > known) who.floors.set(key, tx);
  }

  #count(entries: readonly Written[], as: keyof Count): void {
    for (const { key, value } of entries) {
      const id = `${key} ${plainHash(value)}`;
      const count = this.#writes.get(id) ?? { ok: 0, unknown: 0 };
      count[as] += 1;
      this.#writes.set(id, count);
    }
  }
}

function names(entries: readonly Written[]): string {
  return entries.map(({ key, value }) => `${key}=${value}`).join(', ');
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value instanceof Uint8Array ? hex(value) : value;
}
