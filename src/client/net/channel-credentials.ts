// From TLS options to what grpc-js wants; what cannot be used is the caller's mistake, named before the first call.
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import { ArgumentError } from '../../errors.js';
import type { ResolvedTls } from '../options/options.js';

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
    const [authorities, own] = [pem('tls.ca', CERTIFICATE, ca), pem('tls.cert', CERTIFICATE, cert)];
    return credentials.createSsl(authorities, pem('tls.key', PRIVATE_KEY, key?.reveal()), own, {
      checkServerIdentity: (_sent, certificate) => checkServerIdentity(name, certificate),
    });
  } catch (error) {
    if (error instanceof ArgumentError) throw error;
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

interface Pem {
  readonly what: string;
  readonly begins: RegExp;
}

const CERTIFICATE: Pem = { what: 'certificate', begins: /-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/ };
const PRIVATE_KEY: Pem = { what: 'private key', begins: /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/ };

/** Text in which there is nothing of the kind is no mistake to OpenSSL: it then trusts nobody, at the first call. */
function pem(name: string, { what, begins }: Pem, given: Uint8Array | undefined): Buffer | null {
  if (given === undefined) return null;
  const bytes = Buffer.from(given);
  const content = bytes.toString('latin1');
  if (begins.test(content)) return bytes;
  const path = content.length < 4096 && /^[^\r\n]*([\\/][^\r\n]*|\.(pem|crt|cer|key))$/i.test(content);
  const aside = path ? ': it looks like a path; read the file, and give what is in it' : '';
  throw new ArgumentError('tls', `${name} holds no ${what} in PEM${aside}`);
}
