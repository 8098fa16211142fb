// `immu-ts trust …`: what is trusted, begun anew, taken over from other clients; with a real server behind it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { whyNotLasting } from '#dist/store/lasting.js';
import { warnOfPlace } from '#dist/cli/store-place.js';
import { Output } from '#dist/cli/output.js';
import { describeServer, sharedImmudb } from '../../support/real.js';
import { USER } from '../../trust/support.js';
import { call } from '../call.js';
import { jsonOf, linesOf, openDatabase } from '../data-support.js';
import { temporaryFolder } from '../run.js';
import { goLine } from './go-line.js';
import { PICKLES } from './pickles.js';

/** What a client has trusted after three writes, in a store of its own. */
async function written(name: string) {
  const path = join(await temporaryFolder(), 'other.db');
  await using store = await SqliteRootStore.open(path);
  await using client = new ImmuClient({
    address: sharedImmudb(),
    store,
    credentials: { ...USER, database: name },
  });
  for (let i = 0; i < 2; i++) await client.verifiedSet('k', `${i}`);
  const root = await client.verifiedState();
  const [known] = await store.audit.databases();
  await client.verifiedSet('k', 'newer');
  return { tx: root.tx, alh: new Uint8Array(root.alh), server: known?.server ?? '' };
}

async function fileOf(content: string | Uint8Array, name: string): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return path;
}

describeServer('trust', () => {
  test("import takes a Go client's root over: pinned, logged, and proven to be extended", async () => {
    const { name, store, cli } = await openDatabase();
    const { tx, alh, server } = await written(name);
    const path = await fileOf(
      `${goLine(name, tx, alh)}\n${goLine('otherdb', 5n, alh)}\n`,
      `.state-${server}`,
    );
    const dry = await cli(['trust', 'import', path, '--dry-run', '--json', '--database', name]);
    expect(jsonOf(dry)).toMatchObject({ database: name, outcome: 'claimed', tx: tx.toString() });
    const done = await cli(['trust', 'import', path, '--json', '--database', name]);
    expect(done.code).toBe(0);
    expect(jsonOf(done)).toMatchObject({
      ...{
        database: name,
        outcome: 'proven',
        tx: tx.toString(),
        headTx: (tx + 1n).toString(),
        signed: false,
      },
    });
    await using opened = await SqliteRootStore.open(store);
    const rows: string[] = [];
    for await (const row of opened.audit.roots({ database: name })) rows.push(`${row.outcome} ${row.tx}`);
    expect(rows.slice(0, 2)).toEqual([`pinned ${tx}`, `root ${tx + 1n}`]);
    const shown = await cli(['trust', 'show', '--json']);
    expect(jsonOf(shown)).toMatchObject({
      databases: [
        {
          server,
          database: name,
          head: { tx: (tx + 1n).toString() },
          began: { how: 'pinned', tx: tx.toString() },
        },
      ],
      servers: [{ address: sharedImmudb(), server }],
    });
  });

  test('a root that the server does not stand by is refuted: exit code 3, and a row with evidence', async () => {
    const { name, store, cli } = await openDatabase();
    const { tx, alh, server } = await written(name);
    const wrong = alh.map((byte) => byte ^ 1);
    const path = await fileOf(goLine(name, tx, wrong), `.state-${server}`);
    const refuted = await cli(['trust', 'import', path, '--database', name]);
    expect([refuted.code, refuted.stdout]).toEqual([3, expect.stringContaining('REFUTED')]);
    const opened = await SqliteRootStore.open(store);
    const found: boolean[] = [];
    for await (const row of opened.audit.roots({ database: name, outcome: ['failure', 'fork'] }))
      found.push(row.evidence !== undefined);
    await opened.close();
    expect(found).toContain(true);
    await expect(cli(['get', 'k'])).rejects.toMatchObject({ code: 'FORK_DETECTED' });
    expect((await cli(['trust', 'forget', '--reason', 'a wrong file'])).code).toBe(0);
    expect((await cli(['get', 'k'])).stdout).toContain('newer');
  });

  test("import of immu-py's file, and of a root that is older than what is trusted", async () => {
    const { name, cli } = await openDatabase();
    const { tx, alh } = await written(name);
    const bytes = Buffer.from(PICKLES.one, 'base64');
    const patched = Buffer.concat([
      ...bytes
        .toString('latin1')
        .split('DATABASE')
        .flatMap((part, i) => (i === 0 ? [part] : [name, part]))
        .map((part) => Buffer.from(part, 'latin1')),
    ]);
    // Lengths before names, and the frame's, are those of DATABASE: written anew.
    const sized = Buffer.from(patched);
    for (let at = sized.indexOf(name); at >= 0; at = sized.indexOf(name, at + 1)) sized[at - 1] = name.length;
    const number = sized.indexOf(Buffer.from([0x4a, 0x70, 0x11, 0x01, 0x00]));
    sized.writeInt32LE(Number(tx), number + 1);
    Buffer.from(alh).copy(sized, sized.indexOf(Buffer.alloc(32, 0xaa)));
    const path = await fileOf(sized, '.immudbRoot');
    expect((await cli(['state'])).code).toBe(0);
    const done = await cli(['trust', 'import', path, '--json']);
    expect([done.code, jsonOf(done)]).toMatchObject([
      0,
      { database: name, outcome: 'proven', tx: tx.toString() },
    ]);
    // First use came first: it stays how this trust began.
    expect(linesOf(await cli(['trust', 'show', '--json']))[0]).toMatchObject({
      databases: [{ began: { how: 'first-use' } }],
    });
  });

  test('a file of another server is not taken for one of this', async () => {
    const { name, cli } = await openDatabase();
    const { tx, alh } = await written(name);
    const path = await fileOf(goLine(name, tx, alh), '.state-anotherserver');
    const refused = await cli(['trust', 'import', path, '--database', name]).catch((error: unknown) => error);
    expect(refused instanceof Error ? refused.message : JSON.stringify(refused)).toContain(
      'is of the server anotherserver',
    );
    expect((await cli(['trust', 'import', path, '--database', name, '--any-server'])).code).toBe(0);
  });

  test('pin begins with a root, and show says so', async () => {
    const { name, cli } = await openDatabase();
    const { tx, alh } = await written(name);
    const pin = `${tx}:${Buffer.from(alh).toString('hex')}`;
    expect(jsonOf(await cli(['trust', 'pin', pin, '--json']))).toMatchObject({
      database: name,
      outcome: 'proven',
    });
    const { stdout } = await cli(['trust', 'show']);
    expect(stdout).toContain(`${name} of `);
    expect(stdout).toContain(`head   tx ${tx + 1n} `);
    expect(stdout).toContain(`began  with a pinned root, tx ${tx}, `);
    expect((await cli(['trust', 'forget', '--reason', 'made anew'])).stdout).toBe(
      `trust in ${name} is forgotten\n`,
    );
    expect((await cli(['trust', 'show'])).stdout).toContain('nothing is trusted: forgotten, or never begun');
  });
});

test('accept lets another server answer at the address', async () => {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const store = join(await temporaryFolder(), 'roots.db');
  const env = { IMMU_TS_STORE: store };
  const cli = (...args: string[]) => call([...args, '--address', ledger.address, '--store', store], { env });
  expect((await cli('set', 'k', 'v')).code).toBe(0);
  const lie = ledger.lie({ kind: 'other-identity' });
  const refused = await cli('get', 'k').catch(
    (error: unknown) => error as { code?: number; message?: string },
  );
  const words = JSON.stringify(refused) + (refused as Error).message;
  const [, identity = ''] = /another server answers at [^:]+:\d+: ([^,]+),/.exec(words) ?? [];
  expect(identity).not.toBe('');
  expect((await cli('trust', 'accept', identity)).stdout).toBe(`${identity} is accepted there\n`);
  expect((await cli('set', 'other', 'v')).code).toBe(0);
  lie.stop();
});

test.for([
  [['trust', 'import'], 'trust import takes FILE'],
  [['trust', 'pin'], 'trust pin takes TX:ALH'],
  [['trust', 'pin', '5'], '--pin is TX:ALH'],
  [['trust', 'accept'], 'trust accept takes IDENTITY'],
  [['trust', 'forget'], 'trust forget takes --reason'],
  [['trust'], 'trust needs one more word: show, accept, forget, pin, import'],
] as const)('%j is a wrong command line', async ([args, words]) => {
  await expect(call(args, {})).rejects.toThrow(words);
});

describe('where the default store lies', () => {
  const [TMPFS, OVERLAY, EXT4] = [0x01021994, 0x794c7630, 0xef53];
  const missing = Object.assign(new Error('none'), { code: 'ENOENT' });

  test.runIf(process.platform === 'linux')(
    'is known by the file system of the folder that is there',
    async () => {
      const asked: string[] = [];
      const of = (type: number) => (folder: string) => {
        asked.push(folder);
        return folder === '/data' ? Promise.resolve(type) : Promise.reject(missing);
      };
      expect(await whyNotLasting('/data/a/b/roots.db', of(TMPFS))).toContain('tmpfs');
      expect(asked).toEqual(['/data/a/b', '/data/a', '/data']);
      expect(await whyNotLasting('/data/roots.db', of(OVERLAY))).toContain('overlay');
      expect(await whyNotLasting('/data/roots.db', of(EXT4))).toBeUndefined();
      expect(await whyNotLasting('/data/roots.db', () => Promise.reject(new Error('no')))).toBeUndefined();
      expect(await whyNotLasting('/dev/shm/none/roots.db')).toContain('tmpfs');
    },
  );

  test.runIf(process.platform === 'linux')(
    'is said when the store is made, unless somebody has said where it is to be',
    async () => {
      const folder = await temporaryFolder();
      const path = join(folder, 'roots.db');
      const said = async (env: Record<string, string>) => {
        let text = '';
        const stream = new Writable({
          write(chunk: Buffer, _encoding, done) {
            text += chunk.toString();
            done();
          },
        });
        const err = new Output(stream);
        await warnOfPlace(path, { err, env }, () => Promise.resolve(OVERLAY));
        return text;
      };
      expect(await said({})).toMatch(/^immu-ts: the root store .* overlay file system/);
      expect(await said({ IMMU_TS_STORE: path })).toBe('');
      await writeFile(path, '');
      expect(await said({})).toBe('');
    },
  );

  test.runIf(process.platform === 'linux')('is told by status() and the logger of a client', async () => {
    const ledger = await EmbeddedLedger.start();
    onTestFinished(() => ledger.close());
    const before = { ...process.env };
    delete process.env['IMMU_TS_STORE'];
    process.env['XDG_DATA_HOME'] = `/dev/shm/immu-ts-test-${process.pid}`;
    onTestFinished(async () => {
      process.env = before;
      const { rm } = await import('node:fs/promises');
      await rm(`/dev/shm/immu-ts-test-${process.pid}`, { recursive: true, force: true });
    });
    const warned: string[] = [];
    const none = () => undefined;
    await using client = new ImmuClient({
      ...{ address: ledger.address, credentials: USER },
      logger: { debug: none, info: none, warn: (_, line) => warned.push(line), error: none },
    });
    await client.verifiedSet('k', 'v');
    expect(client.status().now).toMatchObject({ ready: true, warnings: [expect.stringContaining('tmpfs')] });
    expect(warned).toEqual([expect.stringContaining('tmpfs')]);
  });
});
