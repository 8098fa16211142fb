// What a server can hide from whoever does not follow it, and cannot from whoever does: on the embedded ledger, which lies so.
import { describe, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore, VerificationError } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import { EmbeddedLedger } from '#dist/testing.js';
import type { Lie } from '#dist/testing.js';
import { all } from '../scans/support.js';
import { rejection, rowsOf, text } from './support.js';

const credentials = { user: 'immudb', password: 'immudb' };

async function ledger(): Promise<EmbeddedLedger> {
  const server = await EmbeddedLedger.start();
  onTestFinished(() => server.close());
  return server;
}

function stranger(server: EmbeddedLedger, store = new MemoryRootStore()): ImmuClient {
  const client = new ImmuClient({ address: server.address, store, credentials });
  onTestFinished(() => client.close());
  return client;
}

async function history(server: EmbeddedLedger): Promise<void> {
  const writer = stranger(server);
  await writer.verifiedSet('balance', '900');
  await writer.verifiedSet('balance', '100');
  await writer.verifiedSet('revoked/alice', 'yes');
  await writer.verifiedSet('revoked/bob', 'yes');
  await writer.verifiedSet('granted/carol', 'yes');
  await writer.verifiedDelete('granted/carol');
}

const LIES: readonly (Extract<Lie, { key: unknown }> & {
  readonly shown: string | null;
  readonly key: string;
})[] = [
  { kind: 'stale', key: 'balance', shown: '900' },
  { kind: 'hide', key: 'revoked/alice', shown: null },
  { kind: 'resurrect', key: 'granted/carol', shown: 'yes' },
];

describe.each(LIES)('$kind $key', ({ shown, ...lie }) => {
  test('deceives a stranger that does not follow, lone and in a group', async () => {
    const server = await ledger();
    await history(server);
    const telling = server.lie(lie);
    const lone = await stranger(server).verifiedGet(lie.key);
    expect(lone && text(lone.value)).toBe(shown);
    const [together] = await stranger(server).verifiedGetAll([lie.key, 'other']);
    expect(together && text(together.value)).toBe(shown);
    expect(telling.told).toBeGreaterThan(0);
  });

  test('does not deceive one that follows: refused, with a row', async () => {
    const server = await ledger();
    await history(server);
    const store = new MemoryRootStore();
    const client = stranger(server, store);
    server.lie(lie);
    const following = await client.follow({ ordered: true });
    await following.ready();
    for (const read of [
      () => client.verifiedGet(lie.key),
      () => client.verifiedGet(lie.key, { latest: true }),
      () => client.verifiedGetAll([lie.key, 'other']),
    ]) {
      // Of what is proven to be deleted nothing need be asked, and nothing false is told.
      const told = await read().catch((error: unknown) => error);
      if (lie.kind !== 'resurrect') expect(told).toBeInstanceOf(VerificationError);
      else if (!(told instanceof VerificationError)) expect(told).toMatchObject({ absent: 'deleted' });
    }
    const rows = await rowsOf(store, { outcome: 'failure' });
    expect(rows.length).toBeGreaterThan(0);
    for (const { evidence } of rows)
      expect(['reproduced', 'not-runnable']).toContain(verifyEvidence(evidence!).outcome);
  });

  test('leaves nothing out of a complete scan, history or count, and adds nothing to it', async () => {
    const server = await ledger();
    await history(server);
    const client = stranger(server);
    const telling = server.lie(lie);
    const prefix = lie.key.slice(0, 4);
    await client.follow({ ordered: true });
    const scanned = all(client.verifiedScan({ prefix, complete: true }));
    if (lie.kind === 'resurrect') expect(await scanned).toEqual([]);
    else expect(await rejection(scanned)).toBeInstanceOf(VerificationError);
    const versions = all(client.verifiedHistory(lie.key, { complete: true }));
    expect(await rejection(versions)).toBeInstanceOf(VerificationError);
    expect((await client.verifiedCount(prefix)).count).toBe(lie.kind === 'hide' ? 2n : 1n);
    telling.stop();
    expect((await all(client.verifiedHistory(lie.key, { complete: true }))).length).toBe(
      lie.kind === 'hide' ? 1 : 2,
    );
  });
});

test('a history without a version in its middle', async () => {
  const server = await ledger();
  const writer = stranger(server);
  for (const value of ['1', '2', '3']) await writer.verifiedSet('key', value);
  server.lie({ kind: 'drop-entry', methods: ['History'], index: 1 });
  expect((await all(stranger(server).verifiedHistory('key'))).map(({ value }) => text(value))).toEqual([
    '1',
    '3',
  ]);
  const store = new MemoryRootStore();
  const client = stranger(server, store);
  await client.follow();
  expect(await rejection(all(client.verifiedHistory('key', { complete: true })))).toMatchObject({
    evidence: { check: 'history.incomplete' },
  });
  expect(await rowsOf(store, { outcome: 'failure' })).toHaveLength(1);
});

test('a short scan and a short history: all that is given without following, refused with', async () => {
  const server = await ledger();
  await history(server);
  server.lie({ kind: 'short-scan' });
  expect(await all(stranger(server).verifiedScan({ prefix: 'revoked/', limit: 10 }))).not.toHaveLength(0);
  const client = stranger(server);
  await client.follow({ ordered: true });
  expect(
    (await all(client.verifiedScan({ prefix: 'revoked/', complete: true }))).map(({ key }) => text(key)),
  ).toEqual(['revoked/alice', 'revoked/bob']);
  expect(await rejection(all(client.verifiedHistory('balance', { complete: true })))).toMatchObject({
    evidence: { check: expect.stringMatching(/^history\.(incomplete|stale)$/) as string },
  });
});

test('another revision than the version has', async () => {
  const server = await ledger();
  await history(server);
  server.lie({ kind: 'wrong-revision', key: 'balance' });
  expect((await stranger(server).verifiedGet('balance'))?.unproven.revision).toBe(3n);
  const client = stranger(server);
  await client.follow({ ordered: true });
  const refused = { evidence: { check: 'latest.revision' } };
  expect(await rejection(client.verifiedGet('balance', { latest: true }))).toMatchObject(refused);
  expect(await rejection(all(client.verifiedScan({ prefix: 'b', complete: true })))).toMatchObject(refused);
});

test('what is withheld from a follower is not told as the newest there is: it is as of a head', async () => {
  const server = await ledger();
  await history(server);
  const client = stranger(server);
  const following = await client.follow();
  const { tx } = await following.ready();
  server.lie({ kind: 'withhold' });
  await stranger(server).set('revoked/dave', 'yes');
  expect(await client.proveAbsent('revoked/dave')).toMatchObject({
    absent: 'never-written',
    provenLatestAt: { tx },
  });
});
