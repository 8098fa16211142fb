// A process that ingests what its parent, the broker, gives it, and acknowledges what is proven: until it is killed.
import { ImmuClient, SqliteRootStore } from '#dist/index.js';

const { address, database, path, once, window } = JSON.parse(process.argv[2]);
const queue = [];
let wake = () => undefined;
process.on('message', (messages) => {
  for (const message of messages) queue.push(message);
  wake();
});

async function* records() {
  for (;;) {
    const message = queue.shift();
    if (message === null) return;
    if (message === undefined) await new Promise((resolve) => (wake = resolve));
    else {
      const { id, key, value, redelivered } = message;
      yield { key, value, source: id, redelivered };
    }
  }
}

const credentials = { user: 'immudb', password: 'immudb', database };
const store = await SqliteRootStore.open(path);
const client = new ImmuClient({ address, store, credentials, verifier: { threads: 0 } });
process.send({ ready: true });
const onProven = (receipts) =>
  new Promise((resolve) => process.send({ acks: receipts.map(({ source }) => source) }, resolve));
const summary = await client.ingest(records(), { once, window, onProven }).finished();
await client.close();
await store.close();
await new Promise((resolve) => process.send({ summary }, resolve));
process.disconnect();
