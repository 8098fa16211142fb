// Every verified call, and every RPC that a verified call builds on, as a scenario in which exactly one answer can be
// changed on its way to the client.
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { VerifiedEntry, VerifiedWrite } from '#dist/index.js';
import { WireClient } from '../support/wire-client.js';
import type { Interceptor, Proxy } from './proxy.js';

const USER = { user: 'immudb', password: 'immudb' };

/** What a call told its caller, as text that can be compared; what is named unproven is left out. */
export type Told = string;

export interface Scenario {
  readonly name: string;
  /** The RPC whose answer is changed, its answer's message type, and which of its answers in the run (from 0). */
  readonly method: string;
  readonly type: string;
  readonly occurrence?: number;
  /** Makes the call. Told what an honest server leads to, except where `honest` says what that is. */
  run(stage: Stage): Promise<Told>;
}

/** What all scenarios of a run share: one database on a real immudb behind the proxy, one long-lived client. */
export interface Stage {
  readonly proxy: Proxy;
  readonly client: ImmuClient;
  readonly wire: WireClient;
  readonly database: string;
  /** Txs of the entries made when the stage was set. */
  readonly txs: { readonly single: bigint; readonly target: bigint };
  /** Counts up: names of keys that nobody used before. */
  next(): number;
}

export async function setStage(proxy: Proxy, address: string, database: string): Promise<Stage> {
  const wire = await WireClient.open(address, database);
  const store = new MemoryRootStore();
  const client = new ImmuClient({
    address: proxy.address,
    store,
    credentials: { ...USER, database },
    keepAliveMs: 0,
  });
  const single = await client.verifiedSet('single', 'the value of a single entry');
  const target = await client.verifiedSet('target', 'first version');
  await client.setAll(Array.from({ length: 5 }, (_, i) => [`many${i}`, `value ${i}`] as const));
  await wire.call('Set', {
    KVs: [
      {
        key: Buffer.from('expiring'),
        value: Buffer.from('v'),
        metadata: { expiration: { expiresAt: '4102444800' } },
      },
    ],
  });
  await wire.call('SetReference', { key: Buffer.from('free'), referencedKey: Buffer.from('target') });
  await wire.call('SetReference', {
    key: Buffer.from('bound'),
    referencedKey: Buffer.from('target'),
    atTx: String(target.tx),
    boundRef: true,
  });
  await client.verifiedSet('target', 'second version');
  await client.verifiedSet('last', 'newest');
  let counter = 0;
  return {
    proxy,
    client,
    wire,
    database,
    txs: { single: single.tx, target: target.tx },
    next: () => counter++,
  };
}

const GET = { method: 'VerifiableGet', type: 'VerifiableEntry' };
const SET = { method: 'VerifiableSet', type: 'VerifiableTx' };
const HEADER = { method: 'VerifiableTxById', type: 'VerifiableTx' };

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'verifiedGet, older than the head',
    ...GET,
    run: async ({ client }) => tell(await client.verifiedGet('single')),
  },
  {
    name: 'verifiedGet, at a tx',
    ...GET,
    run: async ({ client, txs }) => tell(await client.verifiedGet('target', { atTx: txs.target })),
  },
  {
    name: 'verifiedGet, at a revision',
    ...GET,
    run: async ({ client }) => tell(await client.verifiedGet('target', { atRevision: 1n })),
  },
  {
    name: 'verifiedGet, of a tx with five entries',
    ...GET,
    run: async ({ client }) => tell(await client.verifiedGet('many3')),
  },
  {
    name: 'verifiedGet, with metadata',
    ...GET,
    run: async ({ client }) => tell(await client.verifiedGet('expiring')),
  },
  {
    name: 'verifiedGet, reference',
    ...GET,
    run: async ({ client }) => tell(await client.verifiedGet('free')),
  },
  {
    name: 'verifiedGet, bound reference',
    ...GET,
    run: async ({ client }) => tell(await client.verifiedGet('bound')),
  },
  {
    name: 'verifiedGet, behind a reference',
    ...GET,
    occurrence: 1,
    run: async ({ client }) => tell(await client.verifiedGet('free')),
  },
  {
    name: 'verifiedGet, newer than the head',
    ...GET,
    run: async (stage) => {
      await writtenByAnother(stage, 'newer');
      return tellValue(await stage.client.verifiedGet('newer'));
    },
  },
  {
    name: 'verifiedSet',
    ...SET,
    run: async ({ client, wire, next }) => tellWrite(wire, await client.verifiedSet(`w${next()}`, 'written')),
  },
  {
    name: 'verifiedSet, after a gap',
    ...SET,
    run: async (stage) => {
      await writtenByAnother(stage, 'gap');
      return tellWrite(stage.wire, await stage.client.verifiedSet(`w${stage.next()}`, 'written'));
    },
  },
  {
    name: 'head moved by a proof',
    ...HEADER,
    run: async (stage) => {
      const sinceTx = await writtenByAnother(stage, 'ahead');
      return tell(await stage.client.verifiedGet('single', { sinceTx }));
    },
  },
  { name: 'head moved by a run of headers', method: 'TxScan', type: 'TxList', run: twoAfterGaps },
  { name: 'first contact: state', method: 'CurrentState', type: 'ImmutableState', run: firstContact },
  { name: 'first contact: proof of the state', ...HEADER, run: firstContact },
];

/** A write that this client knows nothing of; its tx. */
async function writtenByAnother({ wire }: Stage, key: string): Promise<bigint> {
  const { id } = await wire.call('Set', {
    KVs: [{ key: Buffer.from(key), value: Buffer.from('by another') }],
  });
  return BigInt(id);
}

/** Two writes with another's before each, answered together: bound by the headers between. */
async function twoAfterGaps(stage: Stage): Promise<Told> {
  const { proxy, client, wire } = stage;
  const passing: Interceptor = proxy.intercept;
  const answered: (() => void)[] = [];
  let wake = () => {};
  proxy.intercept = async (call) => {
    const answer = await passing(call);
    if (call.method !== 'VerifiableSet') return answer;
    const released = new Promise<void>((resolve) => answered.push(resolve));
    wake();
    await released;
    return answer;
  };
  try {
    const writes: Promise<VerifiedWrite>[] = [];
    for (let i = 0; i < 2; i++) {
      await writtenByAnother(stage, 'between');
      const arrived = new Promise<void>((resolve) => (wake = resolve));
      writes.push(client.verifiedSet(`w${stage.next()}`, 'written'));
      await arrived;
    }
    for (const release of answered) release();
    // Both are waited for: one refused must not leave the other behind.
    const settled = await Promise.allSettled(writes);
    const told: string[] = [];
    for (const result of settled) {
      if (result.status === 'rejected') throw result.reason;
      told.push(await tellWrite(wire, result.value));
    }
    return told.join(' and ');
  } finally {
    proxy.intercept = passing;
  }
}

/** A client that never saw the server before. */
async function firstContact({ proxy, database, wire }: Stage): Promise<Told> {
  const store = new MemoryRootStore();
  await using client = new ImmuClient({
    address: proxy.address,
    store,
    credentials: { ...USER, database },
    keepAliveMs: 0,
  });
  const entry = await client.verifiedGet('single');
  const first = (await store.audit.latest({ database }))?.tx ?? 0n;
  const honest = BigInt((await wire.call('CurrentState')).txId);
  return `${tellValue(entry)} from ${first === honest ? 'the newest tx' : `tx ${first} of ${honest}`}`;
}

function tell(entry: VerifiedEntry | null): Told {
  if (!entry) return 'nothing';
  const { key, value, tx, metadata, timestamp, reference } = entry;
  return show({ key, value, tx, metadata, timestamp, reference });
}

/** For entries whose tx differs from run to run. */
function tellValue(entry: VerifiedEntry | null): Told {
  return entry ? show({ key: entry.key, value: entry.value, metadata: entry.metadata }) : 'nothing';
}

/** Whether what was told of a write is what the server really has. */
async function tellWrite(wire: WireClient, { tx, alh, timestamp }: VerifiedWrite): Promise<Told> {
  const at = await wire.call('VerifiableTxById', { tx: String(tx), proveSinceTx: String(tx) });
  const honest =
    Buffer.from(alh).equals(at.dualProof.linearProof.terms[0]) && BigInt(at.tx.header.ts) === timestamp;
  return honest && at.tx.entries.length === 1 ? 'written' : `a tx ${tx} that is not on the server`;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint'
      ? String(each)
      : each instanceof Uint8Array
        ? Buffer.from(each).toString('hex')
        : each,
  );
}
