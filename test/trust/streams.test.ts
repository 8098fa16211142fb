// Verified streams: when they are proven, what is refused of them, and what the log keeps.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { verifyEvidence } from '#dist/audit.js';
import { ImmuClient, MemoryRootStore, VerificationError } from '#dist/index.js';
import type { VerifiedStream } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy } from '../adversary/proxy.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { USER, openClient, openWire, rejection, rowsOf, text } from './support.js';

async function collected(pieces: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces ?? []) all.push(piece);
  return Buffer.concat(all);
}

async function behindProxy() {
  const proxy = await Proxy.start(sharedImmudb());
  onTestFinished(() => proxy.close());
  const database = await freshDatabase();
  const opened = await openClient({ database, address: proxy.address });
  return { ...opened, proxy, wire: await openWire(database) };
}

const large = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24));

/** Changes the raw bytes of the streams that are answered with. */
function lie(proxy: Proxy, change: (bytes: Buffer) => Buffer): void {
  proxy.rawStreams = true;
  proxy.intercept = async ({ method, forward }) => {
    const bytes = await forward();
    return method.startsWith('stream') ? change(bytes) : bytes;
  };
}

/** Where the messages of a stream begin. */
function startsIn(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += 8 + Number(bytes.readBigUInt64BE(at))) starts.push(at);
  return starts;
}

function announcing(bytes: Buffer, message: number, length: bigint): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeBigUInt64BE(length, startsIn(bytes)[message]);
  return changed;
}

describeServer('verified streams', () => {
  test('with metadata, of a tx with others, through references: the same as verifiedGet', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const expiration = { expiresAt: '4102444800' };
    await wire.call('Set', {
      KVs: [
        { key: Buffer.from('with'), value: large, metadata: { expiration } },
        { key: Buffer.from('other'), value: Buffer.from('other') },
      ],
    });
    const refer = (key: string, more: object = {}) =>
      wire.call('SetReference', { key: Buffer.from(key), referencedKey: Buffer.from('with'), ...more });
    await refer('free');
    await refer('bound', { atTx: '1', boundRef: true });
    for (const key of ['with', 'other', 'free', 'bound']) {
      const stream = (await client.verifiedStreamGet(key))!;
      const value = new Uint8Array(await collected(stream.value));
      const info = await stream.proven;
      const { unproven, ...entry } = (await client.verifiedGet(key))!;
      expect({ ...info, value, unproven }).toEqual({ ...entry, unproven, size: value.length });
      expect({ ...stream, size: info.size }).toMatchObject(info);
    }
    const first = await client.verifiedStreamSet('with', 'newer');
    expect(text(await collected((await client.verifiedStreamGet('free'))?.value))).toBe('newer');
    expect((await collected((await client.verifiedStreamGet('bound'))?.value)).equals(large)).toBe(true);
    expect((await client.verifiedStreamGet('free'))?.reference).toMatchObject({ tx: 2n, atTx: 0n });
    expect(first.tx).toBe(4n);
  });

  test('deleted, expired, missing: null; what ended the key is proven', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.verifiedSet('deleted', 'value');
    await client.verifiedDelete('deleted');
    const expiresAt = String(Math.floor(Date.now() / 1000) - 10);
    await wire.call('Set', {
      KVs: [
        { key: Buffer.from('expired'), value: Buffer.from('v'), metadata: { expiration: { expiresAt } } },
      ],
    });
    for (const key of ['deleted', 'expired', 'missing'])
      for (const buffer of [false, true]) expect(await client.verifiedStreamGet(key, { buffer })).toBeNull();
  });

  test('calls are counted, and writes have a row of their own name', async () => {
    const { client, store } = await openClient();
    const { tx, alh, root } = await client.verifiedStreamSet('key', large);
    expect(root).toEqual({ tx, alh });
    await (await client.verifiedStreamGet('key', { buffer: true }))!.proven;
    await collected((await client.verifiedStreamGet('key'))!.value);
    const rows = await rowsOf(store);
    expect(rows.filter(({ operation }) => operation === 'verifiedStreamSet').map((row) => row.tx)).toEqual([
      tx,
    ]);
    await client.close();
    const calls = (await rowsOf(store)).filter(({ operation }) => operation === 'verifiedStreamGet');
    expect(calls.reduce((sum, row) => sum + row.calls, 0)).toBe(2);
  });

  test('a later read may not show an older version than a stream has proven', async () => {
    const { client, proxy, wire } = await behindProxy();
    await client.verifiedStreamSet('key', 'old');
    proxy.rawStreams = true;
    let old: Buffer | undefined;
    proxy.intercept = async ({ method, forward }) => {
      const bytes = await forward();
      if (method !== 'streamVerifiableGet') return bytes;
      return (old ??= bytes);
    };
    expect(text(await collected((await client.verifiedStreamGet('key'))?.value))).toBe('old');
    await wire.call('Set', { KVs: [{ key: Buffer.from('key'), value: Buffer.from('new') }] });
    proxy.intercept = ({ forward }) => forward();
    const stream = await client.verifiedStreamGet('key');
    expect(text(await collected(stream?.value))).toBe('new');
    const { txId } = await wire.call('CurrentState');
    proxy.intercept = async ({ method, request, forward }) => {
      if (method !== 'streamVerifiableGet') return forward();
      const { requestDeserialize, requestSerialize } = methodDefinition(
        'immudb.schema.ImmuService',
        'streamVerifiableGet',
      );
      const asked = requestDeserialize(request) as { keyRequest: object; proveSinceTx: string };
      expect(asked.proveSinceTx).toBe(txId);
      return forward(requestSerialize({ ...asked, keyRequest: { ...asked.keyRequest, atTx: '1' } }));
    };
    const error = await rejection(client.verifiedStreamGet('key'));
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.evidence.check).toBe('get.stale');
  });
});

describeServer('streams that are not what they say', () => {
  test('another value: refused at its end, by reading and by proven, with evidence', async () => {
    const { client, proxy, store } = await behindProxy();
    await client.verifiedStreamSet('key', large);
    lie(proxy, (bytes) => {
      const changed = Buffer.from(bytes);
      changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
      return changed;
    });
    const stream = (await client.verifiedStreamGet('key'))!;
    let read = 0;
    const error = await rejection(
      (async () => {
        for await (const piece of stream.value) read += piece.length;
      })(),
    );
    expect(read).toBe(large.length);
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.evidence).toMatchObject({ check: 'streamed.value' });
    expect(await rejection(stream.proven)).toBe(error);
    expect(await rejection(client.verifiedStreamGet('key', { buffer: true }))).toMatchObject({
      evidence: { check: 'streamed.value' },
    });
    const rows = await rowsOf(store, { outcome: 'failure' });
    expect(rows).toHaveLength(2);
    for (const { evidence, operation } of rows) {
      expect(operation).toBe('verifiedStreamGet');
      expect(verifyEvidence(evidence!).outcome).toBe('reproduced');
      // Of 300 kB that were streamed, their hash is kept.
      expect(evidence!.job.length).toBeLessThan(5000);
    }
    proxy.intercept = ({ forward }) => forward();
    expect((await collected((await client.verifiedStreamGet('key'))?.value)).equals(large)).toBe(true);
  });

  const TOO_LONG = 1n << 60n;
  test.for<[string, (bytes: Buffer) => Buffer, { plain?: string; verified?: string }]>([
    ['nothing', () => Buffer.alloc(0), { plain: 'ends before its key', verified: 'wire.missing' }],
    ['half a length', (b) => b.subarray(0, 4), { plain: 'ends within', verified: 'wire.missing' }],
    [
      'a first message without an end',
      (b) => announcing(b, 0, TOO_LONG),
      { plain: 'has a key of', verified: 'wire.missing' },
    ],
    ['a first message cut off', (b) => b.subarray(0, 9), { plain: 'ends within', verified: 'wire.missing' }],
    ['no value', (b) => b.subarray(0, startsIn(b).at(-1)), { plain: 'no value', verified: 'streamed.value' }],
    [
      'a value without an end',
      (b) => announcing(b, startsIn(b).length - 1, TOO_LONG),
      { plain: 'no value of a length' },
    ],
    [
      'a value cut short',
      (b) => b.subarray(0, -1),
      { plain: 'ends within its value', verified: 'streamed.value' },
    ],
    [
      'a value that is announced longer',
      (b) => announcing(b, startsIn(b).length - 1, 300_001n),
      { plain: 'ends within its value' },
    ],
    [
      'a value that is announced shorter',
      (b) => announcing(b, startsIn(b).length - 1, 299_999n),
      { plain: 'goes on' },
    ],
    [
      'a value that goes on',
      (b) => Buffer.concat([b, Buffer.from('more')]),
      { plain: 'goes on', verified: 'streamed.value' },
    ],
    ['a second value', (b) => Buffer.concat([b, b]), { plain: 'goes on', verified: 'streamed.value' }],
    [
      'no messages at all',
      () => Buffer.alloc(100_000, 0xff),
      { plain: 'has a key of', verified: 'wire.missing' },
    ],
  ])('%s', async ([, change, { plain, verified }]) => {
    const { client, proxy } = await behindProxy();
    await client.verifiedSet('key', large);
    lie(proxy, change);
    const read = async () => collected((await client.streamGet('key'))?.value);
    const error = await rejection(read());
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.message).toContain(plain);
    for (const buffer of [false, true]) {
      const shown: VerifiedStream[] = [];
      const refused = await rejection(
        (async () => {
          const stream = await client.verifiedStreamGet('key', { buffer });
          if (stream) shown.push(stream);
          await collected(stream?.value);
        })(),
      );
      if (verified === undefined) expect(['UNAVAILABLE', 'LIMIT_EXCEEDED']).toContain(refused.code);
      else expect(refused.evidence.check).toBe(verified);
      for (const { proven } of shown) expect(await rejection(proven)).toBe(refused);
    }
  });

  test('a header that answers a write of others, or of fewer', async () => {
    const { client, proxy } = await behindProxy();
    await client.verifiedSet('before', 'value');
    const { responseDeserialize, responseSerialize } = methodDefinition('immudb.schema.ImmuService', 'Set');
    proxy.intercept = async ({ method, forward }) => {
      const bytes = await forward();
      if (method !== 'streamSet') return bytes;
      return responseSerialize({ ...responseDeserialize(bytes), nentries: 1 });
    };
    const entries = [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ];
    expect(await rejection(client.streamSet(entries))).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    const error = await rejection(client.verifiedStreamSet(entries));
    expect(error.evidence.check).toBe('written.count');
  });

  test('what a server leaves out on its way, or takes from another stream', async () => {
    const { client } = await behindProxy();
    const proxy = await Proxy.start(sharedImmudb());
    onTestFinished(() => proxy.close());
    await client.verifiedSet('before', 'value');
    // The proxy drops a byte of what is sent: the server has another value than was sent, and its header says so.
    const dropping = await openClient({ database: client.databaseName, address: proxy.address });
    await dropping.client.verifiedGet('before');
    proxy.changeUp = (chunk) => {
      const changed = Buffer.from(chunk);
      if (changed.length > 60_000) changed[50_000] = (changed[50_000] as number) ^ 1;
      return changed;
    };
    const error = await rejection(dropping.client.verifiedStreamSet('key', large));
    expect(error.evidence.check).toBe('written.entries');
    const [row] = await rowsOf(dropping.store, { outcome: 'failure' });
    expect(verifyEvidence(row!.evidence!).outcome).toBe('reproduced');
    expect(row!.evidence!.job.length).toBeLessThan(1000);
  });
});

describeServer('a connection that is lost in the middle', () => {
  test('ends a write with its outcome unknown; it is not sent again', async () => {
    const { client, proxy } = await behindProxy();
    await client.verifiedSet('before', 'value');
    let begun = 0;
    proxy.intercept = ({ method, forward }) => {
      if (method === 'streamSet') begun += 1;
      return forward();
    };
    for (const set of [client.streamSet.bind(client), client.verifiedStreamSet.bind(client)]) {
      begun = 0;
      const pieces = (async function* () {
        yield large;
        await new Promise((resolve) => setTimeout(resolve, 50));
        await proxy.dropConnections();
        yield large;
        await new Promise((resolve) => setTimeout(resolve, 200));
        yield large;
      })();
      const error = await rejection(set('key', pieces, { size: 3 * large.length, timeoutMs: 10_000 }));
      expect(error.code).toBe('OUTCOME_UNKNOWN');
      expect(begun).toBe(1);
    }
    proxy.intercept = ({ forward }) => forward();
    await client.verifiedStreamSet('after', large);
  });
});

test('a stream that never ends is ended by the deadline, and does not fill memory', async () => {
  const { streamGet, OpenSession } = { streamGet: of('streamGet'), OpenSession: of('OpenSession') };
  const server = new Server();
  let written = 0;
  server.addService(
    { streamGet, OpenSession },
    {
      OpenSession: (_: unknown, done: (error: null, answer: object) => void) =>
        done(null, { sessionID: 's' }),
      streamGet: (call: {
        write(chunk: object): boolean;
        once(event: string, go: () => void): void;
        cancelled: boolean;
      }) => {
        const chunk = { content: Buffer.alloc(1 << 16) };
        const head = Buffer.concat([
          Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]),
          Buffer.from('k'),
          Buffer.from([0, 16, 0, 0, 0, 0, 0, 0]),
        ]);
        call.write({ content: head });
        const go = () => {
          while (!call.cancelled) {
            written += 1 << 16;
            if (!call.write(chunk)) {
              call.once('drain', go);
              return;
            }
          }
        };
        go();
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  onTestFinished(() => server.forceShutdown());
  await using client = new ImmuClient({
    address: `127.0.0.1:${port}`,
    store: new MemoryRootStore(),
    credentials: { ...USER, database: 'd' },
    keepAliveMs: 0,
  });
  const idle = (await client.streamGet('k', { timeoutMs: 400 }))!;
  expect(await rejection(collected(idle.value))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  const before = written;
  const untouched = (await client.streamGet('k', { timeoutMs: 400 }))!;
  await untouched.value.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  // No more than was fetched ahead has left the server.
  expect(written - before).toBeLessThan(4 << 20);
  await untouched.value.return?.();
});

function of(method: string) {
  return methodDefinition('immudb.schema.ImmuService', method);
}

describeServer('plain writes by stream', () => {
  test('answered with the tx of another write: nobody is told that they were done', async () => {
    const { client, proxy } = await behindProxy();
    let first: Buffer | undefined;
    proxy.intercept = async ({ method, forward }) => {
      const answer = await forward();
      return method.startsWith('stream') ? (first ??= answer) : answer;
    };
    await client.streamSet('a', large, { size: large.length });
    for (const start of [
      () => client.streamSet('b', large, { size: large.length }),
      () => client.streamExecAll([{ set: { key: 'c', value: large, size: large.length } }]),
    ])
      expect(await rejection(start())).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });
});
