// What Kysely has to know of immudb.
import { DialectAdapterBase } from 'kysely';

export class ImmuAdapter extends DialectAdapterBase {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  override get supportsReturning(): boolean {
    return true;
  }

  /** There are no locks: of two that migrate at a time, the commit of one meets a conflict. */
  override async acquireMigrationLock(): Promise<void> {
    // Nothing is held.
  }

  override async releaseMigrationLock(): Promise<void> {
    // Nothing was held.
  }
}
