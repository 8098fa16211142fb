// The audit page over plain HTTP: who gets in, what is shown, and that nothing in the log can be more than text.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { auditedStore, entry, rowsIn, storeOf } from './audited.js';
import { call } from './call.js';
import { serve, serveDamaged } from './page-support.js';
import { start } from './run.js';
import { witnessedEntries } from './witnessed.js';
import { openSqlite } from '#dist/sqlite/open.js';

const TOKEN = 'a-token-of-some-length';
const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>'&\u202e\u0000`;

describe('who gets in', () => {
  test('without a token: under the names and addresses of this machine alone', async () => {
    const { path } = await storeOf([entry({})]);
    const { ask, url } = await serve(path, { names: ['audit.example'] });
    const { host, port } = new URL(url);
    for (const name of [
      host,
      `localhost:${port}`,
      'LOCALHOST',
      `[::1]:${port}`,
      '10.1.2.3',
      'Audit.Example:80',
    ]) {
      expect([name, (await ask('/', { headers: { Host: name } })).status]).toEqual([name, 200]);
    }
    for (const name of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      'audit.example.evil',
      '127.0.0.1.evil.example',
      '127.0.0.1:1:2',
      'a@127.0.0.1',
      '[evil]:80',
    ]) {
      const answer = await ask('/', { headers: { Host: name } });
      expect(answer.text).not.toContain('Audit log');
      expect([400, 421]).toContain(answer.status);
    }
  });

  test('with a token: every address but the stylesheet demands it', async () => {
    const { path } = await auditedStore();
    const { ask } = await serve(path, { token: TOKEN });
    const paths = [
      '/',
      '/row/1',
      '/row/1/evidence.json',
      '/export.csv',
      '/events',
      '/verify',
      '/metrics',
      '/script.js',
      '/gone',
    ];
    for (const wanted of paths) {
      for (const headers of [
        {},
        { Authorization: `Bearer ${TOKEN}x` },
        { Cookie: 'immu-ts-audit-1=x' },
        { Authorization: `Basic ${TOKEN}` },
      ]) {
        const { status, text } = await ask(wanted, { headers });
        expect([wanted, status]).toEqual([wanted, 401]);
        expect(text).not.toContain('defaultdb');
        expect(text).not.toContain(path);
      }
    }
    expect((await ask('/', { headers: { Authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    expect(
      (await ask('/', { headers: { Authorization: `Bearer ${TOKEN}`, Host: 'evil.example' } })).status,
    ).toBe(421);
  });

  test('the printed address, or the form, puts the token into a cookie and takes it out of the address', async () => {
    const { path } = await storeOf([entry({})]);
    const { ask, url } = await serve(path, { token: TOKEN });
    const body = `token=${TOKEN}`;
    for (const answer of [await ask(`/?token=${TOKEN}`), await ask('/login', { method: 'POST', body })]) {
      expect(answer).toMatchObject({ status: 303, headers: { location: '/' } });
      const [cookie = ''] = answer.headers['set-cookie'] ?? [];
      expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
      expect(cookie).toContain(`immu-ts-audit-${new URL(url).port}=`);
      const [pair = ''] = cookie.split(';');
      expect((await ask('/', { headers: { Cookie: `other=1; ${pair}` } })).status).toBe(200);
    }
    for (const wrong of [
      await ask('/?token=no'),
      await ask('/?token='),
      await ask('/login', { method: 'POST' }),
    ]) {
      expect(wrong.status).toBe(401);
      expect(wrong.headers['set-cookie']).toBeUndefined();
    }
    expect((await ask('/login', { method: 'POST', body: 'x'.repeat(9000) })).status).toBe(413);
  });

  test('it can only be read, and says what a browser may do with it', async () => {
    const { path } = await storeOf([entry({})]);
    const { ask } = await serve(path);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect((await ask('/', { method })).status).toBe(405);
    }
    expect(await ask('/', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    for (const wanted of ['/', '/style.css', '/export.json', '/gone', '/row/77', '/?from=soon']) {
      const { headers } = await ask(wanted);
      const policy = headers['content-security-policy'] as string;
      expect(policy).toMatch(/^default-src 'none'; /);
      expect(policy).not.toMatch(/unsafe|http|\*/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});

test('whatever is in the log is text', async () => {
  const words = {
    operation: HOSTILE,
    detail: HOSTILE,
    clientId: HOSTILE,
    database: HOSTILE,
    server: HOSTILE,
  };
  const evidence = { check: HOSTILE, expected: HOSTILE, computed: HOSTILE, job: new Uint8Array(3) };
  const { path } = await storeOf([entry(words), entry({ ...words, outcome: 'failure', evidence })]);
  const { ask } = await serve(path);
  const query = `?database=${encodeURIComponent(HOSTILE)}`;
  for (const wanted of [
    '/',
    '/row/1',
    '/row/2',
    `/${query}`,
    `/${query}&from=${encodeURIComponent(HOSTILE)}`,
  ]) {
    const { text } = await ask(wanted);
    expect(text).toContain('&lt;script&gt;');
    expect(text).not.toMatch(/<script>|<img|\u202e|\u0000/);
    // Every attribute of ours ends where it was meant to.
    expect(text.match(/onerror=/g)?.length ?? 0).toBe(text.match(/&lt;img src=x onerror=/g)?.length ?? 0);
  }
  const live = await ask('/export.json');
  expect((JSON.parse(live.text) as { detail: string }[]).map(({ detail }) => detail)).toEqual([
    HOSTILE,
    HOSTILE,
  ]);
});

describe('what is shown', () => {
  test('pages lead back and forth over all rows, each once', async () => {
    const { path } = await storeOf(Array.from({ length: 120 }, (_, i) => entry({ tx: BigInt(i) })));
    const { ask } = await serve(path);
    const seqs = (text: string) =>
      [...text.matchAll(/<tr class="\w+" role="row">\s*<td [^>]*><a href="\/row\/(\d+)"/g)].map(([, seq]) =>
        Number(seq),
      );
    const to = (text: string, rel: string) =>
      new RegExp(`rel="${rel}"[^>]*href="([^"]*)"`).exec(text)?.[1]?.replaceAll('&amp;', '&');
    const first = (await ask('/?database=defaultdb')).text;
    const second = (await ask(to(first, 'next')!)).text;
    const third = (await ask(to(second, 'next')!)).text;
    const all = [first, second, third].flatMap(seqs);
    expect(all).toEqual(Array.from({ length: 120 }, (_, i) => 120 - i));
    expect(to(first, 'prev')).toBeUndefined();
    expect(to(third, 'next')).toBeUndefined();
    expect(seqs((await ask(to(third, 'prev')!)).text)).toEqual(seqs(second));
    expect(seqs((await ask(to(second, 'prev')!)).text)).toEqual(seqs(first));
  });

  test('the form filters, keeps what was typed, and says what it does not understand', async () => {
    const { path } = await auditedStore();
    const { ask } = await serve(path);
    const { text } = await ask('/?outcome=problems&database=defaultdb&from=1h&operation=');
    expect(text.match(/<tr class="bad" role="row">/g)).toHaveLength(1);
    expect(text).not.toContain('<tr class="good" role="row">');
    expect(text).toContain('value="defaultdb"');
    expect(text).toMatch(/<option value="problems" selected/);
    expect(text).toMatch(/href="\/export\.csv\?database=defaultdb&amp;from=1h&amp;outcome=problems"/);
    const wrong = await ask('/?from=soon&database=mine');
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('from is a time such as');
    expect(wrong.text).toContain('value="mine"');
    for (const path of ['/?olderThan=x', '/?tx=a..b', '/export.csv?outcome=good', '/events?after=x']) {
      expect([path, (await ask(path)).status]).toEqual([path, 400]);
    }
  });

  test('a row: its fields, its neighbours and its evidence, run again', async () => {
    const { path } = await auditedStore();
    const rows = await rowsIn(path);
    const at = rows.findIndex(({ outcome }) => outcome === 'failure');
    const [before, row, after] = [rows[at - 1]!, rows[at]!, rows[at + 1]!];
    const { ask } = await serve(path);
    const { text } = await ask(`/row/${row.seq}`);
    for (const { hash } of [before, row, after]) expect(text).toContain(Buffer.from(hash).toString('hex'));
    expect(text.match(/its hash follows from the row before it/g)).toHaveLength(2);
    expect(text).toContain('reproduced: these bytes fail this check today as they did then');
    expect(text).toContain(row.evidence!.check);
    expect(text).toContain('key &quot;k3&quot;');
    const file = await ask(`/row/${row.seq}/evidence.json`);
    expect(file.headers['content-disposition']).toBe(`attachment; filename="evidence-${row.seq}.json"`);
    const { folder } = await storeOf([]);
    await writeFile(join(folder, 'evidence.json'), file.text);
    const tie = ['--row-hash', Buffer.from(row.hash).toString('hex')];
    expect((await call(['evidence', 'verify', join(folder, 'evidence.json'), ...tie])).code).toBe(0);
    for (const gone of [
      '/row/999',
      `/row/${before.seq}/evidence.json`,
      '/row/x',
      '/row/99999999999999999999',
    ]) {
      expect([gone, (await ask(gone)).status]).toEqual([gone, 404]);
    }
    expect((await ask('/row/9999999999999999999')).status).toBe(400);
  });

  test('the chain is verified on demand', async () => {
    const { path } = await auditedStore();
    const { ask } = await serve(path);
    expect((await ask('/verify')).text).toContain('The chain is intact');
  });

  test('a timeline with failures in their own colour, and the same as a table', async () => {
    const { path } = await auditedStore();
    const { ask } = await serve(path);
    const { text } = await ask('/');
    expect(text).toMatch(/<rect\s+class="failures"/);
    expect(text).toMatch(/<rect\s+class="roots"/);
    expect(text).toContain('As a table');
  });

  test('the form offers every database and server of the log, not only those of its newest rows', async () => {
    const old = entry({ server: 'server-0', database: 'seldom' });
    const { path } = await storeOf([old, ...Array.from({ length: 600 }, () => entry({}))]);
    const { ask } = await serve(path);
    const { text } = await ask('/');
    expect(text).toMatch(
      /<datalist id="databases">\s*<option value="defaultdb">.*\s*<option value="seldom">/,
    );
    expect(text).toMatch(/<datalist id="servers">\s*<option value="server-0">.*\s*<option value="server-1">/);
  });

  test('witnesses, what each has cosigned last, and the age of the newest witnessed head', async () => {
    const now = Date.now();
    const { path } = await storeOf([
      ...witnessedEntries('log.example', {
        size: 7n,
        witnesses: ['a.example', 'b.example'],
        at: now - 7_300_000,
      }),
      ...witnessedEntries('log.example', { size: 40n, witnesses: ['a.example'], at: now - 185_000 }),
      ...witnessedEntries('other.example', {
        size: 3n,
        witnesses: ['<script>'],
        at: now + 90_000,
        database: 'other',
      }),
      entry({ operation: 'publishHead', detail: 'no note', database: 'third' }),
    ]);
    const { ask, store } = await serve(path);
    await store.advance(null, entry({ outcome: 'first-use', tx: 50n }));
    const shown = async (to: string) =>
      (await ask(to)).text.replace(/<(?!script>)[^>]*>/g, ' ').replace(/\s+/g, ' ');
    const all = await shown('/');
    expect(all).toContain(
      '40 transactions of log.example (defaultdb), witnessed 3 min ago, and 10 trusted since',
    );
    expect(all).toMatch(
      /a\.example log\.example 40 \d{4}-\S+ \S+ 2 b\.example log\.example 7 \(older\) \d{4}-\S+ \S+ 1 /,
    );
    expect(all).toContain('3 transactions of other.example (other), witnessed 0 s ago, and 1 trusted since');
    expect(all).toContain('&lt;script&gt; other.example 3');
    // In the table of rows it is words, on its own page the note.
    expect(all).toContain('tree of 7 transactions of log.example, cosigned by a.example, b.example');
    expect(all).toContain('no note');
    expect((await ask('/row/2')).text).toMatch(/class="detail plain">\s*log\.example<br \/>40<br \/>/);
    const one = await shown('/?database=other');
    expect(one).not.toContain('log.example');
    expect(one).toContain('3 transactions of other.example');
    expect(await shown('/?database=third')).not.toContain('Witnessed heads');
  });

  test('a damaged store that is only looked at says so on every page', async () => {
    const { path } = await auditedStore();
    const db = openSqlite(path);
    db.exec('UPDATE audit SET calls = 77 WHERE seq = 4');
    db.close();
    const { ask } = await serveDamaged(path);
    for (const at of ['/', '/row/4', '/verify']) {
      const { status, text } = await ask(at);
      expect([at, status]).toEqual([at, 200]);
      expect(text).toContain('This store is damaged');
      expect(text).toContain('row 4: the row was changed');
    }
    const whole = await serve((await auditedStore()).path);
    expect((await whole.ask('/')).text).not.toContain('This store is damaged');
  });

  test('an empty log', async () => {
    const { path } = await storeOf([]);
    const { ask } = await serve(path);
    const { status, text } = await ask('/');
    expect(status).toBe(200);
    expect(text).toContain('No row matches.');
  });
});

describe('exports', () => {
  test.for([
    ['csv', 'text/csv'],
    ['ndjson', 'application/x-ndjson'],
    ['json', 'application/json'],
  ] as const)('%s: what the command writes', async ([format, type]) => {
    const { path } = await auditedStore();
    const { ask } = await serve(path);
    const { headers, text } = await ask(`/export.${format}?outcome=root`);
    expect(headers['content-type']).toContain(type);
    expect(headers['content-disposition']).toBe(`attachment; filename="audit.${format}"`);
    const args = ['audit', 'export', '--store', path, '--outcome', 'root', '--format', format];
    expect(text).toBe((await call(args)).stdout);
  });
});

describe('the live tail', () => {
  test('sends what is logged from then on, and only what is asked for', async () => {
    const { path } = await storeOf([entry({}), entry({ operation: 'old' })]);
    const { stream, store } = await serve(path);
    const events = await stream('/events?after=2&operation=verifiedGet');
    expect(events.headers['content-type']).toContain('text/event-stream');
    await store.record(entry({ operation: 'other', tx: 3n }));
    await store.record(entry({ tx: 4n, detail: '<b>\n' }));
    let text = '';
    while (!/id: .*\n[^]*\n\n/.test(text)) text += String((await once(events, 'data'))[0]);
    expect(text).toMatch(/id: 4\nevent: row\ndata: <tr class="plain" role="row">/);
    expect(text).toContain('&lt;b&gt;\\u{a}');
    expect(text).not.toContain('id: 3');
  });

  test('goes on behind the last row that a browser has seen', async () => {
    const { path } = await storeOf([entry({ tx: 1n }), entry({ tx: 2n }), entry({ tx: 3n })]);
    const { stream } = await serve(path);
    const events = await stream('/events?after=0', { 'Last-Event-ID': '2' });
    let text = '';
    while (!text.includes('id: ')) text += String((await once(events, 'data'))[0]);
    expect(text).toContain('id: 3\n');
    expect(text).not.toMatch(/id: [12]\n/);
  });

  test('is there for a bounded number of browsers', async () => {
    const { path } = await storeOf([]);
    const { stream, ask } = await serve(path);
    await Promise.all(Array.from({ length: 32 }, () => stream('/events')));
    expect((await ask('/events')).status).toBe(503);
  });
});

describe('immu-ts audit serve', () => {
  test('prints where it is, serves, and ends with Ctrl-C', async () => {
    const { folder, path } = await auditedStore();
    const { child, outcome } = await start(['audit', 'serve', '--store', path, '--port', '0'], {
      cwd: folder,
    });
    let printed = '';
    while (!/http:\S+\n/.test(printed)) printed += String((await once(child.stdout, 'data'))[0]);
    const [url = ''] = /http:\S+/.exec(printed) ?? [];
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await (await fetch(url)).text()).toContain('Audit log');
    child.kill('SIGINT');
    expect(await outcome).toMatchObject({ code: 130, stderr: '' });
  });

  test('on another address it makes up a token', async () => {
    const { folder, path } = await storeOf([]);
    const args = ['audit', 'serve', '--store', path, '--port', '0', '--host', '0.0.0.0'];
    const { child, outcome } = await start(args, { cwd: folder });
    let printed = '';
    while (!/token=\S+\n/.test(printed)) printed += String((await once(child.stdout, 'data'))[0]);
    const [, port, token] = /0\.0\.0\.0:(\d+)\/\?token=(\S{32})\n/.exec(printed) ?? [];
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401);
    const headers = { Authorization: `Bearer ${token}` };
    expect((await fetch(`http://127.0.0.1:${port}/`, { headers })).status).toBe(200);
    child.kill('SIGTERM');
    expect((await outcome).code).toBe(143);
  });

  test('a store that is not there is not made', async () => {
    const { folder } = await storeOf([]);
    await expect(call(['audit', 'serve', '--store', join(folder, 'gone.db')])).rejects.toMatchObject({
      code: 'STORE_MISSING',
    });
  });
});
