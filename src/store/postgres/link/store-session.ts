// A connection of a root store: made again to the same store, of which nothing is gone, or to none.
import { StoreError } from '../../../errors.js';
import { equalBytes, toHex } from '../../../proof/bytes.js';
import type { ChainPoint } from '../../audit-log.js';
import type { Durability } from '../public-types.js';
import { inspect } from '../schema/inspect.js';
import { ROOT_STORE } from './errors.js';
import type { Link } from './link.js';
import { checkServer } from './server-check.js';
import { Session } from './session.js';
import type { SessionOptions } from './session.js';

export interface StoreSessionOptions extends Omit<SessionOptions, 'what' | 'durable'> {
  readonly durability: Durability;
  /** What finds by itself that rows are gone, and says which. @default false */
  readonly tellsRollback?: boolean;
}

/** What every connection of a store has in common. */
export interface Same {
  /** The store that it must be; undefined until it is known. */
  storeId: Uint8Array | undefined;
  /** The newest row that this process knows to be durable. */
  known: ChainPoint;
}

export class StoreSession extends Session {
  readonly options: StoreSessionOptions;
  readonly same: Same;

  constructor(options: StoreSessionOptions, same: Same, name: string) {
    super({ ...options, what: ROOT_STORE, durable: 'later' }, name, async (link) => {
      await checkServer(link, options.durability);
      if (same.storeId) await assertSame(link, options, { ...same, storeId: same.storeId });
    });
    this.options = options;
    this.same = same;
  }
}

/** The same store, and nothing of it is gone. */
async function assertSame(
  link: Link,
  { label, schema, tellsRollback }: StoreSessionOptions,
  { storeId, known }: Same & { readonly storeId: Uint8Array },
): Promise<void> {
  const found = await inspect(link, label, schema);
  if (!found) throw new StoreError('STORE_MISSING', `the root store ${label} is gone`);
  if (!equalBytes(found.storeId, storeId)) {
    const words = `it has the id ${toHex(found.storeId)}, wanted is ${toHex(storeId)}`;
    throw new StoreError('STORE_FOREIGN', `${label} is another root store: ${words}`);
  }
  if (!tellsRollback) await assertNotRolledBack(link, label, known);
}

/** @throws StoreError STORE_DAMAGED when the log does not have a row that it had */
export async function assertNotRolledBack(
  link: Link,
  label: string,
  { seq, hash }: ChainPoint,
): Promise<void> {
  if (seq === 0n) return;
  const [found] = await link.query(
    `SELECT s.rows, s.base_seq >= $1 AS archived, coalesce(a.hash = $2, false) AS same
     FROM store s LEFT JOIN audit a ON a.seq = $1`,
    [seq, hash],
  );
  if (found?.['same'] === true || (found?.['archived'] === true && (found['rows'] as bigint) >= seq)) return;
  const rows = typeof found?.['rows'] === 'bigint' ? found['rows'].toString() : 'no';
  const words = `it has ${rows} rows, and not row ${seq.toString()} as it was written: an older state was put in its place`;
  throw new StoreError('STORE_DAMAGED', `the root store ${label} was rolled back: ${words}`);
}
