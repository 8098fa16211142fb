// `immu-ts head`: publishing and verifying heads, against a ledger and witnesses of the tests.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { TestWitness, logKey } from '../witness/witness-server.js';
import { rowsIn } from './audited.js';
import { call } from './call.js';
import { temporaryFolder } from './run.js';

const ORIGIN = 'immu-ts.example/cli';
const log = logKey(ORIGIN);
let folder: string;
let at: string[];
let publishing: string[];
let witnesses: TestWitness[];

beforeEach(async () => {
  folder = await temporaryFolder();
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  witnesses = [await TestWitness.start('a.example', log), await TestWitness.start('b.example', log)];
  const lines = witnesses.map(({ witness: { url, key } }) => `  ${url}\t${key}`);
  await writeFile(join(folder, 'witnesses'), `# two of them\n\n${lines.join('\n')}\n`);
  await writeFile(join(folder, 'origin.pem'), log.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await using client = new ImmuClient({
    address: ledger.address,
    store: await SqliteRootStore.open(join(folder, 'writer.db')),
    credentials: { user: 'immudb', password: 'immudb' },
  });
  for (let i = 0; i < 9; i++) await client.verifiedSet('key', `value ${i}`);
  at = ['--store', join(folder, 'roots.db'), '--address', ledger.address];
  publishing = ['--origin', ORIGIN, '--origin-key', join(folder, 'origin.pem')];
});

const file = (name: string) => join(folder, name);
const publish = (...more: string[]) =>
  call(['head', 'publish', ...at, ...publishing, '--witnesses', file('witnesses'), ...more]);
const verify = (...more: string[]) =>
  call(['head', 'verify', file('note'), '--log', log.vkey, '--witnesses', file('witnesses'), ...more]);

test('a head is published, kept, and verified offline and online', async () => {
  expect((await call(['head', 'publish', ...publishing, '--show-key'])).stdout).toBe(`${log.vkey}\n`);
  const { code, stdout, stderr } = await publish('--out', file('note'));
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toBe(
    `a.example: cosigned at 2023-11-14T22:13:20.000Z\nb.example: cosigned at 2023-11-14T22:13:20.000Z\ncosigned: 8 transactions of ${ORIGIN}\n`,
  );
  const note = await readFile(file('note'), 'utf8');
  expect((await rowsIn(file('roots.db'))).map(({ detail }) => detail)).toContain(note);
  const offline = await verify();
  expect(offline.code).toBe(0);
  expect(offline.stdout).toMatch(
    /^immu-ts\.example\/cli: 8 transactions, root [0-9a-f]{64}\ncosigned by a\.example at 2023-.*\ncosigned by b/,
  );
  const online = await verify('--online', ...at);
  const told = JSON.parse((await verify('--online', ...at, '--json')).stdout) as object;
  expect(told).toMatchObject({ holds: true, origin: ORIGIN, size: '8', provenUnder: { tx: '9' } });
  expect(told).toMatchObject({ cosigned: [{ name: 'a.example' }, { name: 'b.example' }] });
  const again = JSON.parse((await publish('--json')).stdout) as object;
  expect(again).toMatchObject({ cosigned: true, origin: ORIGIN, note: expect.any(String) as string });
  expect(online.stdout).toContain('the server shows this history: proven under tx 9\n');
  await writeFile(file('note'), note.replace('\n8\n', '\n7\n'));
  expect(await verify()).toMatchObject({ code: 3, stdout: expect.stringMatching(/^NOT a head/) as string });
});

test('too few cosign: exit code 1 and no note; enough by the quorum', async () => {
  witnesses[1]!.conduct = () => ({ status: 503, body: '\u001b[31mnot now' });
  const short = await publish();
  expect([short.code, short.stdout]).toEqual([1, '']);
  expect(short.stderr).toContain(
    'b.example: refused (other): it did not cosign (HTTP 503: \\u{1b}[31mnot now)',
  );
  expect(short.stderr).toContain(`NOT cosigned by enough witnesses: 8 transactions of ${ORIGIN}`);
  const enough = await publish('--quorum', '1');
  expect(enough.code).toBe(0);
  await writeFile(file('note'), enough.stdout);
  expect((await verify()).code).toBe(3);
  expect((await verify('--quorum', '1')).code).toBe(0);
});

test('another history: exit code 3, a fork in the log, and its row can be looked at', async () => {
  await publish('--out', file('note'));
  // One of them has been told of another history meanwhile.
  const [forked] = witnesses;
  forked!.seen.set(ORIGIN, { size: 8n, root: Buffer.alloc(32, 1) });
  const all = await publish();
  expect([all.code, all.stdout]).toEqual([3, '']);
  expect(all.stderr).toMatch(/^a\.example: refused \(fork\): it has seen another tree|does not extend/m);
  const one = await publish('--quorum', '1');
  expect(one.code).toBe(3);
  expect(one.stdout).toMatch(/^immu-ts\.example\/cli\n8\n/);
  const rows = (await rowsIn(file('roots.db'))).filter(({ outcome }) => outcome === 'fork');
  expect(rows[0]).toMatchObject({ operation: 'publishHead' });
  expect(rows[0]!.detail).toMatch(/^witness a\.example says: /);
  const shown = await call(['audit', 'show', String(rows[0]!.seq), '--store', file('roots.db')]);
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('witness a.example says')]);
  const list = await call(['audit', 'list', '--store', file('roots.db'), '--operation', 'publishHead']);
  expect(list.stdout).toContain(`tree of 8 transactions of ${ORIGIN}, cosigned by a.example, b.example`);
  forked!.seen.set(ORIGIN, { size: 80n, root: Buffer.alloc(32, 1) });
  const behind = await publish();
  expect([behind.code, behind.stderr]).toEqual([3, expect.stringContaining('a.example: refused (withheld)')]);
});

test('what is missing or wrong is said', async () => {
  await expect(call(['head', 'publish', ...at])).rejects.toThrow(/takes --origin and --origin-key/);
  await expect(call(['head', 'publish', ...at, ...publishing])).rejects.toThrow(/takes --witnesses/);
  await expect(call(['head', 'verify', ...at])).rejects.toThrow(/takes NOTE/);
  await writeFile(file('witnesses'), 'http://a.example/\n');
  await expect(publish()).rejects.toThrow(/witnesses:1 is not "URL KEY"/);
  await writeFile(file('witnesses'), 'http://a.example/ key\n');
  await expect(publish()).rejects.toThrow(/witnesses is no such key/);
});
