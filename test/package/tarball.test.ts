// The package as it is published: what is in it, and that a project which has nothing else can use it.
import { readdir, readFile, symlink } from 'node:fs/promises';
import { dirname as folderOf, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Project, REPOSITORY, execute } from './project.js';
import { installTarball } from './tarball.js';

// Whole processes, on machines that have others to run: above the deadline that each of them has.
vi.setConfig({ testTimeout: 120_000 });

let project: Project;
let files: string[];

beforeAll(async () => {
  project = await Project.create();
  files = await installTarball(project);
});

afterAll(() => project[Symbol.asyncDispose]());

async function sources(room: string, ending: string): Promise<string[]> {
  const names = await readdir(join(REPOSITORY, room), { recursive: true });
  return names
    .filter((name) => name.endsWith(ending))
    .map((name) => `${room}/${name.replaceAll('\\', '/')}`)
    .sort();
}

test('holds one build of every source, the schema and the documents, and nothing else', async () => {
  const rooms = new Set(files.map((path) => path.split('/')[0]));
  expect([...rooms].sort()).toEqual(
    ['dist', 'docs', 'proto', 'CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'].sort(),
  );
  const src = [...(await sources('src', '.ts')), ...(await sources('src', '.cts'))].sort();
  const built = src.map((path) => path.replace('src/', 'dist/cjs/').replace(/(?<=\.)(c?)ts$/, '$1js'));
  expect(files).toEqual(expect.arrayContaining(built));
  // Types come along where an export leads to them: TypeScript itself says below whether these are all.
  const types = files.filter((path) => /^dist\/cjs\/.*\.d\.c?ts$/.test(path));
  expect(types).toEqual(expect.arrayContaining(['dist/cjs/index.d.ts', 'dist/cjs/client/immu-client.d.ts']));
  expect(types.filter((path) => path.startsWith('dist/cjs/cli/'))).toEqual([]);
  const others = files
    .filter((path) => path.startsWith('dist/') && !built.includes(path) && !types.includes(path))
    .map(folderOf);
  expect([...new Set(others)].sort()).toEqual(['dist/cjs', 'dist/cjs/noble', 'dist/esm']);
  expect(files.filter((path) => path.startsWith('proto/'))).toEqual(await sources('proto', '.proto'));
  expect(files.filter((path) => /\.(map|tsbuildinfo|tgz|test\.\w+|sqlite|db)$|(^|\/)\./.test(path))).toEqual(
    [],
  );
});

/** Sets and gets on the embedded ledger, every answer checked by threads; `imports` is how the package is had. */
const program = (imports: string) => `${imports}
async function main() {
  const ledger = await EmbeddedLedger.start();
  const client = new ImmuClient({
    address: ledger.address,
    credentials: { user: 'immudb', password: 'immudb' },
    store: 'roots.' + process.pid + '.db',
    verifier: { threads: 2, inlineBelowJobs: 0 },
  });
  const keys = Array.from({ length: 40 }, (_, i) => 'key/' + i);
  await Promise.all(keys.map((key) => client.verifiedSet(key, 'value of ' + key)));
  const entries = await Promise.all(keys.map((key) => client.verifiedGet(key)));
  const right = entries.filter((entry, i) => entry && Buffer.from(entry.value).toString() === 'value of ' + keys[i]);
  ledger.lie({ kind: 'swap-value', methods: ['VerifiableGet'] });
  const refused = await client.verifiedGet('key/7').catch((error) => error);
  const verdict = await client.audit.verify();
  await client.close();
  await ledger.close();
  const lied = refused instanceof VerificationError ? refused.code : String(refused);
  console.log(JSON.stringify({ right: right.length, lied, chain: verdict.ok }));
}
main();
`;
const WORKED = { code: 0, stdout: '{"right":40,"lied":"VERIFICATION_FAILED","chain":true}\n', stderr: '' };

test('an ESM script', async () => {
  const imports = `import { ImmuClient, VerificationError } from 'immu-ts';
import { EmbeddedLedger } from 'immu-ts/testing';`;
  expect(await project.node(await project.write('use.mjs', program(imports)))).toEqual(WORKED);
});

test('a CommonJS script', async () => {
  const imports = `const { ImmuClient, VerificationError } = require('immu-ts');
const { EmbeddedLedger } = require('immu-ts/testing');`;
  expect(await project.node(await project.write('use.cjs', program(imports)))).toEqual(WORKED);
});

test('import and require give the same classes, and nothing below the exports can be reached', async () => {
  const script = `import { createRequire } from 'node:module';
import * as esm from 'immu-ts';
const require = createRequire(import.meta.url);
const same = Object.keys(esm).every((name) => require('immu-ts')[name] === esm[name]);
const codes = await Promise.all(['dist/index.js', 'dist/proof/tree.js', 'src/index.ts'].map(
  (path) => import('immu-ts/' + path).then(() => 'reached', (error) => error.code)));
console.log(same, require('immu-ts/package.json').name, ...new Set(codes));`;
  expect(await project.node(await project.write('same.mjs', script))).toEqual({
    code: 0,
    stdout: 'true immu-ts ERR_PACKAGE_PATH_NOT_EXPORTED\n',
    stderr: '',
  });
});

test('an import loads neither gRPC nor the files of calls: the first client, and the first call, do', async () => {
  const script = `import { createRequire } from 'node:module';
import { ImmuClient } from 'immu-ts';
const { cache } = createRequire(import.meta.url);
const ours = () => Object.keys(cache).filter((path) => !/grpc/.test(path)).length;
const few = ours();
await import('immu-ts/audit');
const loaded = () => Object.keys(cache).filter((path) => /[\\/](grpc-js|proto-loader|protobufjs|piscina|better-sqlite3)[\\/]/.test(path)).length;
const before = loaded();
await new ImmuClient({ address: 'localhost:1', store: 'none.db' }).close();
console.log(few > 20, few < 120, before, loaded() > 50, ours() > 2 * few);`;
  expect(await project.node(await project.write('lazy.mjs', script))).toEqual({
    code: 0,
    stdout: 'true true 0 true true\n',
    stderr: '',
  });
});

test.for([
  [
    'import',
    "import { ImmuClient, MemoryRootStore } from 'immu-ts'; import { ImmuKysely } from 'immu-ts/kysely'; import { sql } from 'kysely';",
  ],
  [
    'require',
    "const { ImmuClient, MemoryRootStore } = require('immu-ts'); const { ImmuKysely } = require('immu-ts/kysely'); const { sql } = require('kysely');",
  ],
])('Kysely by %s', async ([how, imports]) => {
  const script = `${imports}
const client = new ImmuClient({ address: 'localhost:1', store: new MemoryRootStore() });
const db = new ImmuKysely(client);
const query = db.selectFrom('orders').select('id').where(sql\`id\`, '=', 5).compile();
console.log(query.sql, query.parameters.length, db.verified() !== db);
client.close();`;
  const file = await project.write(`kysely.${how === 'import' ? 'mjs' : 'cjs'}`, script);
  expect(await project.node(file)).toEqual({
    code: 0,
    stdout: 'select "id" from "orders" where id = $1 1 true\n',
    stderr: '',
  });
});

test('the command', async () => {
  const { bin } = JSON.parse(
    await readFile(join(project.folder, 'node_modules/immu-ts/package.json'), 'utf8'),
  ) as { bin: Record<string, string> };
  expect(Object.keys(bin)).toEqual(['immu-ts']);
  const main = join(project.folder, 'node_modules/immu-ts', bin['immu-ts']!);
  expect((await readFile(main, 'utf8')).split('\n')[0]).toBe('#!/usr/bin/env node');
  // As npm installs it: a link elsewhere, by another name than the file's.
  const link = join(project.folder, 'node_modules', 'the-command');
  await symlink(main, link);
  expect(await project.node(link)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('immu-ts get '),
  });
  await project.write(
    'package-lock.json',
    JSON.stringify({ packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } }),
  );
  const ran = await execute(process.execPath, [link, 'ingest'], { cwd: project.folder });
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('tx 1, alh ') as string });
});

const TYPED = `import { ImmuClient, ImmuError, Permission, type AuditRow, type VerifiedEntry } from 'immu-ts';
import { EmbeddedLedger, type EmbeddedLedgerOptions } from 'immu-ts/testing';

export async function use(options: EmbeddedLedgerOptions): Promise<VerifiedEntry | null> {
  const ledger = await EmbeddedLedger.start(options);
  const client = new ImmuClient({ address: ledger.address, credentials: { user: 'immudb', password: 'immudb' } });
  try {
    const { tx }: { tx: bigint } = await client.verifiedSet('key', new Uint8Array([1]));
    await client.createUser('reader', 'Secret-17', Permission.R);
    const rows: AuditRow[] = [];
    for await (const row of client.audit.roots({ txRange: { from: tx } })) rows.push(row);
    return await client.verifiedGet('key', { atTx: tx, timeoutMs: 1000 });
  } catch (error) {
    if (error instanceof ImmuError && error.code === 'VERIFICATION_FAILED') return null;
    throw error;
  } finally {
    await client.close();
    await ledger.close();
  }
}
`;
const KYSELY = `import { Kysely, type Generated } from 'kysely';
import { ImmuClient, MemoryRootStore } from 'immu-ts';
import { ImmuDialect, ImmuKysely } from 'immu-ts/kysely';

interface Tables { orders: { id: Generated<bigint>; total: bigint } }
const client = new ImmuClient({ store: new MemoryRootStore() });
export const db: Kysely<Tables> = new ImmuKysely<Tables>(client.database('shop'), { timeoutMs: 1000 });
export const other = new Kysely<Tables>({ dialect: new ImmuDialect(client, { verified: true }) });
export const verified: Kysely<Tables> = new ImmuKysely<Tables>(client).verified();
export const rows: Promise<{ id: bigint; sum: bigint }[]> = db.selectFrom('orders').select(['id', 'total as sum']).execute();
`;
const WRONG = `import { ImmuClient } from 'immu-ts';
const write = await new ImmuClient().verifiedSet('key', 'value');
export const tx: number = write.tx;
`;

test.for([
  ['nodenext', { module: 'nodenext' }, 'use.mts'],
  ['nodenext, CommonJS', { module: 'nodenext' }, 'use.cts'],
  ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, 'use.ts'],
] as const)('TypeScript, %s', async ([name, options, file]) => {
  await project.write(file, TYPED);
  const ofKysely = await project.write(`kysely-${file}`, KYSELY);
  const strict = { target: 'es2022', noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true };
  const id = name.replace(/\W+/g, '-');
  expect(await project.tsc(id, { ...strict, ...options }, [file, ofKysely])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

test('TypeScript sees our types, not any', async () => {
  await project.write('wrong.mts', WRONG);
  const { code, stdout } = await project.tsc(
    'wrong',
    { module: 'nodenext', noEmit: true, skipLibCheck: false },
    ['wrong.mts'],
  );
  expect(code).not.toBe(0);
  expect(stdout).toMatch(
    /^wrong\.mts\(3,14\): error TS2322: Type 'bigint' is not assignable to type 'number'/,
  );
});
