// What really happened on a server: every branch that its history ever took, transaction by transaction. The oracle's
// own book, filled from the server itself and never from what the client says.
import { createHash } from 'node:crypto';

export interface TrueEntry {
  /** Without the prefix byte of plain keys. */
  readonly key: string;
  /** SHA-256 of the raw value, hex. */
  readonly hValue: string;
  readonly deleted: boolean;
  /** Unix seconds. */
  readonly expiresAt?: number;
}

export interface TrueTx {
  readonly tx: bigint;
  /** Hex. */
  readonly alh: string;
  readonly entries: readonly TrueEntry[];
  /** Place in the order in which transactions were committed, on whatever branch: copies of it keep it. */
  readonly order: number;
}

/** One history, as far as it came. Tx n is at n - 1. */
export class Branch {
  readonly txs: TrueTx[];
  /** Transactions above this have no signature of the server's key. */
  readonly signedUpTo: bigint | undefined;

  constructor(txs: readonly TrueTx[], signedUpTo: bigint | undefined) {
    this.txs = [...txs];
    this.signedUpTo = signedUpTo;
  }

  /** Another history that begins with the first transactions of this one; `forged`: the key's holder is not who goes on. */
  copy(length: bigint, forged: boolean): Branch {
    const { signedUpTo } = this;
    const allSigned = signedUpTo === undefined || length <= signedUpTo;
    const signed = allSigned ? (forged ? length : undefined) : signedUpTo;
    return new Branch(this.txs.slice(0, Number(length)), signed);
  }

  get length(): bigint {
    return BigInt(this.txs.length);
  }

  get isForged(): boolean {
    return this.signedUpTo !== undefined && this.length > this.signedUpTo;
  }

  at(tx: bigint): TrueTx | undefined {
    return this.txs[Number(tx) - 1];
  }

  holds({ tx, alh }: TrueRoot): boolean {
    return tx === 0n || this.at(tx)?.alh === alh;
  }

  /** Signed with the server's key, on this branch or before it was left. */
  isSigned(tx: bigint): boolean {
    return this.signedUpTo === undefined || tx <= this.signedUpTo;
  }

  /** Newest entry of a key in the first `length` transactions. */
  latest(key: string, length = this.txs.length): { tx: bigint; entry: TrueEntry } | undefined {
    for (let at = length - 1; at >= 0; at--) {
      const { tx, entries } = this.txs[at] as TrueTx;
      const entry = entries.find((each) => each.key === key);
      if (entry) return { tx, entry };
    }
    return undefined;
  }
}

export interface TrueRoot {
  readonly tx: bigint;
  readonly alh: string;
}

export function rootOf({ tx, alh }: { readonly tx: bigint; readonly alh: Uint8Array }): TrueRoot {
  return { tx, alh: hex(alh) };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Of a value that was written as a plain one. */
export function plainHash(value: string): string {
  return sha256(Buffer.concat([Buffer.from([0]), Buffer.from(value)]));
}

/** Of the raw value of a reference. */
export function referenceHash(target: string, atTx: bigint): string {
  const raw = Buffer.alloc(9);
  raw[0] = 1;
  raw.writeBigUInt64BE(atTx, 1);
  return sha256(Buffer.concat([raw, Buffer.from([0]), Buffer.from(target)]));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
