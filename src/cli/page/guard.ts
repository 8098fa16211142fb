// Who may see the page: the right token where one is demanded, and only under a name that is ours.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Sent with every answer. Nothing is loaded from anywhere else, nothing runs that is not a file of ours. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

export interface GuardOptions {
  /** Null: whoever reaches the port may look. */
  readonly token: string | null;
  /** Names besides `localhost` and plain addresses under which the page may be asked for. */
  readonly hosts: readonly string[];
}

export class Guard {
  readonly #token: string | null;
  readonly #hosts: ReadonlySet<string>;

  constructor({ token, hosts }: GuardOptions) {
    this.#token = token;
    this.#hosts = new Set(['localhost', ...hosts.map((host) => host.toLowerCase())]);
  }

  /**
   * A web site that has its own name lead to our address (DNS rebinding) could read the page through its visitors'
   * browsers. Its name stands in the Host header: only names of ours are answered. An address cannot be led elsewhere.
   */
  allowsHost({ headers }: IncomingMessage): boolean {
    const name = /^(\[[^\]]*\]|[^:]*)(:\d{1,5})?$/.exec(headers.host ?? '')?.[1]?.toLowerCase() ?? '';
    return this.#hosts.has(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
  }

  /** The token as a bearer token or in the cookie of this port. */
  allows(request: IncomingMessage): boolean {
    if (this.#token === null) return true;
    const [, bearer] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    return [bearer, cookie(request)].some((given) => given !== undefined && this.isToken(given));
  }

  /** Takes as long for a token that is nearly right as for any other. */
  isToken(given: string): boolean {
    return this.#token !== null && timingSafeEqual(digest(given), digest(this.#token));
  }

  /** Keeps the token in the browser, out of reach of scripts and other sites. */
  cookieFor(request: IncomingMessage): string {
    return `${cookieName(request)}=${encodeURIComponent(this.#token ?? '')}; HttpOnly; SameSite=Strict; Path=/`;
  }
}

/** Cookies do not know ports: two pages on one machine must not take each other's. */
function cookieName({ socket }: IncomingMessage): string {
  return `immu-ts-audit-${socket.localPort ?? 0}`;
}

function cookie(request: IncomingMessage): string | undefined {
  const name = cookieName(request);
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [key = '', value = ''] = pair.trim().split('=', 2);
    if (key === name) return decoded(value);
  }
  return undefined;
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
