// What a re-audit needs of the client that it runs in, and how it asks the server: about one root.
import { setTimeout as delay } from 'node:timers/promises';
import { PoolError, TransportError } from '../../errors.js';
import type { RootStore } from '../../store/root-store.js';
import type { Job, Root, Verdict, Verifier } from '../../verify/verifier.js';
import { Deadline } from '../flow/deadline.js';
import type { CallOptions } from '../input/call-options.js';
import type { Rpc } from '../net/rpc.js';
import type { Call } from '../trust/call.js';
import type { DatabaseTrust } from '../trust/database-trust.js';
import type { TrustLog } from '../trust/log/trust-log.js';

/** One database of one server, as a client knows it. */
export interface AuditAccess {
  readonly server: string;
  readonly database: string;
  readonly rpc: Rpc;
  readonly trust: DatabaseTrust;
  readonly verifier: Verifier;
  readonly store: RootStore;
  readonly trustLog: TrustLog;
  /** A state key is configured. */
  readonly signed: boolean;
  /** Deadline of one request, in milliseconds, where the caller names none. */
  readonly timeoutMs: number;
  /** Larger answers are not taken. */
  readonly maxMessageBytes: number;
}

/** Checking an answer takes some milliseconds. */
const ROOM_PAUSE_MS = 5;

/** The questions of one audit. */
export class AuditAsker {
  readonly operation: string;
  /** Bytes of all answers. */
  bytes = 0;
  readonly #access: AuditAccess;
  readonly #options: CallOptions;

  constructor(access: AuditAccess, operation: string, { signal, timeoutMs }: CallOptions) {
    this.#access = access;
    this.operation = operation;
    this.#options = { timeoutMs: timeoutMs ?? access.timeoutMs, ...(signal && { signal }) };
  }

  /** A verified call with a deadline of its own. */
  call(): Call {
    const deadline = new Deadline(this.#options, this.#access.timeoutMs);
    return { operation: this.operation, startedAt: performance.now(), deadline };
  }

  /** @throws TransportError ABORTED */
  assertNotAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted) {
      throw new TransportError('ABORTED', `${this.operation} was aborted by the caller`, {
        cause: signal.reason,
      });
    }
  }

  /**
   * Sends a question about transactions up to `root`. When that is the trusted head, a server that does not reach it is
   * reported.
   */
  async ask(root: AskedUnder, send: (rpc: Rpc, options: CallOptions) => Promise<Uint8Array>) {
    const { trust, rpc } = this.#access;
    this.assertNotAborted();
    const answer = await (root.trusted
      ? trust.ask(this.call(), root, () => send(rpc, this.#options))
      : send(rpc, this.#options));
    this.bytes += answer.length;
    return answer;
  }

  /** The verdict on an answer; waits while the verifier is full. */
  async verify(job: Job): Promise<Verdict> {
    const { verifier } = this.#access;
    for (;;) {
      try {
        return await verifier.verify(job);
      } catch (error) {
        if (!(error instanceof PoolError && error.code === 'POOL_FULL') || !verifier.ready) throw error;
        this.assertNotAborted();
        await verifier.ready();
        // There is room, though maybe not for so much: what is being checked has to end first.
        await delay(ROOM_PAUSE_MS);
      }
    }
  }
}

/** The root that a question is about: the trusted head, or a state that is only the server's word. */
export interface AskedUnder extends Root {
  readonly trusted: boolean;
}
