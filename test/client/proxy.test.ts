// Which way leads through an HTTP proxy, and what is said when it is dead.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect as dial } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseAddress } from '#dist/client/options/address.js';
import { proxyFor } from '#dist/client/net/proxy.js';
import { connect, deadAddress, failure, PuppetServer } from './support.js';

const P = 'http://proxy.example:8080';

describe('whether a proxy is used', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['db.example.com', {}, undefined],
    ['db.example.com', { http_proxy: P }, 'http_proxy'],
    ['db.example.com', { https_proxy: P, http_proxy: 'http://other:1' }, 'https_proxy'],
    ['db.example.com', { grpc_proxy: P, https_proxy: 'http://other:1' }, 'grpc_proxy'],
    ['db.example.com', { grpc_proxy: '', http_proxy: P }, 'http_proxy'],
    // Loopback
    ['localhost', { http_proxy: P }, undefined],
    ['LOCALHOST:5', { http_proxy: P }, undefined],
    ['db.localhost', { http_proxy: P }, undefined],
    ['127.0.0.1', { http_proxy: P }, undefined],
    ['127.3.2.1:9', { http_proxy: P }, undefined],
    ['[::1]:3322', { http_proxy: P }, undefined],
    ['::ffff:127.0.0.1', { http_proxy: P }, undefined],
    ['notlocalhost', { http_proxy: P }, 'http_proxy'],
    ['128.0.0.1', { http_proxy: P }, 'http_proxy'],
    // Exceptions, in lower and upper case
    ['db.example.com', { http_proxy: P, no_proxy: '*' }, undefined],
    ['db.example.com', { http_proxy: P, NO_PROXY: '*' }, undefined],
    ['db.example.com', { http_proxy: P, NO_PROXY: 'a, EXAMPLE.com' }, undefined],
    ['db.example.com', { http_proxy: P, no_proxy: '.example.com' }, undefined],
    ['db.example.com', { http_proxy: P, no_proxy: '*.example.com' }, undefined],
    ['db.example.com', { http_proxy: P, no_proxy: 'db.example.com:3322' }, undefined],
    ['db.example.com', { http_proxy: P, no_proxy: 'db.example.com:1' }, 'http_proxy'],
    ['db.example.com', { http_proxy: P, no_proxy: 'ample.com' }, 'http_proxy'],
    ['db.example.com', { http_proxy: P, no_proxy: ',, ,' }, 'http_proxy'],
    ['db.example.com', { http_proxy: P, no_grpc_proxy: 'other', no_proxy: '*' }, 'http_proxy'],
    ['10.1.2.3', { http_proxy: P, no_proxy: '10.0.0.0/8' }, undefined],
    ['11.1.2.3', { http_proxy: P, no_proxy: '10.0.0.0/8' }, 'http_proxy'],
    ['10.1.2.3', { http_proxy: P, no_proxy: '10.0.0.0/99,10.1.2.4' }, 'http_proxy'],
    ['10.1.2.3', { http_proxy: P, no_proxy: '10.1.2.3' }, undefined],
    ['[fd00::1]:3322', { http_proxy: P, no_proxy: '[fd00::1]' }, undefined],
    ['[fd00::1]:3322', { http_proxy: P, no_proxy: '[fd00::1]:3322' }, undefined],
    ['[fd00::1]:3322', { http_proxy: P, no_proxy: '[fd00::1]:1' }, 'http_proxy'],
    ['fd00::1', { http_proxy: P, no_proxy: 'fd00::/8' }, undefined],
  ])('%s with %j: %s', (address, env, variable) => {
    const proxy = proxyFor(parseAddress(address), env);
    expect(proxy?.variable).toBe(variable);
    if (proxy) expect(proxy.text).toBe('proxy.example:8080');
  });

  test('its credentials are kept apart from its name', () => {
    const proxy = proxyFor(parseAddress('db'), { http_proxy: 'http://user:p%40ss@proxy' });
    expect(proxy).toEqual({ variable: 'http_proxy', text: 'proxy:80', credentials: 'user:p@ss' });
  });

  test.each(['https://proxy:1', 'socks5://proxy:1', 'proxy:1', 'not a url', '::'])(
    'what cannot be used is named: %s',
    (value) => {
      expect(proxyFor(parseAddress('db'), { http_proxy: value })).toEqual({ variable: 'http_proxy' });
    },
  );
});

describe('a proxy on the way', () => {
  // grpc-js writes what it knows of a dead one to the console.
  beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue(undefined));
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  test('a dead one is named, without its credentials', async () => {
    const proxy = await deadAddress();
    vi.stubEnv('http_proxy', `http://user:secret@${proxy}`);
    await using client = connect('db.example.invalid', { kind: 'anonymous' });
    const { code, message } = await failure(client.session.unary('Get', {}, {}));
    expect(code).toBe('UNAVAILABLE');
    expect(message).toContain('db.example.invalid:3322');
    expect(message).toContain(`http_proxy: through the proxy ${proxy}`);
    expect(message).not.toContain('secret');
  });

  test('one that cannot be used is named too', async () => {
    vi.stubEnv('http_proxy', 'socks5://user:secret@proxy:1');
    await using client = connect('db.example.invalid', { kind: 'anonymous' });
    const { message } = await failure(client.session.unary('Get', {}, {}));
    expect(message).toContain('http_proxy: no http:// URL, not used');
    expect(message).not.toContain('secret');
  });

  test('loopback is dialled itself, whatever the variables say', async () => {
    vi.stubEnv('http_proxy', `http://${await deadAddress()}`);
    await using server = await PuppetServer.start({ Health: (_, reply) => reply(null, { status: true }) });
    await using client = connect(server.address, { kind: 'anonymous' });
    expect(await client.session.unary('Health', {}, {})).toEqual({ status: true });
  });

  test('a living one is asked for the server by its name, with its credentials', async () => {
    await using server = await PuppetServer.start({ Health: (_, reply) => reply(null, { status: true }) });
    const [host = '', port] = server.address.split(':');
    const asked: unknown[] = [];
    const proxy = createServer().on('connect', (request, near) => {
      asked.push([request.url, request.headers['proxy-authorization']]);
      const far = dial({ host, port: Number(port) }, () => {
        near.write('HTTP/1.1 200 OK\r\n\r\n');
        near.pipe(far).pipe(near);
      });
      for (const socket of [near, far]) socket.on('error', () => undefined);
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    vi.stubEnv('http_proxy', `http://user:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    await using client = connect('db.example.invalid:55', { kind: 'anonymous' });
    expect(await client.session.unary('Health', {}, {})).toEqual({ status: true });
    const basic = `Basic ${Buffer.from('user:secret').toString('base64')}`;
    expect(asked).toEqual([['db.example.invalid:55', basic]]);
    proxy.closeAllConnections();
    proxy.close();
  });
});
