// Reads in flight together: what is answered without proof (GetAll, Get), and how it is proven: headers one by one, in
// blocks, entries of bulk transactions, or by what is known already.
import type { ImmuClient } from '#dist/index.js';
import { callers, tell } from '../scenario.js';
import type { CallerOutcome, Message, Scenario } from '../scenario.js';
import { DENSE, cold, range, warm } from '../stage.js';
import type { Stage } from '../stage.js';

const HEADERS_ONLY = 'entriesSpec';
const headers = (request: Message) => HEADERS_ONLY in request;
const digests = (request: Message) => !(HEADERS_ONLY in request);
const txIs =
  (name: keyof Stage['txs']) =>
  (request: Message, { txs }: Stage) =>
    request['tx'] === String(txs[name]);

const fromCold = { prepare: ({ client }: Stage) => cold(client) };
const fromWarm = { prepare: ({ client }: Stage) => warm(client) };

/** Few keys of a large block: each header with a proof of its own. */
const single = { ...fromCold, run: together('single', 'many3', 'absent') };
/** Many keys of a block: all its headers, and the proof of its last. */
const block = { ...fromCold, run: together(...range(DENSE).map((i) => `dense${i}`)) };
/** The block that ends in the head, with entries of a tx that has several. */
const newest = { ...fromCold, run: together('late2', 'bulk1', 'bulk4', 'freeLate', 'last') };
const known = ['single', 'many1', 'free', 'bound', 'expiring', 'absent', 'bulk1'];

export const GROUPED_READS: readonly Scenario[] = [
  { name: 'reads together, headers one by one', method: 'GetAll', ...single },
  {
    name: 'reads together, header of one of them',
    method: 'VerifiableTxById',
    asked: txIs('single'),
    ...single,
  },
  {
    name: 'reads together, header and entries of one of them',
    method: 'VerifiableTxById',
    asked: txIs('many'),
    ...single,
  },
  {
    name: 'reads together, references',
    method: 'GetAll',
    ...fromCold,
    run: together('free', 'bound', 'expiring'),
  },
  { name: 'reads together, of one block', method: 'GetAll', ...block },
  { name: 'reads together, headers of a block', method: 'TxScan', asked: headers, ...block },
  { name: 'reads together, proof of a block', method: 'VerifiableTxById', ...block },
  { name: 'reads together, of the newest block', method: 'GetAll', ...newest },
  { name: 'reads together, headers of the newest block', method: 'TxScan', asked: headers, ...newest },
  {
    name: 'reads together, proof of the newest block',
    method: 'VerifiableTxById',
    asked: txIs('last'),
    ...newest,
  },
  { name: 'reads together, entries of a bulk tx', method: 'TxScan', asked: digests, ...newest },
  { name: 'warm reads together', method: 'GetAll', ...fromWarm, run: together(...known) },
  {
    name: 'a lie about what is known, and its refutation',
    method: 'VerifiableTxById',
    ...fromWarm,
    refuses: true,
    run: refuted,
  },
  { name: 'verifiedGetAll', method: 'GetAll', ...fromCold, run: all('single', 'absent', 'many2', 'free') },
  { name: 'warm verifiedGetAll', method: 'GetAll', ...fromWarm, run: all(...known) },
  {
    name: 'reads together, by who may not call GetAll',
    method: 'VerifiableGet',
    asked: ({ keyRequest }) => Buffer.from((keyRequest as { key: Uint8Array }).key).toString() === 'single',
    prepare: ({ reader }) => cold(reader),
    run: ({ reader }) =>
      callers(...['single', 'many3', 'absent'].map((key) => reader.verifiedGet(key).then(tell))),
  },
  {
    name: 'warm reads together, by who may not call GetAll',
    method: 'Get',
    prepare: ({ reader }) => warm(reader),
    run: ({ reader }) =>
      callers(...['single', 'free', 'bulk1'].map((key) => reader.verifiedGet(key).then(tell))),
  },
  {
    name: 'verifiedGetAll, by who may not call GetAll',
    method: 'Get',
    prepare: ({ reader }) => cold(reader),
    run: ({ reader }) => allOf(reader, ['many3', 'absent', 'late1']),
  },
];

/** Asks for keys at once, each caller for one; the first two ask for the same. */
function together(...keys: string[]): (stage: Stage) => Promise<CallerOutcome[]> {
  return ({ client }) =>
    callers(...[keys[0] as string, ...keys].map((key) => client.verifiedGet(key).then(tell)));
}

function all(...keys: string[]): (stage: Stage) => Promise<CallerOutcome[]> {
  return ({ client }) => allOf(client, keys);
}

/** One value is a lie; the proof of that is what the scenario changes. The neighbour has nothing to do with it. */
async function refuted({ proxy, client }: Stage): Promise<CallerOutcome[]> {
  const passing = proxy.intercept;
  proxy.intercept = async (call) => {
    const answer = await passing(call);
    if (call.method !== 'GetAll') return answer;
    const at = answer.indexOf('the value of a single entry');
    if (at >= 0) answer.write('THE', at);
    return answer;
  };
  return callers(client.verifiedGet('single').then(tell), client.verifiedGet('late1').then(tell));
}

/** As if each key had a caller of its own. */
function allOf(client: ImmuClient, keys: readonly string[]): Promise<CallerOutcome[]> {
  const entries = client.verifiedGetAll(keys);
  return callers(...keys.map(async (_, i) => tell((await entries)[i] ?? null)));
}
