// What lies behind a reference takes two answers to prove: what the second contradicts, and what is gone by then.
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { MemoryRootStore } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  rawReference,
  rawSet,
  rowsOf,
  setScene,
  text,
} from '../adversary/attacks/support.js';
import type { Scene } from '../adversary/attacks/support.js';

const notFound = () =>
  Promise.reject(
    Object.assign(new Error('not found'), { code: status.UNKNOWN, details: 'tbtree: key not found' }),
  );

/** The second question of a read through a reference names the version that was shown. */
function isSecond({ method, request }: { method: string; request: Buffer }): boolean {
  if (method !== 'VerifiableGet') return false;
  const { atTx } = decodeRequest(method, request).keyRequest;
  return atTx !== undefined && atTx !== '0';
}

async function referred(metadata?: object): Promise<Scene> {
  const scene = await setScene();
  await rawSet(scene, 'target', 'value', metadata);
  await rawReference(scene, 'ref', 'target');
  return scene;
}

test('another value than the entry that the reference points to has is refused, with a row', async () => {
  const scene = await referred();
  const store = new MemoryRootStore();
  const client = scene.open({ store });
  scene.intercept((passing) => {
    if (passing.method !== 'VerifiableGet' || isSecond(passing)) return undefined;
    return passing.forward().then((bytes) => {
      const answer = decodeAnswer('VerifiableGet', bytes);
      answer.entry.value = Buffer.from('VALUE');
      return encodeAnswer('VerifiableGet', answer);
    });
  });
  await expect(client.verifiedGet('ref')).rejects.toMatchObject({
    code: 'VERIFICATION_FAILED',
    evidence: { check: 'get.reference-value' },
  });
  expect(
    (await rowsOf(store)).some(
      ({ outcome, detail }) => outcome === 'failure' && detail?.includes('another value'),
    ),
  ).toBe(true);
  scene.intercept(() => undefined);
  expect(text(await client.verifiedGet('ref'))).toBe('value');
});

test('the refusal of another value can be re-run from its row', async () => {
  const scene = await referred();
  const store = new MemoryRootStore();
  const client = scene.open({ store });
  scene.intercept((passing) => {
    if (passing.method !== 'VerifiableGet' || isSecond(passing)) return undefined;
    return passing.forward().then((bytes) => {
      const answer = decodeAnswer('VerifiableGet', bytes);
      answer.entry.value = Buffer.from('VALUE');
      return encodeAnswer('VerifiableGet', answer);
    });
  });
  await expect(client.verifiedGet('ref')).rejects.toThrow();
  const [row] = (await rowsOf(store)).filter(({ outcome }) => outcome === 'failure');
  expect(row?.evidence).toBeDefined();
  expect(verifyEvidence(row!.evidence!)).toMatchObject({ outcome: 'reproduced' });
});

test('a target that expires between the two answers is gone: null', async () => {
  // The second of its expiry may come before the first answer; then it is tried again.
  for (let asked = 0; asked === 0;) {
    const expiresAt = String(Math.floor(Date.now() / 1000) + 1);
    const scene = await referred({ expiration: { expiresAt } });
    scene.intercept((passing) => {
      if (!isSecond(passing)) return undefined;
      asked += 1;
      return notFound();
    });
    expect(await scene.open().verifiedGet('ref')).toBeNull();
  }
});

test.for([
  ['without', undefined],
  ['with a later', { expiration: { expiresAt: '4102444800' } }],
] as const)('a target %s expiry that the server then does not have is refused', async ([, metadata]) => {
  const scene = await referred(metadata);
  scene.intercept((passing) => (isSecond(passing) ? notFound() : undefined));
  await expect(scene.open().verifiedGet('ref')).rejects.toMatchObject({
    code: 'VERIFICATION_FAILED',
    evidence: { check: 'get.reference-target' },
  });
});
