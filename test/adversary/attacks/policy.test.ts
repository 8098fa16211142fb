// Trust is never better than the policy it was got under.
import { createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { MemoryRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { stateToSign } from '#dist/proof/signature.js';
import {
  codeOf,
  encodeAnswer,
  decodeRequest,
  openAt,
  proxyTo,
  range,
  rawSet,
  rowsOf,
  setScene,
  text,
} from './support.js';

const KEYS = range(20).map((i) => `k${i}`);

test.for([false, true])(
  'a head that a client without a key was shown is nothing to a client with one (restarted in between: %s)',
  async (restarted) => {
    const scene = await setScene();
    const { world } = scene;
    for (const key of KEYS.slice(0, 4)) await rawSet(scene, key, 'true');
    await world.restore(await world.backup(), { forged: true, keepConnections: true });
    for (const key of KEYS) await rawSet(scene, key, 'forged');
    const store = new MemoryRootStore();
    const keyless = scene.open({ store, keepHeaders: true });
    expect(text(await keyless.verifiedGet('k0'))).toBe('forged');
    await keyless.warm();
    await keyless.verifiedGetAll(KEYS);
    if (restarted) await keyless.close();
    const keyed = scene.open({ store, keepHeaders: true, serverPublicKey: world.publicKeyPem });
    const lone = [];
    for (const key of KEYS) lone.push(await codeOf(keyed.verifiedGet(key)));
    const together = await Promise.all(KEYS.map((key) => codeOf(keyed.verifiedGet(key))));
    const all = await codeOf(keyed.verifiedGetAll(KEYS));
    expect([...lone, ...together, all].filter((code) => code === 'ok')).toEqual([]);
    await keyed.close();
    for (const { keyFingerprint, outcome, tx } of await rowsOf(store))
      if (tx > 0n && ['root', 'first-use', 'calls'].includes(outcome)) expect(keyFingerprint).toBeUndefined();
  },
);

test('the same head, honest: a client with a key goes on from it once a signature is checked', async () => {
  const scene = await setScene();
  for (const key of KEYS) await rawSet(scene, key, 'true');
  const store = new MemoryRootStore();
  await scene.open({ store, keepHeaders: true }).verifiedGetAll(KEYS);
  const keyed = scene.open({ store, serverPublicKey: scene.world.publicKeyPem });
  for (const key of KEYS) expect(text(await keyed.verifiedGet(key))).toBe('true');
  await keyed.verifiedSet('k0', 'next');
  await keyed.close();
  await expectSignedRows(store, scene.world.publicKeyPem);
});

test('the row of a first use holds the signature and the header time that were checked', async () => {
  const scene = await setScene();
  await rawSet(scene, 'a', '1');
  const store = new MemoryRootStore();
  const client = scene.open({ store, serverPublicKey: scene.world.publicKeyPem });
  await client.verifiedGet('a');
  await client.close();
  const row = (await rowsOf(store)).find(({ outcome }) => outcome === 'first-use');
  expect(row?.headerTime).toBeGreaterThan(0n);
  expect(row?.signature).toBeDefined();
  await expectSignedRows(store, scene.world.publicKeyPem);
});

test('a server at another address that claims a known identity begins no trust of its own', async () => {
  await using honest = await EmbeddedLedger.start();
  await using other = await EmbeddedLedger.start();
  const store = new MemoryRootStore();
  await openAt(honest.address, { store }).createDatabase('later');
  await openAt(other.address).createDatabase('later');
  await openAt(honest.address, { store }).verifiedSet('a', '1');
  const proxy = await proxyTo(other.address);
  proxy.identity = honest.serverId;
  const credentials = { user: 'immudb', password: 'immudb', database: 'later' };
  const deceived = openAt(proxy.address, { store, credentials });
  expect(await codeOf(deceived.verifiedSet('b', '2'))).not.toBe('ok');
  await deceived.close();
  // The honest one is neither locked out nor blamed.
  expect(await codeOf(openAt(honest.address, { store, credentials }).verifiedSet('c', '3'))).toBe('ok');
});

test('acceptServer helps the client that it is called on', async () => {
  const scene = await setScene();
  const { world } = scene;
  const client = scene.open();
  await client.verifiedSet('a', '1');
  await using next = await EmbeddedLedger.start();
  await openAt(next.address).set('a', 'of the next server');
  // The address now leads to another server.
  const wire = openAt(next.address);
  const moved = await proxyTo(next.address);
  await wire.close();
  const atMoved = openAt(moved.address, { store: new MemoryRootStore() });
  moved.identity = 'old0identity';
  await atMoved.verifiedGet('a');
  moved.identity = undefined;
  expect(await codeOf(atMoved.verifiedGet('a'))).toBe('IDENTITY_CHANGED');
  await atMoved.acceptServer(next.serverId);
  const { tx, root } = await atMoved.verifiedSet('b', '2');
  expect(tx).toBe(2n);
  expect(root.tx).toBeGreaterThanOrEqual(tx);
  expect(text(await atMoved.verifiedGet('a'))).toBe('of the next server');
  expect(world.present.length).toBe(1n);
});

test('acceptServer: another history under the new identity is not held against the old head', async () => {
  const scene = await setScene();
  const { world } = scene;
  const client = scene.open();
  for (const i of range(8)) await client.verifiedSet(`k${i}`, 'v');
  await world.restore({ branch: world.present, length: 2n }, { forged: false, keepConnections: true });
  await rawSet(scene, 'k0', 'new');
  world.proxy.identity = 'moved0server';
  expect(await codeOf(client.verifiedGet('k0'))).toBe('IDENTITY_CHANGED');
  await client.acceptServer('moved0server');
  expect(text(await client.verifiedGet('k0'))).toBe('new');
  expect(await codeOf(client.verifiedSet('k1', 'v2'))).toBe('ok');
});

test('a grouped write under way when trust is forgotten, and never executed, is not told to be done', async () => {
  const scene = await setScene();
  const client = scene.open();
  await client.verifiedSet('before', 'v');
  await client.setAll([
    ['a', 'v'],
    ['b', 'v'],
  ]);
  const old = scene.world.present.length;
  let held: (() => void) | undefined;
  const arrived = new Promise<void>((resolve) => {
    scene.intercept(({ method, request }) => {
      if (method !== 'Set') return undefined;
      const { KVs } = decodeRequest(method, request);
      if (KVs.length !== 2) return undefined;
      resolve();
      return new Promise((answer) => {
        held = () =>
          void scene.world.wire().then(async (wire) => {
            const { header } = await wire.call('TxById', { tx: String(old) });
            answer(encodeAnswer('Set', header));
          });
      });
    });
  });
  const writes = [client.verifiedSet('a', 'v'), client.verifiedSet('b', 'v')].map(codeOf);
  await arrived;
  await client.forgetTrust('while a write is under way');
  await client.verifiedGet('before');
  held?.();
  expect(await Promise.all(writes)).not.toContain('ok');
  // What was reserved under the old trust does not stand in the way of honest writes.
  for (const i of range(4)) expect(await codeOf(client.verifiedSet(`after${i}`, 'v'))).toBe('ok');
});

/** No row bears a fingerprint whose signature it does not have. */
async function expectSignedRows(store: MemoryRootStore, publicKeyPem: string): Promise<void> {
  const key = createPublicKey(publicKeyPem);
  const bearing = (await rowsOf(store)).filter(
    ({ keyFingerprint, outcome }) => keyFingerprint && ['root', 'first-use'].includes(outcome),
  );
  expect(bearing.length).toBeGreaterThan(0);
  for (const { tx, alh, signature } of bearing) {
    expect(signature).toBeDefined();
    const signed = stateToSign('defaultdb', tx, alh);
    expect(verify('sha256', signed, { key, dsaEncoding: 'der' }, signature as Uint8Array)).toBe(true);
  }
}
