// Types that users see: apart from what needs the types of the driver.

/** `local`: on the disk of the primary. `sync`: on that of a synchronous standby too. */
export type Durability = 'local' | 'sync';

/** What a store's writes took so far. */
export interface PostgresDiagnostics {
  /** Batches that were committed and flushed. */
  readonly commits: number;
  /** Writes in them. */
  readonly writes: number;
  /** Commits that were not answered: found to be done, or sent again. */
  readonly settled: { readonly done: number; readonly sentAgain: number };
}
