// `immu-ts report`: what it looks at, what it says where it could not look, and that nothing in it can be changed.
import { generateKeyPairSync, createPublicKey, verify } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { openSqlite } from '#dist/sqlite/open.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { auditedStore, entry } from './audited.js';
import { call } from './call.js';
import { temporaryFolder } from './run.js';

interface Section {
  readonly name: string;
  readonly verdict: string;
  readonly summary: string;
  readonly counts: Record<string, unknown>;
  readonly findings: { text: string; check?: string; seq?: string }[];
  readonly commands: string[];
}

async function keys(folder: string, name = 'key') {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = join(folder, `${name}.pem`);
  const pub = join(folder, `${name}.pub.pem`);
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(pub, publicKey.export({ type: 'spki', format: 'pem' }));
  return { key, pub };
}

async function reported(store: string, more: string[] = ['--offline']) {
  const folder = await temporaryFolder();
  const pair = await keys(folder);
  const [page, json] = [join(folder, 'report.html'), join(folder, 'report.json')];
  const args = ['report', '--store', store, '--key', pair.key, '--out', page, '--json', json, ...more];
  const called = await call(args);
  const report = JSON.parse(await readFile(json, 'utf8')) as {
    verdict: string;
    sections: Section[];
    checkpoint: Record<string, unknown> | null;
  };
  const section = (name: string) => report.sections.find((each) => each.name === name)!;
  return { ...called, ...pair, folder, page, json, report, section };
}

/** A store whose log has nothing against anybody. */
async function quietStore(): Promise<string> {
  const path = join(await temporaryFolder(), 'roots.db');
  await using store = await SqliteRootStore.open(path);
  await store.advance(null, entry({ outcome: 'first-use' }));
  await store.record(entry({ calls: 7 }));
  return path;
}

describe('a report', () => {
  test('says of each part what came of it, and how to look again', async () => {
    const { path } = await auditedStore();
    const { code, stdout, report, section } = await reported(path);
    expect(code).toBe(3);
    expect(report.verdict).toBe('refuted');
    expect(stdout.trim().split('\n').at(-1)).toBe('REFUTED');
    expect(section('log')).toMatchObject({ verdict: 'holds' });
    expect(section('log').commands).toEqual([`immu-ts audit verify --store ${path}`]);
    expect(section('evidence')).toMatchObject({ verdict: 'refuted', counts: { rows: 1, reproduced: 1 } });
    expect(section('evidence').findings[0]?.text).toContain('reproduced: these bytes fail this check today');
    expect(section('databases').counts).toMatchObject({ databases: 1, failures: 1 });
    expect(section('checkpoint')).toMatchObject({ verdict: 'told' });
    expect(report.checkpoint).toMatchObject({ format: 'immu-ts/checkpoint' });
    for (const { commands } of report.sections) expect(commands.length).toBeGreaterThan(0);
  });

  test('that could not look somewhere says so, and is never taken for well', async () => {
    const path = await quietStore();
    const { code, report, section } = await reported(path);
    expect(code).toBe(1);
    expect(report.verdict).toBe('could-not-look');
    for (const name of ['prove', 'database'])
      expect(section(name)).toMatchObject({
        verdict: 'could-not-look',
        summary: 'could not look: no server was to be asked (--offline)',
      });
    expect(section('evidence').verdict).toBe('holds');
    // Nobody answers there.
    const alone = await reported(path, ['--address', '127.0.0.1:9']);
    expect([alone.code, alone.section('prove').verdict]).toEqual([1, 'could-not-look']);
    expect(alone.section('database').summary).toMatch(/^could not look: /);
  });

  test('of a log that was changed is refuted', async () => {
    const path = await quietStore();
    const database = openSqlite(path);
    database.exec('UPDATE audit SET calls = 8 WHERE seq = 1');
    database.close();
    const { code, section } = await reported(path);
    expect([code, section('log').verdict]).toEqual([3, 'refuted']);
  });

  test('has gaps, of the time that was asked for', async () => {
    const path = await quietStore();
    {
      await using store = await SqliteRootStore.open(path);
      await store.forget(entry({ outcome: 'forget', operation: 'forgetTrust', verifiedAt: Date.now() }));
    }
    const { code, section, report } = await reported(path);
    expect(section('gaps')).toMatchObject({ verdict: 'found', counts: { forgotten: 1 } });
    expect([code, report.verdict]).toEqual([1, 'could-not-look']);
    const before = await reported(path, ['--offline', '--to', '2026-02-01']);
    expect(before.section('gaps').verdict).toBe('holds');
  });

  test('looks at no more refusals than it is told to, and says so', async () => {
    const { path } = await auditedStore();
    {
      await using store = await SqliteRootStore.open(path, { create: 'never' });
      await store.record(entry({ outcome: 'failure', detail: 'another' }));
    }
    const { section } = await reported(path, ['--offline', '--refusals', '1']);
    expect(section('evidence').summary).toContain('could not look behind the newest 1 of them');
    const none = await reported(path, ['--offline', '--refusals', '0']);
    expect([none.code, none.section('evidence').verdict]).not.toEqual([0, 'holds']);
  });

  test('holds the log against an earlier checkpoint', async () => {
    const path = await quietStore();
    const earlier = await reported(path);
    const checkpoint = join(earlier.folder, 'checkpoint.json');
    await writeFile(checkpoint, JSON.stringify(earlier.report.checkpoint));
    const given = ['--offline', '--checkpoint', checkpoint, '--checkpoint-key', earlier.pub];
    expect((await reported(path, given)).section('checkpoint').verdict).toBe('holds');
    const other = await reported(path, ['--offline', '--checkpoint', checkpoint]);
    expect([other.code, other.section('checkpoint').verdict]).toEqual([3, 'refuted']);
  });

  test.each([
    [['--out', 'x.html'], /a report is signed/],
    [['--key', 'KEY'], /where to\?/],
    [['--key', 'KEY.pub', '--out', 'x.html'], /no private key/],
    [['--key', 'EC', '--out', 'x.html'], /no Ed25519 key/],
    [['--key', 'KEY', '--out', 'x.html', '--refusals', 'many'], /whole number/],
    [['--key', 'KEY', '--out', 'x.html', '--from', 'soon'], /from/],
  ])('is not begun for %j', async (args, words) => {
    const folder = await temporaryFolder();
    const { key, pub } = await keys(folder);
    const ec = join(folder, 'ec.pem');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(ec, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const names: Record<string, string> = {
      KEY: key,
      'KEY.pub': pub,
      EC: ec,
      'x.html': join(folder, 'x.html'),
    };
    const store = ['--store', await quietStore(), '--offline'];
    await expect(call(['report', ...args.map((arg) => names[arg] ?? arg), ...store])).rejects.toThrow(words);
  });
});

describe('its signatures', () => {
  test('hold, offline, of the page and of the JSON, and for other tools', async () => {
    const { path } = await auditedStore();
    const { page, json, pub } = await reported(path);
    for (const file of [page, json]) {
      const { code, stdout } = await call(['report', 'verify', file, '--key', pub]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^signed by this key, SHA-256 [0-9a-f]{64}\n/);
      expect(stdout).toMatch(/the report says: REFUTED\n$/);
      // Who signed it nobody has said.
      expect((await call(['report', 'verify', file])).code).toBe(1);
    }
    const { signature } = JSON.parse(await readFile(`${json}.sig`, 'utf8')) as { signature: string };
    const key = createPublicKey(await readFile(pub, 'utf8'));
    expect(verify(null, await readFile(json), key, Buffer.from(signature, 'base64'))).toBe(true);
  });

  test('hold under no other key', async () => {
    const { folder, page, json } = await reported(await quietStore());
    const { pub } = await keys(folder, 'other');
    for (const file of [page, json]) {
      const { code, stdout } = await call(['report', 'verify', file, '--key', pub]);
      expect([code, stdout]).toEqual([3, 'REFUSED: the report is not what this key signed\n']);
    }
  });

  test('hold of nothing that was changed: what is shown, what is said, the signatures themselves', async () => {
    const { folder, page, json, pub } = await reported(await quietStore());
    const text = await readFile(page, 'utf8');
    const changed = join(folder, 'changed.html');
    const at = (words: string) => text.indexOf(words);
    const places = [at('could not look'), at('"verdict"') + 14, at('<style>') + 20, text.length - 20];
    for (const place of [
      ...places,
      ...Array.from({ length: 40 }, (_, i) => Math.floor((i * text.length) / 40)),
    ]) {
      const byte = text[place] === 'x' ? 'y' : 'x';
      await writeFile(changed, text.slice(0, place) + byte + text.slice(place + 1));
      // A page that is none any more is no report at all.
      const code = await call(['report', 'verify', changed, '--key', pub]).then(
        (called) => called.code,
        () => 1,
      );
      expect([place, code === 0]).toEqual([place, false]);
    }
    await writeFile(changed, text.replace('</main>', '<p>all is well</p></main>'));
    expect((await call(['report', 'verify', changed, '--key', pub])).stdout).toContain(
      'the page is not what this key signed',
    );
    await writeFile(json, (await readFile(json, 'utf8')).replace('could-not-look', 'holds'));
    expect((await call(['report', 'verify', json, '--key', pub])).code).toBe(3);
  });

  test('words in the log are text on the page', async () => {
    const path = await quietStore();
    const hostile = `</script><script id="report">alert(1)</script><script type="application/json" id="report">`;
    {
      await using store = await SqliteRootStore.open(path);
      await store.record(entry({ outcome: 'failure', detail: hostile, operation: hostile }));
    }
    const { page, pub } = await reported(path);
    const text = await readFile(page, 'utf8');
    expect(text.match(/<script/g)).toHaveLength(2);
    expect((await call(['report', 'verify', page, '--key', pub])).code).toBe(0);
  });
});

describeServer('a report of a server', () => {
  test('that stands by everything holds; of a database that is another server’s it could not look', async () => {
    const address = sharedImmudb();
    const path = join(await temporaryFolder(), 'roots.db');
    const credentials = { user: 'immudb', password: 'immudb', database: await freshDatabase() };
    {
      await using store = await SqliteRootStore.open(path);
      await using client = new ImmuClient({ address, store, credentials });
      await client.verifiedSet('report', 'me');
    }
    const holds = await reported(path, ['--address', address, '--values']);
    expect(holds.report.sections.filter(({ verdict }) => !['holds', 'told'].includes(verdict))).toEqual([]);
    expect([holds.code, holds.report.verdict]).toEqual([0, 'holds']);
    expect(holds.section('prove').summary).toMatch(
      /^\d+ of \d+ logged roots proven, against tx \d+ of server /,
    );
    expect(Number(holds.section('database').counts['values'])).toBeGreaterThan(0);
    {
      await using store = await SqliteRootStore.open(path);
      await store.advance(null, entry({ outcome: 'first-use', server: 'another', database: 'elsewhere' }));
    }
    const other = await reported(path, ['--address', address]);
    expect([other.code, other.report.verdict]).not.toEqual([0, 'holds']);
    const elsewhere = other.report.sections.filter(({ commands }) => commands[0]?.includes('elsewhere'));
    expect(elsewhere.map(({ verdict }) => verdict)).not.toContain('holds');
  });
});
