// What refusals cost: per answer, not per caller. Callers are told before megabytes are written, and what waits is bounded.
import { describe, expect, it, test } from 'vitest';
import { TrustLog } from '#dist/client/trust/log/trust-log.js';
import { MAX_EVIDENCE_BYTES } from '#dist/client/trust/log/refusals.js';
import { ImmuClient, MemoryRootStore, SqliteRootStore, VerificationError } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import type { AuditEntry, AuditRow, RootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { unpackJob } from '#dist/verify/pack/packet.js';
import type { Job } from '#dist/verify/verifier.js';
import { folder, inTable } from '../store/support.js';

const KEY = { server: 'server-1', database: 'defaultdb' };
const HEAD = { tx: 3n, alh: new Uint8Array(32).fill(3) };
const REFUTED = { check: 'claims.key', detail: 'one too many', expected: '1', computed: '2' };
const MIB = 1024 * 1024;

function job(length: number, question: Job['question'] = { kind: 'state' }): Job {
  return {
    question,
    context: { head: HEAD, database: 'defaultdb', now: 1n },
    answer: new Uint8Array(length),
  };
}

const refusals = async (store: RootStore): Promise<AuditRow[]> => {
  const found: AuditRow[] = [];
  for await (const row of store.audit.roots({ outcome: 'failure' })) found.push(row);
  return found;
};

/** A store that takes a row when it is let to. */
class SlowStore extends MemoryRootStore {
  readonly asked: AuditEntry[] = [];
  letGo: () => void = () => undefined;
  readonly #go = new Promise<void>((resolve) => (this.letGo = resolve));

  override async record(entry: AuditEntry) {
    this.asked.push(entry);
    await this.#go;
    return super.record(entry);
  }
}

const journalOf = (store: RootStore) => new TrustLog({ store, key: KEY, clientId: 'c' });

test('one answer refused to 256 calls: its bytes once, every call told and counted, every row run again', async () => {
  await using ledger = await EmbeddedLedger.start();
  await using store = await SqliteRootStore.open(`${await folder()}/roots.db`);
  await using client = new ImmuClient({
    address: ledger.address,
    store,
    credentials: { user: 'immudb', password: 'immudb' },
  });
  const keys = Array.from({ length: 256 }, (_, i) => `k${i}`);
  const value = new Uint8Array(4096);
  await client.setAll(keys.map((key) => [key, value] as const));
  await client.verifiedGet('k0');
  let answers = 0;
  ledger.lie({
    kind: 'mutate',
    methods: ['GetAll'],
    mutate: (answer) => {
      answers += 1;
      const [first] = answer['entries'] as object[];
      return { entries: (answer['entries'] as object[]).map(() => ({ ...first })) };
    },
  });
  const told = await Promise.allSettled(keys.map((key) => client.verifiedGet(key)));
  const errors = told.map((each) => (each as PromiseRejectedResult).reason as VerificationError);
  const refused = errors.filter((error) => error instanceof VerificationError);
  // A first read alone is not part of a group, and is answered.
  expect(refused.length).toBeGreaterThanOrEqual(255);
  expect(new Set(refused.map(({ message }) => message)).size).toBe(refused.length);
  const rows = await refusals(store);
  expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(refused.length);
  // Of each answer: a row of its doubled key, and one of those that it left out.
  expect(rows.length).toBeLessThanOrEqual(2 * answers);
  expect(inTable(store.path, 'evidence_blob')).toBeLessThanOrEqual(answers);
  for (const { evidence } of rows) expect(verifyEvidence(evidence!).outcome).toBe('reproduced');
  expect(await store.audit.verify()).toMatchObject({ ok: true });
});

describe('calls that are refused alike', () => {
  it('share a row, which says how many they are and that their words differ', async () => {
    const store = new MemoryRootStore();
    const trustLog = journalOf(store);
    const same = job(9);
    const words = ['one', 'one', 'two', 'three'];
    const errors = await Promise.all(
      words.map((detail) => trustLog.refuse('failure', 'verifiedGet', HEAD, { ...REFUTED, detail }, same)),
    );
    expect(errors.map(({ message }) => message)).toEqual(
      words.map((detail) => `verifiedGet on defaultdb: ${detail}`),
    );
    const rows = await refusals(store);
    expect(rows).toMatchObject([{ calls: 4, detail: 'one (and 2 more of the same answer)' }]);
  });

  it('not otherwise: another check, other terms, another operation, another answer, no answer', async () => {
    const store = new MemoryRootStore();
    const trustLog = journalOf(store);
    const same = job(9);
    await Promise.all([
      trustLog.refuse('failure', 'verifiedGet', HEAD, REFUTED, same),
      trustLog.refuse('failure', 'verifiedGet', HEAD, { ...REFUTED, check: 'other' }, same),
      trustLog.refuse('failure', 'verifiedGet', HEAD, { ...REFUTED, expected: '7' }, same),
      trustLog.refuse('failure', 'verifiedGetAll', HEAD, REFUTED, same),
      trustLog.refuse('failure', 'verifiedGet', HEAD, REFUTED, job(9)),
      trustLog.refuse('failure', 'verifiedGet', HEAD, REFUTED),
      trustLog.refuse('failure', 'verifiedGet', HEAD, REFUTED),
      trustLog.refuse('fork', 'verifiedGet', HEAD, REFUTED, same),
    ]);
    expect(await refusals(store)).toHaveLength(7);
  });
});

describe('a store that takes its time', () => {
  it('callers do not wait for megabytes; closing does', async () => {
    const store = new SlowStore();
    const trustLog = journalOf(store);
    const error = await trustLog.refuse('failure', 'verifiedGet', HEAD, REFUTED, job(2 * MIB));
    expect(error.cause).toBe(undefined);
    const closed = trustLog.close(null).then(() => 'closed');
    expect(await Promise.race([closed, new Promise((turn) => setImmediate(turn))])).toBe(undefined);
    store.letGo();
    expect(await closed).toBe('closed');
    expect(await refusals(store)).toHaveLength(1);
  });

  it('a short one is durable before its caller is told', async () => {
    const store = new SlowStore();
    const refused = journalOf(store).refuse('failure', 'verifiedGet', HEAD, REFUTED, job(1000));
    expect(await Promise.race([refused, new Promise((turn) => setImmediate(turn))])).toBe(undefined);
    store.letGo();
    expect(await refused).toBeInstanceOf(VerificationError);
  });

  it('what waits for it is bounded: beyond it rows come without bytes, with their SHA-256', async () => {
    const store = new SlowStore();
    const trustLog = journalOf(store);
    for (let i = 0; i < 24; i++)
      await trustLog.refuse('failure', 'verifiedGet', HEAD, REFUTED, job(4 * MIB - i));
    store.letGo();
    await trustLog.close(null);
    const rows = await refusals(store);
    expect(rows).toHaveLength(24);
    const kept = rows.filter(({ evidence }) => evidence!.job.length > 0);
    expect(kept.length).toBeGreaterThanOrEqual(10);
    expect(kept.length).toBeLessThan(20);
    const left = rows.filter(({ evidence }) => evidence!.job.length === 0);
    expect(left[0]?.evidence).toMatchObject({ omitted: { part: 'job', reason: 'budget' } });
    expect(verifyEvidence(left[0]!.evidence!).outcome).toBe('not-kept');
  });
});

describe('a store that fails', () => {
  class BrokenStore extends MemoryRootStore {
    override record(): never {
      throw new Error('no room');
    }
  }

  it.for([
    ['at once', 100],
    ['later', 2 * MIB],
  ] as const)('is the cause of the refusal, %s', async ([when, length]) => {
    const trustLog = journalOf(new BrokenStore());
    const error = await trustLog.refuse('failure', 'verifiedGet', HEAD, REFUTED, job(length));
    const closed = trustLog.close(null);
    // Whoever was told before the store was asked hears of it when the client is closed, too.
    if (when === 'later') await expect(closed).rejects.toThrow('no room');
    else await closed;
    expect(error.cause).toMatchObject({ message: 'no room' });
    expect(error.message).toContain('not recorded');
  });

  it('an audit knows whether there is a row', async () => {
    const broken = await journalOf(new BrokenStore()).refuseInLog(
      'failure',
      'a',
      HEAD,
      REFUTED,
      job(2 * MIB),
    );
    expect(broken.cause).toBeInstanceOf(Error);
  });
});

describe('what is too long to be kept', () => {
  const key = new TextEncoder().encode('k');
  it('an answer: the question is kept, and what the answer was', async () => {
    const store = new MemoryRootStore();
    const question = { kind: 'claims', keys: [key] } as const;
    await journalOf(store).refuseInLog('failure', 'a', HEAD, REFUTED, job(MAX_EVIDENCE_BYTES, question));
    const [row] = await refusals(store);
    const { evidence } = row!;
    expect(evidence!.omitted).toMatchObject({ part: 'answer', reason: 'size', length: MAX_EVIDENCE_BYTES });
    expect(unpackJob(evidence!.job)).toMatchObject({ question, answer: new Uint8Array(0) });
    expect(verifyEvidence(evidence!)).toMatchObject({ outcome: 'not-kept', job: { question } });
  });

  it('a question: what both were', async () => {
    const store = new MemoryRootStore();
    const question = { kind: 'written', request: new Uint8Array(MAX_EVIDENCE_BYTES) } as const;
    await journalOf(store).refuseInLog('failure', 'a', HEAD, REFUTED, job(9, question));
    const [row] = await refusals(store);
    expect(row!.evidence).toMatchObject({ job: new Uint8Array(0), omitted: { part: 'job', reason: 'size' } });
  });
});
