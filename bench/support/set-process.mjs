// One process that makes verified writes, one after the other, and counts the proofs that it asks for: a line when it is ready, one
// when it is done. Arguments: dist folder, address, database, store file, name of its keys. Told to begin and to end by lines.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [dist, address, database, path, name] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${dist}/${file}`).href);
const { ImmuClient, SqliteRootStore } = await load('index.js');
const { Session } = await load('client/net/session.js');

let proofs = 0;
const { raw } = Session.prototype;
Session.prototype.raw = function counted(method, ...rest) {
  if (method.startsWith('Verifiable')) proofs += 1;
  return raw.call(this, method, ...rest);
};

const store = await SqliteRootStore.open(path);
const credentials = { user: 'immudb', password: 'immudb', database };
const client = new ImmuClient({ address, store, credentials, timeoutMs: 60_000 });
await client.verifiedSet(`${name}/first`, 'v');
console.log('ready');

let sets = 0;
let running = false;
async function run() {
  proofs = 0;
  for (; running; sets++) await client.verifiedSet(`${name}/${sets}`, 'v');
  await client.close();
  await store.close();
  console.log(JSON.stringify({ sets, proofs }));
  process.exit(0);
}
for await (const line of createInterface({ input: process.stdin })) {
  running = line === 'begin';
  if (running) void run();
}
