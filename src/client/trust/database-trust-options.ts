// What trust in one database is made with.
import type { VerificationError } from '../../errors.js';
import type { RootStore } from '../../store/root-store.js';
import type { Verifier } from '../../verify/verifier.js';
import type { TrustPolicy } from '../options/options.js';
import type { Rpc, StreamRpc } from '../net/rpc.js';
import type { Introduction } from '../net/identity.js';
import type { Watch } from '../watch/watch.js';
import type { ReservedTxs } from './reserved-txs.js';

export interface DatabaseTrustOptions {
  readonly rpc: Rpc & Partial<StreamRpc>;
  readonly server: string;
  readonly database: string;
  readonly store: RootStore;
  readonly verifier: Verifier;
  readonly policy: TrustPolicy;
  readonly clientId: string;
  /** Memory for proven headers and entries. */
  readonly cacheBytes: number;
  /** Proven headers are kept in the store, up to so many bytes in all; absent: they are not. */
  readonly keepHeaders?: { readonly maxBytes: number };
  /** How often the server's newest transaction is looked for; 0 = never. */
  readonly followMs: number;
  /** SPKI DER of the server's state key and its SHA-256. */
  readonly publicKey?: { readonly spki: Uint8Array; readonly fingerprint: Uint8Array };
  /** Where writes of this client note their txs, plain ones too. @default one of its own */
  readonly writes?: ReservedTxs;
  /** Told of every fork, also of one that no call fails with. */
  readonly onFork?: ((fork: VerificationError) => void) | undefined;
  /** Told of what happens to trust. */
  readonly watch?: Watch | undefined;
  /** Where several servers may answer, one after the other: nothing is believed before one has proven to extend the head. */
  readonly several?: {
    /** Rejects when the server that answers now is not the one that is known at its address. */
    readonly assertKnown: () => Promise<void>;
    /** The server that answered over this connection was refused: another may do better. */
    readonly refused: (connects: number) => void;
    /** When calls went to another address last, by performance.now(). */
    readonly movedAt: () => number;
  };
  /** Whether a first contact may take place here, and where that is. @default it may */
  readonly introduction?: Introduction;
}
