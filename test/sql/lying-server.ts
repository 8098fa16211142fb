// A proxy before the real server, for the tests of a group: it passes on what is true until it is told to lie.
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy, passOn } from '../adversary/proxy.js';
import { freshDatabase, sharedImmudb } from '../support/real.js';
import { USER } from '../trust/support.js';

// Messages are as loose as the wire.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Message = any;

export class LyingServer {
  #proxy: Proxy | undefined;

  constructor() {
    beforeAll(async () => {
      this.#proxy = await Proxy.start(sharedImmudb());
    });
    afterAll(() => this.#proxy?.close());
  }

  get proxy(): Proxy {
    if (!this.#proxy) throw new Error('the tests of its group have not begun');
    return this.#proxy;
  }

  /** A client before whose server it stands, in a database of its own; until the test ends. No lie is told from here on. */
  async open(): Promise<{ readonly client: ImmuClient; readonly database: string }> {
    this.tellTheTruth();
    const database = await freshDatabase();
    const client = new ImmuClient({
      address: this.proxy.address,
      store: new MemoryRootStore(),
      credentials: { ...USER, database },
    });
    onTestFinished(() => client.close());
    return { client, database };
  }

  tellTheTruth(): void {
    this.proxy.intercept = passOn;
  }

  /** Every answer to this RPC is changed in place from now on, or those to the requests that are `meant`. */
  lieOn(
    method: string,
    change: (answer: Message) => unknown,
    meant: (request: Message) => boolean = () => true,
  ): void {
    const { requestDeserialize, responseDeserialize, responseSerialize } = methodDefinition(
      'immudb.schema.ImmuService',
      method,
    );
    this.proxy.intercept = async (passing) => {
      const answer = await passing.forward();
      if (passing.method !== method || !meant(requestDeserialize(passing.request))) return answer;
      const message = responseDeserialize(answer);
      change(message);
      return responseSerialize(message);
    };
  }

  /** Lists of transactions with their values are changed on their way. */
  lieOnValues(change: (txs: Message[]) => Message[]): void {
    this.lieOn(
      'TxScan',
      (list) => (list.txs = change(list.txs)),
      ({ entriesSpec }) => Boolean(entriesSpec),
    );
  }

  /** The last byte of each of these values. */
  lieOnLastBytes(): void {
    this.lieOnValues((txs) => {
      for (const { entries = [] } of txs)
        for (const { value } of entries) if (value?.length > 0) value[value.length - 1] ^= 1;
      return txs;
    });
  }
}
