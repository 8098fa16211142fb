// What a call is to who watches it.

/** Where calls are of one kind: one of these serves all of them. */
export interface CallPlace {
  readonly verified: boolean;
  readonly database?: string;
}

/** What a call is, as far as it is known when it begins. */
export interface CallAbout {
  readonly operation: string;
  readonly place: CallPlace;
  /** Entries that it writes. */
  readonly entries: number | undefined;
}

/** A call from its beginning to its end. There is one only while somebody listens. */
export interface WatchedCall {
  /** An RPC is sent for this call alone. */
  sends(method: string): void;
  /** It waits to be let in. */
  waits<T>(room: Promise<T>): Promise<T>;
  /** Has the call made, and tells of its beginning and its end. */
  of<T>(make: () => Promise<T>): Promise<T>;
}

/** A call that is known by its RPC. */
export const UNNAMED = 'call';
