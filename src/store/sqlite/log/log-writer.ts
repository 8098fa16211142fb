// Writes over one connection: rows to the end of the chain, and the heads and identities that they make. Everything here
// requires a write transaction in which `begin` was called, for another process may have written meanwhile.
import { sameRoot } from '../../log/audit-entry.js';
import type { Checkpoint } from '../../audit-log.js';
import { HEAD_MOVES } from '../../log/audit-query.js';
import { evidenceHash, rowHash } from '../../log/audit-row.js';
import type { AuditEntry, StoredRoot, TrustKey } from '../../audit-types.js';
import { checkpointBytes } from '../../log/checkpoint.js';
import { reportFork } from '../../log/conflict.js';
import type { ForkLog } from '../../log/conflict.js';
import type { HeaderBlock } from '../../header-store.js';
import { identityEntry } from '../../log/log-state.js';
import type { AdvanceOutcome, RecordOutcome } from '../../root-store.js';
import type { Kind } from '../tables/kinds.js';
import type { OpenLog } from './open-log.js';

interface Tail {
  readonly seq: bigint;
  readonly hash: Uint8Array;
}

/** What comes of nearly every move. */
export const MOVED: AdvanceOutcome = { moved: true };
/** What comes of nearly every row that moves nothing. */
export const NOTHING_FOUND: RecordOutcome = {};
/** Heads that are remembered: some 200 bytes each. */
const MAX_HEADS = 16_384;

export class LogWriter implements ForkLog {
  readonly #reader: OpenLog;
  /** Heads by ledger, as far as they are known. */
  readonly #heads = new Map<bigint, StoredRoot | null>();
  /** Ledgers whose heads the transaction moved: written once, at its end. */
  readonly #moved = new Set<bigint>();
  #tail: Tail | undefined;
  #grown = false;
  /** The reader's epoch of what is remembered here. */
  #epoch: number | undefined;

  constructor(reader: OpenLog) {
    this.#reader = reader;
  }

  begin(): void {
    this.#reader.begin();
    this.#grown = false;
    this.#moved.clear();
    if (this.#epoch !== this.#reader.epoch || this.#heads.size > MAX_HEADS) this.#forget();
    this.#epoch = this.#reader.epoch;
  }

  /** The transaction was undone. */
  undone(): void {
    this.#forget();
    this.#reader.forget();
  }

  /** The last write of a transaction. */
  finish(): void {
    this.#writeHeads();
    this.#reader.headerBlocks.writeUse();
    if (!this.#grown) return;
    const { seq } = this.tail();
    this.#sql('UPDATE store SET rows = ?').run(seq);
    this.#reader.recent.moveIfMany(seq);
  }

  /** The newest row, or what the first one follows. */
  tail(): Tail {
    this.#tail ??= this.#readTail();
    return this.#tail;
  }

  advance(expected: StoredRoot | null, entry: AuditEntry): AdvanceOutcome {
    const current = this.#head(entry);
    const moved = sameRoot(current, expected);
    // A head that moves up meets only what was logged before trust was forgotten.
    const conflict = moved && !this.#wasForgotten(entry) ? undefined : this.#conflict(expected, entry, moved);
    const found = conflict && { conflict };
    if (!moved) return { moved, current, ...found };
    const { ledger } = this.append(entry);
    this.#heads.set(ledger, { tx: entry.tx, alh: entry.alh });
    this.#moved.add(ledger);
    return found ? { moved, ...found } : MOVED;
  }

  record(entry: AuditEntry): RecordOutcome {
    // Calls are covered by a root; the other kinds may name none.
    const isNew =
      entry.outcome === 'calls' && (this.#wasForgotten(entry) || !sameRoot(this.#head(entry), entry));
    const conflict = isNew ? reportFork(this, entry, entry) : undefined;
    this.append(entry);
    return conflict ? { conflict } : NOTHING_FOUND;
  }

  forget(entry: AuditEntry): void {
    const { ledger } = this.append(entry);
    this.#heads.set(ledger, null);
    this.#moved.delete(ledger);
    this.#sql('DELETE FROM head WHERE ledger = ?').run(ledger);
    this.#reader.headerBlocks.forget(ledger);
  }

  keepHeaders(key: TrustKey, block: HeaderBlock, maxBytes: number): void {
    this.#reader.headerBlocks.save(key, block, maxBytes, this.#head(key));
  }

  dropHeaders(key: TrustKey, first: bigint): void {
    this.#reader.headerBlocks.drop(key, first);
  }

  bindIdentity(address: string, server: string): string {
    const bound = this.#reader.identity(address);
    if (bound !== null) return bound;
    this.#setIdentity(address, server, false);
    return server;
  }

  rebindIdentity(address: string, server: string): void {
    this.#setIdentity(address, server, true);
  }

  findConflict(root: Parameters<ForkLog['findConflict']>[0]): ReturnType<ForkLog['findConflict']> {
    this.#reader.recent.move();
    return this.#reader.findConflict(root);
  }

  hasFork(entry: AuditEntry): boolean {
    this.#reader.recent.move();
    const find = this.#sql(
      'SELECT 1 FROM audit INDEXED BY audit_by_tx WHERE kind = ? AND tx = ? AND alh = ?',
    );
    return this.#reader.kinds
      .ofLedger(entry)
      .some(({ id, outcome }) => outcome === 'fork' && find.get(id, entry.tx, entry.alh) !== undefined);
  }

  hasForkSinceForget(entry: AuditEntry): boolean {
    this.#reader.recent.move();
    return this.#reader.newest(entry, ['fork']) > this.#reader.newest(entry, ['forget']);
  }

  append(entry: AuditEntry): Kind {
    const reader = this.#reader;
    const tail = this.tail();
    const seq = tail.seq + 1n;
    const kind = reader.kinds.of(entry);
    const kept = entry.evidence && reader.evidenceTable.keepBytes(kind.ledger, entry, entry.evidence);
    const covered = kept && evidenceHash(kept.evidence, kept.jobHash);
    const hash = rowHash(tail.hash, seq, entry, covered);
    const client = reader.clients.of(entry.clientId);
    reader.recent.add(entry, { seq, kind: kind.id, client, evidenceHash: covered, hash });
    if (kept) {
      // It names its row in the log.
      reader.recent.move();
      reader.evidenceTable.add(seq, kept);
    }
    this.#tail = { seq, hash };
    this.#grown = true;
    return kind;
  }

  /** A commitment to the log as it stands. */
  checkpoint(): Checkpoint {
    this.#writeHeads();
    const { seq, hash } = this.tail();
    const { storeId } = this.#reader;
    return { storeId, seq, hash: new Uint8Array(hash), time: Date.now(), ...this.#reader.held() };
  }

  newestCheckpoint(): { readonly seq: bigint; readonly time: number } | undefined {
    const sql = 'SELECT seq, time FROM checkpoint ORDER BY seq DESC, id DESC LIMIT 1';
    const last = this.#sql(sql).get() as { seq: bigint; time: bigint } | undefined;
    return last && { seq: last.seq, time: Number(last.time) };
  }

  keepCheckpoint(checkpoint: Checkpoint): void {
    const { seq, time, signature, keyFingerprint } = checkpoint;
    this.#sql(
      'INSERT INTO checkpoint (seq, time, bytes, signature, key_fingerprint) VALUES (?, ?, ?, ?, ?)',
    ).run(seq, time, checkpointBytes(checkpoint), signature ?? null, keyFingerprint ?? null);
  }

  #head(key: TrustKey): StoredRoot | null {
    const [kind] = this.#reader.kinds.ofLedger(key);
    if (!kind) return null;
    let head = this.#heads.get(kind.ledger);
    if (head === undefined) {
      head = this.#reader.head(key);
      this.#heads.set(kind.ledger, head);
    }
    return head;
  }

  #writeHeads(): void {
    if (this.#moved.size === 0) return;
    const write = this.#sql(
      'INSERT INTO head (ledger, tx, alh) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tx = excluded.tx, alh = excluded.alh',
    );
    for (const ledger of this.#moved) {
      const head = this.#heads.get(ledger);
      if (head) write.run(ledger, head.tx, head.alh);
    }
    this.#moved.clear();
  }

  #forget(): void {
    this.#tail = undefined;
    this.#heads.clear();
    this.#moved.clear();
  }

  #conflict(expected: StoredRoot | null, entry: AuditEntry, moved: boolean) {
    const conflict = reportFork(this, entry, entry);
    return conflict || moved || !expected ? conflict : reportFork(this, entry, expected);
  }

  #setIdentity(address: string, server: string, again: boolean): void {
    this.append(identityEntry(address, server, again));
    this.#sql(
      'INSERT INTO identity (address, server) VALUES (?, ?) ON CONFLICT DO UPDATE SET server = excluded.server',
    ).run(address, server);
  }

  #wasForgotten(entry: AuditEntry): boolean {
    const kinds = this.#reader.kinds.ofLedger(entry);
    return (
      kinds.some(({ outcome }) => outcome === 'forget') &&
      kinds.some(({ outcome }) => HEAD_MOVES.includes(outcome))
    );
  }

  #readTail(): Tail {
    const base = this.#reader.base();
    for (const table of ['recent', 'audit']) {
      const newest = `SELECT seq, hash FROM ${table} ORDER BY seq DESC LIMIT 1`;
      const last = this.#sql(newest).get() as Tail | undefined;
      if (last && last.seq > base.seq) return last;
    }
    return base;
  }

  #sql(text: string) {
    return this.#reader.statements.get(text);
  }
}
