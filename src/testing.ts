// Exports of `immu-ts/testing`: the embedded ledger, for tests and first steps, and how test runners have it.
export { ledgerFixture, ledgerHooks } from './testing/fixtures.js';
export type {
  HookedLedger,
  Hooks,
  LedgerContext,
  LedgerFixture,
  LedgerFixtureOptions,
} from './testing/fixtures.js';
export { EmbeddedLedger } from './ledger/embedded-ledger.js';
export type { EmbeddedLedgerOptions } from './ledger/options.js';
export type {
  DivergingTreeLie,
  EntriesLie,
  ForkLie,
  HeaderVersionLie,
  KeyLie,
  LagLie,
  Lie,
  LieHandle,
  LieScope,
  MetadataLie,
  MutateLie,
  OtherDatabaseLie,
  OtherIdentityLie,
  ProofLengthLie,
  ProofPart,
  ReplayLie,
  RollbackLie,
  ShortScanLie,
  SubstituteLeafLie,
  SwapValueLie,
  TxScanLie,
  WithholdLie,
  WrongRevisionLie,
  WrongSignatureLie,
} from './ledger/lies/lies.js';
export type { Call } from './ledger/serve/core.js';
