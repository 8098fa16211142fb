// Plays the steps of a run: real clients on a world, and the oracle told of all they do and are told.
import { createHash } from 'node:crypto';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { CallOptions, VerifiedEntry } from '#dist/index.js';
import { rootOf } from './history.js';
import { Oracle, Violation } from './oracle.js';
import type { Asked, ClientTruth, StoreTruth, Written } from './oracle.js';
import { CLIENTS } from './steps.js';
import type { ClientSetup, Op, Raw, Step } from './steps.js';
import { FaultyWay, LIES, SILENT } from './world.js';
import type { Backup, World } from './world.js';

const CREDENTIALS = { user: 'immudb', password: 'immudb' };
const TIMEOUT_MS = 10_000;
/** Where answers do not come, calls end by this. */
const SILENT_TIMEOUT_MS = 250;
const SHORT_TIMEOUT_MS = 4;
/** What a call may take beyond its deadline, and a step at all. */
const GRACE_MS = 5000;
const STEP_MS = 40_000;
const KEYS = ['k0', 'k1', 'k2', 'k3'];
const REFERENCES = ['ref0', 'ref1'];
const OTHER_IDENTITY = 'another0server0000000';
/** A client looks again after this, at the latest; what is left of a second is for a slow machine. */
const LOOKS_AGAIN_MS = 1500;

const PLAIN: ClientSetup = {
  policy: 'first-use',
  keyed: false,
  keepHeaders: false,
  follows: false,
  groupsPlain: false,
  store: 'new',
};
/** Clients 0 and 1 share a store. */
const AT_FIRST: readonly ClientSetup[] = [
  PLAIN,
  { ...PLAIN, store: 'shared', keyed: true, keepHeaders: true },
  { ...PLAIN, keyed: true, groupsPlain: true },
];

export class Play implements AsyncDisposable {
  readonly #world: World;
  readonly #except: ReadonlySet<string>;
  readonly #way: FaultyWay;
  readonly #oracle: Oracle;
  readonly #clients: (ClientTruth | undefined)[] = [];
  readonly #stores: StoreTruth[] = [];
  readonly #storeOf: (StoreTruth | undefined)[] = [];
  readonly #outside: unknown[] = [];
  readonly #noteOutside = (error: unknown): void => void this.#outside.push(error);
  /** Txs of keys that were written, for reads of old versions. */
  readonly #known = new Map<string, bigint>();
  #backups: Backup[] = [];
  #switchedAt = -Infinity;
  #fresh = 0;
  #disturbed = false;
  #lastError: unknown;

  /** @param except rules that are not looked at */
  constructor(world: World, except: ReadonlySet<string> = new Set()) {
    this.#world = world;
    this.#except = except;
    this.#way = new FaultyWay(world);
    this.#oracle = new Oracle(world);
    process.on('unhandledRejection', this.#noteOutside);
    process.on('uncaughtException', this.#noteOutside);
  }

  /** Something is there to begin with. */
  async prepare(): Promise<void> {
    for (const key of KEYS.slice(0, 2)) await this.#raw('set', key);
    await this.#raw('reference', KEYS[0] as string);
    this.#backups = [await this.#world.backup()];
  }

  async play(step: Step): Promise<void> {
    await bounded(this.#but(this.#step(step)), STEP_MS, `step ${JSON.stringify(step)}`);
    await this.#but(this.#oracle.counted());
    for (const store of this.#stores) await this.#but(this.#oracle.stored(store, JSON.stringify(step)));
    const [error] = this.#outside;
    if (error !== undefined)
      throw new Violation('outside', `thrown outside of a promise: ${describe(error)}`);
  }

  /** The way out works for everybody, and every log tells what happened. */
  async end(): Promise<void> {
    for (let i = 0; i < CLIENTS; i++) {
      if (!this.#clients[i]) continue;
      // What is served now becomes what is trusted, by the user's word, and signed by the key's holder again.
      const { present } = this.#world;
      if (present.signedUpTo !== undefined) {
        const length = present.isForged ? present.signedUpTo : present.length;
        const honest = { branch: present, length };
        await this.#world.restore(honest, { forged: false, keepConnections: false });
      }
      await this.#but(this.#step({ kind: 'accept', client: i }));
      await this.#but(
        this.#step({ kind: 'reopen', client: i, setup: { ...PLAIN, keyed: true, store: 'same' } }),
      );
      await this.#but(this.#step({ kind: 'forget', client: i }));
      const op = { key: 0, value: 'fresh', fate: 'runs' } as const;
      const ops = [{ ...op, kind: 'verifiedSet' } as const, { ...op, kind: 'verifiedGet' } as const];
      this.#disturbed = false;
      await this.#but(
        this.#step({
          ...{ kind: 'calls', client: i, ops, together: false },
          ...{ fault: 'none', faults: 0, meanwhile: 'nothing' },
        }),
      );
      const { store } = this.#clients[i] as ClientTruth;
      if (this.#oracle.told(store).length === 0 && !this.#except.has('way-out'))
        throw new Violation(
          'way-out',
          `client ${i} cannot go on after forgetTrust on an honest server: ${describe(this.#lastError)}`,
        );
    }
    await this.#closeClients();
    for (const store of this.#stores) await this.#but(this.#oracle.logged(store));
    await this.#but(this.#oracle.counted());
  }

  /** What breaks a rule that is not looked at ends the step, and no more. */
  async #but(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof Violation && this.#except.has(error.rule))) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#way.close();
    await this.#closeClients().catch(() => undefined);
    process.off('unhandledRejection', this.#noteOutside);
    process.off('uncaughtException', this.#noteOutside);
    await this.#world[Symbol.asyncDispose]();
  }

  async #closeClients(): Promise<void> {
    for (const [i, truth] of this.#clients.entries()) {
      if (!truth) continue;
      this.#clients[i] = undefined;
      await this.#but(this.#close(truth));
    }
  }

  async #close({ client }: ClientTruth): Promise<void> {
    const closed = client.close().catch((error: unknown) => {
      throw new Violation('close', `close() rejects: ${describe(error)}`);
    });
    await bounded(closed, GRACE_MS, 'close()');
  }

  async #step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'calls':
        return this.#calls(step);
      case 'raw':
        return this.#raw(step.what, KEYS[step.key] as string);
      case 'forget':
        return this.#forget(await this.#client(step.client));
      case 'reopen': {
        const open = this.#clients[step.client];
        if (open) await this.#but(this.#close(open));
        await this.#open(step.client, step.setup);
        return;
      }
      case 'rollback':
        return this.#rollback(step);
      case 'return': {
        // The newest history that was left, as far as it had come.
        const backup = this.#backups.at(-1);
        if (backup) await this.#switch(backup, { ...step, forged: false });
        return;
      }
      case 'restart':
        this.#disturbed = true;
        return this.#world.restart();
      case 'identity':
        this.#world.proxy.identity = step.other ? OTHER_IDENTITY : undefined;
        this.#oracle.identityChanged = true;
        this.#disturbed = true;
        return;
      case 'accept': {
        const truth = await this.#client(step.client);
        const { identity, upstreamIdentity } = this.#world.proxy;
        const shown = identity ?? upstreamIdentity;
        if (shown === undefined) return;
        await truth.client.acceptServer(shown);
        // What was proven of another counts no more; what was trusted of this one before does.
        truth.store.epoch += 1;
        return;
      }
    }
  }

  async #calls(step: Extract<Step, { kind: 'calls' }>): Promise<void> {
    const { ops, together, fault, faults, meanwhile } = step;
    const truth = await this.#client(step.client);
    const how = {
      lied: LIES.has(fault),
      faulty: fault !== 'none',
      disturbed: this.#disturbed || meanwhile !== 'nothing' || this.#world.proxy.identity !== undefined,
      quiet: performance.now() - this.#switchedAt < LOOKS_AGAIN_MS,
      afterSilence: this.#way.isHolding,
    };
    this.#disturbed = meanwhile === 'restart';
    this.#way.begin(fault, faults);
    const timeoutMs = SILENT.has(fault) ? SILENT_TIMEOUT_MS : TIMEOUT_MS;
    try {
      if (together) {
        const asked = await this.#oracle.ask(truth, how);
        const made = all(ops.map((op) => this.#call(asked, op, timeoutMs)));
        await all([made, this.#meanwhile(meanwhile, truth)]);
      } else {
        for (const op of ops) await this.#call(await this.#oracle.ask(truth, how), op, timeoutMs);
        await this.#meanwhile(meanwhile, truth);
      }
    } finally {
      this.#way.end();
    }
  }

  async #meanwhile(
    what: 'nothing' | 'forget' | 'restart' | 'others-write',
    truth: ClientTruth,
  ): Promise<void> {
    if (what === 'forget') await this.#forget(truth);
    if (what === 'restart') await this.#world.restart();
    if (what === 'others-write') for (const key of KEYS) await this.#raw('set', key);
  }

  /** Makes a call, and has the oracle judge what comes of it. */
  async #call(asked: Asked, op: Op, timeoutMs: number): Promise<void> {
    const { kind, fate } = op;
    const abort = fate === 'aborted' ? new AbortController() : undefined;
    const limit = fate === 'short' ? SHORT_TIMEOUT_MS : timeoutMs;
    const options: CallOptions = { timeoutMs: limit, ...(abort && { signal: abort.signal }) };
    const excused: Asked = fate === 'runs' ? asked : { ...asked, faulty: true };
    const key = [...KEYS, ...REFERENCES][op.key] as string;
    const what = `${kind} of ${key}`;
    const isWrite = /set|ownTx/i.test(kind);
    const entries = isWrite ? this.#entries(op, key) : [];
    const made = isWrite ? this.#write(excused, op, entries, options) : this.#read(excused, op, key, options);
    if (abort) setImmediate(() => abort.abort());
    await bounded(
      made.catch((error: unknown) => {
        if (error instanceof Violation) throw error;
        this.#lastError = error;
        if (isWrite) this.#oracle.failedWrite(entries, error);
        return this.#refresh()
          .then(() => this.#oracle.relation(excused.who))
          .then((now) => this.#oracle.failed(excused, what, error, /verified|ownTx/.test(kind), now));
      }),
      limit + GRACE_MS,
      what,
    );
  }

  #entries({ kind, value }: Op, key: string): Written[] {
    const count = /All/.test(kind) ? 2 : 1;
    const at = KEYS.indexOf(key);
    return Array.from({ length: count }, (_, i) => ({
      key: KEYS[(at + i) % KEYS.length] as string,
      value: value === 'same' ? 'the same' : `v${this.#fresh++}`,
    }));
  }

  async #write(asked: Asked, { kind }: Op, entries: Written[], options: CallOptions): Promise<void> {
    const { client } = asked.who;
    const [{ key, value }] = entries as [Written];
    const pairs = entries.map((entry) => [entry.key, entry.value] as const);
    if (kind === 'set' || kind === 'setAll') {
      const told = await (kind === 'set' ? client.set(key, value, options) : client.setAll(pairs, options));
      await this.#refresh();
      this.#oracle.writtenPlain(asked, entries, told);
      this.#known.set(key, told.tx);
      return;
    }
    const told = await (kind === 'verifiedSetAll'
      ? client.verifiedSetAll(pairs, options)
      : client.verifiedSet(key, value, { ...options, ownTx: kind === 'ownTx' }));
    await this.#refresh();
    this.#oracle.written(asked, entries, told, kind === 'ownTx');
    this.#known.set(key, told.tx);
  }

  async #read(asked: Asked, { kind }: Op, key: string, options: CallOptions): Promise<void> {
    const { client } = asked.who;
    const keys = [key, ...KEYS.slice(0, 2), ...REFERENCES.slice(0, 1)].filter(
      (each, i, allKeys) => allKeys.indexOf(each) === i,
    );
    const textOf = (entry: { value: Uint8Array } | null) => entry && Buffer.from(entry.value).toString();
    const judge = async (told: readonly (VerifiedEntry | null)[], of: readonly string[], atTx?: bigint) => {
      await this.#refresh();
      told.forEach((entry, i) => this.#oracle.read(asked, of[i] as string, entry, atTx));
    };
    switch (kind) {
      case 'verifiedGetAll':
        return judge(await client.verifiedGetAll(keys, options), keys);
      case 'verifiedGetAt': {
        const atTx = this.#known.get(key);
        if (atTx === undefined) return;
        return judge([await client.verifiedGet(key, { ...options, atTx })], [key], atTx);
      }
      case 'get': {
        const told = textOf(await client.get(key, options));
        await this.#refresh();
        this.#oracle.readPlain(asked, key, told);
        return;
      }
      case 'getAll': {
        const told = await client.getAll(keys, options);
        await this.#refresh();
        told.forEach((entry, i) => this.#oracle.readPlain(asked, keys[i] as string, textOf(entry)));
        return;
      }
      default:
        return judge([await client.verifiedGet(key, options)], [key]);
    }
  }

  async #raw(what: Raw, key: string): Promise<void> {
    const wire = await this.#world.wire();
    const name = Buffer.from(key);
    const put = (metadata?: object) =>
      wire.call('Set', {
        KVs: [{ key: name, value: Buffer.from(`raw${this.#fresh++}`), ...(metadata && { metadata }) }],
      });
    switch (what) {
      case 'set':
        await put();
        return;
      case 'delete':
        // A key that is not there cannot be deleted: nothing to do then.
        await wire.call('Delete', { keys: [name] }).catch(() => undefined);
        return;
      case 'expire-past':
        await put({ expiration: { expiresAt: '1000000000' } }).catch(() => undefined);
        return;
      case 'expire-future':
        await put({ expiration: { expiresAt: '4102444800' } });
        return;
      case 'reference':
      case 'bound-reference': {
        const reference = REFERENCES[what === 'reference' ? 0 : 1] as string;
        const found = await wire.call('Get', { key: name }).catch(() => undefined);
        if (!found) return;
        const atTx = what === 'reference' ? 0n : BigInt(found.tx);
        this.#oracle.reference(key, atTx);
        const request = {
          key: Buffer.from(reference),
          referencedKey: name,
          ...(atTx > 0n && { atTx: String(atTx), boundRef: true }),
        };
        // Refused when what it refers to now has expired.
        await wire.call('SetReference', request).catch(() => undefined);
      }
    }
  }

  async #rollback(step: Extract<Step, { kind: 'rollback' }>): Promise<void> {
    await this.#refresh();
    const now = await this.#world.backup();
    this.#backups = [...this.#backups.slice(-2), now];
    const length = now.length > BigInt(step.by) ? now.length - BigInt(step.by) : 1n;
    await this.#switch({ branch: now.branch, length }, step);
    for (let i = 0; i < step.beyond; i++)
      await this.#raw('set', i % 3 === 0 ? 'other' : (KEYS[i % 2] as string));
  }

  async #switch(backup: Backup, how: { forged: boolean; keepConnections: boolean }): Promise<void> {
    await this.#world.restore(backup, how);
    if (how.keepConnections) {
      this.#switchedAt = performance.now();
      this.#oracle.takenBackUnderway = true;
    } else this.#disturbed = true;
    for (const truth of this.#clients) {
      // Shown another history: whether a client notices, and says so until all is well again, depends on what it asks.
      if (truth && (await this.#oracle.relation(truth)) !== 'extends') truth.unsettled = true;
    }
  }

  async #forget(truth: ClientTruth): Promise<void> {
    try {
      await truth.client.forgetTrust('a step of the model', { timeoutMs: TIMEOUT_MS });
      this.#oracle.forgotten(truth.store);
      // A client learns of it when its own head moves next; until then it refuses by what it trusts: it is opened anew.
      for (const [i, other] of this.#clients.entries()) {
        if (!other || other === truth || other.store !== truth.store) continue;
        this.#clients[i] = undefined;
        await this.#but(this.#close(other));
      }
    } catch (error) {
      this.#lastError = error;
      const asked = await this.#oracle.ask(truth, {
        ...{ lied: true, faulty: true, disturbed: true, quiet: true, afterSilence: true },
      });
      this.#oracle.failed(asked, 'forgetTrust', error, false, asked.relation);
    }
  }

  async #client(i: number): Promise<ClientTruth> {
    return this.#clients[i] ?? this.#open(i, AT_FIRST[i] as ClientSetup);
  }

  async #open(i: number, setup: ClientSetup): Promise<ClientTruth> {
    const store = this.#store(i, setup);
    const pinned =
      setup.policy === 'pinned' && this.#oracle.told(store).length === 0 ? this.#pin() : undefined;
    const client = new ImmuClient({
      address: this.#world.proxy.address,
      store: store.store,
      credentials: CREDENTIALS,
      timeoutMs: TIMEOUT_MS,
      keepAliveMs: 0,
      verifier: { threads: 0 },
      clientId: `client ${i}`,
      group: setup.groupsPlain,
      keepHeaders: setup.keepHeaders,
      followMs: setup.follows ? 40 : 0,
      ...(setup.keyed && { serverPublicKey: this.#world.publicKeyPem }),
      ...(pinned && { trust: pinned }),
    });
    const truth: ClientTruth = {
      ...{ client, store, keyed: setup.keyed, floors: new Map<string, bigint>(), epoch: store.epoch },
      ...(pinned && { pin: rootOf(pinned) }),
      // A store that was told of another history by an earlier client is not well until it is shown its own.
      unsettled: true,
    };
    this.#clients[i] = truth;
    truth.unsettled = (await this.#oracle.relation(truth)) !== 'extends';
    return truth;
  }

  /** A root of the first history: the one that was meant. */
  #pin(): { policy: 'pinned'; tx: bigint; alh: Uint8Array } {
    const [first] = this.#world.branches;
    const { tx, alh } = first?.at(first.length) ?? { tx: 0n, alh: createHash('sha256').digest('hex') };
    return { policy: 'pinned', tx, alh: new Uint8Array(Buffer.from(alh, 'hex')) };
  }

  #store(i: number, { store }: ClientSetup): StoreTruth {
    const own = this.#storeOf[i];
    if (store === 'same' && own) return own;
    const shared = this.#storeOf[0];
    if (store === 'shared' && shared) return (this.#storeOf[i] = shared);
    const made: StoreTruth = { store: new MemoryRootStore(), told: new Map(), epoch: 0, refusals: new Map() };
    this.#stores.push(made);
    return (this.#storeOf[i] = made);
  }

  #refresh(): Promise<void> {
    return this.#world.refresh();
  }
}

/** Waits for all, then fails with the first failure: what goes on beside it must not outlive its step. */
async function all(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises))
    if (result.status === 'rejected') throw result.reason;
}

/** Nothing may hang. */
async function bounded<T>(promise: Promise<T>, withinMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Violation('hang', `${what} did not end within ${withinMs} ms`)),
      withinMs,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
