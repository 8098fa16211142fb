// With a state key: a root becomes the head only with its signature, so every move is by a proof that brings one.
import { callers, tell } from '../scenario.js';
import type { Scenario } from '../scenario.js';
import { DENSE, cold, put, range } from '../stage.js';
import type { Stage } from '../stage.js';
import { headScenarios } from './heads.js';
import { firstContact, toStrangers, writeOne } from './lone.js';
import { allForms, deleteTogether, referTogether } from './operations.js';
import { TX_READS } from './txs.js';
import { readAhead, writeAll, writeTogether } from './writes.js';

const fromCold = { prepare: ({ client }: Stage) => cold(client) };
const dense = {
  ...fromCold,
  run: ({ client }: Stage) => callers(...range(DENSE).map((i) => client.verifiedGet(`dense${i}`).then(tell))),
};

const scenarios: readonly Scenario[] = [
  { name: 'first contact: state', method: 'CurrentState', prepare: toStrangers, run: firstContact },
  {
    name: 'first contact: proof of the state',
    method: 'VerifiableTxById',
    prepare: toStrangers,
    run: firstContact,
  },
  {
    name: 'verifiedGet',
    method: 'VerifiableGet',
    ...fromCold,
    run: ({ client }) => callers(client.verifiedGet('many1').then(tell)),
  },
  { name: 'verifiedSet', method: 'VerifiableSet', ...fromCold, run: writeOne },
  { name: 'verifiedSetAll', method: 'Set', ...fromCold, run: (stage) => writeAll(stage, 9) },
  { name: 'writes together', method: 'Set', ...fromCold, run: writeTogether },
  {
    name: 'writes together, proof of the new head',
    method: 'VerifiableTxById',
    ...fromCold,
    run: writeTogether,
  },
  { name: 'deletes together', method: 'Delete', ...fromCold, run: deleteTogether },
  { name: 'all forms together, operations', method: 'ExecAll', ...fromCold, run: allForms },
  {
    name: 'references together, proof of the new head',
    method: 'VerifiableTxById',
    ...fromCold,
    run: referTogether,
  },
  {
    name: 'head moved by a proof',
    method: 'VerifiableTxById',
    ...fromCold,
    run: async ({ client, wire }) => {
      const sinceTx = await put(wire, 'ahead', 'by another');
      return callers(client.verifiedGet('single', { sinceTx }).then(tell));
    },
  },
  {
    name: 'reads together, proof of the head beyond them',
    method: 'VerifiableTxById',
    asked: ({ tx }, { txs }) => BigInt(tx as string) > txs.last,
    ...fromCold,
    run: readAhead,
  },
  { name: 'reads together, headers of a block', method: 'TxScan', ...dense },
  { name: 'reads together, proof of a block', method: 'VerifiableTxById', ...dense },
  ...headScenarios(),
  ...TX_READS.filter(({ name }) => /^verifiedState|^verifiedTx$|document$/.test(name)),
];

export const KEYED: readonly Scenario[] = scenarios.map((scenario) => ({
  ...scenario,
  name: `with a state key: ${scenario.name}`,
}));
