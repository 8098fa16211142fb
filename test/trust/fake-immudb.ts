// An immudb in memory, asked as the client's rooms ask: answers from a chain of the test's own, honest unless told else.
import type { KeyObject } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { Deadline } from '#dist/client/flow/deadline.js';
import type { CallOptions } from '#dist/client/input/call-options.js';
import type { Rpc, RpcOptions } from '#dist/client/net/rpc.js';
import { toImmuError } from '#dist/client/net/server-errors.js';
import type { Call } from '#dist/client/trust/call.js';
import { DatabaseTrust } from '#dist/client/trust/database-trust.js';
import type { DatabaseTrustOptions } from '#dist/client/trust/database-trust-options.js';
import { MemoryRootStore } from '#dist/index.js';
import type { RootStore } from '#dist/index.js';
import type { Methods } from '#dist/wire/messages.js';
import type { UnaryMethod } from '#dist/wire/methods.js';
import { wireMethod } from '#dist/wire/schema.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import { DATABASE, TestChain, bytesOf, wireHeader } from '../verify/support/test-chain.js';
import type { Wire } from '../verify/support/test-chain.js';

/** One call on its way: `answer` asks the chain, at the time when it is called. */
export interface Passing {
  readonly method: string;
  readonly request: Wire;
  readonly options: RpcOptions;
  readonly answer: () => Uint8Array;
}

export type Intercept = (passing: Passing) => Uint8Array | Promise<Uint8Array>;

/** A refusal in an immudb's words. */
export function refusal(
  details: string,
  method = 'Get',
  code: status = status.UNKNOWN,
  repeatable = true,
): Error {
  const error = Object.assign(new Error(details), { code, details }) as ServiceError;
  return toImmuError(error, { method, address: 'fake', repeatable, timeoutMs: 1000 });
}

export class FakeImmudb implements Rpc {
  readonly chain: TestChain;
  /** Number of the connection. */
  connects = 0;
  /** What was asked, in order. */
  readonly sent: { readonly method: string; readonly request: Wire }[] = [];
  intercept: Intercept = ({ answer }) => answer();
  /** Tx that the server says is its newest, when it is not the chain's. */
  state: bigint | undefined;
  /** Signs what proofs end in. */
  key: KeyObject | undefined;

  constructor(chain = new TestChain()) {
    this.chain = chain;
  }

  /** Names of what was asked since the last look. */
  methods(): string[] {
    return this.sent.splice(0).map(({ method }) => method);
  }

  unary<M extends UnaryMethod>(method: M): Promise<Methods[M]['answer']> {
    return Promise.reject(new Error(`${method} is not played`));
  }

  raw<M extends UnaryMethod>(
    method: M,
    request: Methods[M]['request'] | Uint8Array,
    options: RpcOptions,
  ): Promise<Uint8Array> {
    if (!(request instanceof Uint8Array)) return this.#pass(method, request, options);
    const { requestDeserialize } = wireMethod(method);
    return this.#pass(method, requestDeserialize(Buffer.from(request)), options);
  }

  async #pass(method: string, request: Wire, options: RpcOptions): Promise<Uint8Array> {
    this.sent.push({ method, request });
    await Promise.resolve();
    return this.intercept({ method, request, options, answer: () => this.#answer(method, request) });
  }

  #answer(method: string, request: Wire): Uint8Array {
    const { chain } = this;
    switch (method) {
      case 'Get':
        return bytesOf('entry', this.#entry(request.key));
      case 'GetAll': {
        const found = request.keys.filter((key: Uint8Array) => chain.latest(textOf(key)) !== undefined);
        return bytesOf('claims', { entries: found.map((key: Uint8Array) => this.#entry(key)) });
      }
      case 'VerifiableGet': {
        const key = textOf(request.keyRequest.key);
        const tx = request.keyRequest.atTx ? BigInt(request.keyRequest.atTx) : chain.latest(key);
        if (tx === undefined) throw refusal('key not found', method);
        return bytesOf('get', chain.verifiableEntry(key, tx, this.#since(request), this.#signing));
      }
      case 'Set': {
        const tx = this.#commit(request);
        return bytesOf('written', wireHeader(chain.tx(tx).header));
      }
      case 'VerifiableSet': {
        const tx = this.#commit(request.setRequest);
        return bytesOf('set', chain.verifiableTx(tx, this.#since(request), this.#signing));
      }
      case 'VerifiableTxById': {
        const tx = this.#known(BigInt(request.tx), method);
        const entries = request.entriesSpec === undefined;
        return bytesOf('tx', chain.verifiableTx(tx, this.#since(request), { entries, ...this.#signing }));
      }
      case 'TxScan': {
        const first = this.#known(BigInt(request.initialTx), method);
        const asked = first + BigInt(request.limit) - 1n;
        const last = asked < chain.size ? asked : chain.size;
        return bytesOf('segment', chain.txList(first, last, { entries: request.entriesSpec === undefined }));
      }
      case 'CurrentState': {
        const { tx, alh } = chain.root(this.state ?? chain.size);
        return bytesOf('state', { db: DATABASE, txId: `${tx}`, txHash: alh });
      }
      default:
        throw new Error(`${method} is not played`);
    }
  }

  get #signing(): { key?: KeyObject } {
    return this.key ? { key: this.key } : {};
  }

  #entry(key: Uint8Array): Wire {
    const tx = this.chain.latest(textOf(key));
    if (tx === undefined) throw refusal('key not found');
    return this.chain.entry(textOf(key), tx);
  }

  #commit({ KVs }: Wire): bigint {
    return this.chain.set(
      ...KVs.map(({ key, value }: Wire) => [textOf(key), textOf(value ?? Buffer.alloc(0))]),
    );
  }

  #since({ proveSinceTx }: Wire): bigint {
    return this.#known(BigInt(proveSinceTx ?? 0), 'VerifiableTxById', 0n);
  }

  #known(tx: bigint, method: string, min = 1n): bigint {
    if (tx < min || tx > this.chain.size) throw refusal('tx not found', method);
    return tx;
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString();
}

/** Calls of a method are held until the test lets them go. */
export class Gate {
  readonly #arrived: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];
  #open = false;

  /** Waits until it is let go. */
  pass(): Promise<void> {
    for (const tell of this.#arrived.splice(0)) tell();
    return this.#open ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when the next call has come. */
  arrived(): Promise<void> {
    return this.#waiting.length > 0
      ? Promise.resolve()
      : new Promise((resolve) => this.#arrived.push(resolve));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets all go that wait, and all that come. */
  open(): void {
    this.#open = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Lets the oldest go. */
  next(): void {
    this.#waiting.shift()?.();
  }
}

/** Everything that is due in this turn, and what it sets off, has run. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function callOf(options: CallOptions = {}, operation = 'verifiedGet'): Call {
  return { operation, startedAt: performance.now(), deadline: new Deadline(options, 5000) };
}

export interface Trusting {
  readonly trust: DatabaseTrust;
  readonly store: RootStore;
  readonly verifier: InlineVerifier;
}

/** Trust in the fake's database, with a head at its present tx (or where the store that is given has it). */
export async function trusting(
  fake: FakeImmudb,
  cacheBytes = 1 << 20,
  more: Partial<DatabaseTrustOptions> = {},
): Promise<Trusting> {
  const { store = new MemoryRootStore() } = more;
  const verifier = new InlineVerifier();
  const trust = new DatabaseTrust({
    rpc: fake,
    server: 'fake',
    database: DATABASE,
    store,
    verifier,
    policy: { policy: 'first-use' },
    clientId: 'test',
    cacheBytes,
    followMs: 0,
    ...more,
  });
  await trust.ready(callOf());
  fake.methods();
  return { trust, store, verifier };
}
