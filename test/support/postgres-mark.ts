// The mark in the names of tests that need a PostgreSQL: `describePostgres` sets it, the summary counts by it.
export const POSTGRES = '[postgres]';
