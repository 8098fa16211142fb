// From TLS options to what grpc-js wants; what cannot be used is the caller's mistake, named before the first call.
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import { ArgumentError } from '../errors.js';
import type { ResolvedTls } from './options.js';

/**
 * Sent as the server name when an IP address is dialled: TLS has no server name for addresses (RFC 6066 §3), newer Nodes
 * refuse to send one, and grpc-js always sends something. The certificate is checked for the address all the same.
 */
const NAME_FOR_ADDRESSES = 'ip-address.invalid';

/** Throws ArgumentError (`tls`) when a certificate or key cannot be read. */
export function channelCredentials(tls: ResolvedTls | undefined, host: string): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const { ca, key, cert } = tls;
  try {
    const name = tls.serverName ?? host;
    return credentials.createSsl(pem(ca), pem(key?.reveal()), pem(cert), {
      checkServerIdentity: (_sent, certificate) => checkServerIdentity(name, certificate),
    });
  } catch (error) {
    // OpenSSL's words name the kind of mistake, never the content.
    const why = error instanceof Error ? error.message : 'unknown reason';
    throw new ArgumentError('tls', `tls cannot be used: ${why}`);
  }
}

/** Has the server's certificate checked for another name than the host that is dialled. */
export function nameOverride(tls: ResolvedTls | undefined, host: string): ChannelOptions {
  if (!tls) return {};
  const { serverName } = tls;
  const sent = isIP(serverName ?? host) === 0 ? serverName : NAME_FOR_ADDRESSES;
  return {
    ...(sent !== undefined && { 'grpc.ssl_target_name_override': sent }),
    ...(serverName !== undefined && { 'grpc.default_authority': serverName }),
  };
}

function pem(value: Uint8Array | undefined): Buffer | null {
  return value === undefined ? null : Buffer.from(value);
}
