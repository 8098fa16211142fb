// What a state file of another client says: roots that it has trusted. Claims, until a server proves that its history extends them.

export interface ClaimedRoot {
  readonly database: string;
  readonly tx: bigint;
  /** 32 bytes. */
  readonly alh: Uint8Array;
  /** The file has a signature over it. It is not looked at: with a state key the server has to sign anew. */
  readonly signed: boolean;
}

export interface StateFile {
  readonly format: 'go' | 'immu-py';
  /** Identity of the server that they are of, where the file says it. */
  readonly server?: string;
  readonly roots: readonly ClaimedRoot[];
}

/** The file is not what it should be, in words that complete `FILE: …`. */
export class StateFileError extends Error {}
