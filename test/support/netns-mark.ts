// The mark in the names of tests that need network namespaces, which the summary counts by.
export const NETNS = '[netns]';
