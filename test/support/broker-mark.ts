// The mark in the names of tests that need a broker: `describeNats` and `describeRedis` set it, the summary counts by it.
export const BROKER = '[broker]';
