// What travels between the store and its thread, and how errors do: as plain data, for a class would be lost.
import type { KeyObject } from 'node:crypto';
import { ArgumentError, ClosedError, ImmuError, StoreError } from '../../../errors.js';
import type { ImmuErrorCode } from '../../../errors.js';
import type { ArchiveInfo, StoreDamage } from '../../audit-log.js';
import type { HeaderBlock } from '../../header-store.js';
import type { SqliteDriver } from '../../../sqlite/open.js';
import type { AnswerTo, AskedRequest, OtherWrite, RowRequest, WalkRequest } from '../../log/requests.js';
import type { Numbered } from './numbered.js';
import type { RowPacket } from './row-packet.js';

/** When a store takes a checkpoint by itself, and the key that signs it. */
export interface CheckpointSchedule {
  readonly everyRows?: number;
  readonly everyMs?: number;
  readonly key?: KeyObject;
}

export interface OpenOptions {
  /** `if-new`: created when neither the store nor its marker exists. `never`: it must exist. */
  readonly create: 'if-new' | 'never';
  /** How long a writer waits for another process's transaction. */
  readonly busyTimeoutMs: number;
  readonly checkpoints?: CheckpointSchedule;
}

/** A part of what was asked in one turn. */
export interface StoreMessage {
  /** Rows, asked for before the other writes. */
  readonly rows: RowPacket | undefined;
  readonly items: readonly Numbered<SentRequest>[];
  /** False: there is more of the turn to come, at once. */
  readonly last: boolean;
}

export interface ThreadData {
  readonly path: string;
  /** `archive`: a file that is only read. `reading`: a store that is only read, however damaged it is. */
  readonly options: OpenOptions | 'archive' | 'reading';
  /** One number, added to whenever a message has been sent: what the thread may wait on, if it is one. */
  readonly sent: Int32Array | undefined;
}

/** The answer to a thread's start, whose number is 0. */
export interface OpenedAs {
  /** The file could only be read, and not where it is: a copy of it is open. */
  readonly isCopy: boolean;
  readonly driver: SqliteDriver;
}

/** Sent as it is; rows are sent as bytes: row-packet.ts. */
export type SentRequest = AskedRequest | FileRequest | ControlRequest;

/** What only a file can tell: which part of a log an archive is, what is broken in a store that is only looked at. */
export interface FileRequest {
  readonly kind: 'info' | 'damage';
}

/** About the thread itself. */
export type ControlRequest =
  /** Opens the store once more, and closes that again: whether it is as it should be. False: it is not at its path any more. */
  | { readonly kind: 'reopen'; readonly options: OpenOptions }
  /** One of those who share the thread leaves: these walks of it end. Answered after all that was asked before. */
  | { readonly kind: 'leave'; readonly walks: readonly number[] }
  | { readonly kind: 'close' };

export type ThreadRequest = RowRequest | SentRequest;

interface OwnAnswers {
  readonly info: Omit<ArchiveInfo, 'path' | 'archivedAt'>;
  readonly damage: readonly StoreDamage[];
  readonly reopen: boolean;
  readonly leave: undefined;
  readonly close: undefined;
}

/** What the thread answers a request with. */
export type ThreadAnswer<R extends ThreadRequest> = R extends FileRequest | ControlRequest
  ? OwnAnswers[R['kind']]
  : R extends AskedRequest | RowRequest
    ? AnswerTo<R>
    : never;

export type StoreAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: SentError };

export interface StoreReply {
  /** Requests that went well and have nothing to say, and heads that moved without more ado: most of them. */
  readonly done: readonly number[];
  readonly moved: readonly number[];
  /** Rows that contradict nothing. */
  readonly recorded: readonly number[];
  /** The others. */
  readonly answers: readonly StoreAnswer[];
  readonly diagnostics: StoreDiagnostics;
}

/** What the store's thread has done since it was opened. */
export interface StoreDiagnostics {
  /** Transactions that were committed: each costs one flush to disk. */
  readonly commits: number;
  /** Writes that these transactions were asked for. */
  readonly writes: number;
}

export interface SentError {
  readonly code: ImmuErrorCode;
  readonly message: string;
  /** Set for an ArgumentError. */
  readonly argument?: string;
}

/** `path` is the store's, for errors that do not name it. */
export function toSent(error: unknown, path: string): SentError {
  if (error instanceof ArgumentError) {
    return { code: error.code, message: error.message, argument: error.argument };
  }
  if (error instanceof ImmuError) return { code: error.code, message: error.message };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words = error instanceof Error ? error.message : String(error);
  const message = `root store ${path}: ${words}${code && !words.includes(code) ? ` (${code})` : ''}`;
  if (code.startsWith('SQLITE_BUSY')) {
    return { code: 'STORE_FAILED', message: `${message}: another process kept it locked` };
  }
  if (/^SQLITE_(READONLY|CANTOPEN)/.test(code)) {
    const words = 'where it cannot be written it can be looked at only (openForReading, --damaged)';
    return { code: 'STORE_FAILED', message: `${message}: ${words}` };
  }
  const damaged = code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT');
  return { code: damaged ? 'STORE_DAMAGED' : 'STORE_FAILED', message };
}

export function fromSent({ code, message, argument }: SentError): ImmuError {
  if (argument !== undefined) return new ArgumentError(argument, message);
  return code === 'CLOSED' ? new ClosedError('the root store') : new StoreError(code, message);
}

const WRITES: Readonly<Record<OtherWrite['kind'], true>> = {
  bind: true,
  rebind: true,
  checkpoint: true,
  keepHeaders: true,
  dropHeaders: true,
};

export function isWrite({ kind }: SentRequest): boolean {
  return kind in WRITES;
}

export function isWalk(request: ThreadRequest): request is WalkRequest {
  return request.kind === 'verify' || request.kind === 'gaps' || request.kind === 'archive';
}

export function isControl(request: ThreadRequest): request is ControlRequest {
  return request.kind === 'reopen' || request.kind === 'leave' || request.kind === 'close';
}

/** The buffers of a block, to be handed to another thread. Requires that nobody else views them. */
export function buffersOf({ proof, headers, columns }: HeaderBlock): ArrayBuffer[] {
  return [proof.buffer, headers.buffer, columns.buffer] as ArrayBuffer[];
}
