// Byte streams: the same reads and writes on the ledger and on a real immudb, chunk for chunk.
import { expect, it } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { RawClient } from './raw-client.js';
import type { Outcome } from './raw-client.js';

const b = (text: string): Buffer => Buffer.from(text);

function framed(...messages: Uint8Array[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(message.length));
      return [length, message];
    }),
  );
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** ZAddRequest { set: 's', score: 1.5, key: 'k1' } */
const Z_ADD = Buffer.concat([
  Buffer.from([0x0a, 1]),
  b('s'),
  Buffer.from([0x11]),
  score(1.5),
  Buffer.from([0x1a, 2]),
  b('k1'),
]);

function score(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** Go's protobuf puts one kind of space or another into its words, build by build. */
const said = ({ refusal }: Outcome) =>
  refusal && { ...refusal, message: refusal.message.replaceAll('\u00a0', ' ') };

type Ask = (client: RawClient) => Promise<Outcome>;

const NO_MESSAGE = Buffer.from([0xff, 0xff, 0xff]);
/** A Chunk of less than 128 bytes. */
const chunk = (content: Buffer) => Buffer.concat([Buffer.from([0x0a, content.length]), content]);

const large = Buffer.alloc(200_000, 0x61);
const asks: [string, Ask][] = [
  ['no entries', (c) => c.writeStream('streamSet', Buffer.alloc(0))],
  ['two entries', (c) => c.writeStream('streamSet', framed(b('k1'), b('v1'), b('k2'), b('v2')))],
  ['in small chunks', (c) => c.writeStream('streamSet', framed(b('k3'), b('v3'), b('k4'), b('v4')), 3)],
  ['large', (c) => c.writeStream('streamSet', framed(b('large'), large))],
  ['empty value at the end', (c) => c.writeStream('streamSet', framed(b('e1'), b('')))],
  ['empty value before the end', (c) => c.writeStream('streamSet', framed(b('e2'), b(''), b('e3'), b('x')))],
  ['empty key', (c) => c.writeStream('streamSet', framed(b(''), b('x')))],
  ['twice the same key', (c) => c.writeStream('streamSet', framed(b('k'), b('1'), b('k'), b('2')))],
  ['key too long', (c) => c.writeStream('streamSet', framed(Buffer.alloc(100, 1), b('1')))],
  ['value too long', (c) => c.writeStream('streamSet', framed(b('k'), Buffer.alloc(300_000, 1)))],
  [
    'verifiable',
    (c) => c.writeStream('streamVerifiableSet', framed(u64(1), b('k5'), b('v5'), b('k6'), b('v6'))),
  ],
  ['verifiable, by itself', (c) => c.writeStream('streamVerifiableSet', framed(u64(0), b('k7'), b('v7')))],
  ['verifiable, ahead', (c) => c.writeStream('streamVerifiableSet', framed(u64(99), b('k8'), b('v8')))],
  ['verifiable, nothing', (c) => c.writeStream('streamVerifiableSet', Buffer.alloc(0))],
  [
    'exec all',
    (c) =>
      c.writeStream('streamExecAll', framed(Buffer.from([1]), b('k9'), b('v9'), Buffer.from([2]), Z_ADD)),
  ],
  ['exec all, reference', (c) => c.writeStream('streamExecAll', framed(Buffer.from([4]), b('x')))],
  ['exec all, nothing', (c) => c.writeStream('streamExecAll', Buffer.alloc(0))],
  ['get', (c) => c.readStream('streamGet', { key: b('k1') })],
  ['get a large one', (c) => c.readStream('streamGet', { key: b('large') })],
  ['get nothing', (c) => c.readStream('streamGet', { key: b('none') })],
  [
    'verifiable get',
    (c) => c.readStream('streamVerifiableGet', { keyRequest: { key: b('k5') }, proveSinceTx: 2 }),
  ],
  [
    'verifiable get of a large one',
    (c) => c.readStream('streamVerifiableGet', { keyRequest: { key: b('large') } }),
  ],
  [
    'verifiable get, ahead',
    (c) => c.readStream('streamVerifiableGet', { keyRequest: { key: b('k5') }, proveSinceTx: 99 }),
  ],
  ['what is no message', (c) => c.writeRaw('streamSet', chunk(framed(b('k'), b('v'))), NO_MESSAGE)],
  ['nothing but what is no message', (c) => c.writeRaw('streamExecAll', NO_MESSAGE)],
  ['scan', (c) => c.readStream('streamScan', { prefix: b('k') })],
  ['scan too much', (c) => c.readStream('streamScan', { limit: 2501 })],
  ['sorted set', (c) => c.readStream('streamZScan', { set: b('s') })],
  ['history', (c) => c.readStream('streamHistory', { key: b('k1') })],
  // Whole transactions: entries with metadata, a reference, a member of a sorted set, a deletion, a large value.
  ['metadata', (c) => c.call('Set', { KVs: [{ key: b('m'), value: b('v'), metadata: EXPIRING }] })],
  ['a reference', (c) => c.call('SetReference', { key: b('r'), referencedKey: b('k1') })],
  ['a deletion', (c) => c.call('Delete', { keys: [b('k2'), b('k3')] })],
  ...range(1, 13).map((tx): [string, Ask] => [`export of ${tx}`, (c) => c.readStream('exportTx', { tx })]),
  ['export of no tx', (c) => c.readStream('exportTx', {})],
  ['export past the end', (c) => c.readStream('exportTx', { tx: 99 })],
];

const EXPIRING = { expiration: { expiresAt: 4102444800 }, nonIndexable: true };

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

describeReal('byte streams of the embedded ledger', () => {
  it.each([1, 0])('carry what those of a real immudb carry: version %i headers', async (version) => {
    const settings = {
      excludeCommitTime: { value: true },
      writeTxHeaderVersion: { value: version },
      maxKeyLen: { value: 64 },
      maxValueLen: { value: 250_000 },
    };
    await using ledger = await EmbeddedLedger.start();
    const database = await freshDatabase(sharedImmudb(), settings);
    const admin = await WireClient.open(ledger.address);
    await admin.call('CreateDatabaseV2', { name: database, settings });
    await admin.call('CloseSession');
    admin.close();
    const real = await RawClient.open(sharedImmudb(), database);
    const embedded = await RawClient.open(ledger.address, database);
    let answered = 0;
    for (const [what, ask] of asks) {
      const [expected, actual] = [await ask(real), await ask(embedded)];
      expect([actual.answer, said(actual), actual.bytes], what).toEqual([
        expected.answer,
        said(expected),
        expected.bytes,
      ]);
      if (expected.answer) answered++;
    }
    expect(answered).toBeGreaterThan(20);
    await real.close();
    await embedded.close();

    for (const address of [sharedImmudb(), ledger.address]) {
      const stranger = new RawClient(address);
      const refusals = [
        await stranger.readStream('streamScan'),
        await stranger.writeStream('streamSet', b('')),
      ];
      stranger.metadata.set('sessionid', 'bogus');
      refusals.push(await stranger.readStream('streamScan'), await stranger.writeStream('streamSet', b('')));
      expect(refusals.map(({ refusal }) => `${refusal?.code ?? ''}: ${refusal?.message ?? ''}`)).toEqual([
        'UNKNOWN: not logged in',
        'UNKNOWN: not logged in',
        'INVALID_ARGUMENT: no session found',
        'INVALID_ARGUMENT: no session found',
      ]);
      await stranger.close();
    }
  });
});
