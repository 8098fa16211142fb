// Whole transactions, one and in runs; the server's state; exports; proofs as documents.
import { ServerError } from '#dist/index.js';
import { verifyProof } from '#dist/audit.js';
import type { PortableProof, Root, Transaction } from '#dist/index.js';
import { NOTHING, callers, show, tell } from '../scenario.js';
import type { Message, Scenario, Told } from '../scenario.js';
import { cold } from '../stage.js';
import type { Stage } from '../stage.js';

const fromCold = { prepare: ({ client }: Stage) => cold(client) };
const withValues = (request: Message) => request['entriesSpec'] !== undefined;
const withAll = (request: Message) => request['entriesSpec'] === undefined;

/** That values are gone is the server's word, and shows none. */
function orGone(error: unknown): Told {
  if (error instanceof ServerError && error.code === 'TRUNCATED') return NOTHING;
  throw error;
}

function tellTx(found: Transaction | null): Told {
  if (!found) return NOTHING;
  const { tx, alh, prevAlh, timestamp, metadata, entryCount, entries } = found;
  return show({ tx, alh, prevAlh, timestamp, metadata, entryCount, entries });
}

const one = (entries: 'digests' | 'raw') => (stage: Stage) =>
  callers(stage.client.verifiedTx(stage.txs.many, { entries }).then(tellTx).catch(orGone));

const run =
  (entries: 'digests' | 'raw') =>
  async ({ client, txs }: Stage) => {
    const told = async () => {
      const found: Told[] = [];
      const range = { from: txs.many, to: txs.many + 2n };
      for await (const each of client.verifiedTransactions({ ...range, entries })) found.push(tellTx(each));
      return found.join('\n');
    };
    return callers(told().catch(orGone));
  };

/** What anybody finds proven by it, under a root that was trusted. */
function tellProof(proof: PortableProof | undefined, root: Root): Told {
  if (!proof) return NOTHING;
  const { tx, alh, timestamp, entries } = verifyProof(proof, root);
  return show({ tx, alh, timestamp, entries });
}

export const TX_READS: readonly Scenario[] = [
  { name: 'verifiedTx', method: 'VerifiableTxById', asked: withAll, ...fromCold, run: one('digests') },
  { name: 'verifiedTx, beside values', method: 'VerifiableTxById', ...fromCold, run: one('raw') },
  { name: 'verifiedTx, values', method: 'TxById', ...fromCold, run: one('raw') },
  { name: 'verifiedTransactions', method: 'TxScan', ...fromCold, run: run('digests') },
  { name: 'verifiedTransactions, proof', method: 'VerifiableTxById', ...fromCold, run: run('digests') },
  {
    name: 'verifiedTransactions, beside values',
    method: 'TxScan',
    asked: withAll,
    ...fromCold,
    run: run('raw'),
  },
  {
    name: 'verifiedTransactions, values',
    method: 'TxScan',
    asked: withValues,
    ...fromCold,
    run: run('raw'),
  },
  { name: 'verifiedState', method: 'CurrentState', ...fromCold, run: state },
  { name: 'verifiedState, proof', method: 'VerifiableTxById', ...fromCold, run: state },
  {
    name: 'verifiedExportTx, proof',
    method: 'VerifiableTxById',
    ...fromCold,
    run: ({ client, txs }) => callers(client.verifiedExportTx(txs.many).then(tellTx)),
  },
  {
    name: 'verifiedGet, its proof as a document',
    method: 'VerifiableTxById',
    ...fromCold,
    run: ({ client }) =>
      callers(
        client.verifiedGet('many1', { includeProof: true }).then((entry) => {
          if (!entry) return NOTHING;
          return `${tell(entry)} ${tellProof(entry.proof, entry.root)}`;
        }),
      ),
  },
];

function state({ client }: Stage) {
  return callers(client.verifiedState().then(({ tx, alh, timestamp }) => show({ tx, alh, timestamp })));
}
