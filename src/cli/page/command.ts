// `immu-ts audit serve`: the audit page, for this machine alone unless it is told otherwise.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { BlockList, isIPv6 } from 'node:net';
import { UsageError, command } from '../command.js';
import { visible } from '../../visible.js';
import { INTERRUPTED } from '../exit-code.js';
import { countOf } from '../query-options.js';
import { LOG_OPTIONS, openLog } from '../store-option.js';
import { AuditServer } from './server.js';

const MIN_TOKEN_CHARS = 16;

export const serveCommand = command({
  name: 'audit serve',
  summary: 'Shows the audit log as a page in the browser until Ctrl-C. Nothing on it changes the log.',
  options: {
    ...LOG_OPTIONS,
    port: { type: 'string', value: 'N', says: 'port; 0 = any that is free', default: '7322' },
    host: {
      type: 'string',
      value: 'HOST',
      says: 'address to listen on; others than loopback need a token',
      default: '127.0.0.1',
    },
    token: {
      type: 'string',
      value: 'TOKEN',
      says: 'what a browser must present; default: $IMMU_TS_AUDIT_TOKEN',
    },
    names: {
      type: 'string',
      value: 'A,B',
      says: 'further host names it is asked for by, such as that of a proxy',
    },
  },
  more: `Without a token whoever can open a port of this machine can read the log. On another address than loopback one is
made up and printed when none is given. It travels in the clear: put a proxy with TLS in front of the page.

/metrics has the figures of the log for Prometheus (with the token as bearer token), /healthz says to anybody whether
the log can be read.`,
  async run(options, _operand, { out, err, env, signal }) {
    const port = countOf('port', options.port);
    if (port > 65_535) throw new UsageError('--port is at most 65535');
    const { host } = options;
    const token = tokenOf(options.token ?? env['IMMU_TS_AUDIT_TOKEN'], host);
    const names = (options.names ?? '').split(',').filter((name) => name !== '');
    await using log = await openLog(options, { err });
    await using server = await AuditServer.start(log, {
      port,
      host,
      token,
      names: [host, hostname(), ...names],
    });
    await out.write(
      `audit page of ${visible(log.path)}\n${server.url}${token === null ? '' : `?token=${token}`}\n`,
    );
    if (!signal.aborted) await once(signal, 'abort');
    return INTERRUPTED;
  },
});

function tokenOf(given: string | undefined, host: string): string | null {
  if (given === undefined) return isLoopback(host) ? null : randomBytes(24).toString('base64url');
  if (given.length < MIN_TOKEN_CHARS || !/^[\w.~-]+$/.test(given)) {
    throw new UsageError(`a token has at least ${MIN_TOKEN_CHARS} letters, digits or . _ ~ -`);
  }
  return given;
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}
