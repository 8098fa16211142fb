// The mark in the names of tests that need a real immudb: `describeReal` sets it, the summary counts by it.
export const REAL = '[real immudb]';
