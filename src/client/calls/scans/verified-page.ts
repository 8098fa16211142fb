// One page of a verified scan or history: question → answer that is bound to it → every entry proven under the head.
import type { ShownClaim } from '../../../verify/claims/claim.js';
import { keyName } from '../../../verify/key-name.js';
import type { Question, Root } from '../../../verify/verifier.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { ProvenBy } from '../../trust/known/proof-source.js';
import type { ProvenHistory } from '../../trust/known/proven-history.js';
import { VerifiedReader } from '../kv/grouped-get.js';
import type { Reading } from '../kv/grouped-get.js';
import { verifiedGet } from '../kv/verified-get.js';
import type { VerifiedEntry } from '../kv/verified-entry.js';
import type { Together } from './together.js';

/** What a page is asked and proven with. */
export interface PageRoom {
  readonly session: Rpc;
  readonly trust: DatabaseTrust;
  readonly call: Call;
}

export class VerifiedPage {
  readonly rpc: Rpc;
  readonly trust: DatabaseTrust;
  readonly call: Call;
  /** What it is proven by, and nothing that is trusted later. */
  readonly known: ProvenHistory;
  /** The head when it was asked for: what was proven up to here the server had indexed. */
  readonly head: Root;
  readonly #assured: Promise<void> | undefined;

  private constructor({ session, trust, call }: PageRoom, head: Root) {
    this.rpc = session;
    this.trust = trust;
    this.call = { ...call, counted: true };
    this.known = trust.known;
    this.head = head;
    this.#assured = trust.assure(call.operation);
    this.#assured?.catch(() => undefined);
  }

  static async begin(room: PageRoom): Promise<VerifiedPage> {
    const { trust, call } = room;
    await trust.ready(call);
    return new VerifiedPage(room, await trust.head(call));
  }

  /** Sends the question of a page. */
  ask(send: (rpc: Rpc) => Promise<Uint8Array>): Promise<Uint8Array> {
    return this.trust.ask(this.call, this.head, () => send(this.rpc));
  }

  /** What the answer shows and claims, bound to its question. Throws VerificationError where it is not. */
  check<Q extends Question>(question: Q, answer: Uint8Array): Promise<ProvenBy<Q>> {
    const { trust, call, head } = this;
    const checked = trust.check(call.operation, question, head, answer, call.askedAt, call.deadline);
    return call.deadline.race(checked, 'its answer to be checked');
  }

  /** Values as keys have them now: each is what a verified read of its key would show. Null: it went meanwhile. */
  prove(claims: readonly ShownClaim[], end: Together<VerifiedEntry | null>, from = 0): void {
    const { rpc, trust, known, call, head } = this;
    const reading: Reading = { trust, known, from: call, counted: true, rpc };
    claims.forEach((outcome, i) => {
      const { key, tx } = outcome.claim;
      const name = keyName(key);
      const reader = new VerifiedReader(reading, copyBytes(key), name, end, from + i);
      const floor = known.seen.floor(name);
      // A newer version was proven since the page was asked for: the server need not have known it then.
      if (tx < floor && floor > head.tx) reader.follow(verifiedGet(rpc, trust, { ...call }, reader.key, {}));
      else reader.deliver(outcome);
    });
  }

  /** Waits until all is proven, and the server is known to stand where it is trusted; counted in the log as a call. */
  async end<T>(together: Together<T>): Promise<T[]> {
    const { trust, known, call } = this;
    const { operation, startedAt, deadline } = call;
    try {
      if (this.#assured)
        await deadline.race(this.#assured, 'the server to prove that it extends what is trusted');
      const results = together.settled
        ? await together.done
        : await deadline.race(together.done, 'its entries to be proven');
      if (trust.knownNow !== known) throw trust.forgotten();
      trust.countCalls(operation, startedAt, 1);
      return results;
    } catch (error) {
      together.reject(error);
      throw error;
    }
  }
}
