// `immu-ts/audit`: what auditors need beside a client: stores and archives opened for reading, checkpoints, evidence, reports.
export { believedReports } from './client/audit/ranges/believed-reports.js';
export { joinReports } from './client/audit/ranges/join-reports.js';
export { rangesOf } from './client/audit/ranges/queue.js';
export { SqliteAuditQueue } from './client/audit/ranges/queues/sqlite-queue.js';
export { rangeReportBytes } from './client/audit/ranges/range-report.js';
export { workRanges } from './client/audit/ranges/work-ranges.js';
export { reportText } from './client/audit/report-text.js';
export { verifyKeptHeaders } from './client/audit/verify-kept-headers.js';
export { QuorumError } from './client/calls/witness/outcome.js';
export { followedIn, witnessesIn } from './client/trust/log/said-of-heads.js';
export { openArchive } from './store/archive.js';
export {
  checkpointBytes,
  checkpointHash,
  parseCheckpoint,
  verifyCheckpoint,
} from './store/log/checkpoint.js';
export { openForReading } from './store/sqlite/reading.js';
export { verifyCheckpointNote } from './verify/heads/checkpoint-note.js';
export { originKey } from './verify/heads/ed25519.js';
export { readCheckpointNote } from './verify/heads/read-note.js';
export { verifyProof } from './verify/portable/verify.js';
export { answerWords } from './verify/shown-words.js';
export { questionWords, signedContradiction, verifyEvidence } from './verify/evidence.js';
export type { ProofCheck } from './proof/check-names.js';
export type { TreeHead } from './proof/heads/checkpoint.js';
export type { CheckpointNoteVerdict, CosignedBy, NoteKeys } from './verify/heads/checkpoint-note.js';
export type { CheckpointNote, NamedSigner } from './verify/heads/read-note.js';
export type { ProofRoot, VerifiedProof } from './verify/portable/verify.js';
export type { PortableProof } from './verify/portable/format.js';
export type { FollowedTo, SaidByWitness, ShownToWitnesses } from './client/trust/log/said-of-heads.js';
export type { KeptHeadersVerdict } from './client/audit/verify-kept-headers.js';
export type { AuditFinding } from './client/audit/findings.js';
export type {
  AuditOptions,
  DatabaseAuditOptions,
  RangeAuditOptions,
  RootsAuditOptions,
} from './client/audit/options.js';
export type { BelievedReports } from './client/audit/ranges/believed-reports.js';
export type { JoinOptions } from './client/audit/ranges/join-reports.js';
export type {
  AuditQueue,
  AuditTask,
  HandedIn,
  LeaseOutcome,
  QueueStatus,
  RangeLease,
  TxRange,
} from './client/audit/ranges/queue.js';
export type { RangeReport, SignedRangeReport } from './client/audit/ranges/range-report.js';
export type { WorkOptions, WorkOutcome } from './client/audit/ranges/work-ranges.js';
export type {
  AuditedState,
  AuditReport,
  DatabaseProgress,
  DatabaseReport,
  RangeProgress,
  RootCounts,
  RootFinding,
  RootsProgress,
  RootsReport,
} from './client/audit/report.js';
export type { ReadStore } from './store/sqlite/reading.js';
export type { AuditArchive } from './store/archive.js';
export type { ChainPoint, CheckpointVerdict, StoreDamage } from './store/root-store.js';
export type { AnswerCheck, ReportedCheck } from './verify/check-names.js';
export type { EvidenceVerdict, FailedCheck } from './verify/evidence.js';
export type { Signed, TwoHashes } from './verify/signed-roots.js';
export type {
  Context,
  FrontierPeaks,
  Job,
  Question,
  Refuted,
  StretchCounts,
  WrittenEntry,
} from './verify/verifier.js';
