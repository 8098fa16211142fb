// TLS as callers describe it: PEM as bytes or text.
import { ArgumentError } from '../../errors.js';
import { bytesOrText, knownNames, text, wrongType } from '../input/option-checks.js';
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
    ...(ca !== undefined && { ca: bytesOrText('tls.ca', ca) }),
    ...(cert !== undefined && { cert: bytesOrText('tls.cert', cert) }),
    ...(key !== undefined && { key: new Secret(bytesOrText('tls.key', key)) }),
    ...(serverName !== undefined && { serverName: text('tls.serverName', serverName) }),
  };
}
