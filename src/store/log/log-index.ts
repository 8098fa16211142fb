// What decisions rest on, found at once, for a log whose rows are at hand: all of them, or those that a batch may ask for.
import { equalBytes, toHex } from '../../proof/bytes.js';
import type { RootConflict } from '../audit-log.js';
import type { AuditRow, StoredRoot, TrustKey } from '../audit-types.js';
import { isHeadMove } from './audit-query.js';
import type { Snapshot } from './decide.js';
import { LogState, nameOf } from './log-state.js';

export class LogIndex extends LogState implements Snapshot {
  /** Rows that moved a head, by database and tx. */
  readonly #moves = new Map<string, AuditRow[]>();
  /** Seq of the newest `forget` row of a database. */
  readonly #forgotten = new Map<string, bigint>();
  /** Seq of the newest `fork` row of a database, and of a root. */
  readonly #forks = new Map<string, bigint>();

  /** Rows come in order. */
  override apply(row: AuditRow): void {
    super.apply(row);
    this.recall(row);
  }

  /** A row of before, for what is looked up: heads and identities have it already. Rows come in order. */
  recall(row: AuditRow): void {
    const { outcome, seq } = row;
    if (isHeadMove(outcome)) {
      const at = rootName(row);
      this.#moves.set(at, [...(this.#moves.get(at) ?? []), row]);
    } else if (outcome === 'forget') {
      this.#forgotten.set(nameOf(row), seq);
    } else if (outcome === 'fork') {
      this.#forks.set(nameOf(row), seq);
      this.#forks.set(forkName(row), seq);
    }
  }

  findConflict(root: TrustKey & StoredRoot): RootConflict | null {
    const row = this.#moves.get(rootName(root))?.findLast(({ alh }) => !equalBytes(alh, root.alh));
    if (!row) return null;
    const { seq, tx, operation, clientId, verifiedAt } = row;
    const forgotten = this.forgottenAt(root) > seq;
    return { seq, tx, alh: new Uint8Array(row.alh), operation, clientId, verifiedAt, forgotten };
  }

  hasFork(root: TrustKey & StoredRoot): boolean {
    return this.#forks.has(forkName(root));
  }

  hasForkSinceForget(key: TrustKey): boolean {
    return (this.#forks.get(nameOf(key)) ?? 0n) > this.forgottenAt(key);
  }

  wasForgotten(key: TrustKey): boolean {
    return this.#forgotten.has(nameOf(key));
  }

  /** Seq of the row by which trust was last forgotten; 0: it never was. */
  forgottenAt(key: TrustKey): bigint {
    return this.#forgotten.get(nameOf(key)) ?? 0n;
  }

  now(): number {
    return Date.now();
  }
}

function rootName(root: TrustKey & { readonly tx: bigint }): string {
  return `${root.tx.toString()} ${nameOf(root)}`;
}

function forkName(root: TrustKey & StoredRoot): string {
  return `${toHex(root.alh)} ${rootName(root)}`;
}
