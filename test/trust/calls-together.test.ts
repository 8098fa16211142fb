// Calls in flight that share requests, against an immudb in memory: who is told what, and under which head.
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { setAllContent, setContent } from '#dist/client/calls/kv/contents.js';
import { Deadline } from '#dist/client/flow/deadline.js';
import { GroupedCalls } from '#dist/client/room/grouped-calls.js';
import { Admission } from '#dist/client/flow/admission.js';
import type { CallOptions } from '#dist/client/input/call-options.js';
import { OtherConnection } from '#dist/client/net/rpc.js';
import type { DatabaseTrust } from '#dist/client/trust/database-trust.js';
import type { RootStore } from '#dist/index.js';
import { codeOf } from '../client/support.js';
import { DATABASE, TestChain, bytesOf, utf8, wireHeader } from '../verify/support/test-chain.js';
import { FakeImmudb, Gate, callOf, refusal, trusting, turns } from './fake-immudb.js';
import { rejection, rowsOf, text } from './support.js';

let fake: FakeImmudb;
let trust: DatabaseTrust;
let store: RootStore;
let admission: Admission;
let calls: GroupedCalls;
beforeEach(async () => {
  fake = new FakeImmudb(new TestChain().grow(10));
  const made = await trusting(fake);
  ({ trust, store } = made);
  admission = new Admission({ maxQueuedCalls: 100, maxQueuedBytes: 1 << 20, overload: 'fail' });
  calls = new GroupedCalls({ rpc: fake, database: DATABASE, verifier: made.verifier, admission });
  return () => {
    // Whatever became of the calls, nothing of them is left.
    expect([admission.calls, admission.bytes]).toEqual([0, 0]);
  };
});

/** As the door lets a call in that holds these bytes. */
function letIn(held: readonly Uint8Array[], deadline: Deadline): number {
  const bytes = held.reduce((sum, { length }) => sum + length, 0);
  void admission.enter(bytes, deadline);
  return bytes;
}

const get = async (key: string, options: CallOptions = {}) => {
  const call = callOf(options);
  letIn([utf8(key)], call.deadline);
  return calls.verifiedGet(trust, call, utf8(key));
};
const getAll = (keys: readonly string[], options: CallOptions = {}) => {
  const call = callOf(options, 'verifiedGetAll');
  letIn(keys.map(utf8), call.deadline);
  return calls.verifiedGetAll(trust, call, keys.map(utf8));
};
const set = (pairs: Record<string, string>, options: CallOptions = {}, ownTx = false) => {
  const call = callOf(options, 'verifiedSet');
  const content = setAllContent(pairs, {});
  letIn(Object.entries(pairs).flat().map(utf8), call.deadline);
  return calls.verifiedWrite(trust, call, content, ownTx ? undefined : calls.turn());
};
const plainSet = (key: string, value: string) => {
  const deadline = new Deadline({}, 5000);
  letIn([utf8(key), utf8(value)], deadline);
  return calls.write(setContent(key, value, {}), deadline, calls.turn());
};
const plain = (key: string) => {
  const deadline = new Deadline({}, 5000);
  letIn([utf8(key)], deadline);
  return calls.get(utf8(key), deadline);
};
const countedCalls = async () => {
  await trust.close();
  return (await rowsOf(store)).reduce((sum, row) => sum + row.calls, 0);
};

/** Holds the answers to a method. */
function hold(method: string): Gate {
  const gate = new Gate();
  fake.intercept = async (passing) => {
    const answer = passing.answer();
    if (passing.method === method) await gate.pass();
    return answer;
  };
  return gate;
}

describe('reads', () => {
  test('verified and plain ones share a request, and are told what is theirs', async () => {
    const [a, b, none, twice] = await Promise.all([
      get('filler 3'),
      plain('filler 4'),
      get('none'),
      get('filler 3'),
    ]);
    expect([text(a?.value), text(b?.value), none, text(twice?.value)]).toEqual([
      'value 3',
      'value 4',
      null,
      'value 3',
    ]);
    expect(a).toMatchObject({
      tx: 4n,
      timestamp: 1_700_000_004n,
      root: trust.root,
      unproven: { revision: 3n },
    });
    expect(b).not.toHaveProperty('root');
    // The few headers there are cost less at once than one by one.
    expect(fake.methods()).toEqual(['CurrentState', 'GetAll', 'TxScan', 'VerifiableTxById']);
    // Those that are proven count, once each; what is missing is not.
    expect(await countedCalls()).toBe(2);
  });

  test('a lone one comes with its proof; when most are known already, without', async () => {
    expect(text((await get('filler 3'))?.value)).toBe('value 3');
    expect(fake.methods()[0]).toBe('VerifiableGet');
    for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 10 }, (_, k) => get(`filler ${k}`)));
    for (let i = 0; i < 10; i++) await getAll(Array.from({ length: 10 }, (_, k) => `filler ${k}`));
    expect(trust.known.warmth).toBeGreaterThan(0.9);
    fake.methods();
    expect(text((await get('filler 3'))?.value)).toBe('value 3');
    expect(fake.methods()).toEqual(['Get']);
  });

  test('many keys in one call are one call, whatever their number', async () => {
    const keys = ['filler 1', 'none', 'filler 2', 'filler 1'];
    const entries = await getAll(keys);
    expect(entries.map((entry) => entry && text(entry.value))).toEqual([
      'value 1',
      null,
      'value 2',
      'value 1',
    ]);
    expect(await countedCalls()).toBe(1);
  });

  test('one that is not proven fails the call it is in, and no other', async () => {
    fake.intercept = ({ method, request, answer }) => {
      const bytes = answer();
      if (method !== 'GetAll') return bytes;
      const at = Buffer.from(bytes).indexOf('value 3');
      if (at > 0 && request.keys.length > 2) bytes[at] = 'V'.charCodeAt(0);
      return bytes;
    };
    const [one, two, three] = await Promise.allSettled([get('filler 1'), get('filler 2'), get('filler 3')]);
    expect([one.status, two.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(three).toMatchObject({
      reason: { code: 'VERIFICATION_FAILED', evidence: { check: 'claim.entry', tx: 4n } },
    });
    const error = await rejection(getAll(['filler 1', 'filler 2', 'filler 3']));
    expect(error.evidence.check).toBe('claim.entry');
    expect(await rowsOf(store, { outcome: 'failure' })).toHaveLength(2);
  });

  test('end at their own abort and deadline, many keys too, and leave nothing behind', async () => {
    const gate = hold('GetAll');
    const controller = new AbortController();
    const { signal } = controller;
    const ended = [get('filler 1', { signal }), getAll(['filler 1', 'filler 2'], { signal })].map(codeOf);
    const late = [
      get('filler 2', { timeoutMs: 20 }),
      getAll(['filler 1', 'filler 2'], { timeoutMs: 20 }),
    ].map(codeOf);
    const patient = [get('filler 1'), get('filler 2')];
    await turns();
    controller.abort();
    expect(await Promise.all(ended)).toEqual(['ABORTED', 'ABORTED']);
    expect(await Promise.all(late)).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
    gate.open();
    expect((await Promise.all(patient)).map((entry) => text(entry?.value))).toEqual(['value 1', 'value 2']);
    await turns();
    expect(await codeOf(get('filler 1', { signal: AbortSignal.abort() }))).toBe('ABORTED');
  });

  test('are all refused by close, at once', async () => {
    const gate = hold('GetAll');
    const flying = [
      get('filler 1'),
      get('filler 2'),
      plain('filler 3'),
      getAll(['filler 1', 'filler 2']),
    ].map(codeOf);
    await turns();
    calls.close();
    expect(await Promise.all(flying)).toEqual(['CLOSED', 'CLOSED', 'CLOSED', 'CLOSED']);
    gate.open();
    await turns();
  });

  test('a server that fell behind is noticed by those that are proven', async () => {
    await Promise.all([get('filler 1'), get('filler 2')]);
    const rolledBack = await trusting(fake);
    trust = rolledBack.trust;
    fake.state = 9n;
    const [a, b] = await Promise.allSettled([get('filler 1'), plain('filler 2')]);
    expect(a).toMatchObject({ reason: { code: 'SERVER_BEHIND_TRUST' } });
    expect(b.status).toBe('fulfilled');
    expect((await rejection(getAll(['filler 1', 'filler 2']))).code).toBe('SERVER_BEHIND_TRUST');
    expect(await rowsOf(rolledBack.store, { outcome: 'rollback' })).toHaveLength(2);
  });

  test('may show an entry that expires while the answer is on its way, and none that had before', async () => {
    const now = 1_800_000_000;
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now * 1000);
    onTestFinished(() => clock.mockRestore());
    for (const key of ['x', 'y']) fake.chain.set([key, 'brief', { expiresAt: BigInt(now + 5) }]);
    const slowly = (seconds: number) => {
      fake.intercept = ({ answer }) => {
        const answered = answer();
        clock.mockReturnValue((now + seconds) * 1000);
        return answered;
      };
    };
    slowly(9);
    expect((await Promise.all([get('x'), get('y')])).map((entry) => text(entry?.value))).toEqual([
      'brief',
      'brief',
    ]);
    clock.mockReturnValue(now * 1000);
    expect(text((await get('x'))?.value)).toBe('brief');
    clock.mockReturnValue((now + 5) * 1000);
    slowly(9);
    for (const asked of [[get('x')], [get('x'), get('y')]]) {
      for (const read of asked) expect(await codeOf(read)).toBe('VERIFICATION_FAILED');
    }
  });

  test('show no older version than one that was proven', async () => {
    fake.chain.set(['filler 3', 'newer']);
    expect(text((await get('filler 3'))?.value)).toBe('newer');
    fake.intercept = ({ method, answer }) => {
      if (method !== 'GetAll') return answer();
      const honest = new FakeImmudb(new TestChain().grow(10));
      return honest.chain.latest('filler 3') === 4n ? olderAnswer(honest) : answer();
    };
    const [stale, fine] = await Promise.allSettled([get('filler 3'), get('filler 4')]);
    expect(stale).toMatchObject({ reason: { evidence: { check: 'get.stale' } } });
    expect(fine.status).toBe('fulfilled');
    // Of a server that was put back that is told, lone and together.
    fake.state = 10n;
    for (const asked of [[get('filler 3')], [get('filler 3'), get('filler 4')]])
      await expect(asked[0]).rejects.toMatchObject({ code: 'SERVER_BEHIND_TRUST' });
  });
});

describe('writes', () => {
  test('in flight share a transaction; each keeps its order per key', async () => {
    const written = await Promise.all([
      set({ a: '1' }),
      set({ b: '1', c: '1' }),
      set({ a: '2' }),
      set({ d: '1' }),
      plainSet('e', '1'),
    ]);
    expect(written.map(({ tx }) => tx)).toEqual([11n, 11n, 12n, 12n, 12n]);
    // The second goes out as soon as the first is answered; one proof may do for both.
    expect(fake.methods()).toEqual(['Set', 'Set', 'VerifiableTxById']);
    expect(written[0]).toMatchObject({ alh: fake.chain.root(11n).alh, timestamp: 1_700_000_011n });
    expect(written[0]).toBe(written[1]);
    expect(await countedCalls()).toBe(4);
    expect(trust.root.tx).toBe(12n);
  });

  test('alone, or with ownTx, are answered with their proof', async () => {
    expect((await set({ a: '1' })).tx).toBe(11n);
    expect(fake.methods()).toEqual(['VerifiableSet']);
    const written = await Promise.all([
      set({ a: '1' }, {}, true),
      set({ b: '1' }, {}, true),
      set({ c: '1' }, {}, true),
    ]);
    expect(new Set(written.map(({ tx }) => tx)).size).toBe(3);
    expect(fake.methods().filter((method) => method === 'VerifiableSet')).toHaveLength(3);
    // Many entries of one call: the request says all that is needed.
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`m${i}`, 'v']));
    expect((await set(many)).tx).toBe(15n);
    expect(fake.methods()).toContain('Set');
    expect(await countedCalls()).toBe(5);
  });

  test('a bad one fails alone, and the others are written in their order', async () => {
    fake.intercept = ({ method, request, answer }) => {
      const { KVs } = method === 'VerifiableSet' ? request.setRequest : request;
      if (
        /Set$/.test(method) &&
        KVs.some(({ key }: { key: Uint8Array }) => Buffer.from(key).toString() === 'bad')
      )
        throw refusal('max key length exceeded', method);
      return answer();
    };
    const results = await Promise.allSettled(
      ['k1', 'k2', 'bad', 'k3', 'k4'].map((key) => set({ [key]: 'v' })),
    );
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(results[2]).toMatchObject({ reason: { code: 'LIMIT_EXCEEDED' } });
    expect(['k1', 'k2', 'k3', 'k4'].map((key) => fake.chain.latest(key))).toEqual([11n, 11n, 12n, 12n]);
  });

  test('are refused together when the answer is about other entries', async () => {
    fake.intercept = ({ method, answer }) => {
      if (method === 'Set') {
        const other = new FakeImmudb(new TestChain().grow(10));
        other.chain.set(['a', '1'], ['b', 'other']);
        fake.chain.set(['a', '1'], ['b', 'other']);
        return lastHeader(other);
      }
      return answer();
    };
    const errors = await Promise.all([set({ a: '1' }), set({ b: '1' })].map(rejection));
    for (const error of errors) expect(error.evidence.check).toBe('written.entries');
    expect(await rowsOf(store, { outcome: 'failure' })).toHaveLength(1);
    expect(trust.root.tx).toBe(10n);
  });

  test('answered with a tx that is not on the history are a fork', async () => {
    fake.intercept = ({ method, answer }) => {
      if (method !== 'Set') return answer();
      const honest = answer();
      const other = new FakeImmudb(new TestChain().grow(9));
      other.chain.set(['parted', '']);
      other.chain.set(['a', '1'], ['b', '1']);
      return other.chain.size === fake.chain.size ? lastHeader(other) : honest;
    };
    const errors = await Promise.all([set({ a: '1' }), set({ b: '1' })].map(rejection));
    for (const error of errors)
      expect(error).toMatchObject({ code: 'FORK_DETECTED', evidence: { check: 'trust.fork' } });
    expect(await rowsOf(store, { outcome: 'fork' })).toHaveLength(1);
  });

  test('two groups cannot be told that one tx is theirs', async () => {
    let first: Uint8Array | undefined;
    fake.intercept = ({ method, answer }) => (method === 'Set' ? (first ??= answer()) : answer());
    const pairs = () => Promise.allSettled([set({ a: '1' }), set({ b: '1' })]);
    const results = (await Promise.all([pairs(), pairs()])).flat();
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    for (const result of results)
      if (result.status === 'rejected')
        expect(['set.tx-shared', 'written.tx']).toContain(result.reason.evidence.check);
  });

  test('that were answered but cannot be proven are of unknown outcome', async () => {
    fake.intercept = ({ method, answer }) => {
      // Somebody else wrote in between: the answers alone do not lead there.
      if (method === 'Set') fake.chain.set(['other', '']);
      if (method === 'TxScan' || method === 'VerifiableTxById') throw refusal('out of order', method);
      return answer();
    };
    expect(await Promise.all([set({ a: '1' }), set({ b: '1' })].map(codeOf))).toEqual([
      'OUTCOME_UNKNOWN',
      'OUTCOME_UNKNOWN',
    ]);
    expect(fake.chain.latest('a')).toBe(12n);
  });

  test('given up before they were sent are not sent', async () => {
    const gate = hold('Set');
    const controller = new AbortController();
    const flying = [set({ a: '1' }), set({ b: '1' })];
    await turns();
    const waiting = [set({ a: '2' }, { signal: controller.signal }), set({ b: '2' })];
    const aborted = codeOf(waiting[0]!);
    await turns();
    controller.abort();
    expect(await aborted).toBe('ABORTED');
    gate.open();
    await Promise.all(flying);
    await waiting[1];
    expect([fake.chain.latest('a'), fake.chain.latest('b')]).toEqual([11n, 12n]);
  });

  test('are all refused by close, in line and on their way', async () => {
    const gate = hold('Set');
    const flying = [set({ a: '1' }), set({ b: '1' }), set({ a: '2' }), set({ a: '3' })].map(codeOf);
    await turns();
    calls.close();
    expect(await Promise.all(flying)).toEqual(['CLOSED', 'CLOSED', 'CLOSED', 'CLOSED']);
    gate.open();
    await turns();
    expect(fake.methods().filter((method) => method === 'Set')).toHaveLength(1);
  });
});

describe('trust that is forgotten while calls are on their way', () => {
  const forget = () => trust.forget(callOf(), 'on purpose');

  test.for(['GetAll', 'VerifiableTxById', 'VerifiableGet'])(
    'reads end typed, and nothing that was proven before counts afterwards: at %s',
    async (method) => {
      const gate = hold(method);
      const flying =
        method === 'VerifiableGet'
          ? [get('filler 1')]
          : [get('filler 1'), get('filler 2'), getAll(['filler 3', 'filler 4'])];
      const codes = flying.map(codeOf);
      await gate.arrived();
      await turns();
      await forget();
      gate.open();
      for (const code of await Promise.all(codes)) expect(code).toBe('STORE_FAILED');
      await trust.ready(callOf());
      expect(trust.known.diagnostics.cached).toMatchObject({ headers: 0, entryTxs: 0 });
      expect(text((await get('filler 1'))?.value)).toBe('value 1');
    },
  );

  test('also when a new first contact was made before they end', async () => {
    const gate = hold('VerifiableTxById');
    const codes = Promise.all([get('filler 1'), get('filler 2')].map(codeOf));
    await gate.arrived();
    await forget();
    fake.intercept = ({ answer }) => answer();
    await trust.ready(callOf());
    gate.open();
    expect(await codes).toEqual(['STORE_FAILED', 'STORE_FAILED']);
    expect(trust.known.diagnostics.cached.headers).toBe(0);
  });

  test('plain reads beside them go on', async () => {
    const gate = hold('GetAll');
    const verified = codeOf(get('filler 1'));
    const unverified = plain('filler 2');
    await gate.arrived();
    await forget();
    gate.open();
    expect(text((await unverified)?.value)).toBe('value 2');
    expect(await verified).toBe('STORE_FAILED');
  });

  test('writes that are on their way are of unknown outcome, those in line are not sent', async () => {
    const gate = hold('Set');
    const flying = [set({ a: '1' }), set({ b: '1' })].map(codeOf);
    await gate.arrived();
    const waiting = [set({ a: '2' }), set({ b: '2' })].map(codeOf);
    await forget();
    gate.open();
    expect(await Promise.all(flying)).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN']);
    expect(await Promise.all(waiting)).toEqual(['STORE_FAILED', 'STORE_FAILED']);
    fake.intercept = ({ answer }) => answer();
    expect((await set({ c: '1' })).tx).toBe(12n);
  });
});

/** What a server would answer that knows nothing of newer versions. */
function olderAnswer(honest: FakeImmudb): Uint8Array | Promise<Uint8Array> {
  return honest.raw('GetAll', { keys: ['filler 3', 'filler 4'].map(utf8) }, {});
}

/** The newest tx's header, as the answer to a Set. */
function lastHeader({ chain }: FakeImmudb): Uint8Array {
  return bytesOf('written', wireHeader(chain.tx(chain.size).header));
}

describe('a connection that is lost before a write is sent', () => {
  test.each([
    ['alone', false],
    ['in a group', true],
  ])('the next one has to prove first that it leads to the trusted history (%s)', async (_, grouped) => {
    const write = () =>
      grouped ? Promise.all([set({ a: '1' }), set({ b: '2' })]).then(([one]) => one) : set({ a: '1' });
    await write();
    fake.methods();
    const method = grouped ? 'Set' : 'VerifiableSet';
    let lost = 0;
    fake.intercept = (passing) => {
      if (passing.method !== method || passing.options.over === fake.connects) {
        if (passing.method === method && lost++ === 0) {
          // It goes as it is about to be sent.
          fake.connects += 1;
          throw new OtherConnection(method);
        }
        return passing.answer();
      }
      throw new Error('a write was sent over another connection than the one that was looked at');
    };
    expect((await write()).tx).toBe(fake.chain.size);
    expect(fake.methods().slice(0, 3)).toEqual([method, 'CurrentState', method]);
  });

  test('is not sent over one that leads elsewhere', async () => {
    await set({ a: '1' });
    fake.intercept = (passing) => {
      if (passing.method === 'VerifiableSet') {
        fake.connects += 1;
        fake.state = 2n;
        throw new OtherConnection('VerifiableSet');
      }
      return passing.answer();
    };
    const { size } = fake.chain;
    expect((await rejection(set({ a: '2' }))).code).toBe('SERVER_BEHIND_TRUST');
    expect(fake.chain.size).toBe(size);
  });
});
