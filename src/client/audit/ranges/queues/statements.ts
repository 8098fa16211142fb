// The tables of a queue and what is asked of them, in words that SQLite and PostgreSQL both take. Whatever was not answered can be
// asked again: it is done once.
import { ATTEMPTS_OF_A_REASON, MAX_ATTEMPTS } from '../queue.js';

/** What the two have different words for. */
export interface Dialect {
  /** Milliseconds since 1970, by the clock of the queue. */
  readonly now: string;
  /** Behind a SELECT: its row is ours, and one that somebody else is about to take is passed over. */
  readonly lock: string;
}

export const VERSION = 2n;

/** One audit at a time; whatever is of another one by its id is not seen. */
export const TABLES = [
  `CREATE TABLE audit_task (lone BIGINT PRIMARY KEY CHECK (lone = 1), version BIGINT NOT NULL, id TEXT NOT NULL,
    database TEXT NOT NULL, tx BIGINT NOT NULL, alh TEXT NOT NULL, with_values BIGINT NOT NULL, max_findings BIGINT NOT NULL)`,
  `CREATE TABLE audit_range (audit TEXT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, attempts BIGINT NOT NULL DEFAULT 0,
    worker TEXT, token TEXT, until BIGINT NOT NULL DEFAULT 0, why TEXT, report TEXT, PRIMARY KEY (audit, first))`,
  'CREATE UNIQUE INDEX audit_range_token ON audit_range (token)',
  'CREATE INDEX audit_range_open ON audit_range (audit, first) WHERE report IS NULL',
] as const;

/** Characters of a report, at most; longer ones are not read. */
export const MAX_REPORT = 16 * 1024 * 1024;
/** As many of the longest reports fit into memory. */
export const PAGE = 8;

/** $1 is the audit, $2 the first transaction of the range, $3 the token of the lease. */
const MINE = 'audit = $1 AND first = $2 AND token = $3 AND report IS NULL';

export const PUT_TASK = 'INSERT INTO audit_task VALUES (1, $1, $2, $3, $4, $5, $6, $7) RETURNING id';
export const TASK = 'SELECT version, id, database, tx, alh, with_values, max_findings FROM audit_task';
export const RENEW = (now: string) =>
  `UPDATE audit_range SET until = ${now} + $4 WHERE ${MINE} RETURNING first`;
export const FINISH = `UPDATE audit_range SET report = $4, until = 0
  WHERE audit = $1 AND first = $2 AND token = $3 AND (report IS NULL OR report = $4) RETURNING first`;
/** Without its token: nobody's. */
export const GIVE_BACK = `UPDATE audit_range SET until = 0, token = NULL, why = coalesce($4, why), attempts = attempts + $5
  WHERE ${MINE} RETURNING first`;
/** Only what was looked at, or is too long to be. */
export const REFUSE = `UPDATE audit_range SET report = NULL, token = NULL, until = 0, why = $3,
    attempts = attempts + ${ATTEMPTS_OF_A_REASON}
  WHERE audit = $1 AND first = $2 AND (report = $4 OR length(report) > ${MAX_REPORT}) RETURNING first`;
export const HANDED_IN = `SELECT first, last, report IS NOT NULL AS done,
    CASE WHEN length(report) <= ${MAX_REPORT} THEN report END AS report
  FROM audit_range WHERE audit = $1 AND first > $2 ORDER BY first LIMIT ${PAGE}`;

const FREE = (now: string) => `report IS NULL AND until <= ${now} AND attempts < ${MAX_ATTEMPTS}`;

/** $3 is how long, $4 who. A token that has a range already keeps it. */
export const LEASE = ({ now, lock }: Dialect) => `
  UPDATE audit_range SET attempts = attempts + 1, worker = $4, token = $2, until = ${now} + $3
  WHERE audit = $1 AND first = coalesce(
    (SELECT first FROM audit_range WHERE audit = $1 AND token = $2 AND report IS NULL),
    (SELECT first FROM audit_range WHERE audit = $1 AND ${FREE(now)} ORDER BY first LIMIT 1 ${lock}))
  RETURNING first, last`;
/** Held by somebody, or about to be. */
export const LEFT = (now: string) => `
  SELECT first FROM audit_range
  WHERE audit = $1 AND report IS NULL AND (until > ${now} OR attempts < ${MAX_ATTEMPTS}) LIMIT 1`;
export const COUNTS = (now: string) => `
  SELECT count(*) AS ranges, count(report) AS done, count(*) FILTER (WHERE report IS NULL AND until > ${now}) AS leased
  FROM audit_range WHERE audit = $1`;
export const GIVEN_UP = (now: string) => `
  SELECT first, last, coalesce(why, 'whoever tried it did not come back') AS why FROM audit_range
  WHERE audit = $1 AND report IS NULL AND until <= ${now} AND attempts >= ${MAX_ATTEMPTS} ORDER BY first`;

const ROWS_AT_ONCE = 500;

/** Puts these ranges, some hundred at a time. */
export function* rangePuts(
  audit: string,
  ranges: readonly { readonly first: bigint; readonly last: bigint }[],
): Generator<{ readonly text: string; readonly values: readonly (string | bigint)[] }> {
  for (let from = 0; from < ranges.length; from += ROWS_AT_ONCE) {
    const some = ranges.slice(from, from + ROWS_AT_ONCE);
    const rows = some.map((_, i) => `($1, $${2 * i + 2}, $${2 * i + 3})`).join(', ');
    yield {
      text: `INSERT INTO audit_range (audit, first, last) VALUES ${rows} RETURNING first`,
      values: [audit, ...some.flatMap(({ first, last }) => [first, last])],
    };
  }
}
