// Names of clients: kept once and known by a number, up to a bound; beyond it a row holds its client's name itself.
import type { Statements } from './statements.js';

/** A process that names itself by chance writes one each: the table must not grow with them for ever. */
const MAX_CLIENTS = 65_536n;
/** Names whose ids are remembered. */
const MAX_REMEMBERED = 4096;

export class Clients {
  readonly #statements: Statements;
  readonly #ids = new Map<string, bigint>();
  readonly #texts = new Map<bigint, string>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** What stands for a name in a row; the name is written first when it is new. */
  of(text: string): bigint | string {
    const remembered = this.#ids.get(text);
    if (remembered !== undefined) return remembered;
    const find = this.#statements.get('SELECT id FROM client WHERE text = ?').pluck();
    let id = find.get(text) as bigint | undefined;
    if (id === undefined) {
      const newest = this.#statements.get('SELECT max(id) FROM client').pluck().get() as bigint | null;
      if ((newest ?? 0n) >= MAX_CLIENTS) return text;
      id = BigInt(this.#statements.get('INSERT INTO client (text) VALUES (?)').run(text).lastInsertRowid);
    }
    if (this.#ids.size >= MAX_REMEMBERED) this.#ids.clear();
    this.#ids.set(text, id);
    return id;
  }

  /** The name that a row's value stands for; undefined when it is not on record. */
  text(client: bigint | string): string | undefined {
    if (typeof client === 'string') return client;
    let text = this.#texts.get(client);
    if (text !== undefined) return text;
    text = this.#statements.get('SELECT text FROM client WHERE id = ?').pluck().get(client) as
      string | undefined;
    if (text === undefined) return undefined;
    if (this.#texts.size >= MAX_REMEMBERED) this.#texts.clear();
    this.#texts.set(client, text);
    return text;
  }

  /** Ids given in a transaction that was rolled back do not exist; names may be changed by hand between two walks. */
  forget(): void {
    this.#ids.clear();
    this.#texts.clear();
  }
}
