// What is said of a check.

/** "Compares `compared`." "When it fails: `failure`." */
export type CheckWords = readonly [compared: string, failure: string];
