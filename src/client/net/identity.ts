// The server's identity: one per address, bound in the store; another one there is an error, not a new start. And a server
// that is known from one address introduces nothing new at another (docs/trust-rules.md 20).
import { VerificationError } from '../../errors.js';
import type { AuditOutcome, RootStore } from '../../store/root-store.js';
import { serverWords } from '../../visible.js';
import { refusalEvent } from '../watch/refusal-event.js';
import type { Watch } from '../watch/watch.js';

/** Where trust is about to begin. */
export interface Introduction {
  /** Address of the server, for the log. */
  readonly address: string;
  /** Throws when a server at this address may not introduce a database that nothing is known of. */
  assertMayBegin(): Promise<void>;
}

export interface IdentityOptions {
  readonly address: string;
  readonly clientId: string;
  readonly store: () => Promise<RootStore>;
  /** Told of refusals. */
  readonly watch?: Watch;
  /** Addresses of the same history: a server that is known from one of them may begin at this one. */
  readonly beside?: readonly string[];
}

/** A refusal, as its row tells it. */
interface Refusal {
  readonly server: string;
  readonly database: string;
  readonly operation: string;
  readonly check: string;
  readonly expected: string;
  readonly computed: string;
  readonly message: string;
}

const REFUSED: AuditOutcome = 'identity-change';

export class ServerIdentity {
  readonly #options: IdentityOptions;
  #seen: string | undefined;
  #bound: Promise<string> | undefined;
  #accepting: Promise<unknown> = Promise.resolve();
  #recording: Promise<void> = Promise.resolve();

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  /** The server that answers, once it has. */
  get seen(): string | undefined {
    return this.#seen;
  }

  get isSeen(): boolean {
    return this.#seen !== undefined;
  }

  /** Told with every answer; throws when it is not the server that answered before. */
  observe(server: string): void {
    this.#seen ??= server;
    if (server !== this.#seen) throw this.#changed(this.#seen, server);
  }

  /** The identity that trust is kept under. `ask` is called when no answer has come from the server yet. */
  async bound(ask: () => Promise<unknown>): Promise<string> {
    const bound = (this.#bound ??= this.#bind(ask));
    try {
      return await bound;
    } catch (error) {
      if (this.#bound === bound) this.#bound = undefined;
      throw error;
    }
  }

  async #bind(ask: () => Promise<unknown>): Promise<string> {
    if (this.#seen === undefined) await ask();
    const { address, store } = this.#options;
    const seen = this.#seen;
    if (seen === undefined) throw this.#unidentified();
    const onRecord = await (await store()).bindIdentity(address, seen);
    if (onRecord !== seen) throw this.#changed(onRecord, seen);
    return seen;
  }

  /**
   * Accepts an identity at this address, on the user's explicit word. `changed` is called at the moment from which on answers
   * are its own, unless it was the one before.
   */
  accept(server: string, changed: () => void): Promise<void> {
    const accepted = this.#accepting.then(async () => {
      await (await this.#options.store()).rebindIdentity(this.#options.address, server);
      const before = this.#seen;
      this.#seen = server;
      this.#bound = undefined;
      if (before !== server) changed();
    });
    this.#accepting = accepted.catch(() => undefined);
    return accepted;
  }

  /** What trust in a database of this server is told about where it begins. */
  introduction(server: string, database: string): Introduction {
    return {
      address: this.#options.address,
      assertMayBegin: () => this.#assertMayBegin(server, database),
    };
  }

  /** Requires that this address is bound to `server`. */
  async #assertMayBegin(server: string, database: string): Promise<void> {
    const { address } = this.#options;
    const known = await this.#knownFrom(server);
    if (known === undefined) return;
    const operation = 'firstContact';
    const message =
      `${operation} with ${database}: nothing is known of it yet, and the server at ${address} says that it is ` +
      `${serverWords(server)}, which is known from ${known}: it may be another. If it is the same, say so with ` +
      `acceptServer at ${address}; or configure serverPublicKey, or pin a root`;
    const terms = { check: 'identity.address', expected: known, computed: address };
    const error = this.#refuse({ server, database, operation, ...terms, message });
    await this.#recording;
    throw error;
  }

  /**
   * The other address that the server is known from: the first that was bound to it. Undefined when that is ours, or when the
   * user has said that it is the same server here.
   */
  async #knownFrom(server: string): Promise<string | undefined> {
    const { address, beside = [] } = this.#options;
    const { audit } = await this.#options.store();
    let first: string | undefined;
    // The oldest rows may be in an archive: what was bound when they went there is in the checkpoint of that moment.
    if ((await audit.archives()).length > 0) {
      const [cut] = await audit.checkpoints({ limit: 1 });
      const bound = cut?.identities.filter((identity) => identity.server === server) ?? [];
      first = bound.find((other) => other.address !== address)?.address ?? bound[0]?.address;
    }
    for await (const { detail = '', operation } of audit.roots({ server, outcome: 'identity' })) {
      if (detail === address && operation === 'rebindIdentity') return undefined;
      first ??= detail;
    }
    return first === undefined || first === address || beside.includes(first) ? undefined : first;
  }

  /** Waits for rows under way. */
  close(): Promise<void> {
    return this.#recording;
  }

  #unidentified(): VerificationError {
    const evidence = { server: '', database: '', check: 'identity.missing' };
    return new VerificationError(
      'IDENTITY_CHANGED',
      `the server at ${this.#options.address} does not say who it is`,
      evidence,
    );
  }

  #changed(expected: string, computed: string): VerificationError {
    const { address } = this.#options;
    const message =
      `another server answers at ${address}: ${serverWords(computed)}, not ${serverWords(expected)}; trust is kept. ` +
      `If it was exchanged or moved on purpose, say so with acceptServer`;
    const terms = { check: 'identity', expected, computed };
    return this.#refuse({ server: expected, database: '', operation: 'identity', ...terms, message });
  }

  #refuse({ server, database, operation, message, ...terms }: Refusal): VerificationError {
    const { clientId, store } = this.#options;
    const row = {
      ...{ server, database, operation, clientId, outcome: REFUSED },
      ...{ tx: 0n, alh: new Uint8Array(32), previousTx: null, calls: 1, headerTime: 0n },
      ...{ verifiedAt: Date.now(), durationMs: 0, detail: message },
    };
    this.#recording = this.#recording
      .then(async () => {
        await (await store()).record(row);
      })
      // The caller gets the refusal in any case; a store that cannot note it says so on its next use.
      .catch(() => undefined);
    const error = new VerificationError('IDENTITY_CHANGED', message, { server, database, ...terms });
    const { watch } = this.#options;
    watch?.tell('immu-ts:refusal', () => refusalEvent(error, watch.keys));
    return error;
  }
}
