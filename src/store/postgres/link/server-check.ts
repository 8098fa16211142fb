// What a server must be: one that keeps what it says is kept.
import { StoreError } from '../../../errors.js';
import type { Durability } from '../public-types.js';
import { IN_DOUBT, LinkLost } from './errors.js';
import type { Link, Row, Value } from './link.js';

const OLDEST = 130_000;

/** What a server that keeps rows tells of itself. */
export const STATE = `current_setting('fsync') AS fsync, current_setting('synchronous_standby_names') AS standbys`;

/** @throws LinkLost for a standby, which may be promoted; StoreError for a server that is not what was asked for */
export async function checkServer(link: Link, durability: Durability): Promise<void> {
  const [state = {}] = await link.query(
    `SELECT pg_is_in_recovery() AS standby, current_setting('server_version_num') AS version, ${STATE}`,
  );
  if (Number(state['version']) < OLDEST)
    throw new StoreError('STORE_FAILED', `${link.what} ${link.label} needs PostgreSQL 13 or later`);
  if (state['standby'] !== false) throw new LinkLost(`${link.label}: it is a standby, and takes no rows`);
  assertDurable(link, state, durability);
}

/**
 * Makes durable all that was committed before, on this connection or any: a message in the write-ahead log, whose commit waits
 * until the log is flushed up to it, on the standby too where there is a synchronous one.
 */
export async function flush(link: Link, durability: Durability): Promise<void> {
  await flushedBy(link, durability, FLUSH, [], 'immu_flush');
}

/** Runs a statement whose own commit waits for that, and which tells {@link STATE}. */
export async function flushedBy(
  link: Link,
  durability: Durability,
  text: string,
  values: readonly Value[],
  name: string,
): Promise<Row> {
  const before = link.notices;
  const [state = {}] = await link.query(text, values, name);
  assertDurable(link, state, durability, IN_DOUBT);
  // The wait for the standby can be called off by hand: the server then says done, with a warning.
  if (link.notices !== before) {
    link.close();
    throw new LinkLost(`${link.label}: a flush was called off`);
  }
  return state;
}

const FLUSH = `SELECT set_config('synchronous_commit', 'on', true),
  pg_logical_emit_message(true, 'immu-ts', '')::text AS at, ${STATE}`;

function assertDurable(
  { label, what }: Link,
  { fsync, standbys }: Row,
  durability: Durability,
  more = '',
): void {
  if (fsync !== 'on')
    throw new StoreError('STORE_FAILED', `${what} ${label} is on a server with fsync = off${more}`);
  if (durability === 'sync' && standbys === '') {
    const words = 'durability: sync was asked for, and synchronous_standby_names is empty there';
    throw new StoreError('STORE_FAILED', `${what} ${label} has no synchronous standby: ${words}${more}`);
  }
}
