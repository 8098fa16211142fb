// The checkpoints that a log keeps of itself. Every method requires a transaction, `add` a write transaction.
import type { Checkpoint } from '../../audit-log.js';
import { checkpointBytes, parseCheckpoint } from '../../log/checkpoint.js';
import { copy } from '../log/row-record.js';
import type { Statements } from './statements.js';

interface CheckpointRecord {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array | null;
  readonly key_fingerprint: Uint8Array | null;
}

export class KeptCheckpoints {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Of rows above `after`, from row `low` on. */
  page(after: bigint | null, low: bigint, limit: number): Checkpoint[] {
    return this.#find('seq > ? AND seq >= ? ORDER BY seq, id LIMIT ?', [after ?? -1n, low, limit]);
  }

  /** @throws ArgumentError when the bytes of one are not a checkpoint's */
  at(seq: bigint): Checkpoint[] {
    return this.#find('seq = ? ORDER BY id', [seq]);
  }

  /** Rows in a range of which checkpoints are kept. */
  seqs(low: bigint, high: bigint): bigint[] {
    const sql = 'SELECT DISTINCT seq FROM checkpoint WHERE seq BETWEEN ? AND ?';
    return this.#statements.get(sql).pluck().all(low, high) as bigint[];
  }

  /** Seq of one of a row above `seq`; null when there is none. */
  beyond(seq: bigint): bigint | null {
    const sql = 'SELECT seq FROM checkpoint WHERE seq > ? LIMIT 1';
    return (this.#statements.get(sql).pluck().get(seq) as bigint | undefined) ?? null;
  }

  newest(): { readonly seq: bigint; readonly time: number } | undefined {
    const sql = 'SELECT seq, time FROM checkpoint ORDER BY seq DESC, id DESC LIMIT 1';
    const last = this.#statements.get(sql).get() as { seq: bigint; time: bigint } | undefined;
    return last && { seq: last.seq, time: Number(last.time) };
  }

  add(checkpoint: Checkpoint): void {
    const { seq, time, signature, keyFingerprint } = checkpoint;
    this.#statements
      .get('INSERT INTO checkpoint (seq, time, bytes, signature, key_fingerprint) VALUES (?, ?, ?, ?, ?)')
      .run(seq, time, checkpointBytes(checkpoint), signature ?? null, keyFingerprint ?? null);
  }

  #find(where: string, args: readonly unknown[]): Checkpoint[] {
    const records = this.#statements
      .get(`SELECT bytes, signature, key_fingerprint FROM checkpoint WHERE ${where}`)
      .all(...args) as CheckpointRecord[];
    return records.map(({ bytes, signature, key_fingerprint }) =>
      parseCheckpoint(bytes, {
        ...(signature && { signature: copy(signature) }),
        ...(key_fingerprint && { keyFingerprint: copy(key_fingerprint) }),
      }),
    );
  }
}
