// The seam of every store: what it is asked, and what it answers. Requests are plain data that was checked, so that a store may
// hand them to a thread, a process or a server; none of them needs to be checked again.
import type { KeyObject } from 'node:crypto';
import type {
  ArchiveInfo,
  ArchiveOptions,
  AuditGap,
  AuditStats,
  AuditVerdict,
  Checkpoint,
  LoggedDatabase,
  RootConflict,
  StatsQuery,
  VerifyOptions,
} from '../audit-log.js';
import type { AuditEntry, AuditRow, Evidence, RootsQuery, StoredRoot, TrustKey } from '../audit-types.js';
import type { HeaderBlock, HeaderBlockInfo } from '../header-store.js';
import type { AdvanceOutcome, RecordOutcome } from '../root-store.js';
import type { CheckedGapsQuery } from './audit-gaps.js';

/** A row to be appended, if the rules of the log let it: see decide.ts. */
export type RowRequest =
  | { readonly kind: 'advance'; readonly expected: StoredRoot | null; readonly entry: AuditEntry }
  | { readonly kind: 'record' | 'forget'; readonly entry: AuditEntry };

export interface IdentityRequest {
  readonly kind: 'bind' | 'rebind';
  readonly address: string;
  readonly server: string;
}

/** Every write but that of a row. */
export type OtherWrite =
  | IdentityRequest
  | { readonly kind: 'checkpoint'; readonly key: KeyObject | undefined }
  | {
      readonly kind: 'keepHeaders';
      readonly key: TrustKey;
      readonly block: HeaderBlock;
      readonly maxBytes: number;
    }
  | { readonly kind: 'dropHeaders'; readonly key: TrustKey; readonly first: bigint };

export type WriteRequest = RowRequest | OtherWrite;

export type ReadRequest =
  | { readonly kind: 'head'; readonly key: TrustKey }
  | { readonly kind: 'identity'; readonly address: string }
  | { readonly kind: 'page'; readonly query: RootsQuery }
  | { readonly kind: 'row' | 'evidence'; readonly seq: bigint }
  | { readonly kind: 'latest'; readonly filter: Partial<TrustKey> }
  | { readonly kind: 'rootAt'; readonly tx: bigint; readonly filter: Partial<TrustKey> }
  | { readonly kind: 'conflict'; readonly root: TrustKey & StoredRoot }
  | { readonly kind: 'stats'; readonly query: Required<Pick<StatsQuery, 'bucket'>> & StatsQuery }
  | { readonly kind: 'checkpoints'; readonly after: bigint | null; readonly limit: number }
  | { readonly kind: 'archives' }
  | { readonly kind: 'databases' }
  | { readonly kind: 'headers'; readonly key: TrustKey; readonly first: bigint }
  | { readonly kind: 'headerList'; readonly filter: Partial<TrustKey> };

/** Long work: other requests are answered in between. */
export type WalkRequest =
  | {
      readonly kind: 'verify';
      readonly options: Omit<VerifyOptions, 'onProgress'>;
      /** One number of 64 bits, shared: rows that were looked at. */
      readonly rows?: BigInt64Array;
    }
  | { readonly kind: 'gaps'; readonly query: CheckedGapsQuery }
  | { readonly kind: 'archive'; readonly options: ArchiveOptions };

/** What is asked one by one; rows have a way of their own, for there are many of them. */
export type AskedRequest = OtherWrite | ReadRequest | WalkRequest;

interface Answers {
  readonly advance: AdvanceOutcome;
  readonly record: RecordOutcome;
  readonly forget: undefined;
  /** The identity then on record. */
  readonly bind: string;
  readonly rebind: undefined;
  readonly checkpoint: Checkpoint;
  readonly keepHeaders: undefined;
  readonly dropHeaders: undefined;
  readonly head: StoredRoot | null;
  readonly identity: string | null;
  /** The next rows, as many as the store likes; none when there are no more. */
  readonly page: readonly AuditRow[];
  readonly row: AuditRow | null;
  readonly evidence: Evidence | null;
  readonly latest: AuditRow | null;
  readonly rootAt: AuditRow | null;
  readonly conflict: RootConflict | null;
  readonly stats: readonly AuditStats[];
  readonly checkpoints: readonly Checkpoint[];
  readonly archives: readonly ArchiveInfo[];
  readonly databases: readonly LoggedDatabase[];
  readonly headers: HeaderBlock | null;
  readonly headerList: readonly HeaderBlockInfo[];
  readonly verify: AuditVerdict;
  readonly gaps: readonly AuditGap[];
  readonly archive: ArchiveInfo | null;
}

/** What a request is answered with. */
export type AnswerTo<R extends { readonly kind: keyof Answers }> = Answers[R['kind']];

/** A store behind the checks. Answers are the caller's own. */
export interface AnsweringLog {
  ask<R extends AskedRequest>(request: R): Promise<AnswerTo<R>>;
}

export interface AnsweringStore extends AnsweringLog {
  /**
   * Resolves when durable. The bytes of the entry, its evidence excepted, and of what is expected are still the caller's: they are
   * copied before this returns.
   */
  write<R extends RowRequest>(request: R): Promise<AnswerTo<R>>;
  close(): Promise<void>;
}
