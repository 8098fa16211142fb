// The load of a soak: verified calls of every kind on keys whose versions are counted, so that every answer can be judged.
import { ImmuError, VerificationError } from '#dist/index.js';
import type { CallOptions, ImmuClient, VerifiedEntry } from '#dist/index.js';
import type { WireClient } from '../support/wire-client.js';

const KEYS = 12_000;
/** The last so many are written by the second client, and by no other: two clients' writes have no order that either knows. */
const SECONDS = 1000;
const BULK = 20;
const EXPIRING = 64;
/** Values of which two do not fit into an answer of an ordinary size. */
const LARGE = 4;
const LARGE_BYTES = 600 * 1024;
/** Calls that are given up together. */
const GIVEN_UP = 200;
/** Clocks are in seconds, and the server has its own. */
const EXPIRY_SLACK_MS = 2500;

/** An answer that an honest server and a right client cannot give. */
export class WrongAnswer extends Error {}

export interface SoakClients {
  readonly client: ImmuClient;
  /** Logged in as a user who may only read. */
  readonly reader: ImmuClient;
  /** Of another user of the same store, as another process would be. */
  readonly second: ImmuClient;
  /** Another writer, unknown to both: asked for when needed, for it may be another one after a restart. */
  readonly other: () => Promise<WireClient>;
}

export type Kind = keyof SoakLoad['kinds'];

/** Versions of one key are numbered: its value names key and number. */
export class SoakLoad {
  /** Last version that was told to be written, and last that was sent. */
  readonly #acked = new Int32Array(KEYS);
  readonly #sent = new Int32Array(KEYS);
  readonly #expiries = new Float64Array(EXPIRING);
  readonly #clients: SoakClients;
  readonly #random: (below: number) => number;
  #fresh = 0;

  constructor(clients: SoakClients, random: (below: number) => number) {
    this.#clients = clients;
    this.#random = random;
  }

  /** Each with how often it is made, of all. */
  readonly kinds = {
    get: { share: 40, make: (options: CallOptions) => this.#get(this.#clients.client, options) },
    readerGet: { share: 8, make: (options: CallOptions) => this.#get(this.#clients.reader, options) },
    getAll: { share: 6, make: (options: CallOptions) => this.#getAll(options) },
    getReference: { share: 6, make: (options: CallOptions) => this.#getReference(options) },
    getMissing: { share: 3, make: (options: CallOptions) => this.#getMissing(options) },
    getExpiring: { share: 3, make: (options: CallOptions) => this.#getExpiring(options) },
    set: { share: 20, make: (options: CallOptions) => this.#set(options) },
    setAll: { share: 4, make: (options: CallOptions) => this.#setAll(options) },
    ownTx: { share: 3, make: (options: CallOptions) => this.#ownTx(options) },
    otherWrites: { share: 5, make: () => this.#otherWrites() },
    otherExpires: { share: 2, make: () => this.#otherExpires() },
    secondGet: { share: 6, make: (options: CallOptions) => this.#get(this.#clients.second, options) },
    secondSet: { share: 4, make: (options: CallOptions) => this.#secondSet(options) },
    plainSet: { share: 4, make: (options: CallOptions) => this.#plainSet(options) },
    deleted: { share: 2, make: (options: CallOptions) => this.#deleted(options) },
    large: { share: 1, make: (options: CallOptions) => this.#large(options) },
    givenUp: { share: 1, make: (options: CallOptions) => this.#givenUp(options) },
    brokenOff: { share: 1, make: (options: CallOptions) => this.#brokenOff(options) },
  } as const;

  /** Something is there to be read, references included. */
  async prepare(): Promise<void> {
    const { client } = this.#clients;
    const wire = await this.#clients.other();
    for (let at = 0; at < KEYS; at += 1000) {
      const entries = Array.from({ length: 1000 }, (_, i) => [keyOf(at + i), valueOf(at + i, 0)] as const);
      await client.verifiedSetAll(entries);
    }
    for (let i = 0; i < LARGE; i++) await client.set(`large ${i}`, Buffer.alloc(LARGE_BYTES, i));
    for (let i = 0; i < 20; i++) {
      const referencedKey = Buffer.from(keyOf(i));
      await wire.call('SetReference', { key: Buffer.from(`ref ${i}`), referencedKey });
    }
  }

  async #get(client: ImmuClient, options: CallOptions): Promise<void> {
    const i = this.#random(KEYS);
    const since = this.#acked[i] as number;
    this.#judge(i, since, await client.verifiedGet(keyOf(i), options));
  }

  async #getAll(options: CallOptions): Promise<void> {
    const first = this.#random(KEYS - BULK);
    const chosen = Array.from({ length: BULK }, (_, i) => first + i);
    const since = chosen.map((i) => this.#acked[i] as number);
    const entries = await this.#clients.client.verifiedGetAll(chosen.map(keyOf), options);
    chosen.forEach((i, at) => this.#judge(i, since[at] as number, entries[at] ?? null));
  }

  async #getReference(options: CallOptions): Promise<void> {
    const i = this.#random(20);
    const since = this.#acked[i] as number;
    const entry = await this.#clients.client.verifiedGet(`ref ${i}`, options);
    if (textOf(entry?.reference?.key) !== `ref ${i}`) throw new WrongAnswer(`ref ${i} is no reference`);
    this.#judge(i, since, entry);
  }

  async #getMissing(options: CallOptions): Promise<void> {
    const entry = await this.#clients.client.verifiedGet(`nowhere ${this.#random(100)}`, options);
    if (entry) throw new WrongAnswer('a key that was never written has a value');
  }

  async #getExpiring(options: CallOptions): Promise<void> {
    const i = this.#random(EXPIRING);
    const askedAt = Date.now();
    try {
      const entry = await this.#clients.client.verifiedGet(`expiring ${i}`, options);
      if (entry && askedAt > (this.#expiries[i] as number) + EXPIRY_SLACK_MS)
        throw new WrongAnswer(`expiring ${i} has a value long after its time`);
    } catch (error) {
      // In the second in which it expires server and client may disagree.
      const inItsSecond = Math.abs(Date.now() - (this.#expiries[i] as number)) < EXPIRY_SLACK_MS;
      const isExpiry = error instanceof VerificationError && error.evidence.check.endsWith('.expired');
      if (!(isExpiry && inItsSecond)) throw error;
    }
  }

  #set(options: CallOptions): Promise<void> {
    return this.#write(this.#clients.client, this.#random(KEYS - SECONDS), options);
  }

  #secondSet(options: CallOptions): Promise<void> {
    return this.#write(this.#clients.second, KEYS - SECONDS + this.#random(SECONDS), options);
  }

  async #write(client: ImmuClient, i: number, options: CallOptions): Promise<void> {
    const version = this.#send(i);
    await client.verifiedSet(keyOf(i), valueOf(i, version), options);
    this.#ack(i, version);
  }

  /** A plain and a verified write of the same to a key of their own: two transactions, and no third. */
  async #plainSet(options: CallOptions): Promise<void> {
    const { client } = this.#clients;
    const key = `twice ${this.#fresh++}`;
    const plain = await client.set(key, 'the same', options);
    const verified = await client.verifiedSet(key, 'the same', options);
    const entry = await client.verifiedGet(key, options);
    if (verified.tx <= plain.tx || entry?.tx !== verified.tx || entry.unproven.revision !== 2n)
      throw new WrongAnswer(
        `${key}: txs ${plain.tx} and ${verified.tx}, read as revision ${entry?.unproven.revision}`,
      );
  }

  /** Another writer's key, until it deletes it. */
  async #deleted(options: CallOptions): Promise<void> {
    const { client } = this.#clients;
    const wire = await this.#clients.other();
    const key = Buffer.from(`deleted ${this.#fresh++}`);
    await wire.call('Set', { KVs: [{ key, value: key }] });
    const before = await client.verifiedGet(key, options);
    if (textOf(before?.value) !== key.toString()) throw new WrongAnswer(`${key.toString()} is not there yet`);
    await wire.call('Delete', { keys: [key] });
    const [alone, [together]] = await Promise.all([
      client.verifiedGet(key, options),
      client.verifiedGetAll([key, 'nowhere'], options),
    ]);
    if (alone || together) throw new WrongAnswer(`${key.toString()} is still there`);
  }

  async #large(options: CallOptions): Promise<void> {
    const { client } = this.#clients;
    const keys = Array.from({ length: LARGE }, (_, i) => `large ${i}`);
    const told = [await client.getAll(keys, options), await client.verifiedGetAll(keys, options)];
    for (const entries of told)
      entries.forEach((entry, i) => {
        if (entry?.value.length !== LARGE_BYTES || entry.value[LARGE_BYTES - 1] !== i)
          throw new WrongAnswer(`large ${i} has ${entry?.value.length} bytes`);
      });
  }

  /** A flood of calls that nobody waits for any more. */
  async #givenUp(options: CallOptions): Promise<void> {
    const { client } = this.#clients;
    const abort = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
    const chosen = Array.from({ length: GIVEN_UP }, () => this.#random(KEYS));
    const since = chosen.map((i) => this.#acked[i] as number);
    const calls = Promise.allSettled(chosen.map((i) => client.verifiedGet(keyOf(i), { ...options, signal })));
    setImmediate(() => abort.abort());
    for (const [at, result] of (await calls).entries()) {
      if (result.status === 'fulfilled') this.#judge(chosen[at] as number, since[at] as number, result.value);
      else if (!(result.reason instanceof ImmuError) || result.reason.code !== 'ABORTED') throw result.reason;
    }
  }

  /** An ingest that is left while its source has nothing to say. */
  async #brokenOff(options: CallOptions): Promise<void> {
    const key = `ingested ${this.#fresh++}`;
    const quiet = async function* () {
      yield [`${key} a`, 'v'] as const;
      yield [`${key} b`, 'v'] as const;
      await new Promise(() => undefined);
    };
    for await (const { index } of this.#clients.client.ingest(quiet(), options)) if (index === 1) break;
  }

  async #setAll(options: CallOptions): Promise<void> {
    const first = this.#random(KEYS - SECONDS - BULK);
    const written = Array.from({ length: BULK }, (_, i) => [first + i, this.#send(first + i)] as const);
    const entries = written.map(([i, version]) => [keyOf(i), valueOf(i, version)] as const);
    await this.#clients.client.verifiedSetAll(entries, options);
    for (const [i, version] of written) this.#ack(i, version);
  }

  /** Keys of its own: it does not keep the order of grouped writes. */
  async #ownTx(options: CallOptions): Promise<void> {
    await this.#clients.client.verifiedSet(`fresh ${this.#fresh++}`, 'value', { ...options, ownTx: true });
  }

  async #otherWrites(): Promise<void> {
    const wire = await this.#clients.other();
    const key = Buffer.from(`other ${this.#random(1000)}`);
    await wire.call('Set', { KVs: [{ key, value: key }] });
    const entry = await this.#clients.client.verifiedGet(key);
    if (textOf(entry?.value) !== key.toString())
      throw new WrongAnswer(`${key.toString()} by another writer reads ${textOf(entry?.value)}`);
  }

  async #otherExpires(): Promise<void> {
    const wire = await this.#clients.other();
    const i = this.#random(EXPIRING);
    const expiresAt = Math.ceil(Date.now() / 1000) + 1 + this.#random(5);
    // Before it is written: whoever reads it meanwhile sees either.
    this.#expiries[i] = Math.max(this.#expiries[i] as number, expiresAt * 1000);
    const key = Buffer.from(`expiring ${i}`);
    await wire.call('Set', {
      KVs: [{ key, value: key, metadata: { expiration: { expiresAt: String(expiresAt) } } }],
    });
  }

  #send(i: number): number {
    const version = (this.#sent[i] as number) + 1;
    this.#sent[i] = version;
    return version;
  }

  #ack(i: number, version: number): void {
    this.#acked[i] = Math.max(this.#acked[i] as number, version);
  }

  /** Not older than what was written before the question, not newer than what was ever sent, and of this key. */
  #judge(i: number, since: number, entry: VerifiedEntry | null): void {
    const [key, version] = textOf(entry?.value).split(' = ');
    const number = Number(version);
    if (
      key !== keyOf(i) ||
      textOf(entry?.key) !== key ||
      !(number >= since && number <= (this.#sent[i] ?? 0))
    )
      throw new WrongAnswer(
        `${keyOf(i)} reads ${entry ? textOf(entry.value) : 'nothing'}, versions ${since} to ${this.#sent[i]} are due (tx ${entry?.tx})`,
      );
  }
}

function keyOf(i: number): string {
  return `key ${i}`;
}

function valueOf(i: number, version: number): string {
  return `${keyOf(i)} = ${version}`;
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}
