// A ledger with a known history, asked in raw calls whose answers go through the checks that every client answer goes through.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { check } from '#dist/verify/check.js';
import type { FrontierPeaks, Question, Root, Verdict } from '#dist/verify/verifier.js';
import { EmbeddedLedger } from '#dist/testing.js';
import type { EmbeddedLedgerOptions } from '#dist/testing.js';
import { RawClient } from './raw-client.js';
import type { Outcome } from './raw-client.js';

export const HISTORY = 20;
export const b = (text: string): Buffer => Buffer.from(text);

/** Transactions 1..20: key `k<tx>` = `v<tx>`; every third has two more entries. */
export class HonestLedger {
  readonly ledger: EmbeddedLedger;
  readonly client: RawClient;
  readonly publicKey: Uint8Array;
  readonly #alhs: Uint8Array[] = [];

  private constructor(ledger: EmbeddedLedger, client: RawClient) {
    this.ledger = ledger;
    this.client = client;
    this.publicKey = createPublicKey(ledger.publicKeyPem!).export({ type: 'spki', format: 'der' });
  }

  static async start(options: EmbeddedLedgerOptions = {}): Promise<HonestLedger> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const signingKey = privateKey.export({ type: 'sec1', format: 'pem' });
    const ledger = await EmbeddedLedger.start({ signingKey, ...options });
    const honest = new HonestLedger(ledger, await RawClient.open(ledger.address, 'defaultdb'));
    for (let tx = 1; tx <= HISTORY; tx++) await honest.write(tx);
    return honest;
  }

  async write(tx: number): Promise<void> {
    const KVs = [{ key: b(`k${tx}`), value: b(`v${tx}`) }];
    if (tx % 3 === 0) KVs.push({ key: b(`x${tx}`), value: b('x') }, { key: b(`y${tx}`), value: b('y') });
    await this.client.call('Set', { KVs });
    const { answer } = await this.client.call('CurrentState');
    this.#alhs.push(answer.txHash);
  }

  /** Root of tx `tx` of the true history. */
  root(tx: number): Root {
    return { tx: BigInt(tx), alh: this.#alhs[tx - 1]! };
  }

  check(question: Question, head: Root | null, { bytes, refusal }: Outcome): Verdict {
    if (bytes === undefined) throw new Error(`refused: ${refusal?.message ?? ''}`);
    const now = BigInt(Math.floor(Date.now() / 1000));
    const context = { head, database: 'defaultdb', publicKey: this.publicKey, now };
    return check({ question, context, answer: Buffer.from(bytes, 'hex') });
  }

  async get(key: string, head: number, atTx?: number): Promise<Verdict> {
    const request = { keyRequest: { key: b(key), ...(atTx ? { atTx } : {}) }, proveSinceTx: head };
    const outcome = await this.client.call('VerifiableGet', request);
    const question = { kind: 'get', key: b(key), ...(atTx ? { atTx: BigInt(atTx) } : {}) } as const;
    return this.check(question, this.root(head), outcome);
  }

  async set(key: string, value: string, head: number): Promise<Verdict> {
    const outcome = await this.client.call('VerifiableSet', {
      setRequest: { KVs: [{ key: b(key), value: b(value) }] },
      proveSinceTx: head,
    });
    return this.check({ kind: 'set', entries: [{ key: b(key), value: b(value) }] }, this.root(head), outcome);
  }

  async tx(tx: number, head: number): Promise<Verdict> {
    const outcome = await this.client.call('VerifiableTxById', {
      tx,
      proveSinceTx: head,
      keepReferencesUnresolved: true,
    });
    return this.check({ kind: 'tx', tx: BigInt(tx) }, this.root(head), outcome);
  }

  async segment(after: number, to: number, frontier?: FrontierPeaks): Promise<Verdict> {
    const outcome = await this.client.call('TxScan', {
      initialTx: after + 1,
      limit: to - after,
      entriesSpec: { kvEntriesSpec: { action: 'EXCLUDE' } },
    });
    const question = {
      kind: 'segment',
      after: this.root(after),
      to: BigInt(to),
      ...(frontier ? { frontier } : {}),
    };
    return this.check(question as Question, this.root(after), outcome);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.ledger.close();
  }
}
