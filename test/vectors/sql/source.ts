// What was recorded of SQL and documents (source.json): statements and requests of a live immudb 1.11.1, every transaction they made
// with its entries, and the server's answers.
import { readFileSync } from 'node:fs';
import { fromHex } from '#dist/proof/bytes.js';
import { decodeKVMetadata } from '#dist/proof/metadata.js';
import type { KVMetadata } from '#dist/proof/types.js';

export interface RecordedEntry {
  readonly key: Uint8Array;
  readonly metadata: KVMetadata | undefined;
  readonly hValue: Uint8Array;
  readonly value: Uint8Array;
}

/** A value as it was recorded: one of these. */
export interface RecordedValue {
  readonly null?: true;
  readonly n?: string;
  readonly b?: boolean;
  readonly s?: string;
  readonly bs?: string;
  readonly ts?: string;
  readonly f?: number | string;
  readonly fBits?: string;
}

/** A question for a row, and its answer or the server's error. */
export interface RecordedRow {
  readonly id: string;
  readonly table: string;
  readonly pk: readonly RecordedValue[];
  readonly atTx: string;
  readonly proveSinceTx: string;
  readonly head: string;
  readonly request: string;
  readonly tx?: string;
  readonly deleted?: boolean;
  readonly answer?: string;
}

export interface RecordedQuery {
  readonly id: string;
  readonly sql: string;
  readonly columns: readonly (readonly [string, string])[];
  readonly rows: readonly (readonly RecordedValue[])[];
  readonly answers: readonly string[];
}

export interface RecordedHeader {
  readonly id: string;
  readonly prevAlh: string;
  readonly ts: string;
  readonly version: number;
  readonly metadata: string;
  readonly nentries: number;
  readonly eH: string;
  readonly blTxId: string;
  readonly blRoot: string;
  readonly alh: string;
}

export interface RecordedTx {
  readonly header: RecordedHeader;
  readonly entries: readonly { k: string; md: string; h: string; v: string }[];
}

export interface RecordedDatabase {
  readonly rows: readonly RecordedRow[];
  readonly queries: readonly RecordedQuery[];
  readonly txs: Readonly<Record<string, RecordedTx>>;
}

export const recordedSql = JSON.parse(
  readFileSync(new URL('./source.json', import.meta.url), 'utf8'),
) as { readonly databases: Readonly<Record<string, RecordedDatabase>> };

export function recordedDatabase(name: string): RecordedDatabase {
  const found = recordedSql.databases[name];
  if (!found) throw new Error(`nothing was recorded of ${name}`);
  return found;
}

export function entriesOf({ entries }: RecordedTx): RecordedEntry[] {
  return entries.map(({ k, md, h, v }) => ({
    key: fromHex(k),
    metadata: md === '' ? undefined : decodeKVMetadata(fromHex(md)),
    hValue: fromHex(h),
    value: fromHex(v),
  }));
}

/** All transactions, by ascending id. */
export function txsOf({ txs }: RecordedDatabase): [tx: number, entries: RecordedEntry[]][] {
  return Object.entries(txs)
    .map(([tx, recorded]): [number, RecordedEntry[]] => [Number(tx), entriesOf(recorded)])
    .sort(([a], [b]) => a - b);
}
