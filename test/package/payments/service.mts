// A small payments service, as a user of the package would write it: every answer it acts on is verified.
import { ImmuClient, ImmuError, type DatabaseHandle } from 'immu-ts';

interface Payment {
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

interface Account {
  readonly owner: string;
  readonly cents: number;
}

export class Payments {
  readonly #ledger: DatabaseHandle;

  constructor(ledger: DatabaseHandle) {
    this.#ledger = ledger;
  }

  /** False when there is such an account. */
  async open(name: string, owner: string, cents: number): Promise<boolean> {
    const account: Account = { owner, cents };
    return this.#written(() =>
      this.#ledger.verifiedSet(`account/${name}`, JSON.stringify(account), {
        preconditions: [{ mustNotExist: `account/${name}` }],
      }),
    );
  }

  /** Moves money when neither account has changed since it was looked at; else looks again. */
  async pay(id: string, payment: Payment): Promise<bigint> {
    const { from, to, cents } = payment;
    for (;;) {
      const [payer, payee] = await this.#ledger.verifiedGetAll([`account/${from}`, `account/${to}`]);
      if (!payer || !payee) throw new Error('no such account');
      const payerHas = payer.json<Account>();
      const payeeHas = payee.json<Account>();
      if (payerHas.cents < cents) throw new Error(`${from} has not got ${cents}`);
      let tx = 0n;
      const paid = await this.#written(async () => {
        const write = await this.#ledger.verifiedSetAll(
          {
            [`account/${from}`]: JSON.stringify({ ...payerHas, cents: payerHas.cents - cents }),
            [`account/${to}`]: JSON.stringify({ ...payeeHas, cents: payeeHas.cents + cents }),
            [`payment/${id}`]: JSON.stringify(payment),
          },
          {
            preconditions: [
              { notModifiedAfter: { key: `account/${from}`, tx: payer.tx } },
              { notModifiedAfter: { key: `account/${to}`, tx: payee.tx } },
              { mustNotExist: `payment/${id}` },
            ],
          },
        );
        tx = write.tx;
      });
      if (paid) return tx;
      if (await this.#ledger.verifiedGet(`payment/${id}`)) throw new Error(`payment ${id} was made before`);
    }
  }

  async balance(name: string): Promise<number | undefined> {
    return (await this.#ledger.verifiedGet(`account/${name}`))?.json<Account>().cents;
  }

  /** Every balance that the account had, oldest first. */
  async balances(name: string): Promise<(number | 'closed')[]> {
    const balances: (number | 'closed')[] = [];
    for await (const entry of this.#ledger.verifiedHistory(`account/${name}`))
      balances.push(entry.deleted ? 'closed' : entry.json<Account>().cents);
    return balances;
  }

  async accounts(): Promise<string[]> {
    const names: string[] = [];
    for await (const entry of this.#ledger.verifiedScan({ prefix: 'account/' })) names.push(entry.keyText());
    return names;
  }

  /** False when there is no such account. */
  async close(name: string): Promise<boolean> {
    try {
      await this.#ledger.verifiedDelete(`account/${name}`);
      return true;
    } catch (error) {
      if (error instanceof ImmuError && error.code === 'NOT_FOUND') return false;
      throw error;
    }
  }

  /** Files a statement of any length. */
  async file(name: string, lines: readonly string[]): Promise<bigint> {
    const statement = Buffer.from(lines.join('\n'));
    const { tx } = await this.#ledger.verifiedStreamSet([
      { key: `statement/${name}`, value: chunksOf(statement), size: statement.length },
    ]);
    return tx;
  }

  async statement(name: string): Promise<string[] | undefined> {
    const stream = await this.#ledger.verifiedStreamGet(`statement/${name}`);
    if (!stream) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream.value) chunks.push(chunk);
    await stream.proven;
    return Buffer.concat(chunks).toString().split('\n');
  }

  /** False when what it was to be written under did not hold. */
  async #written(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (error instanceof ImmuError && error.code === 'PRECONDITION_FAILED') return false;
      throw error;
    }
  }
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

const address = process.env['LEDGER'];
if (address === undefined) throw new Error('LEDGER says where the ledger is');
await using client = new ImmuClient({
  address,
  credentials: { user: 'immudb', password: 'immudb' },
  store: `roots.${process.pid}.db`,
});
const database = `payments${process.pid}`;
await client.createDatabase(database);
const payments = new Payments(client.database(database));

const opened = await Promise.all([
  payments.open('alice', 'Alice', 1000),
  payments.open('bob', 'Bob', 200),
  payments.open('carol', 'Carol', 0),
]);
const again = await payments.open('alice', 'Mallory', 1_000_000);
// In flight together, on one account: each is made once, under what the one before left.
await Promise.all([
  payments.pay('1', { from: 'alice', to: 'bob', cents: 300 }),
  payments.pay('2', { from: 'alice', to: 'carol', cents: 50 }),
  payments.pay('3', { from: 'bob', to: 'carol', cents: 100 }),
]);
const twice = await payments
  .pay('3', { from: 'bob', to: 'carol', cents: 100 })
  .catch((error: unknown) => (error as Error).message);
const closed = [await payments.close('bob'), await payments.close('bob')];
const lines = Array.from(
  { length: 20_000 },
  (_, i) => `line ${i} of a statement that is longer than a message`,
);
await payments.file('alice/2026-11', lines);
const read = await payments.statement('alice/2026-11');
console.log(
  JSON.stringify({
    opened,
    again,
    balances: [
      await payments.balance('alice'),
      await payments.balance('bob'),
      await payments.balance('carol'),
    ],
    alice: (await payments.balances('alice')).length,
    bob: (await payments.balances('bob')).at(-1),
    accounts: await payments.accounts(),
    twice,
    closed,
    statement: read?.length === lines.length && read.every((line, i) => line === lines[i]),
    missing: (await payments.statement('nobody')) === undefined,
  }),
);
