// Statements that are committed together.
import type { Link } from './link.js';

/** Runs `work` in a transaction: what it changes is there when this resolves, and none of it where it rejects. */
export async function inTransaction(link: Link, work: () => Promise<void>): Promise<void> {
  await link.query('BEGIN');
  try {
    await work();
    await link.query('COMMIT');
  } catch (error) {
    await link.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
