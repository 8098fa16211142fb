// A real data set, as tables and as documents: the packages that this one is built with, of its lock file. Loaded, verified row by row,
// joined in a mirror, and a server whose files are changed is found out.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { SqlParam } from '#dist/index.js';
import { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { USER, rejection } from '../trust/support.js';

vi.setConfig({ testTimeout: 120_000 });

interface Version {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, { version?: string; integrity?: string; dependencies?: Record<string, string> }>;
};
const versions = [
  ...new Map(
    Object.entries(lock.packages).flatMap(([path, { version, integrity = '', dependencies = {} }]) => {
      const name = path.split('node_modules/').at(-1) ?? '';
      if (name === '' || version === undefined) return [];
      return [[`${name} ${version}`, { name, version, integrity, dependencies }] as const];
    }),
  ).values(),
] satisfies Version[];
const names = [...new Set(versions.map(({ name }) => name))];
const dependencies = versions.flatMap(({ name, version, dependencies: of }) =>
  Object.entries(of).map(([dependency, range]) => ({ name, version, dependency, range })),
);

const TABLES = `
  CREATE TABLE packages (name VARCHAR[80], PRIMARY KEY name);
  CREATE TABLE versions (integrity VARCHAR, version VARCHAR[40], name VARCHAR[80], PRIMARY KEY (name, version));
  CREATE TABLE dependencies (name VARCHAR[80], version VARCHAR[40], dependency VARCHAR[80], wanted VARCHAR,
    PRIMARY KEY (name, version, dependency));`;
const ROWS_A_TX = 100;

async function load(
  client: ImmuClient,
  table: string,
  columns: string,
  rows: readonly SqlParam[][],
): Promise<void> {
  for (let at = 0; at < rows.length; at += ROWS_A_TX) {
    const part = rows.slice(at, at + ROWS_A_TX);
    const places = part.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ');
    const { txs } = await client.sql.verifiedExec(
      `INSERT INTO ${table} (${columns}) VALUES ${places}`,
      part.flat(),
    );
    expect(txs.flatMap(({ rows: written }) => written)).toHaveLength(part.length);
  }
}

/** Changes the only place of the files where these bytes stand. */
function change(folder: string, suffix: string, from: Uint8Array, to: Uint8Array): number {
  let found = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(suffix)) continue;
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    for (let at = content.indexOf(from); at >= 0; at = content.indexOf(from, at + 1)) {
      content.set(to, at);
      found += 1;
    }
    if (found > 0) writeFileSync(path, content);
  }
  return found;
}

describePrivate('the packages of a lock file', () => {
  test('are loaded, verified row by row, joined in a mirror; a changed server file is found', async () => {
    await using server = await TestImmudb.start({});
    const store = new MemoryRootStore();
    const open = () => new ImmuClient({ address: server.address, store, credentials: USER });
    let client = open();
    onTestFinished(() => client.close());
    const { sql, documents } = client;
    await sql.exec(TABLES);
    await documents.createCollection('packages', {
      fields: [
        { name: 'name', type: 'STRING' },
        { name: 'version', type: 'STRING' },
      ],
      indexes: [{ fields: ['name'] }],
    });
    await load(
      client,
      'packages',
      'name',
      names.map((name) => [name]),
    );
    await load(
      client,
      'versions',
      'name, version, integrity',
      versions.map(({ name, version, integrity }) => [name, version, integrity]),
    );
    await load(
      client,
      'dependencies',
      'name, version, dependency, wanted',
      dependencies.map(({ name, version, dependency, range }) => [name, version, dependency, range]),
    );
    const ids: string[] = [];
    for (let at = 0; at < versions.length; at += ROWS_A_TX) {
      const part = versions.slice(at, at + ROWS_A_TX).map((each) => ({ ...each }));
      ids.push(...(await documents.verifiedInsert('packages', part)).ids);
    }

    // Row by row, and document by document.
    const rows = await sql.verifiedGetAll(
      'versions',
      versions.map(({ name, version }) => [name, version]),
    );
    expect(rows.map((row) => row?.values)).toEqual(
      versions.map(({ name, version, integrity }) => ({ integrity, version, name })),
    );
    for (const place of [0, 200, versions.length - 1])
      expect((await documents.verifiedGet('packages', ids[place]!))?.document).toEqual({
        _id: ids[place],
        ...versions[place],
      });

    // All of it, in a mirror: joins that nobody proves on the server.
    await client.follow({ ordered: true });
    const folder = mkdtempSync(join(tmpdir(), 'immu-ts-mirror-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const mirror = await client.mirror({ path: join(folder, 'packages.sqlite') });
    await mirror.ready({ timeoutMs: 60_000 });
    const joined = mirror.query<{ name: string; n: bigint }>(
      `SELECT p.name, count(d.dependency) AS n FROM packages p JOIN versions v ON v.name = p.name
         LEFT JOIN dependencies d ON d.name = v.name AND d.version = v.version GROUP BY p.name ORDER BY p.name`,
    );
    const counts = new Map(names.map((name) => [name, 0]));
    for (const { name } of dependencies) counts.set(name, (counts.get(name) ?? 0) + 1);
    expect(new Map(joined.rows.map(({ name, n }) => [name, Number(n)]))).toEqual(counts);
    const inDocuments = mirror.query<{ name: string; wanted: string }>(
      `SELECT d.name, e.key AS dependency, e.value AS wanted FROM doc_packages d, json_each(d._doc, '$.dependencies') e
         EXCEPT SELECT name, dependency, wanted FROM dependencies`,
    );
    expect(inDocuments.rows).toEqual([]);
    expect(mirror.query('SELECT count(*) AS n FROM doc_packages').rows).toEqual([
      { n: BigInt(versions.length) },
    ]);
    const { tx } = rows[7]!;
    await client.close();

    // A byte of a value, in the file of values: the server says itself that it is not what it stored.
    await server.stop();
    const { name, version, integrity } = versions[7]!;
    const lie = `${integrity.slice(0, -4)}AAA=`;
    expect(change(server.dir, '.val', Buffer.from(integrity), Buffer.from(lie))).toBeGreaterThan(0);
    await server.start();
    client = open();
    const corrupted = await rejection(client.sql.verifiedGet('versions', [name, version]));
    expect(corrupted.message).toMatch(/corrupted/);
    await client.close();

    // And its hash too, where the server looks for it.
    await server.stop();
    const hashes = [integrity, lie].map((each) =>
      createHash('sha256')
        .update(rowOf(name, version, each))
        .digest(),
    );
    change(server.dir, '.tx', hashes[0]!, hashes[1]!);
    await server.start();
    client = open();
    for (const ask of [
      () => client.sql.verifiedGet('versions', [name, version]),
      () => client.sql.verifiedGet('versions', [name, version], { atTx: tx }),
      () => client.follow({ ordered: true }).then((following) => following.ready({ timeoutMs: 10_000 })),
    ])
      expect((await rejection(ask())).message).toMatch(/corrupted/);
    const report = await client.audit
      .database({ values: true })
      .catch((error: unknown) => ({ ok: false, error }));
    expect(report.ok).toBe(false);
  });
});

/** The row of `versions`, as it is stored. */
function rowOf(name: string, version: string, integrity: string): Uint8Array {
  const be32 = (n: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(n);
    return bytes;
  };
  const cells = [integrity, version, name].map((text, i) => [
    be32(i + 1),
    be32(Buffer.byteLength(text)),
    Buffer.from(text),
  ]);
  return Buffer.concat([be32(3), ...cells.flat()]);
}
