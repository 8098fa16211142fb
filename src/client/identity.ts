// The server's identity: one per address, bound in the store; another one there is an error, not a new start.
import { VerificationError } from '../errors.js';
import type { RootStore } from '../store/root-store.js';

export interface IdentityOptions {
  readonly address: string;
  readonly clientId: string;
  readonly store: () => Promise<RootStore>;
}

export class ServerIdentity {
  readonly #options: IdentityOptions;
  #seen: string | undefined;
  #bound: Promise<string> | undefined;
  #recording: Promise<void> = Promise.resolve();

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  /** Told with every answer; throws when it is not the server that answered before. */
  observe(server: string): void {
    this.#seen ??= server;
    if (server !== this.#seen) throw this.#changed(this.#seen, server);
  }

  /** The identity that trust is kept under. `ask` is called when no answer has come from the server yet. */
  async bound(ask: () => Promise<unknown>): Promise<string> {
    this.#bound ??= this.#bind(ask);
    try {
      return await this.#bound;
    } catch (error) {
      this.#bound = undefined;
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

  /** Accepts another identity at this address, on the user's explicit word. */
  async accept(server: string): Promise<void> {
    await (await this.#options.store()).rebindIdentity(this.#options.address, server);
    this.#seen = server;
    this.#bound = undefined;
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
    const { address, clientId, store } = this.#options;
    const message = `another server answers at ${address}: ${computed}, not ${expected}; trust is kept`;
    this.#recording = this.#recording
      .then(async () => {
        await (
          await store()
        ).record({
          server: expected,
          database: '',
          tx: 0n,
          alh: new Uint8Array(32),
          outcome: 'identity-change',
          previousTx: null,
          operation: 'identity',
          calls: 1,
          headerTime: 0n,
          verifiedAt: Date.now(),
          durationMs: 0,
          clientId,
          detail: message,
        });
      })
      // The caller gets the refusal in any case; a store that cannot note it says so on its next use.
      .catch(() => undefined);
    return new VerificationError('IDENTITY_CHANGED', message, {
      server: expected,
      database: '',
      check: 'identity',
      expected,
      computed,
    });
  }
}
