// Many connections that append one row at a time, as a fleet does: with the flush apart from the append, as the store does it, and
// with a plain commit that holds the log until it is durable. By the store's own parts: it has no way to do the latter.
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { ChainPoint } from '#dist/store/audit-log.js';
import { addressesOf } from '#dist/store/postgres/link/address.js';
import { Link } from '#dist/store/postgres/link/link.js';
import { flush } from '#dist/store/postgres/link/server-check.js';
import { APPEND_SQL, batchValues } from '#dist/store/postgres/write/batch.js';
import { handed } from '#dist/store/postgres/write/handed-row.js';
import { Names } from '#dist/store/postgres/write/names.js';
import { KEY, rootEntry } from './store-rows.js';

export const WAYS = ['plain', 'barrier'] as const;

/** Writers on connections of their own, of which each has written a row. */
export class SingleWriters {
  readonly #writers: Writer[];

  private constructor(writers: Writer[]) {
    this.#writers = writers;
  }

  static async open(
    url: string,
    schema: string,
    count: number,
    way: (typeof WAYS)[number],
  ): Promise<SingleWriters> {
    const writers: Writer[] = [];
    for (let i = 0; i < count; i++) writers.push(await Writer.open(url, schema, way, `${way}-${i}`));
    return new SingleWriters(writers);
  }

  /** Durable rows a second, so many by each. */
  async rate(each: number): Promise<number> {
    const start = performance.now();
    await Promise.all(
      this.#writers.map(async (writer) => {
        for (let i = 0; i < each; i++) await writer.append();
      }),
    );
    return (each * this.#writers.length) / ((performance.now() - start) / 1000);
  }

  close(): void {
    for (const writer of this.#writers) writer.link.close();
  }
}

const NOTHING_KNOWN: ChainPoint = { seq: 0n, hash: new Uint8Array(32) };

class Writer {
  readonly link: Link;
  readonly #way: string;
  readonly #database: string;
  readonly #id = new Uint8Array(randomBytes(16));
  readonly #names = new Names();
  #rows = 0;

  private constructor(link: Link, way: string, database: string) {
    this.link = link;
    this.#way = way;
    this.#database = database;
  }

  static async open(
    url: string,
    schema: string,
    way: (typeof WAYS)[number],
    database: string,
  ): Promise<Writer> {
    const [address] = addressesOf(url);
    const terms = {
      schema,
      timeoutMs: 60_000,
      name: 'immu-ts bench',
      what: 'the log',
      durable: 'later',
    } as const;
    const link = await Link.open(address!, terms);
    if (way === 'plain') await link.query(`SELECT set_config('synchronous_commit', 'on', false)`);
    const writer = new Writer(link, way, database);
    await writer.append();
    return writer;
  }

  async append(): Promise<void> {
    const key = { ...KEY, database: this.#database };
    const at = this.#rows;
    const expected = at === 0 ? null : rootEntry(at - 1, 10_000, key);
    const entry = rootEntry(at, 10_000, key);
    const named = await this.#names.ensure(this.link, [entry]);
    this.#rows += 1;
    const head = { writer: this.#id, batch: BigInt(this.#rows), known: NOTHING_KNOWN };
    const values = batchValues(head, [handed({ kind: 'advance', expected, entry })], named);
    const append = this.link.query(APPEND_SQL, values, 'immu_append');
    const [[appended]] = await Promise.all([
      append,
      this.#way === 'barrier' ? flush(this.link, 'local') : undefined,
    ]);
    if (!String(appended?.['outcome']).endsWith(':a')) throw new Error('the head did not move');
  }
}
