// The ledger can lie: every lie comes out in the answers, is refuted by the checks of the client where a single answer
// can show it, and is over when it is stopped.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lie } from '#dist/testing.js';
import type { Verdict } from '#dist/verify/verifier.js';
import { HISTORY, HonestLedger, b } from './honest.js';

const HEAD = 10;

function refutedBy(verdict: Verdict): string {
  return verdict.ok ? 'accepted' : verdict.refuted.check;
}

let honest: HonestLedger;
beforeAll(async () => {
  honest = await HonestLedger.start();
});
afterAll(() => honest[Symbol.asyncDispose]());

type Ask = (h: HonestLedger) => Promise<Verdict>;
const getNew: Ask = (h) => h.get('k15', HEAD);
const getMany: Ask = (h) => h.get('k15', HEAD, 15);
const getOld: Ask = (h) => h.get('k6', HEAD);
const scan: Ask = (h) => h.segment(HEAD, HISTORY);

describe('lies about an answer are refuted, and only while they are told', () => {
  const lies: [name: string, ask: Ask, lie: Lie][] = [
    ['value', getNew, { kind: 'swap-value' }],
    ['given value', getNew, { kind: 'swap-value', value: b('lie') }],
    ['value of an old entry', getOld, { kind: 'swap-value' }],
    ['entry left out', getMany, { kind: 'drop-entry', index: 1 }],
    ['entry left out and counted', getMany, { kind: 'drop-entry', index: 1, adjustCount: true }],
    ['entry added', getMany, { kind: 'add-entry' }],
    ['entry added and counted', getMany, { kind: 'add-entry', adjustCount: true }],
    [
      'metadata of the entry',
      getNew,
      { kind: 'change-metadata', of: 'entry', metadata: { nonIndexable: true } },
    ],
    ['metadata in the tx', getNew, { kind: 'change-metadata', of: 'tx-entry', metadata: { deleted: true } }],
    ['metadata of the header', getNew, { kind: 'change-metadata', of: 'header' }],
    ['position of the entry', getMany, { kind: 'substitute-leaf', leaf: 'entry-position' }],
    ['digest of an entry', getNew, { kind: 'substitute-leaf', leaf: 'entry-digest' }],
    ['leaf of the tree', getNew, { kind: 'substitute-leaf', leaf: 'tree' }],
    ['start of the chain', getNew, { kind: 'substitute-leaf', leaf: 'chain' }],
    ...(['entry-inclusion', 'inclusion', 'consistency', 'last-inclusion', 'linear'] as const).flatMap(
      (proof) =>
        (['start', 'end'] as const).flatMap((at): [string, Ask, Lie][] => [
          [`${proof} cut at its ${at}`, getMany, { kind: 'truncate-proof', proof, at }],
          [`${proof} extended at its ${at}`, getMany, { kind: 'extend-proof', proof, at }],
        ]),
    ),
    ['advance proof out of nowhere', getNew, { kind: 'extend-proof', proof: 'linear-advance' }],
    ...(['flipped', 'missing', 'other-key', 'other-database', 'other-tx'] as const).map(
      (how): [string, Ask, Lie] => [`signature: ${how}`, getNew, { kind: 'wrong-signature', how }],
    ),
    ...(['gap', 'repeat', 'shift', 'reverse', 'short'] as const).map((how): [string, Ask, Lie] => [
      `scan: ${how}`,
      scan,
      { kind: 'tx-scan', how },
    ]),
    ['old answer', getNew, { kind: 'replay' }],
    [
      'anything else',
      getNew,
      {
        kind: 'mutate',
        mutate: (answer) => {
          (answer as { entry: { tx: number } }).entry.tx = 14;
          return undefined;
        },
      },
    ],
  ];

  for (const [name, ask, lie] of lies) {
    it(name, async () => {
      expect(refutedBy(await ask(honest))).toBe('accepted');
      const handle = honest.ledger.lie(lie);
      // What is repeated is the answer to another question.
      if (lie.kind === 'replay') await honest.get('k16', HEAD);
      const verdict = await ask(honest);
      handle.stop();
      expect(handle.told).toBe(1);
      expect(refutedBy(verdict)).not.toBe('accepted');
      expect(refutedBy(await ask(honest))).toBe('accepted');
      expect(handle.told).toBe(1);
    });
  }

  it('covers a path for every proof that is cut', async () => {
    // Cutting an empty list would be no lie: `told` above would be 0. This shows that the cases differ.
    const { answer } = await honest.client.call('VerifiableGet', {
      keyRequest: { key: b('k15'), atTx: 15 },
      proveSinceTx: HEAD,
    });
    expect(answer.inclusionProof.terms.length).toBeGreaterThan(1);
    expect(answer.verifiableTx.dualProof.consistencyProof.length).toBeGreaterThan(1);
  });

  it('repeats the answer to a write without writing', async () => {
    await using fresh = await HonestLedger.start();
    const handle = fresh.ledger.lie({ kind: 'replay', methods: ['VerifiableSet'] });
    expect(refutedBy(await fresh.set('a', '1', HISTORY))).toBe('accepted');
    const before = (await fresh.client.call('CurrentState')).answer.txId;
    await fresh.set('a', '1', HISTORY);
    expect((await fresh.client.call('CurrentState')).answer.txId).toBe(before);
    expect(handle.told).toBe(1);
  });

  it('keeps to its scope', async () => {
    const handle = honest.ledger.lie({
      kind: 'swap-value',
      methods: ['Get'],
      when: (call) => 'atTx' in call.request,
    });
    expect(refutedBy(await getNew(honest))).toBe('accepted');
    expect(String((await honest.client.call('Get', { key: b('k15') })).answer.value)).toBe('v15');
    expect(String((await honest.client.call('Get', { key: b('k15'), atTx: 15 })).answer.value)).toBe('v14');
    handle.stop();
    expect(handle.told).toBe(1);
  });

  it('shows another identity', async () => {
    const handle = honest.ledger.lie({ kind: 'other-identity', serverId: '00000000000000000001' });
    const { answer } = await honest.client.call('OpenSession', {
      username: b('immudb'),
      password: b('immudb'),
      databaseName: 'defaultdb',
    });
    handle.stop();
    expect(answer.serverUUID).toBe('00000000000000000001');
    expect(handle.told).toBeGreaterThan(0);
  });
});
