// Blocks of headers that were proven, as the server sent them (header-store.ts). Nothing here is trusted: whoever loads a
// block holds it against the log. Everything requires a transaction in which the log's `begin` was called.
import type { StoredRoot, TrustKey } from '../../audit-types.js';
import { bytesOf } from '../../header-store.js';
import type { HeaderBlock, HeaderBlockInfo } from '../../header-store.js';
import type { Kinds } from './kinds.js';
import { copy } from '../log/row-record.js';
import type { Statements } from './statements.js';

interface BlockRecord {
  readonly id: bigint;
  readonly last: bigint;
  readonly head_tx: bigint;
  readonly head_alh: Uint8Array;
  readonly proof: Uint8Array;
  readonly headers: Uint8Array;
  readonly columns: Uint8Array;
}

export class HeaderBlocks {
  readonly #statements: Statements;
  readonly #kinds: Kinds;
  /** Loaded since the last commit, in the order of use: a load alone is worth no flush to disk. */
  readonly #loaded = new Set<bigint>();

  constructor(statements: Statements, kinds: Kinds) {
    this.#statements = statements;
    this.#kinds = kinds;
  }

  load(key: TrustKey, first: bigint): HeaderBlock | null {
    const ledger = this.#ledger(key);
    const sql = `SELECT b.id, b.last, b.head_tx, b.head_alh, c.proof, c.headers, c.columns
                 FROM header_block b JOIN header_content c ON c.block = b.id WHERE b.ledger = ? AND b.first = ?`;
    const found = this.#statements.get(sql).get(ledger, first) as BlockRecord | undefined;
    if (!found) return null;
    this.#loaded.delete(found.id);
    this.#loaded.add(found.id);
    return {
      first,
      last: found.last,
      head: { tx: found.head_tx, alh: copy(found.head_alh) },
      proof: copy(found.proof),
      headers: copy(found.headers),
      columns: copy(found.columns),
    };
  }

  list({ server, database }: Partial<TrustKey>): HeaderBlockInfo[] {
    const records = this.#statements
      .get(
        `SELECT l.server, l.database, b.first, b.last, b.bytes FROM header_block b JOIN ledger l ON l.id = b.ledger
         WHERE (@server IS NULL OR l.server = @server) AND (@database IS NULL OR l.database = @database)
         ORDER BY b.used`,
      )
      .all({ server: server ?? null, database: database ?? null }) as (Omit<HeaderBlockInfo, 'bytes'> & {
      bytes: bigint;
    })[];
    return records.map((record) => ({ ...record, bytes: Number(record.bytes) }));
  }

  /** Requires a write transaction. @param head the trusted head of the database */
  save(key: TrustKey, block: HeaderBlock, maxBytes: number, head: StoredRoot | null): void {
    const ledger = this.#ledger(key);
    this.writeUse();
    if (ledger === null || !head || head.tx < block.head.tx) return;
    const { first, last, proof, headers, columns } = block;
    const written = this.#statements
      .get(
        `INSERT INTO header_block (ledger, first, last, head_tx, head_alh, used, bytes)
         VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(used), 0) + 1 FROM header_block), ?)
         ON CONFLICT (ledger, first) DO UPDATE SET
           last = excluded.last, head_tx = excluded.head_tx, head_alh = excluded.head_alh,
           used = excluded.used, bytes = excluded.bytes
         WHERE excluded.last >= last RETURNING id`,
      )
      .pluck()
      .get(ledger, first, last, block.head.tx, block.head.alh, bytesOf(block)) as bigint | undefined;
    // There is a longer one.
    if (written === undefined) return;
    this.#statements
      .get('INSERT OR REPLACE INTO header_content (block, proof, headers, columns) VALUES (?, ?, ?, ?)')
      .run(written, proof, headers, columns);
    this.#trim(BigInt(maxBytes));
  }

  /** Writes down what was used since the last commit. Requires a write transaction. */
  writeUse(): void {
    const touch = this.#statements.get(
      `UPDATE header_block SET used = (SELECT max(used) + 1 FROM header_block) WHERE id = ?`,
    );
    for (const id of this.#loaded) touch.run(id);
    this.#loaded.clear();
  }

  drop(key: TrustKey, first: bigint): void {
    const sql = 'DELETE FROM header_block WHERE ledger = ? AND first = ?';
    this.#statements.get(sql).run(this.#ledger(key), first);
  }

  forget(ledger: bigint): void {
    this.#statements.get('DELETE FROM header_block WHERE ledger = ?').run(ledger);
  }

  #trim(maxBytes: bigint): void {
    const sum = 'SELECT coalesce(sum(bytes), 0) FROM header_block';
    let bytes = this.#statements.get(sum).pluck().get() as bigint;
    const oldest = this.#statements.get('SELECT id, bytes FROM header_block ORDER BY used LIMIT 1');
    const remove = this.#statements.get('DELETE FROM header_block WHERE id = ?');
    while (bytes > maxBytes) {
      const block = oldest.get() as { id: bigint; bytes: bigint };
      remove.run(block.id);
      bytes -= block.bytes;
    }
  }

  #ledger(key: TrustKey): bigint | null {
    return this.#kinds.ofLedger(key)[0]?.ledger ?? null;
  }
}
