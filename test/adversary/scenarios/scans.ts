// Scans, histories and sorted sets: every page is an answer by itself, and what it shows is proven like reads together.
import { callers, tell, tellVersion } from '../scenario.js';
import type { CallerOutcome, Scenario } from '../scenario.js';
import { DENSE, cold, range, warm } from '../stage.js';
import type { Stage } from '../stage.js';

const fromCold = { prepare: ({ client }: Stage) => cold(client) };
const fromWarm = { prepare: ({ client }: Stage) => warm(client) };

const scanned = scanOf(
  'scanned',
  range(4).map((i) => `scanned${i}`),
);
const dense = scanOf(
  'dense',
  range(DENSE).map((i) => `dense${i}`),
);

export const SCANS: readonly Scenario[] = [
  { name: 'verifiedScan', method: 'Scan', ...fromCold, run: scanned },
  {
    name: 'verifiedScan, the last ones first',
    method: 'Scan',
    ...fromWarm,
    run: (stage) => scanned(stage, true),
  },
  {
    name: 'verifiedScan, of a tx with five entries',
    method: 'Scan',
    ...fromCold,
    run: scanOf(
      'many',
      range(5).map((i) => `many${i}`),
    ),
  },
  {
    name: 'verifiedScan, the next page',
    method: 'Scan',
    after: 1,
    ...fromCold,
    run: (stage) => scanned(stage, false, 2),
  },
  { name: 'verifiedScan, headers of a block', method: 'TxScan', ...fromCold, run: dense },
  { name: 'verifiedScan, proof of a block', method: 'VerifiableTxById', ...fromCold, run: dense },
  { name: 'verifiedHistory', method: 'History', ...fromCold, run: story },
  {
    name: 'verifiedHistory, the newest first',
    method: 'History',
    ...fromWarm,
    run: (stage) => story(stage, true),
  },
  {
    name: 'verifiedHistory, the next page',
    method: 'History',
    after: 1,
    ...fromCold,
    run: (stage) => story(stage, false, 2),
  },
  {
    name: 'verifiedHistory, of a reference',
    method: 'History',
    ...fromCold,
    run: async ({ client }) => callers(first(client.verifiedHistory('bound')).then(tellVersion)),
  },
  {
    name: 'verifiedHistory, the tx of what has expired',
    method: 'VerifiableTxById',
    asked: ({ tx }, { txs }) => BigInt(tx as string) === txs.story[1],
    ...fromWarm,
    run: story,
  },
  { name: 'verifiedZScan', method: 'ZScan', ...fromCold, run: ranks },
  {
    name: 'verifiedZScan, the last ones first',
    method: 'ZScan',
    ...fromWarm,
    run: (stage) => ranks(stage, true),
  },
];

/** As if each key had a caller of its own. */
function scanOf(prefix: string, keys: readonly string[]) {
  return ({ client }: Stage, desc = false, pageSize = 1000): Promise<CallerOutcome[]> => {
    const scan = all(client.verifiedScan({ prefix, desc, pageSize }));
    const of = async (key: string) =>
      (await scan).find((entry) => Buffer.from(entry.reference?.key ?? entry.key).toString() === key);
    const more = async () => `${Math.max(0, (await scan).length - keys.length)} more`;
    return callers(...keys.map(async (key) => tell((await of(key)) ?? null)), more());
  };
}

function story({ client, txs }: Stage, desc = false, pageSize = 1000): Promise<CallerOutcome[]> {
  const history = all(client.verifiedHistory('story', { desc, pageSize }));
  const more = async () => `${Math.max(0, (await history).length - txs.story.length)} more`;
  return callers(
    ...txs.story.map(async (tx) => tellVersion((await history).find((version) => version.tx === tx))),
    more(),
  );
}

/** Members by key, and, where there are two, by the tx of what they lead to: that they are members, and how often, is not proven. */
function ranks({ client, txs }: Stage, desc = false): Promise<CallerOutcome[]> {
  const scan = all(client.verifiedZScan('ranks', { desc }));
  const of = async (key: string, isBound = false) => {
    const found = (await scan).find(
      (member) => Buffer.from(member.key).toString() === key && (member.entry.tx === txs.target) === isBound,
    );
    return tell(found?.entry ?? null);
  };
  return callers(of('many1'), of('target'), of('target', true), of('scanned0'));
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  return (await all(items))[0];
}
