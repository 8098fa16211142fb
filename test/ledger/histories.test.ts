// Lies that need a second history: each answer is proven by itself, and two of them contradict each other.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import type { Proven, Verdict } from '#dist/verify/verifier.js';
import { HISTORY, HonestLedger, b } from './honest.js';
import { RawClient } from './raw-client.js';

const HEAD = 10;

function refutedBy(verdict: Verdict): string {
  return verdict.ok ? 'accepted' : verdict.refuted.check;
}

function proven<K extends Proven['kind']>(verdict: Verdict, kind: K): Extract<Proven, { kind: K }> {
  if (!verdict.ok) throw new Error(`refuted: ${verdict.refuted.check}`);
  expect(verdict.proven.kind).toBe(kind);
  return verdict.proven as Extract<Proven, { kind: K }>;
}

function valueOf(verdict: Verdict): string {
  const { found } = proven(verdict, 'get');
  if (found.kind !== 'value') throw new Error('a reference');
  return Buffer.from(found.entry.value).toString();
}

describe('forks and the past', () => {
  let honest: HonestLedger;
  beforeAll(async () => {
    honest = await HonestLedger.start();
  });
  afterAll(() => honest[Symbol.asyncDispose]());

  it('a fork proves both its branches from a root before it, and neither from the other', async () => {
    const truth = await honest.get('k15', HEAD);
    const fork = honest.ledger.lie({ kind: 'fork', at: 12n });
    const lie = await honest.get('k15', HEAD);
    expect(valueOf(truth)).toBe('v15');
    expect(valueOf(lie)).toBe('v14');
    expect(proven(lie, 'get').subject.tx).toBe(proven(truth, 'get').subject.tx);
    expect(Buffer.from(proven(lie, 'get').subject.alh)).not.toEqual(
      Buffer.from(proven(truth, 'get').subject.alh),
    );
    expect(refutedBy(await honest.get('k18', 15))).toBe('dual-proof.source-alh');
    expect((await honest.client.call('CurrentState')).answer.txId).toBe(String(HISTORY));
    fork.stop();
    expect(fork.told).toBe(3);
    expect(valueOf(await honest.get('k15', HEAD))).toBe('v15');
  });

  it('shows one history to one session and another to the next', async () => {
    const other = await RawClient.open(honest.ledger.address, 'defaultdb');
    const session = String(other.metadata.get('sessionid')[0]);
    const fork = honest.ledger.lie({
      kind: 'fork',
      at: 12n,
      when: (call) => call.metadata.get('sessionid')[0] === session,
    });
    const mine = await honest.client.call('CurrentState');
    const theirs = await other.call('CurrentState');
    fork.stop();
    await other.close();
    expect(theirs.answer.txId).toBe(mine.answer.txId);
    expect(theirs.answer.txHash).not.toEqual(mine.answer.txHash);
  });

  it('answers from the past, and refuses proofs from what it no longer knows', async () => {
    const rollback = honest.ledger.lie({ kind: 'rollback', to: 5n });
    const state = await honest.client.call('CurrentState');
    const ahead = await honest.client.call('VerifiableGet', {
      keyRequest: { key: b('k2') },
      proveSinceTx: HEAD,
    });
    rollback.stop();
    expect(state.answer.txId).toBe('5');
    expect(state.answer.txHash).toEqual(honest.root(5).alh);
    expect(ahead.refusal).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'illegal state' });
  });

  it('answers from another database under our name', async () => {
    await honest.client.call('CreateDatabaseV2', { name: 'other' });
    const other = await RawClient.open(honest.ledger.address, 'other');
    for (let i = 1; i <= HISTORY; i++)
      await other.call('Set', { KVs: [{ key: b(`k${i}`), value: b('other') }] });
    await other.close();
    const lie = honest.ledger.lie({ kind: 'other-database', instead: 'other' });
    const state = await honest.client.call('CurrentState');
    const verdict = await honest.get('k15', HEAD);
    lie.stop();
    expect(state.answer.db).toBe('defaultdb');
    expect(refutedBy(verdict)).toBe('dual-proof.source-alh');
  });

  it('says what it cannot lie about', () => {
    expect(() => honest.ledger.lie({ kind: 'fork', at: 99n })).toThrow('transactions 1 to 20');
    expect(() => honest.ledger.lie({ kind: 'rollback', to: 1n, database: 'none' })).toThrow(
      'no database none',
    );
    expect(() => honest.ledger.lie({ kind: 'diverging-tree', tx: 3n })).toThrow('committed already');
    expect(() => honest.ledger.lie({ kind: 'delay' } as never)).toThrow('no lie of the kind delay');
  });
});

describe('headers that lie', () => {
  it('a tree that differs from the chain proves one thing by the tree and another by the chain', async () => {
    await using honest = await HonestLedger.start();
    const lie = honest.ledger.lie({ kind: 'diverging-tree', tx: 21n });
    for (let tx = 21; tx <= 24; tx++) await honest.write(tx);
    // By chain: headers 21..24 follow from 20, and hold what was written.
    const chain = proven(await honest.segment(20, 24), 'segment');
    expect(Buffer.from(chain.headers[0]!.alh)).toEqual(Buffer.from(honest.root(21).alh));
    // By tree: under tx 24, transaction 21 is another one.
    const tree = await honest.get('k21', 24);
    expect(valueOf(tree)).toBe('v20');
    expect(proven(tree, 'get').subject.tx).toBe(21n);
    expect(Buffer.from(proven(tree, 'get').subject.alh)).not.toEqual(Buffer.from(honest.root(21).alh));
    expect(Buffer.from(proven(await honest.tx(21, 24), 'tx').subject.alh)).toEqual(
      Buffer.from(proven(tree, 'get').subject.alh),
    );
    expect(lie.told).toBe(2);
    // Held against the tree, the same headers are refuted.
    const { frontier } = proven(await honest.tx(20, 19), 'tx').target;
    expect(frontier?.size).toBe(20n);
    expect(refutedBy(await honest.segment(20, 24, frontier))).not.toBe('accepted');
    expect(refutedBy(await honest.segment(20, 21, frontier))).toBe('accepted');
  });

  it('lags behind honestly, and catches up', async () => {
    await using honest = await HonestLedger.start();
    const lie = honest.ledger.lie({ kind: 'lag', transactions: 5 });
    for (let tx = 21; tx <= 30; tx++) await honest.write(tx);
    const { answer } = await honest.client.call('TxById', { tx: 27, keepReferencesUnresolved: true });
    expect(answer.header.blTxId).toBe('21');
    // The chain part passes the tree's last leaf (tx 24 of header 30), so the proof binds.
    expect(refutedBy(await honest.tx(30, 23))).toBe('accepted');
    lie.stop();
    for (let tx = 31; tx <= 34; tx++) await honest.write(tx);
    const caughtUp = await honest.client.call('VerifiableTxById', {
      tx: 34,
      proveSinceTx: 27,
      keepReferencesUnresolved: true,
    });
    // Headers 22..27 were linked by the chain only: their leaves come with a proof of their own.
    expect(caughtUp.answer.dualProof.LinearAdvanceProof.linearProofTerms).toHaveLength(6);
    expect(refutedBy(await honest.tx(34, 27))).toBe('accepted');
  });

  it('lags behind dishonestly: the tree takes in another transaction', async () => {
    for (const hideAdvance of [false, true]) {
      await using honest = await HonestLedger.start();
      const lie = honest.ledger.lie({ kind: 'lag', transactions: 5, honest: false, hideAdvance });
      for (let tx = 21; tx <= 25; tx++) await honest.write(tx);
      if (!hideAdvance) lie.stop();
      for (let tx = 26; tx <= 34; tx++) await honest.write(tx);
      expect(refutedBy(await honest.tx(34, 25))).toMatch(/linear-advance/);
    }
  });

  it('writes version 0 headers into a version 1 database', async () => {
    await using honest = await HonestLedger.start();
    const lie = honest.ledger.lie({ kind: 'header-version', version: 0 });
    await honest.write(21);
    lie.stop();
    await honest.write(22);
    const versions = await honest.client.call('TxScan', { initialTx: 20, limit: 3 });
    expect(versions.answer.txs.map((tx: { header: { version?: number } }) => tx.header.version ?? 0)).toEqual(
      [1, 0, 1],
    );
    expect(refutedBy(await honest.get('k21', 20))).toBe('accepted');
    expect(refutedBy(await honest.get('k21', 22))).toBe('accepted');
  });

  it('starts with version 0 headers when told to', async () => {
    await using ledger = await EmbeddedLedger.start({ headerVersion: 0, excludeCommitTime: true });
    const client = await RawClient.open(ledger.address, 'defaultdb');
    const { answer } = await client.call('Set', { KVs: [{ key: b('a'), value: b('1') }] });
    const deleted = await client.call('Delete', { keys: [b('a')] });
    await client.close();
    expect(answer.version ?? 0).toBe(0);
    expect(answer.ts ?? '0').toBe('0');
    expect(deleted.refusal?.message).toMatch(/^metadata is unsupported when in 1.1 compatibility mode/);
  });
});
