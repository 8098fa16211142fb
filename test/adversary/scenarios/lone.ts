// Calls made one by one: each is answered together with its proof, or, when much is known already, without one.
import { callers, tell, tellAt, tellDelete, tellStream, tellWrite } from '../scenario.js';
import type { CallerOutcome, Message, Scenario } from '../scenario.js';
import { cold, put, shareSession, unacquainted, warm } from '../stage.js';
import type { Stage } from '../stage.js';

const keyIs = (key: string) => (request: Message) => keyOf(request) === key;

/** Of Get, and of VerifiableGet. */
function keyOf(request: Message): string {
  const { key } = (request['keyRequest'] ?? request) as { key?: Uint8Array };
  return Buffer.from(key ?? []).toString();
}

const fromCold = { prepare: ({ client }: Stage) => cold(client) };
const coldGet = { method: 'VerifiableGet', ...fromCold } as const;

const coldStream = { method: 'streamVerifiableGet', ...fromCold } as const;

/** Of a value that comes as a stream, told when it is proven. */
const STREAM_READS: readonly Scenario[] = [
  ...['single', 'many3', 'expiring', 'free', 'bound'].map((key) => ({
    name: `verifiedStreamGet of ${key}`,
    ...coldStream,
    run: ({ client }: Stage) => callers(client.verifiedStreamGet(key).then(tellStream)),
  })),
  {
    name: 'verifiedStreamGet, at a tx',
    ...coldStream,
    run: ({ client, txs }) =>
      callers(client.verifiedStreamGet('target', { atTx: txs.target }).then(tellStream)),
  },
  {
    name: 'verifiedStreamGet, proven first',
    ...coldStream,
    run: ({ client }) => callers(client.verifiedStreamGet('many3', { buffer: true }).then(tellStream)),
  },
  {
    name: 'verifiedStreamGet, behind a reference',
    ...coldStream,
    asked: keyIs('target'),
    run: ({ client }) => callers(client.verifiedStreamGet('free').then(tellStream)),
  },
];

export const LONE_READS: readonly Scenario[] = [
  {
    name: 'verifiedGet, older than the head',
    ...coldGet,
    run: ({ client }) => callers(client.verifiedGet('single').then(tell)),
  },
  {
    name: 'verifiedGet, at a tx',
    ...coldGet,
    run: ({ client, txs }) => callers(client.verifiedGet('target', { atTx: txs.target }).then(tell)),
  },
  {
    name: 'verifiedGet, at a revision',
    ...coldGet,
    run: ({ client }) => callers(client.verifiedGet('target', { atRevision: 1n }).then(tell)),
  },
  {
    name: 'verifiedGet, of a tx with five entries',
    ...coldGet,
    run: ({ client }) => callers(client.verifiedGet('many3').then(tell)),
  },
  {
    name: 'verifiedGet, with metadata',
    ...coldGet,
    run: ({ client }) => callers(client.verifiedGet('expiring').then(tell)),
  },
  {
    name: 'verifiedGet, reference',
    ...coldGet,
    run: ({ client }) => callers(client.verifiedGet('free').then(tell)),
  },
  {
    name: 'verifiedGet, bound reference',
    ...coldGet,
    run: ({ client }) => callers(client.verifiedGet('bound').then(tell)),
  },
  {
    name: 'verifiedGet, behind a reference',
    ...coldGet,
    asked: keyIs('target'),
    run: ({ client }) => callers(client.verifiedGet('free').then(tell)),
  },
  ...STREAM_READS,
  {
    name: 'warm verifiedGet',
    method: 'Get',
    prepare: ({ client }) => warm(client),
    run: ({ client }) => callers(client.verifiedGet('single').then(tell)),
  },
  {
    name: 'warm verifiedGet, of a tx with six entries',
    method: 'Get',
    prepare: ({ client }) => warm(client),
    run: ({ client }) => callers(client.verifiedGet('bulk1').then(tell)),
  },
  {
    name: 'warm verifiedGet, bound reference',
    method: 'Get',
    prepare: ({ client }) => warm(client),
    run: ({ client }) => callers(client.verifiedGet('bound').then(tell)),
  },
  { name: 'first contact: state', method: 'CurrentState', prepare: toStrangers, run: firstContact },
  {
    name: 'first contact: proof of the state',
    method: 'VerifiableTxById',
    prepare: toStrangers,
    run: firstContact,
  },
  {
    name: 'is the server behind, asked beside a read',
    method: 'CurrentState',
    after: 1,
    run: probed,
  },
];

export const LONE_WRITES: readonly Scenario[] = [
  {
    name: 'verifiedGet, newer than the head',
    ...coldGet,
    run: async ({ client, wire, next }) => {
      const key = `newer${next()}`;
      await put(wire, key, 'by another');
      return callers(client.verifiedGet(key).then((entry) => tellAt(wire, key, entry)));
    },
  },
  { name: 'verifiedSet', method: 'VerifiableSet', ...fromCold, run: writeOne },
  {
    name: 'verifiedSet, after a gap',
    method: 'VerifiableSet',
    ...fromCold,
    run: async (stage) => {
      await put(stage.wire, 'gap', 'by another');
      return writeOne(stage);
    },
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
    name: 'verifiedDelete',
    method: 'Delete',
    ...fromCold,
    run: async ({ client, wire, next }) => {
      const keys = [`d${next()}`, `d${next()}`];
      for (const key of keys) await put(wire, key, 'to be deleted');
      return callers(client.verifiedDelete(keys).then((write) => tellDelete(wire, write, keys)));
    },
  },
  {
    name: 'verifiedStreamSet',
    method: 'streamSet',
    ...fromCold,
    run: ({ client, wire, next }) => {
      const [one, two] = [`s${next()}`, `s${next()}`];
      const written = client.verifiedStreamSet([
        { key: one, value: 'streamed' },
        { key: two, value: [Buffer.from('in '), Buffer.from('parts')], size: 8 },
      ]);
      const entries = [[one, 'streamed'] as const, [two, 'in parts'] as const];
      return callers(written.then((write) => tellWrite(wire, write, entries)));
    },
  },
  {
    name: 'verifiedStreamExecAll',
    method: 'streamExecAll',
    ...fromCold,
    run: async ({ client, wire, next }) => {
      const key = `s${next()}`;
      const written = client.verifiedStreamExecAll([
        { set: { key, value: 'streamed' } },
        { zAdd: { set: 'streams', score: 1, key } },
      ]);
      return callers(written.then((write) => tellWrite(wire, write, [[key, 'streamed']])));
    },
  },
  { name: 'head moved by a run of headers', method: 'TxScan', ...fromCold, run: twoAfterGaps },
];

export function writeOne({ client, wire, next }: Stage): Promise<CallerOutcome[]> {
  const key = `w${next()}`;
  const written = client.verifiedSet(key, 'written');
  return callers(written.then((write) => tellWrite(wire, write, [[key, 'written']])));
}

/** Two writes with another's before each, answered together: bound by the headers between. */
async function twoAfterGaps({ proxy, client, wire, next }: Stage): Promise<CallerOutcome[]> {
  const passing = proxy.intercept;
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
  const writes: Promise<string>[] = [];
  for (let i = 0; i < 2; i++) {
    await put(wire, 'between', 'by another');
    const key = `w${next()}`;
    const arrived = new Promise<void>((resolve) => (wake = resolve));
    const written = client.verifiedSet(key, 'written');
    writes.push(written.then((write) => tellWrite(wire, write, [[key, 'written']])));
    await arrived;
  }
  for (const release of answered) release();
  return callers(...writes);
}

export function toStrangers({ client }: Stage): Promise<void> {
  return unacquainted(client);
}

/** Trust begins with whatever state and proof the server shows; it has to be the server's newest tx. */
export function firstContact({ client, store, database, wire }: Stage): Promise<CallerOutcome[]> {
  const told = async () => {
    const entry = tell(await client.verifiedGet('single'));
    const first = (await store.audit.latest({ database }))?.tx ?? 0n;
    const honest = BigInt((await wire.call('CurrentState')).txId);
    return `${entry} from ${first === honest ? 'the newest tx' : `tx ${first} of ${honest}`}`;
  };
  return callers(told());
}

/** Whoever has not heard of late whether the server still reaches the head asks beside a read that names none. */
async function probed(stage: Stage): Promise<CallerOutcome[]> {
  const shared = shareSession(stage);
  try {
    await using client = stage.newcomer();
    await client.verifiedGet('absent');
    return await callers(client.verifiedGet('single').then(tell), client.verifiedGet('late1').then(tell));
  } finally {
    shared.end();
  }
}
