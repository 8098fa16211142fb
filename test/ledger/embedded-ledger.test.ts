// Starting, closing and restarting a ledger, what it refuses to start with, and what is out of its scope.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import type { EmbeddedLedgerOptions } from '#dist/testing.js';
import { openSqlite } from '#dist/sqlite/open.js';
import { WireClient } from '../support/wire-client.js';
import { RawClient } from './raw-client.js';

const b = (text: string): Buffer => Buffer.from(text);

describe('a ledger in memory', () => {
  it('is empty, has an identity, and ends when closed', async () => {
    const ledger = await EmbeddedLedger.start();
    const client = await RawClient.open(ledger.address, 'defaultdb');
    const { answer } = await client.call('CurrentState');
    expect(answer.txId ?? '0').toBe('0');
    expect(ledger.serverId).toMatch(/^[0-9a-v]{20}$/);
    await client.close();
    await ledger.close();
    await ledger.close();
    const late = new RawClient(ledger.address);
    expect((await late.call('Health')).refusal?.code).toBe('UNAVAILABLE');
    await late.close();
  });

  it('shows its identity on answers and refusals alike', async () => {
    await using ledger = await EmbeddedLedger.start();
    const client = await RawClient.open(ledger.address, 'defaultdb');
    const good = await client.call('CurrentState');
    const bad = await client.call('Get', { key: b('none') });
    await client.close();
    expect(good.headers.get('immudb-uuid')).toEqual([ledger.serverId]);
    expect(bad.headers.get('immudb-uuid')).toEqual([ledger.serverId]);
  });

  it('lets an idle session end', async () => {
    await using ledger = await EmbeddedLedger.start({ sessionTimeoutMs: 30 });
    const client = await RawClient.open(ledger.address, 'defaultdb');
    await new Promise((resolve) => setTimeout(resolve, 60));
    const { refusal } = await client.call('CurrentState');
    expect(refusal).toMatchObject({ code: 'PERMISSION_DENIED', message: 'session not found' });
    client.metadata.remove('sessionid');
    await client.close();
  });

  it('limits the number of sessions', async () => {
    await using ledger = await EmbeddedLedger.start({ maxSessions: 1 });
    const client = await RawClient.open(ledger.address, 'defaultdb');
    const second = await client.call('OpenSession', {
      username: b('immudb'),
      password: b('immudb'),
      databaseName: 'defaultdb',
    });
    expect(second.refusal).toMatchObject({
      code: 'INTERNAL',
      message: 'can not create new session: max sessions number reached',
    });
    await client.close();
  });

  it('serves the newer session calls too', async () => {
    await using ledger = await EmbeddedLedger.start({ adminPassword: 'secret' });
    const client = new WireClient(ledger.address);
    const service = 'immudb.model.AuthorizationService';
    const request = { username: 'immudb', password: 'secret', database: 'defaultdb' };
    const session = await client.call('OpenSession', request, { service });
    expect(session.serverUUID).toBe(ledger.serverId);
    client.metadata.set('sessionid', session.sessionID);
    await client.call('KeepAlive', {}, { service });
    await client.call('CloseSession', {}, { service });
    await expect(client.call('KeepAlive', {}, { service })).rejects.toThrow('session not found');
    client.close();
  });

  it('says what is out of its scope', async () => {
    await using ledger = await EmbeddedLedger.start();
    const client = await WireClient.open(ledger.address);
    for (const method of ['SQLExec', 'UnarySQLQuery', 'VerifiableSQLGet', 'NewTx', 'ListTables']) {
      await expect(client.call(method)).rejects.toMatchObject({
        code: 12,
        details: `${method}: the embedded ledger serves keys and values; SQL, documents and replication need a real immudb`,
      });
    }
    const service = 'immudb.model.DocumentService';
    await expect(client.call('CreateCollection', {}, { service })).rejects.toMatchObject({ code: 12 });
    client.close();
  });

  it.each<[string, EmbeddedLedgerOptions]>([
    ['host', { host: '0.0.0.0' as '127.0.0.1' }],
    ['port', { port: 70_000 }],
    ['headerVersion', { headerVersion: 2 as 1 }],
    ['adminPassword', { adminPassword: '' }],
    ['sessionTimeoutMs', { sessionTimeoutMs: 0 }],
    ['maxSessions', { maxSessions: 1.5 }],
  ])('does not start with a bad %s', async (argument, options) => {
    await expect(EmbeddedLedger.start(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument });
  });

  it('does not start on a port that is taken', async () => {
    await using ledger = await EmbeddedLedger.start();
    const port = Number(ledger.address.split(':')[1]);
    await expect(EmbeddedLedger.start({ port })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('a ledger in a directory', () => {
  async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'immu-ts-ledger-'));
    try {
      await body(directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  }

  it('survives a restart: identity, users, databases, transactions, proofs', () =>
    inDirectory(async (directory) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const signingKey = privateKey.export({ type: 'sec1', format: 'pem' });
      const first = await EmbeddedLedger.start({ directory, signingKey });
      const before = await RawClient.open(first.address, 'defaultdb');
      await before.call('CreateDatabaseV2', {
        name: 'kept',
        settings: { excludeCommitTime: { value: true } },
      });
      const user = { user: b('reader'), password: b('Passw0rd!'), permission: 1, database: 'kept' };
      await before.call('CreateUser', user);
      await before.call('UseDatabase', { databaseName: 'kept' });
      for (let i = 0; i < 20; i++) {
        await before.call('ExecAll', {
          Operations: [
            {
              kv: { key: b(`k${i}`), value: b(`v${i}`), metadata: { expiration: { expiresAt: 4102444800 } } },
            },
            { kv: { key: b('same'), value: b(`${i}`) } },
            { ref: { key: b(`ref${i}`), referencedKey: b(`k${i}`), boundRef: true } },
            { zAdd: { set: b('s'), score: i, key: b(`k${i}`), boundRef: true } },
          ],
        });
      }
      await before.call('Delete', { keys: [b('k3')] });
      const questions: [string, object][] = [
        ['CurrentState', {}],
        ['VerifiableGet', { keyRequest: { key: b('ref7') }, proveSinceTx: 3 }],
        ['TxScan', { initialTx: 1 }],
        ['Scan', {}],
        ['ZScan', { set: b('s') }],
        ['History', { key: b('same') }],
        ['Get', { key: b('k3') }],
      ];
      const unsigned = (outcome: object): string =>
        JSON.stringify(outcome).replace(/"signature":\{.*?\}\}/g, '');
      const answers = [];
      for (const [method, request] of questions) answers.push(await before.call(method, request));
      await before.close();
      await first.close();

      await using second = await EmbeddedLedger.start({ directory, signingKey });
      expect(second.serverId).toBe(first.serverId);
      const after = await RawClient.open(second.address, 'kept', 'reader', 'Passw0rd!');
      for (const [nth, [method, request]] of questions.entries()) {
        const now = await after.call(method, request);
        const then = answers[nth]!;
        expect(unsigned([now.answer, now.refusal]), method).toBe(unsigned([then.answer, then.refusal]));
      }
      await after.close();
      const admin = await RawClient.open(second.address, 'kept');
      const next = await admin.call('Set', { KVs: [{ key: b('next'), value: b('1') }] });
      expect(next.answer).toMatchObject({ id: '22', blTxId: '21' });
      await admin.close();
    }));

  it('does not start from a damaged directory', () =>
    inDirectory(async (directory) => {
      const ledger = await EmbeddedLedger.start({ directory });
      const client = await RawClient.open(ledger.address, 'defaultdb');
      for (let i = 0; i < 3; i++) await client.call('Set', { KVs: [{ key: b('k'), value: b(`v${i}`) }] });
      await client.close();
      await ledger.close();
      const file = join(directory, 'ledger.sqlite');
      const intact = await readFile(file);
      for (const damage of [
        "UPDATE tx SET entries = zeroblob(3) WHERE database = 'defaultdb' AND id = 2",
        "UPDATE tx SET entries = (SELECT entries FROM tx WHERE database = 'defaultdb' AND id = 1) WHERE database = 'defaultdb' AND id = 2",
        "UPDATE tx SET header = (SELECT header FROM tx WHERE database = 'defaultdb' AND id = 1) WHERE database = 'defaultdb' AND id = 2",
        "DELETE FROM tx WHERE database = 'defaultdb' AND id = 2",
      ]) {
        await writeFile(file, intact);
        const sqlite = openSqlite(file);
        sqlite.exec(damage);
        sqlite.close();
        await expect(EmbeddedLedger.start({ directory })).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
      }
      await writeFile(file, intact);
      await using repaired = await EmbeddedLedger.start({ directory });
      expect(repaired.serverId).toBe(ledger.serverId);
    }));

  it('does not start twice in one directory', () =>
    inDirectory(async (directory) => {
      const first = await EmbeddedLedger.start({ directory });
      await expect(EmbeddedLedger.start({ directory })).rejects.toMatchObject({ code: 'STORE_FAILED' });
      await first.close();
    }));
});
