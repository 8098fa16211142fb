// Values by stream, in and out: byte for byte, paced, and with nothing left behind by what ends early.
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import type { ImmuClient, StreamEntries } from '#dist/index.js';
import { FrameReader } from '#dist/client/calls/streams/frames.js';
import { streamedEntries, streamedMembers } from '#dist/client/calls/streams/streamed-entries.js';
import type { Messages } from '#dist/client/net/incoming.js';
import type { Chunk } from '#dist/wire/messages.js';
import { describeServer, freshDatabase } from '../../support/real.js';
import { openClient, openWire, rejection, text } from '../../trust/support.js';

const MIB = 1 << 20;

/** Bytes that are nowhere the same, in pieces of odd sizes, made when they are asked for. */
async function* made(size: number, piece = 77_777): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += piece) {
    yield await Promise.resolve(bytesAt(at, Math.min(piece, size - at)));
  }
}

function bytesAt(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => ((from + i) * 2654435761) >>> 24);
}

async function digestOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    size += piece.length;
  }
  return `${size} ${hash.digest('hex')}`;
}

async function collected(pieces: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces ?? []) all.push(piece);
  return Buffer.concat(all);
}

/** The same call, plain and verified. */
const setters = [
  ['streamSet', (client: ImmuClient) => client.streamSet.bind(client)],
  ['verifiedStreamSet', (client: ImmuClient) => client.verifiedStreamSet.bind(client)],
] as const;
const getters = [
  ['streamGet', (client: ImmuClient) => client.streamGet.bind(client)],
  ['verifiedStreamGet', (client: ImmuClient) => client.verifiedStreamGet.bind(client)],
] as const;

describeServer('values by stream', () => {
  test('20 MiB in and out, byte for byte', { timeout: 60_000 }, async () => {
    const { client } = await openClient();
    const size = 20 * MIB;
    const sent = await digestOf(made(size));
    for (const [name, set] of setters) {
      const { tx } = await set(client)(name, made(size), { size });
      for (const [, get] of getters) {
        const entry = await get(client)(name);
        if (!entry) throw new Error('not there');
        expect(text(entry.key)).toBe(name);
        expect(await digestOf(entry.value)).toBe(sent);
        if ('proven' in entry) {
          expect(await entry.proven).toMatchObject({
            tx,
            size,
            root: entry.root,
            timestamp: entry.timestamp,
          });
          expect(entry.tx).toBe(tx);
        } else expect(entry.size).toBe(size);
      }
    }
  });

  test('one byte, a piece of 64 KiB less its length, and what other clients wrote', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    for (const size of [1, 65_527, 65_528, 65_529, 65_536, 131_072]) {
      const value = Buffer.from(bytesAt(size, size));
      await client.verifiedStreamSet(`s${size}`, [value], { size });
      expect((await wire.call('Get', { key: Buffer.from(`s${size}`) })).value.equals(value)).toBe(true);
      expect((await collected((await client.verifiedStreamGet(`s${size}`))?.value)).equals(value)).toBe(true);
    }
    await client.set('empty', '');
    await client.set('short', 'by set');
    for (const [, get] of getters) {
      expect(await collected((await get(client)('empty'))?.value)).toHaveLength(0);
      expect(text(await collected((await get(client)('short'))?.value))).toBe('by set');
      expect(await get(client)('missing')).toBeNull();
    }
  });

  test('several entries in one transaction: bytes, text, Node streams, web streams, generators', async () => {
    const { client } = await openClient();
    for (const [name, set] of setters) {
      const entries = [
        { key: `${name} bytes`, value: Buffer.from('bytes') },
        { key: Buffer.from(`${name} text`), value: 'text' },
        { key: `${name} node`, value: Readable.from([Buffer.from('no'), Buffer.from('de')]), size: 4 },
        { key: `${name} web`, value: ReadableStream.from([Buffer.from('web')]), size: 3 },
        { key: `${name} generator`, value: made(100_000), size: 100_000 },
      ];
      const given: StreamEntries = name === 'streamSet' ? entries : Readable.from(entries);
      const { tx } = await set(client)(given);
      for (const { key } of entries) expect((await client.verifiedGet(key))?.tx).toBe(tx);
      expect((await client.verifiedGet(`${name} web`))?.value).toEqual(new Uint8Array(Buffer.from('web')));
      expect((await client.get(`${name} generator`))?.value).toEqual(bytesAt(0, 100_000));
    }
  });

  test('out through Node and web streams', async () => {
    const { client } = await openClient();
    const sent = await digestOf(made(MIB));
    await client.verifiedStreamSet('key', made(MIB), { size: MIB });
    for (const [, get] of getters) {
      const value = async () => (await get(client)('key'))!.value;
      expect(await digestOf(Readable.from(await value()))).toBe(sent);
      expect(await digestOf(ReadableStream.from(await value()))).toBe(sent);
      const hash = createHash('sha256');
      await pipeline(await value(), hash);
      expect(`${MIB} ${hash.digest('hex')}`).toBe(sent);
    }
  });

  test('a version, by its tx or its revision', async () => {
    const { client } = await openClient();
    const first = await client.verifiedStreamSet('key', 'first');
    const second = await client.verifiedStreamSet('key', 'second');
    for (const [, get] of getters) {
      const read = async (options: object) =>
        text(await collected((await get(client)('key', options))?.value));
      expect(await read({ atTx: first.tx })).toBe('first');
      expect(await read({ sinceTx: second.tx })).toBe('second');
      expect(await read({ atRevision: 1n })).toBe('first');
      expect(await read({ atRevision: -1n })).toBe('first');
      expect(await get(client)('other', { atTx: first.tx })).toBeNull();
    }
  });

  test('what is too long is LIMIT_EXCEEDED: before anything is sent where that is known, and by the server’s word', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    for (const [, set] of setters) {
      let asked = 0;
      const source = (async function* () {
        asked += 1;
        yield await Promise.resolve(new Uint8Array(1));
      })();
      const size = 40 * MIB;
      expect(await rejection(set(client)('big', source, { size }))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
      const halves = [
        { key: 'a', value: new Uint8Array(20 * MIB) },
        { key: 'b', value: source, size: 20 * MIB },
      ];
      expect(await rejection(set(client)(halves))).toMatchObject({
        code: 'LIMIT_EXCEEDED',
        argument: 'entries[1]',
      });
      expect(asked).toBe(0);
    }
    expect((await wire.call('CurrentState')).txId ?? '0').toBe('0');
    const { client: narrow } = await openClient({
      database: await freshDatabase(undefined, { maxValueLen: 1000 }),
    });
    for (const [, set] of setters) {
      const longer = await rejection(set(narrow)('key', new Uint8Array(2000)));
      expect(longer).toMatchObject({ code: 'LIMIT_EXCEEDED' });
      expect(await narrow.get('key')).toBeNull();
    }
  });

  test(
    'a slow source and a slow reader: neither is overtaken by more than a little',
    { timeout: 60_000 },
    async () => {
      const { client } = await openClient();
      const size = 12 * MIB;
      await client.streamSet('key', made(size), { size });
      for (const [, get] of getters) {
        const entry = (await get(client)('key'))!;
        const first = await entry.value.next();
        expect(first.done).toBe(false);
        // Others are not held up by it.
        await delay(200);
        expect((await client.streamGet('key', { timeoutMs: 5000 }))?.size).toBe(size);
        expect(await client.get('other')).toBeNull();
        let read: number = (first.value as Uint8Array).length;
        for await (const piece of entry.value) read += piece.length;
        expect(read).toBe(size);
      }
      const slow = (async function* () {
        for (let i = 0; i < 5; i++) {
          await delay(50);
          yield bytesAt(i, 10);
        }
      })();
      await client.verifiedStreamSet('slow', slow, { size: 50 });
      expect((await client.verifiedGet('slow'))?.value).toHaveLength(50);
    },
  );

  test('30 MB in and out grow memory by no more than 8 MB', { timeout: 120_000 }, async () => {
    const { client } = await openClient();
    const size = 30_000_000;
    const steady = Buffer.alloc(1 << 16, 7);
    const source = async function* () {
      for (let left = size; left > 0; left -= steady.length) {
        yield await Promise.resolve(left < steady.length ? steady.subarray(0, left) : steady);
      }
    };
    const held = () => {
      const { heapUsed, external, arrayBuffers } = process.memoryUsage();
      return heapUsed + Math.max(external, arrayBuffers);
    };
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const growth = async (work: (look: (bytes?: number) => void) => Promise<void>): Promise<number> => {
      gc();
      const before = held();
      let most = 0;
      let looks = 0;
      await work(() => {
        if (looks++ % 16 !== 0) return;
        gc();
        most = Math.max(most, held() - before);
      });
      return most;
    };
    for (const [name, set] of setters) {
      const run = growth(async (look) => {
        const watched = (async function* () {
          for await (const piece of source()) {
            look();
            yield piece;
          }
        })();
        await set(client)(name, watched, { size });
      });
      expect((await run) / 1e6, name).toBeLessThan(8);
    }
    for (const [name, get] of getters) {
      const run = growth(async (look) => {
        const entry = await get(client)('streamSet');
        for await (const piece of entry!.value) look(piece.length);
      });
      expect((await run) / 1e6, name).toBeLessThan(8);
    }
  });
});

describeServer('several operations by stream', () => {
  const calls = [
    ['streamExecAll', (client: ImmuClient) => client.streamExecAll.bind(client)],
    ['verifiedStreamExecAll', (client: ImmuClient) => client.verifiedStreamExecAll.bind(client)],
  ] as const;

  test('sets and additions to sorted sets, in one transaction', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    for (const [name, execAll] of calls) {
      const { tx } = await execAll(client)([
        { set: { key: `${name} a`, value: made(100_000), size: 100_000 } },
        { zAdd: { set: name, score: -0, key: `${name} a` } },
        { set: { key: `${name} b`, value: 'text' } },
        { zAdd: { set: name, score: 1.5, key: `${name} b` } },
      ]);
      expect((await client.verifiedGet(`${name} a`))?.value).toEqual(bytesAt(0, 100_000));
      expect((await client.verifiedGet(`${name} b`))?.tx).toBe(tx);
      await execAll(client)([{ zAdd: { set: name, score: 7, key: `${name} b`, atTx: tx } }]);
      const { entries } = await wire.call('ZScan', { set: Buffer.from(name) });
      expect(
        entries.map(({ key, score, atTx }: { key: Buffer; score: number; atTx?: string }) => [
          text(key),
          score,
          atTx ?? '0',
        ]),
      ).toEqual([
        [`${name} b`, 1.5, '0'],
        [`${name} b`, 7, String(tx)],
        [`${name} a`, -0, '0'],
      ]);
    }
  });

  test('what cannot be sent is named, and nothing is', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const zAdd = { set: 's', score: 1, key: 'k' };
    for (const [ops, argument] of [
      [[], 'entries'],
      [5, 'ops'],
      [[{}], 'ops[0]'],
      [[{ reference: { key: 'a', to: 'b' } }], 'ops[0]'],
      [[{ set: { key: 'a', value: 'b' }, zAdd }], 'ops[0]'],
      [[{ set: { key: 'a', value: '' } }], 'ops[0].set.value'],
      [[{ set: { key: 'a', value: made(1) } }], 'ops[0].set.size'],
      [[{ zAdd: { ...zAdd, score: NaN } }], 'ops[0].zAdd.score'],
      [[{ zAdd: { ...zAdd, score: 1n } }], 'ops[0].zAdd.score'],
      [[{ zAdd: { ...zAdd, set: '' } }], 'ops[0].zAdd.set'],
      [[{ zAdd: { ...zAdd, atTx: 0n } }], 'ops[0].zAdd.atTx'],
      [[{ zAdd: { ...zAdd, other: 1 } }], 'ops[0].zAdd'],
      [[{ zAdd }, { zAdd }], 'ops[1].zAdd'],
    ] as const)
      for (const [, execAll] of calls)
        expect(await rejection(execAll(client)(ops as never)), argument).toMatchObject({ argument });
    expect((await wire.call('CurrentState')).txId ?? '0').toBe('0');
  });

  test('one that is taken back leaves nothing', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    for (const [, execAll] of calls) {
      const ops = [{ set: { key: 'a', value: 'whole' } }, { set: { key: 'b', value: made(5), size: 6 } }];
      expect(await rejection(execAll(client)(ops))).toMatchObject({ argument: 'ops[1].set.size' });
    }
    expect((await wire.call('CurrentState')).txId ?? '0').toBe('0');
  });
});

describeServer('entries that are streamed one after another', () => {
  const limits = { maxEntries: 10, maxValueBytes: 1 << 20 };
  type Down = (
    method: 'streamScan' | 'streamHistory' | 'streamZScan',
    request: object,
    options: object,
    use: (chunks: Messages<Chunk>) => Promise<unknown[]>,
  ) => Promise<unknown[]>;
  const downOf = (client: ImmuClient): Down => {
    const { session } = (
      client as unknown as { connection: { rooms: { selected: { session: { down: Down } } } } }
    ).connection.rooms.selected;
    return session.down.bind(session);
  };
  const all = async (entries: AsyncIterable<{ key: Uint8Array; value: Uint8Array }>) => {
    const told: unknown[] = [];
    for await (const { key, value, ...rest } of entries) told.push([text(key), text(value), rest]);
    return told;
  };

  test('scans, histories, sorted sets', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.setAll({ a: '1', b: '', c: 'x'.repeat(200_000) });
    await client.delete('a');
    await wire.call('ZAdd', { set: Buffer.from('s'), score: 1.5, key: Buffer.from('c') });
    const down = downOf(client);
    expect(
      await down('streamScan', {}, {}, (chunks) => all(streamedEntries(new FrameReader(chunks), limits))),
    ).toEqual([
      ['b', '', {}],
      ['c', 'x'.repeat(200_000), {}],
    ]);
    const history = { key: Buffer.from('a') };
    expect(
      await down('streamHistory', history, {}, (chunks) =>
        all(streamedEntries(new FrameReader(chunks), limits)),
      ),
    ).toEqual([
      ['a', '1', {}],
      ['a', '', {}],
    ]);
    const set = { set: Buffer.from('s') };
    expect(
      await down('streamZScan', set, {}, (chunks) => all(streamedMembers(new FrameReader(chunks), limits))),
    ).toEqual([['c', 'x'.repeat(200_000), { set: new Uint8Array(Buffer.from('s')), score: 1.5, atTx: 0n }]]);
    for (const small of [
      { ...limits, maxEntries: 1 },
      { ...limits, maxValueBytes: 199_999 },
    ])
      expect(
        await rejection(
          down('streamScan', {}, {}, (chunks) => all(streamedEntries(new FrameReader(chunks), small))),
        ),
      ).toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describeServer('streams that end early', () => {
  /** How a write is given up in the middle of its second value. */
  const ends = {
    abort: 'ABORTED',
    deadline: 'DEADLINE_EXCEEDED',
    source: 'SOURCE_FAILED',
    fewer: 'INVALID_ARGUMENT',
    more: 'INVALID_ARGUMENT',
    close: 'CLOSED',
    text: 'INVALID_ARGUMENT',
    empty: 'INVALID_ARGUMENT',
    twice: 'INVALID_ARGUMENT',
  } as const;

  test.for(setters.flatMap(([name, set]) => Object.keys(ends).map((how) => [name, how, set] as const)))(
    '%s: %s leaves no key',
    async ([, how, set]) => {
      const { client, database } = await openClient();
      const wire = await openWire(database);
      await client.verifiedSet('before', 'value');
      const controller = new AbortController();
      let returned = 0;
      async function* pieces() {
        try {
          yield bytesAt(0, 200_000);
          await delay(30);
          if (how === 'source') throw new Error('disk gone');
          if (how === 'abort') controller.abort(new Error('enough'));
          if (how === 'close') void client.close();
          if (how === 'text') yield 'text' as unknown as Uint8Array;
          if (how === 'fewer' || how === 'empty' || how === 'twice') return;
          if (how === 'more') yield bytesAt(0, 300_001);
          else await delay(700);
        } finally {
          returned += 1;
        }
      }
      async function* entries() {
        yield await Promise.resolve({ key: 'first', value: 'a whole value' });
        yield {
          key: 'second',
          value: pieces(),
          size: how === 'empty' || how === 'twice' ? 200_000 : 500_000,
        };
        if (how === 'twice') yield { key: 'first', value: 'again' };
        yield { key: 'third', value: '' };
      }
      const options = { signal: controller.signal, ...(how === 'deadline' && { timeoutMs: 400 }) };
      const error = await rejection(set(client)(entries(), options));
      expect(error).toMatchObject({ code: ends[how as keyof typeof ends] });
      if (how === 'abort' || how === 'deadline') expect(error.message).toMatch(/nothing was written/);
      if (how === 'source') expect((error.cause as Error).message).toBe('disk gone');
      await delay(100);
      for (const key of ['first', 'second', 'third'])
        await expect(wire.call('Get', { key: Buffer.from(key) })).rejects.toThrow(/not found/);
      expect((await wire.call('CurrentState')).txId).toBe('1');
      if (how !== 'close') {
        await client.verifiedSet('after', 'value');
        expect(client.diagnostics.queued).toEqual({ calls: 0, bytes: 0 });
      }
      await expect.poll(() => returned, { timeout: 5000 }).toBe(1);
    },
  );

  test('readers who leave, abort, or are late: the call is over, and nobody waits', async () => {
    const { client } = await openClient();
    const size = 12 * MIB;
    await client.streamSet('key', made(size), { size });
    for (const [, get] of getters) {
      for await (const piece of (await get(client)('key'))!.value) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
      await expect.poll(() => client.diagnostics.queued.calls).toBe(0);

      const controller = new AbortController();
      const aborted = (await get(client)('key', { signal: controller.signal }))!;
      await aborted.value.next();
      controller.abort();
      expect(await rejection(collected(aborted.value))).toMatchObject({ code: 'ABORTED' });

      const late = (await get(client)('key', { timeoutMs: 300 }))!;
      await delay(350);
      expect(await rejection(collected(late.value))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      if ('proven' in late) expect(await rejection(late.proven)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      await expect.poll(() => client.diagnostics.queued.calls).toBe(0);

      // Left while a read is under way, as a destroyed Readable does.
      const readable = Readable.from((await get(client)('key'))!.value);
      readable.read();
      readable.destroy();
      await once(readable, 'close');
      await expect.poll(() => client.diagnostics.queued.calls).toBe(0);
    }
    const left = (await client.verifiedStreamGet('key'))!;
    await left.value.return?.();
    expect(await rejection(left.proven)).toMatchObject({ code: 'ABORTED' });
    const unread = (await client.verifiedStreamGet('key', { timeoutMs: 300 }))!;
    expect(await rejection(unread.proven)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });

    const open = await Promise.all(getters.map(([, get]) => get(client)('key')));
    await client.close();
    for (const entry of open)
      expect(await rejection(collected(entry!.value))).toMatchObject({ code: 'CLOSED' });
  });

  test('a slow writer below does not hold up what is read', async () => {
    const { client } = await openClient();
    await client.streamSet('key', made(3 * MIB), { size: 3 * MIB });
    const entry = (await client.verifiedStreamGet('key'))!;
    let written = 0;
    const sink = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        written += chunk.length;
        setImmediate(done);
      },
    });
    await pipeline(entry.value, sink);
    expect(written).toBe(3 * MIB);
    await entry.proven;
  });

  test('a session that was lost is opened again before the stream begins', async () => {
    const { client } = await openClient({ keepAliveMs: 0 });
    await client.verifiedSet('key', 'value');
    for (const [name, set] of setters) {
      await loseSession(client);
      expect((await set(client)(name, made(100_000), { size: 100_000 })).tx).toBeGreaterThan(0n);
    }
    for (const [, get] of getters) {
      await loseSession(client);
      expect(text(await collected((await get(client)('key'))?.value))).toBe('value');
    }
  });
});

/** Ends the session of a client, which does not know of it. */
async function loseSession(client: ImmuClient): Promise<void> {
  const { connection } = client as unknown as {
    connection: {
      rooms: {
        selected: { session: { unary(method: string, request: object, options: object): Promise<unknown> } };
      };
    };
  };
  await connection.rooms.selected.session.unary('CloseSession', {}, {});
}

describeServer('streams with bad input', () => {
  test('names what is wrong, and sends nothing', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const endless = function* () {
      for (let i = 0; ; i++) yield { key: `k${i}`, value: 'v' };
    };
    const bad: [unknown[], string][] = [
      [['', 'v'], 'key'],
      [['x'.repeat(1024), 'v'], 'key'],
      [['k', ''], 'value'],
      [['k', undefined], 'value'],
      [['k', 5], 'value'],
      [['k', '\ud800'], 'value'],
      [['k', made(5)], 'size'],
      [['k', made(5), { size: 0 }], 'value'],
      [['k', made(5), { size: -1 }], 'size'],
      [['k', made(5), { size: 1.5 }], 'size'],
      [['k', made(5), { size: 5n }], 'size'],
      [['k', 'value', { size: 4 }], 'size'],
      [['k', 'value', { sise: 5 }], 'options'],
      [['k', 'value', null], 'options'],
      [[[]], 'entries'],
      [[5], 'entries'],
      [[undefined], 'entries'],
      [[{}], 'entries'],
      [[[null]], 'entries[0]'],
      [[[{ key: 'k', value: 'v', more: 1 }]], 'entries[0]'],
      [
        [
          [
            { key: 'k', value: 'v' },
            { key: 'k', value: 'v' },
          ],
        ],
        'entries[1].key',
      ],
      [[[{ key: 'k', value: made(1) }]], 'entries[0].size'],
      [[[{ key: 'k', value: 'v' }], { size: 5 }], 'options'],
      [[endless()], 'entries'],
      [[(async function* () {})()], 'entries'],
    ];
    for (const [given, argument] of bad) {
      for (const [name, set] of setters) {
        const call = set(client) as (...args: unknown[]) => Promise<unknown>;
        const error = await rejection(call(...given));
        expect(error, `${name} ${argument}`).toBeInstanceOf(ArgumentError);
        expect(error.argument, error.message).toBe(argument);
      }
    }
    for (const [given, argument] of [
      [[''], 'key'],
      [['k', { atTx: 5 }], 'atTx'],
      [['k', { atTx: 0n }], 'atTx'],
      [['k', { atTx: 1n, sinceTx: 1n }], 'atTx'],
      [['k', { other: 1 }], 'options'],
    ] as [unknown[], string][])
      for (const [, get] of getters)
        expect(
          await rejection((get(client) as (...args: unknown[]) => Promise<unknown>)(...given)),
        ).toMatchObject({
          argument,
        });
    expect(await rejection(client.verifiedStreamGet('k', { buffer: 'yes' as never }))).toMatchObject({
      argument: 'buffer',
    });
    expect((await wire.call('CurrentState')).txId ?? '0').toBe('0');
    await client.close();
    for (const call of [() => client.streamGet('k'), () => client.verifiedStreamSet('k', 'v')])
      expect(await rejection(call())).toMatchObject({ code: 'CLOSED' });
  });
});
