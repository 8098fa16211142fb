// Exports of `immu-ts/testing`: the embedded ledger, for tests and first steps.
export { EmbeddedLedger } from './ledger/embedded-ledger.js';
export type { EmbeddedLedgerOptions } from './ledger/options.js';
