// The server's side of a model run: a history that can be backed up, put back, forged and left, behind a proxy that
// loses, holds, swallows and replaces answers.
import { Metadata, status } from '@grpc/grpc-js';
import { methodDefinition } from '#dist/wire/schema.js';
import type { Passing, Proxy } from '../adversary/proxy.js';
import type { Decoded, WireClient } from '../support/wire-client.js';
import type { Branch } from './history.js';

export const DATABASE = 'defaultdb';

/** A copy of the data as it was. */
export interface Backup {
  readonly branch: Branch;
  readonly length: bigint;
}

export interface World extends AsyncDisposable {
  readonly proxy: Proxy;
  readonly publicKeyPem: string;
  /** Every history there ever was; the last one is served. */
  readonly branches: readonly Branch[];
  readonly present: Branch;
  /** Everything committed so far is in `branches` when it resolves. */
  refresh(): Promise<void>;
  backup(): Promise<Backup>;
  /** Serves the data of a backup from now on; `forged`: whoever writes on it does not have the server's key. */
  restore(backup: Backup, options: { forged: boolean; keepConnections: boolean }): Promise<void>;
  /** Ends every connection, and where there is a process, that. */
  restart(): Promise<void>;
  /** Another writer, who knows nothing of any client. */
  wire(): Promise<WireClient>;
}

export type Fault =
  | 'none'
  // done, and the answer does not come
  | 'lost'
  | 'held'
  | 'busy-after'
  | 'too-large'
  | 'closing'
  | 'garbled'
  // not done
  | 'swallowed'
  | 'session-lost'
  | 'busy-before'
  // lies
  | 'replayed'
  | 'absent';

export const FAULTS: readonly Fault[] = [
  'none',
  'lost',
  'held',
  'busy-after',
  'too-large',
  'closing',
  'garbled',
  'swallowed',
  'session-lost',
  'busy-before',
  'replayed',
  'absent',
];

/** Faults that an honest server, or an honest network, cannot have. */
export const LIES: ReadonlySet<Fault> = new Set(['replayed', 'absent', 'garbled']);
/** Faults after which a call ends by its deadline only. */
export const SILENT: ReadonlySet<Fault> = new Set(['held', 'swallowed']);

const WRITES = new Set(['Set', 'VerifiableSet']);
const READS = new Set(['Get', 'GetAll', 'VerifiableGet']);
const PROOFS = new Set(['VerifiableTxById', 'TxScan', 'CurrentState']);
const SERVICE = 'immudb.schema.ImmuService';

/** Puts faults into what passes the proxy. */
export class FaultyWay {
  readonly #world: World;
  readonly #held = new Set<(answer: Buffer) => void>();
  #fault: Fault = 'none';
  #left = 0;
  /** How often the present fault came to be. */
  met = 0;

  constructor(world: World) {
    this.#world = world;
    world.proxy.intercept = (passing) => this.#pass(passing);
  }

  /** The next `count` requests that it concerns meet the fault. */
  begin(fault: Fault, count: number): void {
    this.#fault = fault;
    this.#left = fault === 'none' ? 0 : count;
    this.met = 0;
  }

  end(): void {
    this.#left = 0;
  }

  /** Something was asked that was not answered. */
  get isHolding(): boolean {
    return this.#held.size > 0;
  }

  /** What is held for ever is let go: nothing of it may outlive the run. */
  close(): void {
    for (const go of this.#held) go(Buffer.alloc(0));
    this.#held.clear();
  }

  async #pass(passing: Passing): Promise<Buffer> {
    const { method, forward } = passing;
    if (this.#left > 0 && concerns(this.#fault, method)) {
      const faulty = await this.#faulty(this.#fault, passing);
      if (faulty) return faulty;
    }
    return this.#unsigned(method, await forward());
  }

  /** Undefined when there is nothing to be done to this one. */
  async #faulty(fault: Fault, passing: Passing): Promise<Buffer | undefined> {
    const { method, request, forward } = passing;
    switch (fault) {
      case 'none':
        return undefined;
      case 'lost':
        this.#meet();
        await forward().catch(() => undefined);
        throw refusal(status.UNAVAILABLE, 'Connection dropped');
      case 'held':
        this.#meet();
        await forward().catch(() => undefined);
        return this.#hold();
      case 'busy-after':
        this.#meet();
        await forward();
        throw refusal(status.UNKNOWN, 'watchers: max waiting limit exceeded');
      case 'too-large':
        this.#meet();
        await forward();
        throw refusal(status.RESOURCE_EXHAUSTED, 'Received message larger than max (70000000 vs 67108864)');
      case 'closing':
        this.#meet();
        await forward();
        throw refusal(status.UNKNOWN, 'already closed');
      case 'garbled': {
        this.#meet();
        const answer = await forward();
        return answer.subarray(0, Math.max(0, answer.length - 7));
      }
      case 'swallowed':
        this.#meet();
        return this.#hold();
      case 'session-lost':
        this.#meet();
        throw refusal(status.PERMISSION_DENIED, 'session not found');
      case 'busy-before':
        this.#meet();
        throw refusal(status.UNKNOWN, 'max concurrency limit exceeded');
      case 'replayed':
        return this.#replay(method, request);
      case 'absent':
        return this.#deny(method, forward);
    }
  }

  #meet(): void {
    this.#left -= 1;
    this.met += 1;
  }

  #hold(): Promise<Buffer> {
    return new Promise((resolve) => this.#held.add(resolve));
  }

  /** Answers a write with the newest transaction that holds just these entries, and does nothing. */
  async #replay(method: string, bytes: Buffer): Promise<Buffer | undefined> {
    const { requestDeserialize, responseSerialize } = methodDefinition(SERVICE, method);
    const request = requestDeserialize(bytes) as Decoded;
    const { KVs } = method === 'Set' ? request : request.setRequest;
    const wire = await this.#world.wire();
    const last = BigInt((await wire.call('CurrentState')).txId ?? 0);
    for (let tx = last; tx > 0n && tx > last - 12n; tx--) {
      const { entries = [] } = await wire
        .call('TxById', {
          tx: String(tx),
          entriesSpec: { kvEntriesSpec: { action: 'RESOLVE' } },
        })
        .then(({ kvEntries }) => ({ entries: kvEntries }));
      const same =
        entries.length === KVs.length &&
        KVs.every(
          (kv: Decoded, i: number) =>
            equal(entries[i].key, kv.key) && equal(entries[i].value, kv.value) && !entries[i].metadata,
        );
      if (!same) continue;
      this.#meet();
      if (method === 'Set') return responseSerialize((await wire.call('TxById', { tx: String(tx) })).header);
      const proveSinceTx = request.proveSinceTx ?? '0';
      const answer = await wire.call('VerifiableTxById', { tx: String(tx), proveSinceTx });
      return responseSerialize(answer);
    }
    return undefined;
  }

  /** Says that there is nothing. */
  async #deny(method: string, forward: Passing['forward']): Promise<Buffer> {
    this.#meet();
    if (method !== 'GetAll') throw refusal(status.UNKNOWN, 'tbtree: key not found');
    await forward();
    return Buffer.alloc(0);
  }

  /** Who forged what is served does not have the key: states above the honest part go without signature. */
  #unsigned(method: string, answer: Buffer): Buffer {
    const { signedUpTo } = this.#world.present;
    if (signedUpTo === undefined || !(method.startsWith('Verifiable') || method === 'CurrentState'))
      return answer;
    const { responseDeserialize, responseSerialize } = methodDefinition(SERVICE, method);
    const decoded = responseDeserialize(answer) as Decoded;
    const proof = decoded.verifiableTx ?? decoded;
    const tx = BigInt(proof.dualProof?.targetTxHeader?.id ?? proof.txId ?? 0);
    if (tx <= signedUpTo) return answer;
    delete proof.signature;
    return responseSerialize(decoded);
  }
}

function concerns(fault: Fault, method: string): boolean {
  switch (fault) {
    case 'replayed':
    case 'busy-after':
    case 'busy-before':
    case 'too-large':
    case 'closing':
      return WRITES.has(method);
    case 'absent':
      return READS.has(method);
    default:
      return WRITES.has(method) || READS.has(method) || PROOFS.has(method);
  }
}

function equal(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return Buffer.from(a ?? []).equals(Buffer.from(b ?? []));
}

function refusal(code: status, details: string): Error {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}
