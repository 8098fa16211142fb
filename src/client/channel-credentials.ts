// From TLS options to what grpc-js wants; what cannot be used is the caller's mistake, named before the first call.
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import { ArgumentError } from '../errors.js';
import type { ResolvedTls } from './options.js';

/** Throws ArgumentError (`tls`) when a certificate or key cannot be read. */
export function channelCredentials(tls: ResolvedTls | undefined): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const { ca, key, cert } = tls;
  try {
    return credentials.createSsl(pem(ca), pem(key?.reveal()), pem(cert));
  } catch (error) {
    // OpenSSL's words name the kind of mistake, never the content.
    const why = error instanceof Error ? error.message : 'unknown reason';
    throw new ArgumentError('tls', `tls cannot be used: ${why}`);
  }
}

/** Has the server's certificate checked for another name than the host that is dialled. */
export function nameOverride(tls: ResolvedTls | undefined): ChannelOptions {
  if (tls?.serverName === undefined) return {};
  return { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName };
}

function pem(value: Uint8Array | undefined): Buffer | null {
  return value === undefined ? null : Buffer.from(value);
}
