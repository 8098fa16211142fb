// Heads on their way to witnesses, and heads that came from there: the tree is the server's word until it is proven.
import { callers, show } from '../scenario.js';
import type { Scenario, Told } from '../scenario.js';
import { cold } from '../stage.js';
import type { Stage } from '../stage.js';
import { TestWitness, cosign, logKey, logLine, witnessKey } from '../../witness/witness-server.js';
import type { Seen } from '../../witness/witness-server.js';

const log = logKey('log.example');
const reader = witnessKey('reader.example');
/** A tree that others have seen: that before the entries that are read together. */
const sizeSeen = ({ txs }: Stage) => txs.many - 1n;

async function treeSeen(stage: Stage): Promise<Seen> {
  const size = sizeSeen(stage);
  const asked = { tx: String(size + 1n), proveSinceTx: String(size + 1n) };
  const { tx } = await stage.wire.call('VerifiableTxById', asked);
  return { size, root: Buffer.from(tx.header.blRoot) };
}

/** Publishes to a witness that has seen an older tree; tells what it has seen then, too. */
function publishing(name: string, ofOlder: boolean): Scenario {
  let started: Promise<TestWitness> | undefined;
  /** It is there for as long as the test that asks first. */
  const there = () => (started ??= TestWitness.start('witness.example', log));
  return {
    name,
    method: 'VerifiableTxById',
    asked: ({ tx }, stage) => (BigInt(tx as string) === sizeSeen(stage) + 1n) === ofOlder,
    prepare: async (stage) => {
      const witness = await there();
      witness.seen.set(log.name, await treeSeen(stage));
      await cold(stage.client);
    },
    run: async ({ client }) => {
      const witness = await there();
      const before = witness.seen.get(log.name);
      const published = client.publishHead({
        ...{ origin: log.name, key: log.privateKey, witnesses: [witness.witness], quorum: 1 },
      });
      const told = published.then(({ size, root, head, witnesses }): Told => {
        return show({ size, root, head, witnesses: witnesses.map(({ status }) => status) });
      });
      const [outcome] = await callers(told);
      const after = witness.seen.get(log.name);
      // Who is refused has had nothing cosigned.
      if (outcome!.kind !== 'told' && after !== before)
        return [{ kind: 'told', told: `cosigned all the same: ${after?.size}` }];
      return [outcome!];
    },
  };
}

/** Their witnesses are those of one suite. */
export const headScenarios = (): readonly Scenario[] => [
  publishing('publishHead, the tree', false),
  publishing('publishHead, from an older tree on', true),
  {
    name: 'verifyHead',
    method: 'VerifiableTxById',
    prepare: ({ client }) => cold(client),
    run: async (stage) => {
      const { size, root } = await treeSeen(stage);
      const text = `${log.name}\n${size}\n${root.toString('base64')}\n`;
      const note = `${text}\n${logLine(log, text)}${cosign(reader, text, 1n)}`;
      const keys = { log: log.vkey, witnesses: [reader.vkey] };
      return callers(stage.client.verifyHead(note, keys).then((shown) => show({ ...shown })));
    },
  },
];
