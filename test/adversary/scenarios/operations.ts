// Writes of all forms: metadata, deletions, references, members of sorted sets, and operations, alone and in flight together.
import { plainKey, plainValue, referenceValue, sortedSetKey } from '#dist/proof/entry.js';
import type { KVMetadata } from '#dist/proof/types.js';
import type { VerifiedWrite } from '#dist/index.js';
import { callers, tellDelete, tellRaw } from '../scenario.js';
import type { CallerOutcome, RawEntry, Scenario, Told } from '../scenario.js';
import { cold, put, range } from '../stage.js';
import type { Stage } from '../stage.js';

const NOTHING = new Uint8Array(0);
const EXPIRES = { expiresAt: 4_102_444_800n };
const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

const entry = (key: string, value: string, metadata?: KVMetadata): RawEntry => ({
  ...{ key: plainKey(utf8(key)), value: plainValue(utf8(value)) },
  ...(metadata && { metadata }),
});
const reference = (key: string, to: string, atTx = 0n): RawEntry => ({
  key: plainKey(utf8(key)),
  value: referenceValue(atTx, utf8(to)),
});
const member = (set: string, score: number, key: string, atTx = 0n): RawEntry => ({
  key: sortedSetKey(utf8(set), score, utf8(key), atTx),
  value: NOTHING,
});

const fromCold = { prepare: ({ client }: Stage) => cold(client) };

/** What a write tells its caller. */
async function told(
  { wire }: Stage,
  write: Promise<VerifiedWrite>,
  entriesOf: (tx: bigint) => readonly RawEntry[],
): Promise<Told> {
  return tellRaw(wire, await write, entriesOf);
}

const setting = (stage: Stage) => {
  const key = `w${stage.next()}`;
  const write = stage.client.verifiedSet(key, 'expiring', { metadata: EXPIRES });
  return told(stage, write, () => [entry(key, 'expiring', EXPIRES)]);
};
const referring = (stage: Stage, options: { noWait?: boolean } = {}) => {
  const key = `r${stage.next()}`;
  const write = stage.client.verifiedSetReference(key, 'target', options);
  return told(stage, write, () => [reference(key, 'target')]);
};
const binding = (stage: Stage) => {
  const key = `r${stage.next()}`;
  const { target: atTx } = stage.txs;
  const write = stage.client.verifiedSetReference(key, 'target', { atTx });
  return told(stage, write, () => [reference(key, 'target', atTx)]);
};
const adding = (stage: Stage, options: { noWait?: boolean } = {}) => {
  const set = `s${stage.next()}`;
  const write = stage.client.verifiedZAdd(set, -0, 'single', options);
  return told(stage, write, () => [member(set, -0, 'single')]);
};
const executing = (stage: Stage) => {
  const name = `e${stage.next()}`;
  const write = stage.client.verifiedExecAll([
    { set: { key: name, value: 'written', metadata: EXPIRES } },
    { reference: { key: `${name}r`, to: name, atTx: 'thisTx' } },
    { zAdd: { set: name, score: 1.5, key: name, atTx: 'thisTx' } },
  ]);
  return told(stage, write, (tx) => [
    entry(name, 'written', EXPIRES),
    reference(`${name}r`, name, tx),
    member(name, 1.5, name, tx),
  ]);
};

/** Deletes each of some keys on its own, all in flight. */
async function deleting({ client, wire, next }: Stage): Promise<Promise<Told>[]> {
  const keys = range(3).map(() => `d${next()}`);
  for (const key of keys) await put(wire, key, 'to be deleted');
  return keys.map(async (key) => tellDelete(wire, await client.verifiedDelete(key), [key]));
}

export async function allForms(stage: Stage): Promise<CallerOutcome[]> {
  const deletes = await deleting(stage);
  return callers(...deletes, setting(stage), referring(stage), adding(stage), executing(stage));
}

export async function deleteTogether(stage: Stage): Promise<CallerOutcome[]> {
  return callers(...(await deleting(stage)));
}

export function referTogether(stage: Stage): Promise<CallerOutcome[]> {
  return callers(...range(3).map(() => referring(stage)));
}

const three = (write: (stage: Stage) => Promise<Told>) => (stage: Stage) =>
  callers(...range(3).map(() => write(stage)));

export const LONE_OPERATIONS: readonly Scenario[] = [
  {
    name: 'verifiedSet, with metadata',
    method: 'VerifiableSet',
    ...fromCold,
    run: (stage) => callers(setting(stage)),
  },
  {
    name: 'verifiedSetReference',
    method: 'ExecAll',
    ...fromCold,
    run: (stage) => callers(referring(stage)),
  },
  {
    name: 'verifiedSetReference, bound',
    method: 'ExecAll',
    ...fromCold,
    run: (stage) => callers(binding(stage)),
  },
  {
    name: 'verifiedSetReference, without waiting',
    method: 'SetReference',
    ...fromCold,
    run: (stage) => callers(referring(stage, { noWait: true })),
  },
  { name: 'verifiedZAdd', method: 'ExecAll', ...fromCold, run: (stage) => callers(adding(stage)) },
  {
    name: 'verifiedZAdd, without waiting',
    method: 'ZAdd',
    ...fromCold,
    run: (stage) => callers(adding(stage, { noWait: true })),
  },
  { name: 'verifiedExecAll', method: 'ExecAll', ...fromCold, run: (stage) => callers(executing(stage)) },
  {
    name: 'verifiedExecAll, proof of the new head',
    method: 'VerifiableTxById',
    ...fromCold,
    run: async (stage) => {
      await put(stage.wire, 'gap', 'by another');
      return callers(executing(stage));
    },
  },
];

export const GROUPED_OPERATIONS: readonly Scenario[] = [
  { name: 'writes with metadata together', method: 'Set', ...fromCold, run: three(setting) },
  { name: 'deletes together', method: 'Delete', ...fromCold, run: deleteTogether },
  { name: 'references together', method: 'ExecAll', ...fromCold, run: referTogether },
  { name: 'members together', method: 'ExecAll', ...fromCold, run: three(adding) },
  { name: 'operations together', method: 'ExecAll', ...fromCold, run: three(executing) },
  { name: 'all forms together, deletes', method: 'Delete', ...fromCold, run: allForms },
  { name: 'all forms together, operations', method: 'ExecAll', ...fromCold, run: allForms },
  {
    name: 'references together, headers of the gap',
    method: 'TxScan',
    ...fromCold,
    run: async (stage) => {
      await put(stage.wire, 'gap', 'by another');
      return referTogether(stage);
    },
  },
];
