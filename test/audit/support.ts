// A ledger with a history, and what audits of it found.
import { onTestFinished } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { AuditRow, ImmuClientOptions } from '#dist/index.js';
import type { DatabaseReport, RootsReport } from '#dist/audit.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { check } from '#dist/verify/check.js';
import { unpackJob } from '#dist/verify/pack/packet.js';
import { rowsOf } from '../trust/support.js';

export const CREDENTIALS = { user: 'immudb', password: 'immudb' };

export interface Stage {
  readonly ledger: EmbeddedLedger;
  readonly client: ImmuClient;
  readonly store: MemoryRootStore;
}

/** 40 transactions: of one entry, and every fourth of three. */
export async function stage(options: { signingKey?: string; txs?: number } = {}): Promise<Stage> {
  const { signingKey, txs = 40 } = options;
  const ledger = await EmbeddedLedger.start(signingKey === undefined ? {} : { signingKey });
  onTestFinished(() => ledger.close());
  const { client, store } = clientOf(
    ledger,
    signingKey === undefined ? {} : { serverPublicKey: ledger.publicKeyPem! },
  );
  await write(client, txs);
  return { ledger, client, store };
}

export async function write(client: ImmuClient, txs: number): Promise<void> {
  for (let i = 1; i <= txs; i++) {
    if (i % 4 === 0) await client.setAll([0, 1, 2].map((j) => [`k${i}/${j}`, `v${i}`] as const));
    else await client.set(`k${i}`, `v${i}`);
  }
}

export function clientOf(server: { address: string }, options: ImmuClientOptions = {}) {
  const store = new MemoryRootStore();
  const client = new ImmuClient({
    address: server.address,
    store,
    credentials: CREDENTIALS,
    verifier: { threads: 1 },
    keepAliveMs: 0,
    ...options,
  });
  onTestFinished(() => client.close().catch(() => undefined));
  return { client, store };
}

/** Findings as `tx check`, or `tx-tx check`. */
export function told({ findings }: DatabaseReport | RootsReport): string[] {
  return findings.map(
    ({ tx = '', toTx, check: name }) => `${tx}${toTx === undefined ? '' : `-${toTx}`} ${name}`,
  );
}

/** Rows that an audit wrote, each with evidence that fails the same check today. */
export async function refusals(store: MemoryRootStore, operation: string): Promise<AuditRow[]> {
  const rows = await rowsOf(store, { operation, outcome: ['failure', 'fork'] });
  for (const { evidence } of rows) {
    if (!evidence) continue;
    const verdict = check(unpackJob(evidence.job));
    if (verdict.ok || verdict.refuted.check !== evidence.check)
      throw new Error(`evidence of ${evidence.check} says ${JSON.stringify(verdict)}`);
  }
  return rows;
}
