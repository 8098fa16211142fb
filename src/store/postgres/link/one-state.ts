// Several questions to one state of the log.
import type { Link } from './link.js';

/** Runs `read` in a transaction that sees one state of the log. */
export async function inOneState<T>(link: Link, read: () => Promise<T>): Promise<T> {
  await link.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    return await read();
  } finally {
    await link.query('COMMIT').catch(() => undefined);
  }
}
