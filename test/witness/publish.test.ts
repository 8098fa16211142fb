// publishHead and verifyHead with witnesses of this suite, on the server.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { PublishedHead, PublishHeadOptions, QuorumError, VerificationError } from '#dist/index.js';
import { verifyCheckpointNote } from '#dist/audit.js';
import { Proxy } from '../adversary/proxy.js';
import { describeServer, sharedImmudb } from '../support/real.js';
import { USER, openClient, openWire, rejection, rowsOf } from '../trust/support.js';
import { TestWitness, cosign, line, logKey, logLine, witnessKey } from './witness-server.js';

const ORIGIN = 'immu-ts.example/db';

/** Values that no other database has: the same ones in the same second would be the same history. */
async function writeUpTo(client: ImmuClient, tx: bigint): Promise<void> {
  for (let at = 0n; at < tx;) at = (await client.verifiedSet('key', randomUUID())).tx;
}

async function setUp(witnesses = 1, options: ConstructorParameters<typeof ImmuClient>[0] & object = {}) {
  const log = logKey(ORIGIN);
  const servers = await Promise.all(
    Array.from({ length: witnesses }, (_, i) => TestWitness.start(`w${i}.example`, log)),
  );
  const opened = await openClient(options);
  const publish = (more: Partial<PublishHeadOptions> = {}) =>
    opened.client.publishHead({
      origin: ORIGIN,
      key: log.privateKey,
      witnesses: servers.map(({ witness }) => witness),
      ...more,
    });
  return { ...opened, log, servers, witness: servers[0]!, publish };
}

async function refusedQuorum(promise: Promise<unknown>): Promise<PublishedHead> {
  const error = await rejection(promise);
  expect(error.code).toBe('QUORUM_NOT_REACHED');
  return (error as unknown as QuorumError).published;
}

const committed = (root: Uint8Array) => Buffer.from(root).toString('hex');

describeServer('publishHead', () => {
  test('every size up to 18 is cosigned, one after another: around powers of two, and of equal size', async () => {
    const { client, database, witness, publish, log } = await setUp();
    const wire = await openWire(database);
    await writeUpTo(client, 2n);
    for (let size = 1n; size <= 18n; size++) {
      const { note, size: published, root, head, witnesses } = await publish();
      expect([published, head.tx]).toEqual([size, size + 1n]);
      expect(witnesses).toEqual([
        { url: witness.url, name: 'w0.example', status: 'cosigned', time: witness.time },
      ]);
      const { tx } = await wire.call('VerifiableTxById', { tx: String(size + 1n), proveSinceTx: '1' });
      expect(committed(root)).toBe(committed(tx.header.blRoot));
      expect(witness.seen.get(ORIGIN)).toEqual({ size, root: Buffer.from(root) });
      const verdict = verifyCheckpointNote(note, { log: log.vkey, witnesses: [witness.key.vkey] });
      expect(verdict).toMatchObject({ ok: true, checkpoint: { origin: ORIGIN, size } });
      await client.verifiedSet('key', `after ${size}`);
    }
    // Nobody was asked twice.
    expect(witness.submitted.map(({ old }) => old)).toEqual(Array.from({ length: 18 }, (_, i) => BigInt(i)));
    const again = await publish();
    const once = await publish();
    expect([again.size, once.size]).toEqual([19n, 19n]);
    expect(witness.submitted.at(-1)).toMatchObject({ old: 19n, proof: [] });
  });

  test('from every size to every larger one, the tree is proven', async () => {
    const { client, publish, log } = await setUp();
    await writeUpTo(client, 18n);
    const notes: { size: bigint; root: Buffer }[] = [];
    // Roots of all sizes, from the database's own headers.
    const wire = await openWire(client.databaseName);
    for (let tx = 2n; tx <= 18n; tx++) {
      const { tx: shown } = await wire.call('VerifiableTxById', { tx: String(tx), proveSinceTx: '1' });
      notes.push({ size: tx - 1n, root: Buffer.from(shown.header.blRoot) });
    }
    for (const seen of notes) {
      const witness = await TestWitness.start(`from${seen.size}.example`, log);
      witness.seen.set(ORIGIN, seen);
      const { witnesses } = await publish({ witnesses: [witness.witness] });
      expect(witnesses[0]).toMatchObject({ status: 'cosigned' });
      // It was asked once from nothing, and once from what it named.
      expect(witness.submitted.map(({ old }) => old)).toEqual([0n, seen.size]);
    }
  });

  test('is in the audit log: the note under the head, and the size is known after a restart', async () => {
    const { client, store, witness, publish, database, log } = await setUp(2);
    await writeUpTo(client, 5n);
    const { note, head } = await publish();
    const [row, ...none] = await rowsOf(store, { operation: 'publishHead' });
    expect(none).toEqual([]);
    expect(row).toMatchObject({ outcome: 'calls', calls: 1, tx: head.tx, detail: note });
    expect(await store.audit.verify()).toMatchObject({ ok: true });
    await client.verifiedSet('key', 'more');
    await client.close();
    await using next = new ImmuClient({ address: sharedImmudb(), store, credentials: { ...USER, database } });
    witness.submitted.length = 0;
    const options = { origin: ORIGIN, key: log.privateKey, witnesses: [witness.witness] };
    await next.verifiedGet('key');
    const { size } = await next.publishHead({ ...options, newest: true });
    expect([size, witness.submitted.map(({ old }) => old)]).toEqual([5n, [4n]]);
  });

  test('one request of at most 1.5 KB, also for several witnesses', async () => {
    const proxy = await Proxy.start(sharedImmudb());
    const log = logKey(ORIGIN);
    const [a, b] = [await TestWitness.start('a.example', log), await TestWitness.start('b.example', log)];
    const { client } = await openClient({ address: proxy.address });
    const options = { origin: ORIGIN, key: log.privateKey, witnesses: [a.witness, b.witness] };
    await writeUpTo(client, 33n);
    await client.publishHead(options);
    for (let i = 0; i < 40; i++) await client.verifiedSet('key', `more ${i}`);
    const sent: { method: string; bytes: number }[] = [];
    proxy.intercept = async ({ method, request, forward }) => {
      const answer = await forward();
      sent.push({ method, bytes: request.length + answer.length });
      return answer;
    };
    const { size } = await client.publishHead(options);
    expect(size).toBe(72n);
    expect(sent.map(({ method }) => method)).toEqual(['VerifiableTxById']);
    expect(sent[0]!.bytes).toBeLessThanOrEqual(1536);
    await client.close();
    await proxy.close();
  });

  test('before the second transaction there is no tree', async () => {
    const { client, publish, witness } = await setUp();
    for (const code of [await rejection(publish())].map((error) => error.code))
      expect(code).toBe('PRECONDITION_FAILED');
    await client.verifiedSet('key', 'value');
    expect(await rejection(publish())).toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect(witness.submitted).toEqual([]);
  });

  test('newest: the head moves to what others wrote first', async () => {
    const { client, publish, database } = await setUp();
    await writeUpTo(client, 3n);
    await using other = new ImmuClient({
      address: sharedImmudb(),
      store: new MemoryRootStore(),
      credentials: { ...USER, database },
    });
    await writeUpTo(other, 9n);
    expect((await publish()).size).toBe(2n);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await publish({ newest: true })).size).toBe(8n);
  });

  test('two organisations take turns under one origin; their witnesses say where they are', async () => {
    const { client, publish, database, witness, log } = await setUp();
    await using other = new ImmuClient({
      address: sharedImmudb(),
      store: new MemoryRootStore(),
      credentials: { ...USER, database },
    });
    await writeUpTo(client, 4n);
    await publish();
    await writeUpTo(other, 9n);
    const theirs = { origin: ORIGIN, key: log.privateKey, witnesses: [witness.witness] };
    expect((await other.publishHead(theirs)).size).toBe(8n);
    // Ours has not seen those transactions: the head moves there, and the same tree is cosigned again.
    const ours = await publish();
    expect(ours).toMatchObject({ size: 8n, witnesses: [{ status: 'cosigned' }] });
    await writeUpTo(client, 12n);
    expect((await publish()).size).toBe(11n);
    expect((await other.publishHead({ ...theirs, newest: true })).size).toBeGreaterThanOrEqual(8n);
  });
});

describeServer('what a witness says against the server', () => {
  for (const forkStatus of [422, 409]) {
    test(`another history under the same origin is a fork, told and logged (HTTP ${forkStatus})`, async () => {
      const told: VerificationError[] = [];
      const { client, publish, witness, log, store } = await setUp(1, { onFork: (fork) => told.push(fork) });
      const { client: other } = await openClient();
      witness.forkStatus = forkStatus;
      await writeUpTo(other, 5n);
      await other.publishHead({ origin: ORIGIN, key: log.privateKey, witnesses: [witness.witness] });
      const before = witness.seen.get(ORIGIN);
      for (const tx of [5n, 8n]) {
        await writeUpTo(client, tx);
        const { witnesses } = await refusedQuorum(publish());
        expect(witnesses).toMatchObject([
          { status: 'refused', reason: 'fork', seen: 4n, error: { code: 'FORK_DETECTED' } },
        ]);
      }
      expect(witness.seen.get(ORIGIN)).toEqual(before);
      const rows = await rowsOf(store, { outcome: 'fork' });
      expect(rows[0]).toMatchObject({ operation: 'publishHead', calls: 1 });
      expect(rows[0]!.detail).toMatch(/witness w0\.example says/);
      expect(told[0]).toMatchObject({ code: 'FORK_DETECTED', evidence: { check: 'witness.fork' } });
      // A witness's word ends no trust.
      expect(await client.verifiedGet('key')).not.toBeNull();
      expect(await rowsOf(store, { operation: 'publishHead', outcome: 'calls' })).toEqual([]);
    });
  }

  test('a tree larger than the server’s history: transactions are withheld', async () => {
    const { client, publish, witness, log, store } = await setUp(2);
    const { client: other } = await openClient();
    await writeUpTo(other, 12n);
    await writeUpTo(client, 5n);
    await other.publishHead({ origin: ORIGIN, key: log.privateKey, witnesses: [witness.witness] });
    const { note, witnesses } = await refusedQuorum(publish());
    expect(witnesses).toMatchObject([
      {
        status: 'refused',
        reason: 'withheld',
        seen: 11n,
        error: {
          code: 'SERVER_BEHIND_TRUST',
          evidence: { check: 'witness.withheld', expected: '11', computed: '5' },
        },
      },
      { status: 'cosigned' },
    ]);
    const rows = await rowsOf(store, { outcome: 'rollback' });
    expect(rows).toMatchObject([
      {
        operation: 'publishHead',
        detail: expect.stringMatching(/w0\.example has seen 11 transactions/) as string,
      },
    ]);
    expect(await client.verifiedGet('key')).not.toBeNull();
    // One of two is enough where the quorum says so.
    expect(await publish({ quorum: 1 })).toMatchObject({ size: 4n, witnesses: [{ reason: 'withheld' }, {}] });
    const keys = { log: log.vkey, witnesses: [witness.key.vkey], quorum: 1 };
    expect(verifyCheckpointNote(note, keys).ok).toBe(false);
  });

  test('a tree of as many leaves as the server has transactions is none of that', async () => {
    const { client, publish, witness } = await setUp();
    await writeUpTo(client, 5n);
    witness.seen.set(ORIGIN, { size: 5n, root: Buffer.alloc(32) });
    const { witnesses } = await refusedQuorum(publish());
    expect(witnesses).toMatchObject([{ status: 'refused', reason: 'ahead', seen: 5n }]);
  });

  test('any size that a liar names: 2^63-1, 0 again, more than that, words', async () => {
    const { client, publish, witness, store } = await setUp();
    await writeUpTo(client, 5n);
    const reasons: string[] = [];
    for (const body of ['9223372036854775807\n', '9223372036854775808\n', '0\n', '03\n', '-1', 'many', '']) {
      witness.conduct = () => ({ status: 409, body });
      const [outcome] = (await refusedQuorum(publish())).witnesses;
      reasons.push(outcome?.status === 'refused' ? outcome.reason : String(outcome?.status));
    }
    expect(reasons).toEqual(['withheld', ...Array.from({ length: 6 }, () => 'conflict')]);
    expect(await rowsOf(store, { outcome: 'fork' })).toEqual([]);
  });
});

describeServer('witnesses that do not answer as they should', () => {
  test('one that is down, one that is slow, one that never ends: the others cosign meanwhile', async () => {
    const { client, publish, servers } = await setUp(4);
    const [, down, slow, endless] = servers;
    down!.stop();
    slow!.conduct = () => undefined;
    endless!.conduct = (_honest, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'.repeat(10_000)), 1);
      response.on('close', () => clearInterval(drip));
      return undefined;
    };
    await writeUpTo(client, 4n);
    const startedAt = performance.now();
    const publishing = publish({ quorum: 1, witnessTimeoutMs: 800 });
    expect(await client.verifiedGet('key')).not.toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(700);
    const { witnesses } = await publishing;
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(witnesses).toMatchObject([
      { status: 'cosigned' },
      { status: 'unreachable', detail: expect.stringMatching(/ECONNREFUSED|closed/) as string },
      { status: 'unreachable', detail: 'no answer within 800 ms' },
      { status: 'unreachable', detail: expect.stringMatching(/longer than 65536 bytes/) as string },
    ]);
    expect((await refusedQuorum(publish({ quorum: 2, witnessTimeoutMs: 300 }))).witnesses).toHaveLength(4);
  });

  test('the call’s own deadline leaves time for its row', async () => {
    const { client, store, publish, servers } = await setUp(2);
    servers[1]!.conduct = () => undefined;
    await writeUpTo(client, 4n);
    const { witnesses } = await publish({ quorum: 1, timeoutMs: 1500 });
    expect(witnesses).toMatchObject([{ status: 'cosigned' }, { status: 'unreachable' }]);
    expect(await rowsOf(store, { operation: 'publishHead' })).toHaveLength(1);
  });

  test('a caller who gives up, and a client that is closed, do not wait for it', async () => {
    const { client, publish, witness } = await setUp();
    witness.conduct = () => undefined;
    await writeUpTo(client, 4n);
    const giveUp = new AbortController();
    const given = publish({ signal: giveUp.signal });
    setTimeout(() => giveUp.abort(), 100);
    expect(await rejection(given)).toMatchObject({ code: 'ABORTED' });
    const closed = rejection(publish());
    setTimeout(() => void client.close(), 100);
    expect(await closed).toMatchObject({ code: 'CLOSED' });
  });

  test('cosignatures that do not hold are none', async () => {
    const { client, publish, witness, store, log } = await setUp();
    await writeUpTo(client, 4n);
    const other = witnessKey('w0.example');
    const text = () => witness.submitted.at(-1)!.text;
    const forged = {
      nothing: () => '',
      'by another key of the same name': () => cosign(other, text(), 5n),
      'under its id, by another key': () =>
        cosign({ ...witness.key, privateKey: other.privateKey }, text(), 5n),
      'over another tree': () => cosign(witness.key, text().replace('\n3\n', '\n4\n'), 5n),
      'without a time': () => cosign(witness.key, text(), 0n),
      'with a time beyond 2^63-1': () => cosign(witness.key, text(), 1n << 63n),
      'of the wrong length': () => line(witness.key, Buffer.alloc(71)),
      'the log’s own line': () => logLine(log, text()),
      'without the end of its line': () => cosign(witness.key, text(), 5n).slice(0, -1),
      'one good and one bad': () =>
        cosign(witness.key, text(), 5n) +
        cosign({ ...witness.key, privateKey: other.privateKey }, text(), 6n),
      'no lines': () => 'thank you\n',
    };
    for (const [name, body] of Object.entries(forged)) {
      witness.conduct = (honest) => ({ ...honest(), status: 200, body: body() });
      const { witnesses } = await refusedQuorum(publish());
      expect([name, witnesses[0]]).toMatchObject([name, { status: 'refused', reason: 'signature' }]);
    }
    expect(await rowsOf(store, { operation: 'publishHead' })).toEqual([]);
    // Beside lines of keys that nobody knows it counts.
    witness.conduct = (honest) => {
      const { status, body = '' } = honest();
      return { status, body: status === 200 ? cosign(other, text(), 5n) + body : body };
    };
    const { note, witnesses } = await publish();
    expect(witnesses).toMatchObject([{ status: 'cosigned', time: witness.time }]);
    expect(note.split('\n\u2014 ')).toHaveLength(3);
  });

  test('answers that are none: garbage, bombs, floods of lines and of headers, half an answer', async () => {
    const { client, publish, witness, store } = await setUp();
    await writeUpTo(client, 4n);
    const own = () => cosign(witness.key, witness.submitted.at(-1)!.text, witness.time);
    const stranger = witnessKey('stranger.example');
    const lines = (count: number) => line(stranger, Buffer.alloc(72)).repeat(count);
    type Raw = (response: ServerResponse) => void;
    const answers: Record<string, [status: string, raw: Raw]> = {
      'bytes that are no text': ['refused', (to) => to.end(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]))],
      nothing: ['refused', (to) => to.end()],
      'one line too many': ['refused', (to) => to.end(lines(64) + own())],
      'thousands of lines': ['unreachable', (to) => to.end(lines(5000) + own())],
      'thousands of short lines': ['refused', (to) => to.end('\u2014 a AAAAAA==\n'.repeat(3000))],
      'only ends of lines': ['refused', (to) => to.end('\n'.repeat(60_000))],
      'a line without end': ['refused', (to) => to.end('x'.repeat(60_000))],
      'more than it says it has': [
        'unreachable',
        (to) => to.socket!.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n'),
      ],
      'no HTTP': ['unreachable', (to) => to.socket!.end('220 smtp.example\r\n')],
      'half an answer': [
        'unreachable',
        (to) => (
          to.writeHead(200, { 'content-length': 900 }).write(own()),
          setTimeout(() => to.destroy(), 20)
        ),
      ],
      'megabytes of a header': [
        'unreachable',
        (to) => to.writeHead(200, { big: 'x'.repeat(2_000_000) }).end(own()),
      ],
      'thousands of headers': [
        'unreachable',
        (to) =>
          to
            .writeHead(200, Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`h${i}`, 'v'])))
            .end(own()),
      ],
      'a gzip bomb': [
        'unreachable',
        (to) => to.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
      ],
      'no gzip where it says so': [
        'unreachable',
        (to) => to.writeHead(200, { 'content-encoding': 'gzip' }).end(own()),
      ],
    };
    for (const [name, [status, raw]] of Object.entries(answers)) {
      witness.conduct = (honest, response) => {
        honest();
        raw(response);
        return undefined;
      };
      const startedAt = performance.now();
      const [outcome] = (await refusedQuorum(publish({ witnessTimeoutMs: 2000 }))).witnesses;
      expect([name, outcome]).toMatchObject([name, { status }]);
      expect([name, performance.now() - startedAt < 3500]).toEqual([name, true]);
      const { detail } = outcome as { detail: string };
      expect([name, detail.length < 800, /[^ -~\u2014]/.exec(detail)?.[0]]).toEqual([name, true, undefined]);
    }
    // Nothing of it stands in the way of the next.
    witness.conduct = (honest) => honest();
    expect((await publish()).witnesses).toMatchObject([{ status: 'cosigned' }]);
    expect(await rowsOf(store, { outcome: 'fork' })).toEqual([]);
  });

  test('an unknown origin, another key of it, redirects, errors', async () => {
    const { client, publish, witness } = await setUp();
    await writeUpTo(client, 4n);
    const stranger = logKey('stranger.example');
    expect(
      (await refusedQuorum(publish({ origin: stranger.name, key: stranger.privateKey }))).witnesses[0],
    ).toMatchObject({ reason: 'unknown-log' });
    expect((await refusedQuorum(publish({ key: stranger.privateKey }))).witnesses[0]).toMatchObject({
      reason: 'unknown-log',
    });
    const target = await TestWitness.start('target.example');
    for (const status of [301, 302, 307, 400, 418, 429, 500, 503, 204]) {
      witness.conduct = () => ({ status, headers: { location: `${target.url}add-checkpoint` } });
      const [outcome] = (await refusedQuorum(publish())).witnesses;
      expect([status, outcome]).toMatchObject([status, { status: 'refused', reason: 'other' }]);
    }
    expect(target.submitted).toEqual([]);
  });
});

describeServer('verifyHead', () => {
  test('holds a note against the server: the same history, another, less of it', async () => {
    const { client, publish, database, log, witness } = await setUp();
    await writeUpTo(client, 6n);
    const { note, root } = await publish();
    const keys = { log: log.vkey, witnesses: [witness.key.vkey] };
    const proven = await client.verifyHead(note, keys);
    expect(proven).toMatchObject({ origin: ORIGIN, size: 5n, root, cosigned: [{ time: witness.time }] });
    expect(proven.head.tx).toBe(6n);
    // A client that has never seen this database.
    const { client: reader } = await openClient({ database });
    expect(await reader.verifyHead(note, keys)).toMatchObject({ size: 5n });
    const told: VerificationError[] = [];
    const { client: other, store } = await openClient({ onFork: (fork) => told.push(fork) });
    await writeUpTo(other, 3n);
    expect(await rejection(other.verifyHead(note, keys))).toMatchObject({
      code: 'SERVER_BEHIND_TRUST',
      evidence: { check: 'witness.withheld' },
    });
    await writeUpTo(other, 5n);
    // Its fifth transaction is the last leaf of a tree that no header commits to yet.
    expect(await rejection(other.verifyHead(note, keys))).toMatchObject({ code: 'FORK_DETECTED' });
    await writeUpTo(other, 8n);
    expect(await rejection(other.verifyHead(note, keys))).toMatchObject({
      code: 'FORK_DETECTED',
      evidence: { check: 'witness.fork', expected: committed(root) },
    });
    expect(told.length).toBeGreaterThan(0);
    expect(await rowsOf(store, { outcome: 'fork', operation: 'verifyHead' })).not.toEqual([]);
  });

  test('a note that is not cosigned as it must be is not used', async () => {
    const { client, publish, log, witness } = await setUp();
    await writeUpTo(client, 3n);
    const { note } = await publish();
    const nobody = witnessKey('nobody.example').vkey;
    const wrong = { log: log.vkey, witnesses: [nobody] };
    expect(await rejection(client.verifyHead(note, wrong))).toMatchObject({ argument: 'note' });
    expect(await rejection(client.verifyHead('note', wrong))).toMatchObject({ argument: 'note' });
    const both = { log: log.vkey, witnesses: [nobody, witness.key.vkey] };
    expect(await rejection(client.verifyHead(note, both))).toMatchObject({ argument: 'note' });
    expect(await client.verifyHead(note, { ...both, quorum: 1 })).toMatchObject({ size: 2n });
  });
});

test('options', async () => {
  const log = logKey(ORIGIN);
  const key = witnessKey('w.example');
  const witness = { url: 'http://127.0.0.1:1/', key: key.vkey };
  await using client = new ImmuClient({ address: '127.0.0.1:1', store: new MemoryRootStore() });
  const good = { origin: ORIGIN, key: log.privateKey, witnesses: [witness] };
  const many = Array.from({ length: 17 }, (_, i) => ({ ...witness, key: witnessKey(`w${i}`).vkey }));
  const bad: [string, object][] = [
    ['origin', { origin: '' }],
    ['origin', { origin: 'two words' }],
    ['origin', { origin: 'a+b' }],
    ['origin', { origin: 'line\nbreak' }],
    ['origin', { origin: 'x'.repeat(256) }],
    ['origin', { origin: undefined }],
    ['key', { key: 'no key' }],
    ['key', { key: undefined }],
    ['key', { key: key.vkey }],
    ['witnesses', { witnesses: [] }],
    ['witnesses', { witnesses: many }],
    ['witnesses', { witnesses: 'http://w.example/' }],
    ['witnesses', { witnesses: [witness, witness] }],
    ['witnesses', { witnesses: [witness, { ...witness, key: `${key.vkey.slice(0, -2)}A=` }] }],
    ['witnesses', { witnesses: [{ ...witness, key: log.vkey }] }],
    ['witnesses', { witnesses: [{ ...witness, kee: 1 }] }],
    ['url', { witnesses: [{ ...witness, url: 'ftp://w.example/' }] }],
    ['url', { witnesses: [{ ...witness, url: 'w.example' }] }],
    ['url', { witnesses: [{ ...witness, url: 'http://user:secret@w.example/' }] }],
    ['url', { witnesses: [{ ...witness, url: 'http://w.example/?a=b' }] }],
    ['url', { witnesses: [{ ...witness, url: `http://w.example/${'x'.repeat(3000)}` }] }],
    ['quorum', { quorum: 0 }],
    ['quorum', { quorum: 2 }],
    ['quorum', { quorum: 0.5 }],
    ['witnessTimeoutMs', { witnessTimeoutMs: 0 }],
    ['newest', { newest: 1 }],
    ['options', { witnesess: [] }],
  ];
  for (const [argument, change] of bad) {
    const error = await rejection(client.publishHead({ ...good, ...change }));
    expect([change, error.code, error.argument]).toEqual([change, 'INVALID_ARGUMENT', argument]);
    expect(error.message).not.toMatch(/secret/);
  }
});
