// `immu-ts audit …` over store files: what each command shows, writes and ends with.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { openSqlite } from '#dist/sqlite/open.js';
import { auditedStore, entry, rowsIn, storeOf } from './audited.js';
import { call } from './call.js';
import { run, start } from './run.js';

let path: string;
let folder: string;

beforeEach(async () => {
  ({ path, folder } = await auditedStore());
});

const USER = { user: 'immudb', password: 'immudb' };
const audit = (command: string, ...args: string[]) => call(['audit', command, '--store', path, ...args]);
const ndjson = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);
const seqs = (text: string) => ndjson(text).map(({ seq }) => Number(seq));

/** Row 3 of a store is changed behind its back: so far from the end that opening the store does not meet it. */
async function changedLongAgo(): Promise<void> {
  ({ path, folder } = await storeOf(Array.from({ length: 300 }, (_, i) => entry({ tx: BigInt(i) }))));
  const db = openSqlite(path);
  db.exec('UPDATE audit SET calls = 77 WHERE seq = 3');
  db.close();
}

test.for([
  ['audit', 'list'],
  ['audit', 'list', '--follow'],
  ['audit', 'show', '1'],
  ['audit', 'stats'],
  ['audit', 'verify'],
  ['audit', 'gaps'],
  ['audit', 'export'],
  ['audit', 'export', '--out', 'rows.csv'],
  ['audit', 'checkpoint'],
  ['audit', 'archive'],
  ['audit', 'serve'],
])('%j does not make a store: one line, exit code 1', async (args) => {
  const { folder: cwd } = await storeOf([]);
  const before = await readdir(cwd);
  const outcome = await run([...args, '--store', join(cwd, 'gone', 'roots.db')], { cwd });
  expect(outcome).toMatchObject({ code: 1, stdout: '', left: [] });
  expect(outcome.stderr).toMatch(/^immu-ts: STORE_MISSING: .*\n$/);
  expect((await readdir(cwd)).filter((name) => name !== 'temp')).toEqual(before);
});

test('the default store is where clients keep theirs', async () => {
  const outcome = await run(['audit', 'verify'], { cwd: folder, env: { IMMU_TS_STORE: path } });
  expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('intact') as string });
});

describe('list', () => {
  test('a table, newest first', async () => {
    const rows = await rowsIn(path);
    const { code, stdout, stderr } = await audit('list');
    const lines = stdout.trimEnd().split('\n');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines[0]).toMatch(
      /^ +seq {2}verifiedAt +outcome +database +tx {2}alh +operation +calls {2}detail$/,
    );
    expect(lines).toHaveLength(rows.length + 1);
    const last = rows.at(-1)!;
    expect(lines[1]).toContain(`${last.seq}  ${new Date(last.verifiedAt).toISOString()}  root `);
    expect(lines[1]).toContain(`${Buffer.from(last.alh).toString('hex').slice(0, 16)}…  verifiedSet`);
  });

  test('page by page it is all there, each row once, both ways', async () => {
    const all = (await rowsIn(path)).map(({ seq }) => Number(seq));
    for (const order of ['asc', 'desc'] as const) {
      const found: number[] = [];
      for (;;) {
        const after = found.length > 0 ? ['--after', String(found.at(-1))] : [];
        const page = await audit('list', '--order', order, '--limit', '4', '--format', 'ndjson', ...after);
        found.push(...seqs(page.stdout));
        if (page.stderr === '') break;
        expect(page.stderr).toBe(`there may be more: --after ${found.at(-1)}\n`);
      }
      expect(found).toEqual(order === 'asc' ? all : all.toReversed());
    }
    expect(seqs((await audit('list', '--all', '--limit', '1', '--format', 'ndjson')).stdout)).toHaveLength(
      all.length,
    );
  });

  test('filters', async () => {
    const rows = await rowsIn(path);
    const [server = ''] = rows.filter(({ outcome }) => outcome === 'root').map((row) => row.server);
    const failed = rows.filter(({ outcome }) => outcome === 'failure').map(({ seq }) => Number(seq));
    const ask = async (...args: string[]) =>
      seqs((await audit('list', '--all', '--order', 'asc', '--format', 'ndjson', ...args)).stdout);
    expect(await ask('--outcome', 'problems')).toEqual(failed);
    expect(
      await ask(
        '--outcome',
        'failure,fork',
        '--from',
        '1h',
        '--operation',
        'verifiedGet',
        '--database',
        'defaultdb',
        '--server',
        server,
      ),
    ).toEqual(failed);
    expect(await ask('--outcome', 'all')).toEqual(
      Array.from({ length: Number(rows.at(-1)!.seq) }, (_, i) => i + 1),
    );
    expect(await ask('--to', '1h')).toEqual([]);
    expect(await ask('--from', '2999-01-01')).toEqual([]);
    expect(await ask('--database', 'other')).toEqual([]);
    expect(await ask('--outcome', 'root', '--tx', '3..5')).toEqual(
      rows
        .filter(({ tx, outcome }) => outcome === 'root' && tx >= 3n && tx <= 5n)
        .map(({ seq }) => Number(seq)),
    );
  });

  test('evidence: its terms in every format, its job only when asked for', async () => {
    const [plain] = ndjson((await audit('list', '--outcome', 'failure', '--format', 'ndjson')).stdout);
    expect(plain).toMatchObject({ check: expect.stringMatching(/./) as string });
    expect(plain).not.toHaveProperty('job');
    const [full] = ndjson(
      (await audit('list', '--outcome', 'failure', '--format', 'ndjson', '--jobs')).stdout,
    );
    const row = (await rowsIn(path)).find(({ outcome }) => outcome === 'failure');
    expect(Buffer.from(full!['job']!, 'base64').equals(row!.evidence!.job)).toBe(true);
  });

  test('--follow shows the newest rows, then what is logged by others, until Ctrl-C', async () => {
    const args = ['audit', 'list', '--follow', '--limit', '2', '--format', 'ndjson', '--store', path];
    const { child, outcome } = await start(args, { cwd: folder });
    let text = '';
    child.stdout.on('data', (chunk: string) => (text += chunk));
    const lines = async (count: number) => {
      while (text.split('\n').length <= count) await once(child.stdout, 'data');
    };
    await lines(2);
    const rows = await rowsIn(path);
    expect(seqs(text)).toEqual(rows.slice(-2).map(({ seq }) => Number(seq)));
    await using store = await SqliteRootStore.open(path, { create: 'never' });
    await store.record(
      entry({
        server: rows.at(-1)!.server,
        tx: rows.at(-1)!.tx,
        alh: rows.at(-1)!.alh,
        operation: 'justNow',
      }),
    );
    await lines(3);
    expect(ndjson(text).at(-1)).toMatchObject({ operation: 'justNow' });
    child.kill('SIGINT');
    expect(await outcome).toMatchObject({ code: 130, stderr: '', left: [] });
  });

  test('--follow on an empty log, with a filter: only what matches, from now on', async () => {
    const empty = await storeOf([entry({ operation: 'before' })]);
    const args = [
      'audit',
      'list',
      '--follow',
      '--operation',
      'wanted',
      '--format',
      'ndjson',
      '--store',
      empty.path,
    ];
    const { child, outcome } = await start(args, { cwd: empty.folder });
    await using store = await SqliteRootStore.open(empty.path, { create: 'never' });
    let text = '';
    child.stdout.on('data', (chunk: string) => (text += chunk));
    for (const operation of ['other', 'wanted', 'other', 'wanted']) await store.record(entry({ operation }));
    while (text.split('\n').length <= 2) await once(child.stdout, 'data');
    expect(ndjson(text).map(({ operation }) => operation)).toEqual(['wanted', 'wanted']);
    child.kill('SIGTERM');
    expect((await outcome).code).toBe(143);
  });

  test('a reader that has seen enough ends it', async () => {
    const many = await storeOf(
      Array.from({ length: 3000 }, (_, i) => entry({ tx: BigInt(i), detail: 'x'.repeat(500) })),
    );
    const { child, outcome } = await start(
      ['audit', 'list', '--all', '--format', 'ndjson', '--store', many.path],
      { cwd: many.folder },
    );
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await outcome).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('show', () => {
  test('a row in full between its neighbours, which it links', async () => {
    const rows = await rowsIn(path);
    const [before, row, after] = rows.slice(4, 7);
    const { code, stdout } = await audit('show', String(row!.seq));
    expect(code).toBe(0);
    for (const { hash } of [before!, row!, after!])
      expect(stdout).toContain(Buffer.from(hash).toString('hex'));
    expect(stdout).toContain(Buffer.from(row!.alh).toString('hex'));
    expect(stdout.match(/follows from the row before it/g)).toHaveLength(2);
    expect(stdout).toMatch(/^clientId +\S+$/m);
  });

  test('of a transaction: the root that covers it', async () => {
    const rows = await rowsIn(path);
    const root = rows.find(({ tx, outcome }) => outcome === 'root' && tx === 5n)!;
    const { stdout } = await audit('show', '--tx', '5', '--database', 'defaultdb', '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      row: { seq: root.seq.toString(), tx: '5' },
      linked: true,
      nextLinked: true,
    });
    expect(JSON.parse((await audit('show', '--tx', '999', '--format', 'json')).stdout)).toMatchObject({
      row: { tx: '9' },
    });
    await expect(audit('show', '--tx', '5', '--database', 'other')).rejects.toThrow('no trusted root');
  });

  test('a row that was changed does not follow: exit code 3', async () => {
    await changedLongAgo();
    const { code, stdout } = await audit('show', '3');
    expect(code).toBe(3);
    expect(stdout).toContain('DOES NOT FOLLOW');
    await expect(audit('show', '999')).rejects.toThrow('no row 999');
  });
});

describe('stats', () => {
  test('in all, by day and by hour', async () => {
    const rows = await rowsIn(path);
    const [all] = ndjson((await audit('stats', '--format', 'ndjson')).stdout) as unknown as Record<
      string,
      number
    >[];
    expect(all).toMatchObject({
      roots: rows.filter(({ outcome }) => ['root', 'first-use', 'pinned'].includes(outcome)).length,
      failure: 1,
      fork: 0,
      lastTx: '9',
    });
    for (const by of ['hour', 'day']) {
      const lines = ndjson(
        (await audit('stats', '--by', by, '--format', 'ndjson')).stdout,
      ) as unknown as Record<string, number>[];
      expect(lines.reduce((sum, { calls = 0 }) => sum + calls, 0)).toBe(all!['calls']);
    }
    const csv = (await audit('stats', '--outcome', 'failure', '--format', 'csv')).stdout.split('\r\n');
    expect(csv[0]).toBe(
      'from,rows,calls,roots,failure,fork,rollback,identityChange,firstTx,lastTx,meanMs,maxMs',
    );
    expect(csv[1]).toMatch(/Z,1,1,0,1,0,0,0,,,/);
  });
});

describe('verify and checkpoint', () => {
  test('an intact chain, a changed row', async () => {
    const rows = await rowsIn(path);
    const good = await audit('verify');
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(/^audit chain: \d+ rows, intact/);
    expect(good.stdout).toContain(`last hash: ${Buffer.from(rows.at(-1)!.hash).toString('hex')}`);
    await changedLongAgo();
    expect(await audit('verify')).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/^audit chain: BROKEN at row 3: /) as string,
    });
  });

  test('kept headers are proven along with it', async () => {
    await using ledger = await EmbeddedLedger.start();
    const store = join(folder, 'kept.db');
    const client = new ImmuClient({ address: ledger.address, store, keepHeaders: true, credentials: USER });
    for (let i = 1; i <= 8; i++) await client.verifiedSet(`k${i}`, `v${i}`);
    await client.warm();
    await client.close();
    const verify = () => call(['audit', 'verify', '--store', store]);
    expect(await verify()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/\nkept headers: 1 block, proven\n$/) as string,
    });
    const db = openSqlite(store);
    db.exec(
      "UPDATE header_content SET headers = CAST(substr(headers, 1, 700) || x'00' || substr(headers, 702) AS BLOB)",
    );
    db.close();
    expect(await verify()).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(
        /^audit chain: .* intact[^]*\nkept headers: tx 1 to 8 of defaultdb are NOT PROVEN: /,
      ) as string,
    });
  });

  test.for(['ed25519', 'ec'] as const)(
    'a checkpoint signed with %s, held against the log later',
    async (type) => {
      const { privateKey, publicKey } =
        type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
      const [key, pub, file] = ['key.pem', 'pub.pem', 'checkpoint.json'].map((name) =>
        join(folder, name),
      ) as [string, string, string];
      await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await writeFile(pub, publicKey.export({ type: 'spki', format: 'pem' }));
      const made = await audit('checkpoint', '--key', key, '--out', file);
      const [, name] = /SHA-256 ([0-9a-f]{64})\n$/.exec(made.stderr) ?? [];
      expect(made).toMatchObject({ code: 0, stdout: '' });
      const held = await audit('verify', '--checkpoint', file, '--key', pub);
      expect(held.code).toBe(0);
      expect(held.stdout).toContain(`SHA-256 ${name}: signed by this key`);
      expect(held.stdout).toMatch(/rows 1 to \d+ are those of the checkpoint/);
      expect((await audit('verify', '--checkpoint', file)).stdout).toContain('signature not checked');

      const text = await readFile(file, 'utf8');
      const fields = JSON.parse(text) as Record<string, unknown> & { heads: Record<string, string>[] };
      expect(fields).toMatchObject({ format: 'immu-ts/checkpoint', version: 1 });
      const changed = [
        { ...fields, seq: '2' },
        { ...fields, hash: '00'.repeat(32) },
        { ...fields, heads: [{ ...fields.heads[0], tx: '1' }] },
        { ...fields, heads: [] },
        { ...fields, signature: '00'.repeat(64) },
        { ...fields, signature: undefined },
      ];
      for (const wrong of changed) {
        await writeFile(file, JSON.stringify(wrong));
        expect(await audit('verify', '--checkpoint', file, '--key', pub)).toMatchObject({
          code: 3,
          stdout: expect.stringContaining('REFUSED') as string,
        });
      }
      await writeFile(file, text);
      await writeFile(pub, generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }));
      expect((await audit('verify', '--checkpoint', file, '--key', pub)).code).toBe(3);
    },
  );

  test('a checkpoint of another store, or of a log that was rewritten, is not that of this log', async () => {
    const file = join(folder, 'checkpoint.json');
    const other = await storeOf([entry({})]);
    await call(['audit', 'checkpoint', '--store', other.path, '--out', file]);
    expect(await audit('verify', '--checkpoint', file)).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('BROKEN') as string,
    });
  });

  test('a checkpoint on standard output; no file is written over', async () => {
    const { stdout } = await audit('checkpoint');
    expect(JSON.parse(stdout)).toMatchObject({
      format: 'immu-ts/checkpoint',
      seq: expect.stringMatching(/^\d+$/) as string,
    });
    const file = join(folder, 'kept.json');
    await writeFile(file, 'kept');
    await expect(audit('checkpoint', '--out', file)).rejects.toThrow('there already');
    expect(await readFile(file, 'utf8')).toBe('kept');
  });

  test.for([
    ['no JSON', 'no'],
    ['not of this format', '{"format":"immu-ts/evidence"}'],
    ['of a later version', '{"format":"immu-ts/checkpoint","version":9}'],
  ] as const)('a checkpoint file that is %s', async ([, text]) => {
    const file = join(folder, 'checkpoint.json');
    await writeFile(file, text);
    await expect(audit('verify', '--checkpoint', file)).rejects.toThrow('checkpoint.json');
  });
});

describe('gaps', () => {
  test('none in a log of one client; trust that was forgotten is one', async () => {
    expect(await audit('gaps')).toMatchObject({ code: 0, stderr: '' });
    const { server, tx, alh } = (await rowsIn(path)).at(-1)!;
    {
      await using store = await SqliteRootStore.open(path, { create: 'never' });
      await store.forget(entry({ server, tx, alh, outcome: 'forget', calls: 0, verifiedAt: Date.now() }));
    }
    const { code, stdout } = await audit('gaps', '--format', 'ndjson');
    expect(code).toBe(1);
    expect(ndjson(stdout)).toEqual([
      expect.objectContaining({
        kind: 'forgotten',
        server,
        database: 'defaultdb',
        what: 'trust was forgotten, and there is none since',
      }) as object,
    ]);
  });
});

describe('export', () => {
  test('a file that is whole, with its hash; never over another', async () => {
    const cwd = folder;
    const args = ['audit', 'export', '--store', path, '--out', 'rows.csv'];
    const first = await run(args, { cwd });
    const text = await readFile(join(cwd, 'rows.csv'));
    const { createHash } = await import('node:crypto');
    const count = (await rowsIn(path)).length;
    expect(first).toMatchObject({
      code: 0,
      stdout: '',
      stderr: `${count} rows in rows.csv, SHA-256 ${createHash('sha256').update(text).digest('hex')}\n`,
    });
    expect(text.toString().split('\r\n')).toHaveLength(count + 2);
    await expect(call(['audit', 'export', '--store', path, '--out', join(cwd, 'rows.csv')])).rejects.toThrow(
      'there already',
    );
    expect((await readdir(cwd)).filter((name) => name.includes('.part'))).toEqual([]);
  });

  test('what cannot be written leaves nothing behind', async () => {
    await expect(audit('export', '--out', join(folder, 'no', 'rows.csv'))).rejects.toThrow('ENOENT');
    const stopped = AbortSignal.abort();
    const args = ['audit', 'export', '--store', path, '--out', join(folder, 'rows.json')];
    await expect(call(args, { signal: stopped })).rejects.toThrow();
    expect((await readdir(folder)).filter((name) => name.startsWith('rows.json'))).toEqual([]);
  });

  test('NDJSON on standard output, oldest first', async () => {
    const { stdout } = await audit('export');
    expect(seqs(stdout)).toEqual((await rowsIn(path)).map(({ seq }) => Number(seq)));
  });
});

describe('archive', () => {
  test('the oldest rows move out, the log goes on, and the archives are listed', async () => {
    const before = await rowsIn(path);
    expect(await audit('archive')).toMatchObject({ code: 0 });
    const file = join(folder, 'old.db');
    const made = await audit('archive', '--out', file, '--keep', '4');
    expect(made.code).toBe(0);
    expect(made.stdout).toContain('rows 1 to ');
    const listed = ndjson((await audit('archive', '--format', 'ndjson')).stdout);
    expect(listed).toHaveLength(1);
    expect(listed[0]).toMatchObject({ firstSeq: '1', path: file });
    const left = await rowsIn(path);
    expect(left.length).toBeLessThan(before.length);
    expect(Number(left[0]!.seq)).toBe(Number(listed[0]!['lastSeq']) + 1);
    expect(await audit('verify')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('behind archived row') as string,
    });
    await expect(audit('show', '1')).rejects.toThrow('no row 1');
  });

  test('evidence is verified where the row before it is in an archive', async () => {
    const failed = (await rowsIn(path)).find(({ outcome }) => outcome === 'failure')!.seq;
    await audit('archive', '--out', join(folder, 'old.db'), '--through', String(failed - 1n));
    const file = join(folder, 'evidence.json');
    await call(['evidence', 'export', failed.toString(), '--store', path, '--out', file]);
    const { hash } = JSON.parse(await readFile(file, 'utf8')) as { hash: string };
    expect((await call(['evidence', 'verify', file, '--row-hash', hash])).code).toBe(0);
    await audit('archive', '--out', join(folder, 'newer.db'), '--through', failed.toString());
    const archived = ['--archive', join(folder, 'newer.db')];
    expect((await call(['evidence', 'verify', failed.toString(), ...archived])).code).toBe(0);
  });

  test('an archive is read like a store, and the log must go on from it', async () => {
    const before = await rowsIn(path);
    const failed = before.find(({ outcome }) => outcome === 'failure')!.seq;
    const [old, newer] = [join(folder, 'old.db'), join(folder, 'newer.db')];
    await audit('archive', '--out', old, '--through', '3');
    await audit('archive', '--out', newer, '--through', failed.toString());
    const read = (words: string[], ...more: string[]) => call([...words, '--archive', newer, ...more]);
    const listed = seqs((await read(['audit', 'list'], '--order', 'asc', '--format', 'ndjson')).stdout);
    expect(listed).toEqual(
      before.map(({ seq }) => Number(seq)).filter((seq) => seq > 3 && seq <= Number(failed)),
    );
    expect((await read(['audit', 'verify'])).stdout).toContain('intact, behind archived row 3');
    expect((await read(['audit', 'show', '5'])).stdout).toContain('follows from the row before it');
    expect((await read(['audit', 'stats'], '--format', 'ndjson')).stdout).toContain('"failure":1');
    expect((await read(['evidence', 'verify', failed.toString()])).code).toBe(0);
    expect((await read(['audit', 'export'], '--format', 'csv')).stdout.split('\r\n')).toHaveLength(
      listed.length + 2,
    );

    // The first row of an archive and the first behind one: what they follow is known all the same.
    expect((await call(['audit', 'show', '4', '--archive', newer])).stdout).toMatch(
      /archived\n.*follows from/,
    );
    const shown = await audit('show', String(failed + 1n));
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/archived\n.*follows from/);

    const follows = await audit('verify', '--follows', newer);
    expect(follows).toMatchObject({ code: 0 });
    expect(follows.stdout).toMatch(/^archive .*newer\.db\naudit chain: .*intact/);
    expect(await audit('verify', '--follows', old)).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('BROKEN') as string,
    });
    await expect(audit('list', '--archive', newer)).rejects.toThrow('--archive goes in place of --store');
    await expect(call(['audit', 'list', '--archive', path])).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
    await expect(call(['audit', 'list', '--archive', join(folder, 'gone.db')])).rejects.toMatchObject({
      code: 'STORE_MISSING',
    });
  });
});

test('list --databases: what the log is about', async () => {
  const { code, stdout } = await audit('list', '--databases', '--format', 'ndjson');
  expect(code).toBe(0);
  const [only, ...more] = ndjson(stdout);
  expect(only).toMatchObject({ database: 'defaultdb', rows: 11, firstTx: '0', lastTx: '9', headTx: '9' });
  expect([more.length, only?.['headAlh']]).toEqual([0, expect.stringMatching(/^[0-9a-f]{64}$/)]);
  expect((await audit('list', '--databases')).stdout).toMatch(/^server +database +rows .*\n.* defaultdb /);
  for (const [name, ...value] of [['--follow'], ['--limit', '3'], ['--database', 'x']] as string[][]) {
    await expect(audit('list', '--databases', name!, ...value)).rejects.toThrow(
      `${name} does not go with it`,
    );
  }
});

describe('a store that is damaged in its newest rows', () => {
  beforeEach(() => {
    const db = openSqlite(path);
    db.exec('UPDATE audit SET calls = 77 WHERE seq = 4');
    db.close();
  });

  test('is refused, with a word of how it can be looked at all the same', async () => {
    const outcome = await run(['audit', 'list', '--store', path], { cwd: folder });
    expect(outcome).toMatchObject({ code: 3, stdout: '' });
    expect(outcome.stderr).toMatch(/^immu-ts: STORE_DAMAGED: .*row 4 .* \(look at it with --damaged\)\n$/);
  });

  test.for([
    ['list', '--order', 'asc', '--format', 'ndjson'],
    ['export', '--format', 'ndjson'],
  ])('%j with --damaged shows its rows, and says what is broken', async ([command = '', ...args]) => {
    const { code, stdout, stderr } = await audit(command, '--damaged', ...args);
    expect(code).toBe(0);
    expect(seqs(stdout)).toContain(4);
    expect(stderr).toMatch(/^DAMAGED: row 4: the row was changed/);
    expect(stderr).toContain('is open for looking only: 1 findings by opening it');
  });

  test('verify, show, stats and evidence too, and the exit code says that it is broken', async () => {
    const verified = await audit('verify', '--damaged');
    expect(verified).toMatchObject({ code: 3, stdout: expect.stringContaining('BROKEN at row 4') as string });
    const shown = await audit('show', '4', '--damaged');
    expect(shown).toMatchObject({ code: 3, stdout: expect.stringContaining('DOES NOT FOLLOW') as string });
    expect((await audit('stats', '--damaged', '--format', 'ndjson')).stdout).toContain('"failure":1');
    const failed = await call(['evidence', 'verify', '11', '--store', path, '--damaged']);
    expect(failed).toMatchObject({ code: 0, stderr: expect.stringContaining('DAMAGED: row 4') as string });
  });

  test('rows that cannot be read are told at the end', async () => {
    const db = openSqlite(path);
    db.exec('UPDATE audit SET calls = calls + 4294967296 WHERE seq = 5');
    db.close();
    const { stdout, stderr } = await audit('list', '--damaged', '--format', 'ndjson');
    expect(seqs(stdout)).not.toContain(5);
    expect(stderr.trim().split('\n').at(-1)).toBe('DAMAGED: row 5: the row cannot be read: it is left out');
  });

  test('--damaged is for stores that can be damaged', async () => {
    const archive = join(folder, 'a.db');
    await expect(call(['audit', 'list', '--archive', archive, '--damaged'])).rejects.toThrow('--damaged');
  });
});

test('--damaged with a store that is whole says so', async () => {
  const { code, stderr } = await audit('list', '--damaged');
  expect([code, stderr]).toEqual([0, expect.stringContaining('nothing is found to be broken') as string]);
});
