// What travels between the store and its thread.
import type { ImmuErrorCode } from '../../errors.js';
import type { AuditEntry, RootsQuery, StoredRoot, TrustKey } from '../root-store.js';
import type { OpenOptions } from './open.js';

export type StoreRequest =
  | { readonly kind: 'head'; readonly key: TrustKey }
  | { readonly kind: 'advance'; readonly expected: StoredRoot | null; readonly entry: AuditEntry }
  | { readonly kind: 'record'; readonly entry: AuditEntry }
  | { readonly kind: 'forget'; readonly entry: AuditEntry }
  | { readonly kind: 'identity'; readonly address: string }
  | { readonly kind: 'bind' | 'rebind'; readonly address: string; readonly server: string }
  | { readonly kind: 'page'; readonly query: RootsQuery; readonly after: bigint | null }
  | { readonly kind: 'latest'; readonly filter: Partial<TrustKey> }
  | { readonly kind: 'verify' }
  | { readonly kind: 'stats' }
  | { readonly kind: 'close' };

export interface Numbered {
  readonly id: number;
  readonly request: StoreRequest;
}

/** An error as it crosses the thread: class and code would be lost otherwise. */
export interface SentError {
  readonly code: ImmuErrorCode;
  readonly message: string;
  /** Set for an ArgumentError. */
  readonly argument?: string;
}

export type StoreAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: SentError };

export interface ThreadData {
  readonly path: string;
  readonly options: OpenOptions;
}
