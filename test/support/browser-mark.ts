// The mark in the names of tests that need a browser: `describeBrowser` sets it, the summary counts by it.
export const BROWSER = '[browser]';
