// What a server's words are taken for.
import type { status } from '@grpc/grpc-js';
import type { ImmuErrorCode } from '../../../errors.js';

/** What the rest of the client acts on, beside the public code. */
export type Kind =
  | 'key-not-found'
  | 'no-more-entries'
  | 'document-not-found'
  | 'search-lost'
  | 'tx-not-found'
  | 'session-lost'
  | 'not-logged-in'
  | 'server-behind'
  | 'not-allowed'
  | 'busy'
  | 'database-closed'
  | 'replica';

export interface ServerWords {
  /** Start of the server's message, or a pattern. */
  readonly words: string | RegExp;
  readonly code: ImmuErrorCode;
  /** What was wrong, in our words; the server's follow. */
  readonly says: string;
  readonly grpc?: status;
  /** Only on methods whose name matches. */
  readonly on?: RegExp;
  readonly kind?: Kind;
}
