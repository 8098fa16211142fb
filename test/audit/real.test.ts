// Audits of a real immudb with everything in it that a database can hold, and of one that a proxy tells lies about.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { reportText } from '#dist/audit.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy } from '../adversary/proxy.js';
import { TestImmudb } from '../support/immudb.js';
import { describePrivate, describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import type { WireClient } from '../support/wire-client.js';
import { openClient, openWire, rowsOf } from '../trust/support.js';
import { clientOf, refusals, told } from './support.js';

const bytes = (text: string) => Buffer.from(text);
const documents = { service: 'immudb.model.DocumentService' } as const;

/** Everything but documents; returns how many transactions it took. */
async function writeOfEachKind(wire: WireClient): Promise<void> {
  const set = (KVs: object[]) => wire.call('Set', { KVs });
  await set([{ key: bytes('single'), value: bytes('1') }]);
  await set(Array.from({ length: 300 }, (_, i) => ({ key: bytes(`bulk ${i}`), value: bytes(`value ${i}`) })));
  await set([{ key: bytes('empty'), value: bytes('') }]);
  await wire.call('SetReference', { key: bytes('reference'), referencedKey: bytes('single') });
  await wire.call('SetReference', {
    key: bytes('bound'),
    referencedKey: bytes('single'),
    atTx: '1',
    boundRef: true,
  });
  await wire.call('ZAdd', { set: bytes('set'), score: -1.5, key: bytes('single') });
  await wire.call('ExecAll', {
    Operations: [
      { kv: { key: bytes('exec'), value: bytes('v') } },
      { ref: { key: bytes('exec ref'), referencedKey: bytes('exec'), boundRef: true } },
      { zAdd: { set: bytes('set'), score: 7, key: bytes('exec'), boundRef: true } },
    ],
  });
  await wire.call('SQLExec', {
    sql: 'CREATE TABLE people (id INTEGER AUTO_INCREMENT, name VARCHAR[50], PRIMARY KEY id); CREATE INDEX ON people(name);',
  });
  await wire.call('SQLExec', { sql: "INSERT INTO people (name) VALUES ('Ada'), ('Grace');" });
  await wire.call('SQLExec', { sql: "UPDATE people SET name = 'Edsger' WHERE id = 1;" });
  await wire.call('SQLExec', { sql: 'DELETE FROM people WHERE id = 2;' });
}

/** What a database without metadata in its headers cannot have. */
async function writeAttributes(wire: WireClient): Promise<void> {
  await wire.call('Delete', { keys: [bytes('single')] });
  const expiring = (key: string, expiresAt: number) => ({
    ...{ key: bytes(key), value: bytes('v') },
    metadata: { expiration: { expiresAt: String(expiresAt) } },
  });
  const now = Math.floor(Date.now() / 1000);
  await wire.call('Set', { KVs: [expiring('expired', now - 10), expiring('expiring', now + 1000)] });
  await wire.call('Set', {
    KVs: [{ key: bytes('hidden'), value: bytes('v'), metadata: { nonIndexable: true } }],
  });
}

async function writeDocuments(wire: WireClient): Promise<void> {
  await wire.call(
    'CreateCollection',
    { name: 'notes', fields: [{ name: 'title', type: 'STRING' }], indexes: [{ fields: ['title'] }] },
    documents,
  );
  const note = (title: string) => ({ fields: { title: { stringValue: title } } });
  await wire.call(
    'InsertDocuments',
    { collectionName: 'notes', documents: [note('a'), note('b')] },
    documents,
  );
}

describeReal('a real immudb', () => {
  test('with everything that a database can hold: all of it hashed, and all values that it shows', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await writeOfEachKind(wire);
    await writeAttributes(wire);
    await writeDocuments(wire);
    await client.verifiedSet('last', 'v');
    const plain = await client.audit.database();
    expect(told(plain)).toEqual([]);
    expect(plain).toMatchObject({ ok: true, checked: { treeRootsNotChecked: 0, otherKind: 0 } });
    const { checked } = plain;
    expect(checked.keyValue + checked.sortedSet + checked.sql + checked.document).toBe(checked.entries);
    for (const kind of ['keyValue', 'sortedSet', 'sql', 'document'] as const)
      expect(checked[kind]).toBeGreaterThan(1);
    expect(checked.deleted).toBeGreaterThanOrEqual(2);
    expect(checked.expiring).toBe(2);
    expect(String(checked.txs)).toBe(plain.state.tx);

    const valued = await client.audit.database({ values: true });
    expect(told(valued)).toEqual([]);
    // Documents, and the entry that has expired.
    expect(valued.checked.valuesNotShown).toBe(checked.document + 1);
    expect(valued.checked.values).toBe(checked.entries - checked.document - 1);
    expect(valued.valuesRefused).toEqual([]);
    // No server shows these here: told apart, and nothing is missing.
    expect(valued).toMatchObject({ ok: true, complete: true, valuesMissing: 0, valuesTruncated: 0 });
    expect(valued.checked).toMatchObject({ valuesExpired: 1, valuesOfDocuments: checked.document });
    expect(reportText(valued)).toContain('not shown by the server');
    expect((await client.audit.prove()).ok).toBe(true);
  });

  test('with headers of version 0', async () => {
    const database = await freshDatabase(sharedImmudb(), { writeTxHeaderVersion: 0 });
    const { client } = await openClient({ database });
    const wire = await openWire(database);
    await wire.call('Set', { KVs: [{ key: bytes('a'), value: bytes('1') }] });
    await wire.call('Set', {
      KVs: Array.from({ length: 50 }, (_, i) => ({ key: bytes(`bulk ${i}`), value: bytes('v') })),
    });
    await wire.call('ZAdd', { set: bytes('set'), score: 1, key: bytes('a') });
    const report = await client.audit.database({ values: true });
    expect(report).toMatchObject({ ok: true, checked: { txs: 3, entries: 52, values: 52 } });
  });

  test('with values that are too large to come together: fewer are asked for at a time', async () => {
    const { client, database } = await openClient({ maxMessageBytes: 600_000 });
    const wire = await openWire(database);
    for (let i = 0; i < 8; i++) {
      await wire.call('Set', { KVs: [{ key: bytes(`large ${i}`), value: Buffer.alloc(200_000, i) }] });
    }
    await wire.call('Set', { KVs: [{ key: bytes('huge'), value: Buffer.alloc(700_000, 1) }] });
    const report = await client.audit.database({ values: true });
    expect(told(report)).toEqual([]);
    // What was asked for and not given is not complete, whoever's limit it was.
    expect(report).toMatchObject({ ok: false, complete: false, valuesMissing: 1 });
    expect(report.checked).toMatchObject({ entries: 9, values: 8, valuesNotShown: 1 });
    expect(report.valuesRefused).toMatchObject([{ tx: '9', toTx: '9' }]);
  });

  test('of several thousand transactions, from a root in the middle on too', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const write = async (count: number) => {
      let left = count;
      const lane = async () => {
        while (left-- > 0)
          await wire.call('Set', { KVs: [{ key: bytes(`key ${left}`), value: bytes('v') }] });
      };
      await Promise.all(Array.from({ length: 24 }, lane));
    };
    await write(700);
    const root = await client.verifiedSet('middle', 'v');
    await write(1500);
    const whole = await client.audit.database();
    expect(whole).toMatchObject({ ok: true, checked: { treeRootsNotChecked: 0 } });
    expect(String(whole.checked.txs)).toBe(whole.state.tx);
    const rest = await client.audit.database({ after: root });
    expect(rest).toMatchObject({ ok: true, from: String(root.tx + 1n), checked: { treeRootsNotChecked: 0 } });
    expect(BigInt(rest.checked.txs)).toBe(BigInt(rest.state.tx) - root.tx);
  });

  test('behind a proxy that changes what a scan shows', async () => {
    const database = await freshDatabase();
    const wire = await openWire(database);
    for (let i = 1; i <= 30; i++)
      await wire.call('Set', { KVs: [{ key: bytes(`k${i}`), value: bytes(`v${i}`) }] });
    await using proxy = await Proxy.start(sharedImmudb());
    const { client, store } = clientOf(proxy, {
      credentials: { user: 'immudb', password: 'immudb', database },
    });
    expect((await client.audit.database()).ok).toBe(true);
    const { responseDeserialize, responseSerialize } = methodDefinition(
      'immudb.schema.ImmuService',
      'TxScan',
    );
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    const lies: [string, (tx: any) => void][] = [
      ['entries.root', (tx) => (tx.entries[0].hValue = Buffer.alloc(32, 7))],
      ['entries.root', (tx) => (tx.entries[0].key = bytes('\0other'))],
      ['entries.count', (tx) => (tx.entries = [])],
      ['wire.bound', (tx) => tx.entries.push(tx.entries[0])],
      ['chain.end', (tx) => (tx.header.blRoot = Buffer.alloc(32, 7))],
      ['chain.end', (tx) => (tx.header.eH = Buffer.alloc(32, 7))],
      ['stretch.first', (tx) => (tx.header.id = '18')],
    ];
    for (const [name, lie] of lies) {
      proxy.intercept = async ({ method, forward }) => {
        const answer = await forward();
        if (method !== 'TxScan') return answer;
        const list = responseDeserialize(answer) as { txs: { header: { id: string } }[] };
        list.txs.filter(({ header }) => header.id === '17').forEach(lie);
        return responseSerialize(list);
      };
      expect(told(await client.audit.database()), name).toEqual([`17 ${name}`]);
    }
    expect(await refusals(store, 'audit.database')).toHaveLength(lies.length);
  });
});

describePrivate('a real immudb with a value that is not what was stored', () => {
  test('says so itself: that is a finding, and the rest is checked all the same', async () => {
    await using server = await TestImmudb.start({});
    const first = clientOf(server);
    for (let i = 0; i < 40; i++) await first.client.verifiedSet(`k${i}`, `the value of number ${i}.`);
    await first.client.close();
    await server.stop();
    expect(await flipInFiles(server.dir, 'the value of number 23.')).toBe(1);
    await server.start();
    const { client } = clientOf(server, { store: first.store });
    expect((await client.audit.database()).ok).toBe(true);
    const report = await client.audit.database({ values: true });
    expect(told(report)).toEqual(['24 server.corrupted']);
    expect(report).toMatchObject({ ok: false, complete: false, valuesMissing: 1, to: '40' });
    expect(report.checked).toMatchObject({ values: 39, valuesNotShown: 1 });
    expect(report.valuesRefused).toMatchObject([
      { tx: '24', toTx: '24', reason: expect.stringContaining('corrupted') as string },
    ]);
    expect(reportText(report)).toMatch(/^1\. tx 24: the server says that values are not those/m);
    expect(await rowsOf(first.store, { operation: 'audit.database', outcome: 'failure' })).toHaveLength(1);
  });
});

/** Changes one byte in every place of the files where this stands; how many there are. */
async function flipInFiles(folder: string, text: string): Promise<number> {
  let found = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path);
    const at = content.indexOf(text);
    if (at < 0) continue;
    content[at]! ^= 1;
    await writeFile(path, content);
    found += 1;
  }
  return found;
}

describePrivate('a real immudb that signs, and notes who asked', () => {
  test('is audited under its signature, restored behind its head it is found out', async () => {
    await using server = await TestImmudb.start({ signing: true, logRequestMetadata: true });
    const { client } = clientOf(server, { serverPublicKey: server.publicKeyPem! });
    onTestFinished(() => client.close().catch(() => undefined));
    for (let i = 0; i < 5; i++) await client.verifiedSet(`k${i}`, 'v');
    expect(await client.audit.database({ values: true })).toMatchObject({
      ok: true,
      state: { signed: true },
      checked: { txs: 5, values: 5 },
    });
    expect(await client.audit.prove()).toMatchObject({
      ok: true,
      state: { signed: true },
      rows: { proven: 6 },
    });
  });
});
