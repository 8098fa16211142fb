// Every option: its default, what it takes, and that a wrong one is named.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { channelCredentials } from '#dist/client/net/channel-credentials.js';
import { resolveOptions } from '#dist/client/options/options.js';
import { databaseName, resolveCredentials } from '#dist/client/options/credentials.js';
import { checkCallOptions } from '#dist/client/input/call-options.js';
import type { ImmuClientOptions } from '#dist/client/options/options.js';
import { ArgumentError } from '#dist/errors.js';
import { MemoryRootStore } from '#dist/index.js';
import type { RootStore } from '#dist/index.js';

function refused(body: () => unknown): ArgumentError {
  try {
    body();
  } catch (error) {
    if (error instanceof ArgumentError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const P256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ALH = new Uint8Array(32).fill(7);

test('defaults', () => {
  const { clientId, ...rest } = resolveOptions();
  expect(rest).toEqual({
    addresses: [{ host: 'localhost', port: 3322, text: 'localhost:3322' }],
    readFrom: [],
    observe: { keys: false },
    credentials: undefined,
    tls: undefined,
    maxMessageBytes: 64 * 1024 * 1024,
    timeoutMs: 30_000,
    connectTimeoutMs: 10_000,
    keepAliveMs: 60_000,
    maxInFlight: 1000,
    maxWritesInFlight: 24,
    retry: { attempts: 8, firstPauseMs: 100, maxPauseMs: 2000 },
    maxQueuedCalls: 16_384,
    maxQueuedBytes: 64 * 1024 * 1024,
    overload: 'wait',
    followMs: 0,
    group: false,
    closeTimeoutMs: 15_000,
    cacheBytes: 64 * 1024 * 1024,
    keepHeaders: undefined,
    publicKey: undefined,
    trust: { policy: 'first-use' },
    store: undefined,
    verifier: {},
  });
  expect(clientId).toMatch(new RegExp(`.+:${process.pid}$`));
});

describe('address', () => {
  test.each([
    ['localhost', 'localhost:3322'],
    ['db.example.com:1', 'db.example.com:1'],
    ['DB.Example.com:65535', 'db.example.com:65535'],
    ['127.0.0.1', '127.0.0.1:3322'],
    ['127.0.0.1:3323', '127.0.0.1:3323'],
    ['::1', '[::1]:3322'],
    ['[::1]', '[::1]:3322'],
    ['[::1]:3323', '[::1]:3323'],
    ['[2001:DB8::7]:443', '[2001:db8::7]:443'],
    ['my_host-1:3322', 'my_host-1:3322'],
  ])('%s is %s', (written, text) => {
    expect(resolveOptions(written).addresses[0].text).toBe(text);
    expect(resolveOptions({ address: written }).addresses[0].text).toBe(text);
  });

  test.each([
    '',
    ':3322',
    'host:',
    'host:0',
    'host:65536',
    'host:99999999',
    'host:-1',
    'host:1a',
    'host:1:2',
    'http://host:1',
    'host/path',
    'user@host',
    'host name',
    '[::1',
    '::1]:3322',
    '[host]:3322',
    '[]:1',
    'dns:///host',
    'host\n:1',
    'hö.example',
  ])('%j is refused', (address) => {
    expect(refused(() => resolveOptions({ address })).argument).toBe('address');
  });
});

test.each([
  ['http://host:1', /without http:\/\/, or immudb:\/\/…$/],
  ['https://host:1', /without https:\/\/, or immudb:\/\/…; for TLS set the option tls$/],
  ['::1%lo', /zone/],
  ['fe80::1%eth0', /zone/],
  ['[fe80::1%25eth0]:3322', /zone/],
])('%s is refused, and the message says what is wrong with it', (address, words) => {
  const error = refused(() => resolveOptions({ address }));
  expect([error.argument, error.message]).toEqual(['address', expect.stringMatching(words)]);
});

test.each([
  ['tls.ca', { ca: 'hello' }, /holds no certificate in PEM$/],
  ['tls.ca', { ca: '/etc/ssl/ca.pem' }, /looks like a path; read the file/],
  ['tls.ca', { ca: 'ca.crt' }, /looks like a path/],
  ['tls.ca', { ca: new Uint8Array([0x30, 0x82, 1, 2]) }, /holds no certificate in PEM$/],
  ['tls.cert', { cert: './me.pem', key: 'k' }, /looks like a path/],
])('%s without what it should hold is refused, and named: %j', (name, tls, words) => {
  const error = refused(() => channelCredentials(resolveOptions({ tls }).tls, 'localhost'));
  expect(error.argument).toBe('tls');
  expect(error.message).toMatch(words);
  expect(error.message).toContain(`${name} holds no`);
});

test('a key that is none is refused without being shown', () => {
  const cert = '-----BEGIN CERTIFICATE-----\n';
  const { tls } = resolveOptions({ tls: { cert, key: 'private words' } });
  const error = refused(() => channelCredentials(tls, 'localhost'));
  expect(error.message).toBe('tls.key holds no private key in PEM');
});

test('headers are kept when asked for, in a store that can keep them', () => {
  const maxBytes = 256 * 1024 * 1024;
  expect(resolveOptions({ keepHeaders: true }).keepHeaders).toEqual({ maxBytes });
  expect(resolveOptions({ keepHeaders: {} }).keepHeaders).toEqual({ maxBytes });
  expect(resolveOptions({ keepHeaders: { maxBytes: 2 ** 40 } }).keepHeaders).toEqual({ maxBytes: 2 ** 40 });
  expect(resolveOptions({ keepHeaders: false }).keepHeaders).toBeUndefined();
  expect(resolveOptions({ keepHeaders: true, store: new MemoryRootStore() }).keepHeaders).toEqual({
    maxBytes,
  });
  // A store of the user's own may do without, unless it is asked to.
  const { headers, ...own } = new MemoryRootStore();
  expect(headers).toBeDefined();
  expect(resolveOptions({ store: own as RootStore }).keepHeaders).toBeUndefined();
});

describe('wrong options are named', () => {
  const cases: [string, unknown, string][] = [
    ['a number as address', { address: 3322 }, 'address'],
    ['timeoutMs 0', { timeoutMs: 0 }, 'timeoutMs'],
    ['timeoutMs -1', { timeoutMs: -1 }, 'timeoutMs'],
    ['timeoutMs 1.5', { timeoutMs: 1.5 }, 'timeoutMs'],
    ['timeoutMs NaN', { timeoutMs: NaN }, 'timeoutMs'],
    ['timeoutMs Infinity', { timeoutMs: Infinity }, 'timeoutMs'],
    ['timeoutMs as text', { timeoutMs: '5' }, 'timeoutMs'],
    ['timeoutMs as bigint', { timeoutMs: 5n }, 'timeoutMs'],
    ['timeoutMs beyond a timer', { timeoutMs: 2 ** 31 }, 'timeoutMs'],
    ['connectTimeoutMs 0', { connectTimeoutMs: 0 }, 'connectTimeoutMs'],
    ['keepAliveMs -1', { keepAliveMs: -1 }, 'keepAliveMs'],
    ['maxMessageBytes 0', { maxMessageBytes: 0 }, 'maxMessageBytes'],
    ['maxMessageBytes 1023', { maxMessageBytes: 1023 }, 'maxMessageBytes'],
    ['maxInFlight 0', { maxInFlight: 0 }, 'maxInFlight'],
    ['maxWritesInFlight symbol', { maxWritesInFlight: Symbol('x') }, 'maxWritesInFlight'],
    ['maxQueuedCalls 0', { maxQueuedCalls: 0 }, 'maxQueuedCalls'],
    ['maxQueuedBytes 1023', { maxQueuedBytes: 1023 }, 'maxQueuedBytes'],
    ['cacheBytes below a MiB', { cacheBytes: 1024 * 1024 - 1 }, 'cacheBytes'],
    ['keepHeaders as number', { keepHeaders: 1 }, 'keepHeaders'],
    ['keepHeaders null', { keepHeaders: null }, 'keepHeaders'],
    ['keepHeaders as list', { keepHeaders: [] }, 'keepHeaders'],
    ['keepHeaders with an unknown name', { keepHeaders: { bytes: 1 } }, 'keepHeaders'],
    ['keepHeaders below a MiB', { keepHeaders: { maxBytes: 1024 * 1024 - 1 } }, 'keepHeaders.maxBytes'],
    ['keepHeaders in a store that cannot', { keepHeaders: true, store: { audit: {} } }, 'keepHeaders'],
    ['overload of another kind', { overload: 'drop' }, 'overload'],
    ['overload null', { overload: null }, 'overload'],
    ['group as number', { group: 1 }, 'group'],
    ['tls as text', { tls: 'yes' }, 'tls'],
    ['tls null', { tls: null }, 'tls'],
    ['tls.cert alone', { tls: { cert: 'x' } }, 'tls'],
    ['tls.key alone', { tls: { key: 'x' } }, 'tls'],
    ['tls.ca as number', { tls: { ca: 5 } }, 'tls.ca'],
    ['tls.ca empty', { tls: { ca: '' } }, 'tls.ca'],
    ['tls with an unknown name', { tls: { servername: 'x' } }, 'tls'],
    ['credentials as text', { credentials: 'immudb' }, 'credentials'],
    ['credentials null', { credentials: null }, 'credentials'],
    ['no user', { credentials: { password: 'x' } }, 'user'],
    ['empty user', { credentials: { user: '', password: 'x' } }, 'user'],
    ['no password', { credentials: { user: 'u' } }, 'password'],
    ['a number as password', { credentials: { user: 'u', password: 1234 } }, 'password'],
    ['a password without UTF-8 form', { credentials: { user: 'u', password: 'x\ud800' } }, 'password'],
    ['a bad database', { credentials: { user: 'u', password: 'x', database: 'a b' } }, 'database'],
    ['serverPublicKey as text', { serverPublicKey: 'hello' }, 'serverPublicKey'],
    ['serverPublicKey as number', { serverPublicKey: 7 }, 'serverPublicKey'],
    ['serverPublicKey as rubbish', { serverPublicKey: new Uint8Array(91) }, 'serverPublicKey'],
    ['trust as text', { trust: 'first-use' }, 'trust'],
    ['trust null', { trust: null }, 'trust'],
    ['trust unknown policy', { trust: { policy: 'always' } }, 'trust'],
    ['trust first-use with a root', { trust: { policy: 'first-use', tx: 1n, alh: ALH } }, 'trust'],
    ['trust pinned without root', { trust: { policy: 'pinned' } }, 'trust'],
    ['trust pinned with number', { trust: { policy: 'pinned', tx: 1, alh: ALH } }, 'trust'],
    ['trust pinned negative', { trust: { policy: 'pinned', tx: -1n, alh: ALH } }, 'trust'],
    ['trust pinned beyond 63 bits', { trust: { policy: 'pinned', tx: 2n ** 63n, alh: ALH } }, 'trust'],
    ['trust pinned short hash', { trust: { policy: 'pinned', tx: 1n, alh: ALH.subarray(1) } }, 'trust'],
    ['store as number', { store: 1 }, 'store'],
    ['store empty', { store: '' }, 'store'],
    ['verifier as number', { verifier: 2 }, 'verifier'],
    ['clientId empty', { clientId: '' }, 'clientId'],
    ['onFork no function', { onFork: 'log' }, 'onFork'],
    ['a misspelt name', { serverPublickey: 'x' }, 'options'],
    ['an array', [], 'options'],
    ['null', null, 'options'],
    ['a number', 5, 'options'],
  ];
  test.each(cases)('%s', (_, options, argument) => {
    const error = refused(() => resolveOptions(options as ImmuClientOptions));
    expect(error.argument).toBe(argument);
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(argument);
  });
});

describe('serverPublicKey', () => {
  const pem = P256.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const der = new Uint8Array(P256.publicKey.export({ type: 'spki', format: 'der' }));

  test('PEM text, PEM bytes and DER are the same key', () => {
    const keys = [pem, Buffer.from(pem), der].map(
      (serverPublicKey) => resolveOptions({ serverPublicKey }).publicKey,
    );
    for (const key of keys) expect(key).toEqual(keys[0]);
    expect(keys[0]?.spki).toEqual(der);
    expect(keys[0]?.fingerprint).toHaveLength(32);
  });

  test('other curves, other kinds of key and private keys are refused', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey;
    const ed = generateKeyPairSync('ed25519').publicKey;
    const secret = P256.privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    for (const key of [other, ed].map((one) => one.export({ type: 'spki', format: 'pem' }).toString())) {
      expect(createPublicKey(key)).toBeDefined();
      expect(refused(() => resolveOptions({ serverPublicKey: key })).message).toContain('P-256');
    }
    const error = refused(() => resolveOptions({ serverPublicKey: secret }));
    expect(error.argument).toBe('serverPublicKey');
    expect(inspect(error)).not.toContain(secret.slice(40, 80));
  });
});

test('certificates that cannot be read are an argument error, not a crash at the first call', () => {
  const { tls } = resolveOptions({ tls: { ca: 'no certificate', cert: 'x', key: 'private words' } });
  const error = refused(() => channelCredentials(tls, 'localhost'));
  expect(error.argument).toBe('tls');
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('private words');
});

test('resolved options show neither password nor key', () => {
  const options = resolveOptions({
    credentials: { user: 'u', password: 'hidden words' },
    tls: { cert: 'certificate', key: 'hidden key' },
  });
  for (const shown of [inspect(options, { depth: 10, showHidden: true }), JSON.stringify(options)]) {
    expect(shown).not.toContain('hidden');
    expect(shown).not.toContain(inspect(Buffer.from('hidden key')).slice(8, 20));
  }
  expect(String(options.credentials?.password)).toBe('[secret]');
  expect(options.credentials?.password.reveal()).toBe('hidden words');
});

test('a wrong password type is not echoed', () => {
  const error = refused(() => resolveCredentials({ user: 'u', password: 98765 as never }));
  expect(inspect(error)).not.toContain('98765');
});

test('database names are lower case, and bounded', () => {
  expect(databaseName('DefaultDB')).toBe('defaultdb');
  expect(databaseName('a'.repeat(128))).toHaveLength(128);
  for (const name of ['', 'a'.repeat(129), 'a-b', 'a.b', 'ä', 'a b', 7, null, undefined]) {
    expect(refused(() => databaseName(name as string)).argument).toBe('database');
  }
});

test('call options', () => {
  checkCallOptions({});
  checkCallOptions({ timeoutMs: 1, signal: new AbortController().signal });
  for (const timeoutMs of [0, -5, 1.5, NaN, '5', 5n, null]) {
    expect(refused(() => checkCallOptions({ timeoutMs: timeoutMs as number })).argument).toBe('timeoutMs');
  }
  for (const signal of [{}, null, true, new AbortController()]) {
    expect(refused(() => checkCallOptions({ signal: signal as AbortSignal })).argument).toBe('signal');
  }
  expect(refused(() => checkCallOptions(5 as never)).argument).toBe('options');
});
