// The queue of an audit in a schema of PostgreSQL: for workers on any machine.
import { ArgumentError, StoreError } from '../../../../errors.js';
import { checkSchema, labelOf, milliseconds } from '../../../../store/postgres/input.js';
import { addressesOf, toldOf } from '../../../../store/postgres/link/address.js';
import { stateOf } from '../../../../store/postgres/link/errors.js';
import { inTransaction } from '../../../../store/postgres/link/in-transaction.js';
import type { Link } from '../../../../store/postgres/link/link.js';
import { checkServer } from '../../../../store/postgres/link/server-check.js';
import { Session } from '../../../../store/postgres/link/session.js';
import { knownNames, optionsObject } from '../../../input/option-checks.js';
import type { AuditTask, TxRange } from '../queue.js';
import { TABLES, TASK } from './statements.js';
import { TableQueue, newTask, occupied, taskIn } from './table-queue.js';
import type { QueueTables } from './table-queue.js';

export interface PostgresQueueOptions {
  /** The schema that the queue has for itself. @default 'immu_ts_audit' */
  readonly schema?: string;
  /** How long an answer of PostgreSQL is waited for. @default 10 000 */
  readonly answerTimeoutMs?: number;
  /** How long a lost connection is made again before who waits is told STORE_UNAVAILABLE. @default 60 000 */
  readonly unavailableAfterMs?: number;
}

const NAMES = ['schema', 'answerTimeoutMs', 'unavailableAfterMs'];
const WHAT = 'the queue of the audit';

/**
 * The queue of an audit in a schema of PostgreSQL (13 or later), for workers on any machine: one audit at a time. A URL may tell the
 * schema, `?schema=immu_ts_audit`, and be one of several, of a primary and its standbys. Needs the package `pg`.
 */
export class PostgresAuditQueue extends TableQueue {
  /**
   * Makes the queue of an audit, where there is none. Of several who begin at once it is one's.
   *
   * @throws StoreError STORE_FOREIGN when there is a queue already, STORE_UNAVAILABLE, STORE_FAILED; ArgumentError
   *
   * @example
   * const { tx, alh } = await client.verifiedState();
   * const task = { database: client.databaseName, under: { tx, alh }, values: false, maxFindings: 100 };
   * await using queue = await PostgresAuditQueue.make('postgres://audit@db.example/audits', task, rangesOf(1n, tx, 64));
   */
  static async make(
    url: string | readonly string[],
    task: AuditTask,
    ranges: readonly TxRange[],
    options: PostgresQueueOptions = {},
  ): Promise<PostgresAuditQueue> {
    const place = placeOf(url, options);
    const made = newTask(task, ranges);
    return using(place, async (session) => {
      await session.again((link) => make(link, place, made));
      return new PostgresAuditQueue(tablesOf(session, place), made.task);
    });
  }

  /** The queue that {@link make} made. @throws StoreError STORE_MISSING, STORE_FOREIGN, STORE_UNAVAILABLE, STORE_FAILED */
  static async open(
    url: string | readonly string[],
    options: PostgresQueueOptions = {},
  ): Promise<PostgresAuditQueue> {
    const place = placeOf(url, options);
    return using(place, async (session) => {
      const tables = tablesOf(session, place);
      const task = taskIn(await tables.ask(TASK, []));
      if (task) return new PostgresAuditQueue(tables, task);
      throw new StoreError(
        'STORE_MISSING',
        `there is no audit at ${place.label}: none has begun, or it is over`,
      );
    });
  }
}

type Place = ConstructorParameters<typeof Session>[0];

function placeOf(url: string | readonly string[], options: PostgresQueueOptions): Place {
  optionsObject('options', options);
  knownNames('options', options, NAMES);
  const addresses = addressesOf(url);
  const { schema: given, answerTimeoutMs, unavailableAfterMs = 60_000 } = options;
  const told = toldOf(addresses, given === undefined ? {} : { schema: given });
  const { schema = 'immu_ts_audit', ...more } = told;
  const [strange] = Object.keys(more);
  if (strange !== undefined) throw new ArgumentError('url', `the URL of a queue has no ${strange}`);
  checkSchema(schema);
  return {
    ...{ addresses, schema, label: labelOf(addresses, schema), what: WHAT, durable: 'at-once' },
    timeoutMs: milliseconds('answerTimeoutMs', answerTimeoutMs),
    unavailableAfterMs: milliseconds('unavailableAfterMs', unavailableAfterMs),
  };
}

/** Nothing stays open that could not be used. */
async function using<T>(place: Place, use: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session(place, 'immu-ts audit', (link) => checkServer(link, 'local'));
  try {
    return await use(session);
  } catch (error) {
    session.close();
    throw told(error, place);
  }
}

function tablesOf(session: Session, place: Place): QueueTables {
  const ask: QueueTables['ask'] = async (statement, values) => {
    for (let left = TRIES; ; left--) {
      try {
        return await session.again((link) => link.query(statement, values));
      } catch (error) {
        // What was asked on a connection that is lost was done meanwhile: it is found when it is looked for again.
        if (left > 0 && isTwice(error)) continue;
        throw told(error, place);
      }
    }
  };
  return {
    now: `(extract(epoch FROM clock_timestamp()) * 1000)::int8`,
    lock: 'FOR UPDATE SKIP LOCKED',
    ask,
    remove: async (audit) => {
      await ask(REMOVE, [audit]);
      await session.end();
    },
    close: () => session.end(),
  };
}

/** As often a lease can turn out to be there already. */
const TRIES = 5;

function isTwice(error: unknown): boolean {
  return error instanceof StoreError && stateOf(error.cause) === '23505';
}

const REMOVE = `WITH task AS (DELETE FROM audit_task WHERE id = $1) DELETE FROM audit_range WHERE audit = $1`;

/** Whole or not at all, and once, though it may be asked for again. */
async function make(
  link: Link,
  { schema, label }: Place,
  { task, puts }: ReturnType<typeof newTask>,
): Promise<void> {
  await inTransaction(link, async () => {
    await link.query(`SELECT pg_advisory_xact_lock(hashtext('immu-ts audit ' || $1))::text`, [schema]);
    const [found] = await link.query(
      `SELECT to_regnamespace($1) IS NOT NULL AS schema, to_regclass($1 || '.audit_task') IS NOT NULL AS tables`,
      [`"${schema}"`],
    );
    // Whoever may write to a schema that is there needs no right to make one.
    if (found?.['schema'] !== true) await link.query(`CREATE SCHEMA "${schema}"`);
    if (found?.['tables'] !== true) for (const table of TABLES) await link.query(table);
    const there = taskIn(await link.query(TASK));
    if (there && there.id !== task.id) throw occupied(label, there);
    if (!there) {
      await link.query('DELETE FROM audit_range');
      for (const { text, values } of puts()) await link.query(text, values);
    }
  });
}

/** Tables that are gone or others, and rights that are missing, say nothing of damage. */
function told(error: unknown, { label }: Place): unknown {
  if (!(error instanceof StoreError)) return error;
  const state = stateOf(error.cause);
  if (state === '42P01' || state === '3F000')
    return new StoreError('STORE_MISSING', `there is no queue at ${label}`, { cause: error });
  if (state === '42703' || state === '42804' || state === '42883')
    return new StoreError('STORE_FOREIGN', `the tables at ${label} are not those of a queue`, {
      cause: error,
    });
  return error.code === 'STORE_DAMAGED'
    ? new StoreError('STORE_FAILED', error.message, { cause: error })
    : error;
}
