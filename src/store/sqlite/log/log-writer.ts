// Writes over one connection: rows to the end of the chain, and what they make of heads and identities. Everything here requires
// a write transaction in which `begin` was called, for another process may have written meanwhile.
import type { Checkpoint, RootConflict } from '../../audit-log.js';
import type { AuditEntry, StoredRoot, TrustKey } from '../../audit-types.js';
import type { HeaderBlock } from '../../header-store.js';
import { isHeadMove } from '../../log/audit-query.js';
import { evidenceHash, rowHash } from '../../log/audit-row.js';
import { decide } from '../../log/decide.js';
import type { DecidedRequest, Snapshot } from '../../log/decide.js';
import type { AnswerTo } from '../../log/requests.js';
import type { Kind } from '../tables/kinds.js';
import type { OpenLog } from './open-log.js';
import { conflictWith, newestSeq } from './roots.js';

interface Tail {
  readonly seq: bigint;
  readonly hash: Uint8Array;
}

/** Heads that are remembered: some 200 bytes each. */
const MAX_HEADS = 16_384;

export class LogWriter implements Snapshot {
  readonly #log: OpenLog;
  /** Heads by ledger, as far as they are known. */
  readonly #heads = new Map<bigint, StoredRoot | null>();
  /** Ledgers whose heads the transaction moved: written once, at its end. */
  readonly #moved = new Set<bigint>();
  #tail: Tail | undefined;
  #grown = false;
  /** The log's epoch of what is remembered here. */
  #epoch: number | undefined;

  constructor(log: OpenLog) {
    this.#log = log;
  }

  begin(): void {
    this.#log.begin();
    this.#grown = false;
    this.#moved.clear();
    if (this.#epoch !== this.#log.epoch || this.#heads.size > MAX_HEADS) this.#forget();
    this.#epoch = this.#log.epoch;
  }

  /** The transaction was undone. */
  undone(): void {
    this.#forget();
    this.#log.forget();
  }

  /** The last write of a transaction. */
  finish(): void {
    this.#writeHeads();
    this.#log.headerBlocks.writeUse();
    if (!this.#grown) return;
    const { seq } = this.tail();
    this.#log.statements.get('UPDATE store SET rows = ?').run(seq);
    this.#log.recent.moveIfMany(seq);
  }

  /** The newest row, or what the first one follows. */
  tail(): Tail {
    this.#tail ??= this.#readTail();
    return this.#tail;
  }

  write<R extends DecidedRequest>(request: R): AnswerTo<R> {
    const { rows, answer } = decide(request, this);
    for (const row of rows) this.append(row);
    return answer;
  }

  /** A row that was decided on, and what it makes of heads and identities: see LogState. */
  append(entry: AuditEntry): void {
    const { ledger } = this.#appendRow(entry);
    const { outcome, tx, alh } = entry;
    if (isHeadMove(outcome)) {
      this.#heads.set(ledger, { tx, alh });
      this.#moved.add(ledger);
    } else if (outcome === 'forget') {
      this.#heads.set(ledger, null);
      this.#moved.delete(ledger);
      this.#log.held.dropHead(ledger);
      this.#log.headerBlocks.forget(ledger);
    } else if (outcome === 'identity') {
      this.#log.held.bind(entry.detail ?? '', entry.server);
    }
  }

  keepHeaders(key: TrustKey, block: HeaderBlock, maxBytes: number): void {
    this.#log.headerBlocks.save(key, block, maxBytes, this.head(key));
  }

  dropHeaders(key: TrustKey, first: bigint): void {
    this.#log.headerBlocks.drop(key, first);
  }

  /** A commitment to the log as it stands. */
  checkpoint(): Checkpoint {
    this.#writeHeads();
    const { seq, hash } = this.tail();
    const { storeId, held } = this.#log;
    return { storeId, seq, hash: new Uint8Array(hash), time: this.now(), ...held.all() };
  }

  newestCheckpoint(): { readonly seq: bigint; readonly time: number } | undefined {
    return this.#log.keptCheckpoints.newest();
  }

  keepCheckpoint(checkpoint: Checkpoint): void {
    this.#log.keptCheckpoints.add(checkpoint);
  }

  head(key: TrustKey): StoredRoot | null {
    const [kind] = this.#log.kinds.ofLedger(key);
    if (!kind) return null;
    let head = this.#heads.get(kind.ledger);
    if (head === undefined) {
      head = this.#log.held.head(kind.ledger);
      this.#heads.set(kind.ledger, head);
    }
    return head;
  }

  identity(address: string): string | null {
    return this.#log.held.identity(address);
  }

  wasForgotten(key: TrustKey): boolean {
    return this.#log.kinds.ofLedger(key).some(({ outcome }) => outcome === 'forget');
  }

  findConflict(root: TrustKey & StoredRoot): RootConflict | null {
    this.#log.recent.move();
    return conflictWith(this.#log, root);
  }

  hasFork(root: TrustKey & StoredRoot): boolean {
    this.#log.recent.move();
    const find = this.#log.statements.get(
      'SELECT 1 FROM audit INDEXED BY audit_by_tx WHERE kind = ? AND tx = ? AND alh = ?',
    );
    return this.#log.kinds
      .ofLedger(root)
      .some(({ id, outcome }) => outcome === 'fork' && find.get(id, root.tx, root.alh) !== undefined);
  }

  hasForkSinceForget(key: TrustKey): boolean {
    this.#log.recent.move();
    return newestSeq(this.#log, key, ['fork']) > newestSeq(this.#log, key, ['forget']);
  }

  now(): number {
    return Date.now();
  }

  #appendRow(entry: AuditEntry): Kind {
    const log = this.#log;
    const tail = this.tail();
    const seq = tail.seq + 1n;
    const kind = log.kinds.of(entry);
    const kept = entry.evidence && log.evidenceTable.keepBytes(kind.ledger, entry, entry.evidence);
    const covered = kept && evidenceHash(kept.evidence, kept.jobHash);
    const hash = rowHash(tail.hash, seq, entry, covered);
    const client = log.clients.of(entry.clientId);
    log.recent.add(entry, { seq, kind: kind.id, client, evidenceHash: covered, hash });
    if (kept) {
      // It names its row in the log.
      log.recent.move();
      log.evidenceTable.add(seq, kept);
    }
    this.#tail = { seq, hash };
    this.#grown = true;
    return kind;
  }

  #writeHeads(): void {
    for (const ledger of this.#moved) {
      const head = this.#heads.get(ledger);
      if (head) this.#log.held.moveHead(ledger, head);
    }
    this.#moved.clear();
  }

  #forget(): void {
    this.#tail = undefined;
    this.#heads.clear();
    this.#moved.clear();
  }

  #readTail(): Tail {
    const base = this.#log.base();
    for (const table of ['recent', 'audit']) {
      const newest = `SELECT seq, hash FROM ${table} ORDER BY seq DESC LIMIT 1`;
      const last = this.#log.statements.get(newest).get() as Tail | undefined;
      if (last && last.seq > base.seq) return last;
    }
    return base;
  }
}
