// The servers at a client's addresses: each is bound to its address like a single one, and all of them are of one history, which
// goes by the identity that was bound first.
import type { RootStore } from '../../store/root-store.js';
import type { Watch } from '../watch/watch.js';
import { ServerIdentity } from './identity.js';
import type { Introduction } from './identity.js';

export interface IdentitiesOptions {
  /** As they were given. */
  readonly addresses: readonly string[];
  /** The one that is used now. */
  readonly here: () => string;
  readonly clientId: string;
  readonly store: () => Promise<RootStore>;
  /** Told of refusals. */
  readonly watch?: Watch;
}

export class Identities {
  readonly #options: IdentitiesOptions;
  readonly #each: ReadonlyMap<string, ServerIdentity>;
  #history: Promise<string> | undefined;

  constructor(options: IdentitiesOptions) {
    const { addresses } = options;
    this.#options = options;
    this.#each = new Map(
      addresses.map((address) => [address, new ServerIdentity({ ...options, address, beside: addresses })]),
    );
  }

  get #here(): ServerIdentity {
    const { here } = this.#options;
    const identity = this.#each.get(here());
    if (!identity) throw new Error(`${here()} is none of the addresses`);
    return identity;
  }

  /** Told with every answer; throws when it is not the server that answered there before. */
  observe(server: string, address: string): void {
    this.#each.get(address)?.observe(server);
  }

  /** The identity that trust is kept under. `ask` is called when no answer has come from the server yet. */
  async bound(ask: () => Promise<unknown>): Promise<string> {
    const server = await this.assertKnown(ask);
    if (this.#each.size === 1) return server;
    const history = (this.#history ??= this.#findHistory(server));
    try {
      return await history;
    } catch (error) {
      if (this.#history === history) this.#history = undefined;
      throw error;
    }
  }

  /** The server that answers now is the one that is known at its address, or the first there; says which. */
  async assertKnown(ask: () => Promise<unknown>): Promise<string> {
    // While it is asked another address may have taken its place.
    for (let tries = this.#each.size; tries > 1 && !this.#here.isSeen; tries--) await ask();
    return this.#here.bound(ask);
  }

  /** Of the servers that were ever bound to the addresses the first, as long as anything is trusted of it. */
  async #findHistory(here: string): Promise<string> {
    const { audit } = await this.#options.store();
    const servers = new Set<string>();
    if ((await audit.archives()).length > 0) {
      const [cut] = await audit.checkpoints({ limit: 1 });
      for (const { address, server } of cut?.identities ?? [])
        if (this.#each.has(address)) servers.add(server);
    }
    for await (const { detail = '', server } of audit.roots({ outcome: 'identity' }))
      if (this.#each.has(detail)) servers.add(server);
    for (const server of servers) if (await audit.latest({ server })) return server;
    const [first = here] = servers;
    return first;
  }

  accept(server: string, changed: () => void): Promise<void> {
    return this.#here.accept(server, changed);
  }

  /** What trust in a database of that history is told about where it begins. */
  introduction(history: string, database: string): Introduction {
    if (this.#each.size === 1) return this.#here.introduction(history, database);
    const now = () => this.#here.introduction(this.#here.seen ?? history, database);
    return {
      get address() {
        return now().address;
      },
      assertMayBegin: () => now().assertMayBegin(),
    };
  }

  /** Waits for rows under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#each.values()].map((each) => each.close()));
  }
}
