// What the rows of a log add up to, held beside them: the trusted heads and the bound identities. Every method requires a
// transaction, a write transaction where something is written.
import type { StoredRoot } from '../../audit-types.js';
import type { StateAt } from '../../log/log-state.js';
import { copy } from '../log/row-record.js';
import type { Statements } from './statements.js';

export class Held {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  head(ledger: bigint): StoredRoot | null {
    const sql = 'SELECT tx, alh FROM head WHERE ledger = ?';
    const row = this.#statements.get(sql).get(ledger) as StoredRoot | undefined;
    return row ? { tx: row.tx, alh: copy(row.alh) } : null;
  }

  identity(address: string): string | null {
    const sql = 'SELECT server FROM identity WHERE address = ?';
    return (this.#statements.get(sql).pluck().get(address) as string | undefined) ?? null;
  }

  /** All of them, in the order of the bytes of their names. */
  all(): StateAt {
    const heads = this.#statements
      .get(
        `SELECT l.server, l.database, h.tx, h.alh FROM head h LEFT JOIN ledger l ON l.id = h.ledger
         ORDER BY l.server, l.database`,
      )
      .all() as { server: string | null; database: string | null; tx: bigint; alh: Uint8Array }[];
    return {
      heads: heads.map(({ server, database, tx, alh }) => ({
        server: server ?? '(unknown)',
        database: database ?? '(unknown)',
        tx,
        alh: copy(alh),
      })),
      identities: this.#statements
        .get('SELECT address, server FROM identity ORDER BY address')
        .all() as StateAt['identities'],
    };
  }

  moveHead(ledger: bigint, { tx, alh }: StoredRoot): void {
    const sql =
      'INSERT INTO head (ledger, tx, alh) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tx = excluded.tx, alh = excluded.alh';
    this.#statements.get(sql).run(ledger, tx, alh);
  }

  dropHead(ledger: bigint): void {
    this.#statements.get('DELETE FROM head WHERE ledger = ?').run(ledger);
  }

  bind(address: string, server: string): void {
    const sql =
      'INSERT INTO identity (address, server) VALUES (?, ?) ON CONFLICT DO UPDATE SET server = excluded.server';
    this.#statements.get(sql).run(address, server);
  }
}
