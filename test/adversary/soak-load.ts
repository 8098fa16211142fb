// The load of a soak: verified calls of every kind on keys whose versions are counted, so that every answer can be judged.
import { VerificationError } from '#dist/index.js';
import type { CallOptions, ImmuClient, VerifiedEntry } from '#dist/index.js';
import type { WireClient } from '../support/wire-client.js';

const KEYS = 12_000;
const BULK = 20;
const EXPIRING = 64;
/** Clocks are in seconds, and the server has its own. */
const EXPIRY_SLACK_MS = 2500;

/** An answer that an honest server and a right client cannot give. */
export class WrongAnswer extends Error {}

export interface SoakClients {
  readonly client: ImmuClient;
  /** Logged in as a user who may only read. */
  readonly reader: ImmuClient;
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
  } as const;

  /** Something is there to be read, references included. */
  async prepare(): Promise<void> {
    const { client } = this.#clients;
    const wire = await this.#clients.other();
    for (let at = 0; at < KEYS; at += 1000) {
      const entries = Array.from({ length: 1000 }, (_, i) => [keyOf(at + i), valueOf(at + i, 0)] as const);
      await client.verifiedSetAll(entries);
    }
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

  async #set(options: CallOptions): Promise<void> {
    const i = this.#random(KEYS);
    const version = this.#send(i);
    await this.#clients.client.verifiedSet(keyOf(i), valueOf(i, version), options);
    this.#ack(i, version);
  }

  async #setAll(options: CallOptions): Promise<void> {
    const first = this.#random(KEYS - BULK);
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
        `${keyOf(i)} reads ${entry ? textOf(entry.value) : 'nothing'}, versions ${since} to ${this.#sent[i]} are due`,
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
