// TLS as callers describe it: PEM, looked at before anything is dialled.
import { ArgumentError } from '../errors.js';
import { bytesOrText, knownNames, text, wrongType } from './option-checks.js';
import { Secret } from './secret.js';

export interface TlsOptions {
  /** PEM of the authorities to trust. @default the platform's */
  readonly ca?: string | Uint8Array;
  /** PEM of the client's certificate and key (mutual TLS): both or neither. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Name to expect in the server's certificate, when it is not the host dialled. */
  readonly serverName?: string;
}

export interface ResolvedTls {
  readonly ca?: Uint8Array;
  readonly cert?: Uint8Array;
  readonly key?: Secret<Uint8Array>;
  readonly serverName?: string;
}

/** Throws ArgumentError that names the option. */
export function resolveTls(tls: boolean | TlsOptions | undefined): ResolvedTls | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  if (typeof tls !== 'object' || (tls as TlsOptions | null) === null) {
    wrongType('tls', 'a boolean or an object', tls);
  }
  knownNames('tls', tls, ['ca', 'cert', 'key', 'serverName']);
  const { ca, cert, key, serverName } = tls;
  if ((cert === undefined) !== (key === undefined)) {
    throw new ArgumentError('tls', 'tls.cert and tls.key belong together: give both or neither');
  }
  return {
    ...(ca !== undefined && { ca: pem('tls.ca', ca, CERTIFICATE) }),
    ...(cert !== undefined && { cert: pem('tls.cert', cert, CERTIFICATE) }),
    ...(key !== undefined && { key: new Secret(pem('tls.key', key, PRIVATE_KEY)) }),
    ...(serverName !== undefined && { serverName: text('tls.serverName', serverName) }),
  };
}

const CERTIFICATE = { what: 'certificate', begins: /-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/ };
const PRIVATE_KEY = { what: 'private key', begins: /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/ };

/** PEM that holds such a thing: OpenSSL takes text without one for an empty list, and then trusts nobody, or says nothing. */
function pem(name: string, given: unknown, { what, begins }: typeof CERTIFICATE): Uint8Array {
  const bytes = bytesOrText(name, given);
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  if (begins.test(content)) return bytes;
  const isPath =
    content.length < 4096 && !/[\r\n]/.test(content) && /[\\/]|\.(pem|crt|cer|key)$/i.test(content);
  const aside = isPath ? ': it looks like a path; give what is in the file, readFileSync(path)' : '';
  throw new ArgumentError(name, `${name} holds no ${what} in PEM${aside}`);
}
