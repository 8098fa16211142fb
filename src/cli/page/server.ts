// The audit page's HTTP server: lets in who may look, answers, and says what went wrong. It reads, and changes nothing.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ImmuError } from '../../index.js';
import { UsageError } from '../command.js';
import { Guard, SECURITY_HEADERS } from './guard.js';
import { html } from './html.js';
import { message, page } from './layout.js';
import { Routes, send } from './routes.js';
import type { PageLog } from './routes.js';

export interface AuditServerOptions {
  readonly host: string;
  /** 0 = any that is free. */
  readonly port: number;
  /** What a browser must present; null = nothing. */
  readonly token: string | null;
  /** Names by which the page may be asked for. */
  readonly names: readonly string[];
}

const MAX_LOGIN_BYTES = 4096;

export class AuditServer {
  readonly url: string;
  readonly #server: Server;
  readonly #closing: AbortController;

  private constructor(server: Server, url: string, closing: AbortController) {
    this.#server = server;
    this.url = url;
    this.#closing = closing;
  }

  /** The log stays the caller's. Rejects when the port cannot be had. */
  static async start(log: PageLog, options: AuditServerOptions): Promise<AuditServer> {
    const closing = new AbortController();
    const guard = new Guard({ token: options.token, hosts: options.names });
    const routes = new Routes(log, closing.signal);
    const server = createServer((request, response) => void serve(guard, routes, request, response));
    server.listen(options.port, options.host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    return new AuditServer(server, `http://${host}:${port}/`, closing);
  }

  /** Ends live views and cuts what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Never rejects: whatever goes wrong is told to the browser. */
async function serve(
  guard: Guard,
  routes: Routes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  // A browser that goes away while it is answered is no failure of ours.
  response.on('error', () => undefined);
  try {
    if (!guard.allowsHost(request)) {
      send(
        response,
        421,
        'text/plain; charset=utf-8',
        'This page is not served under that name (see --names).\n',
      );
      return;
    }
    if (!URL.canParse(request.url ?? '/', 'http://page')) {
      send(response, 400, 'text/plain; charset=utf-8', 'That is no address of this page.\n');
      return;
    }
    const url = new URL(request.url ?? '/', 'http://page');
    if (url.pathname === '/login' && request.method === 'POST') {
      await login(guard, request, response);
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      send(response, 405, 'text/plain; charset=utf-8', 'This page can only be read.\n');
    } else if (url.pathname === '/' && url.searchParams.has('token')) {
      enter(guard, request, response, url.searchParams.get('token') ?? '');
    } else if (url.pathname === '/healthz') {
      await routes.health(response);
    } else if (!guard.allows(request) && url.pathname !== '/style.css') {
      askForToken(response, 'It was printed when the page was started.');
    } else {
      await routes.answer(request, url, response);
    }
  } catch (error) {
    fail(routes, response, error);
  }
}

/** From the address that was printed: the token goes into a cookie, and out of the address. */
function enter(guard: Guard, request: IncomingMessage, response: ServerResponse, token: string): void {
  if (!guard.isToken(token)) {
    askForToken(response, 'That is not the token.');
    return;
  }
  response.writeHead(303, { Location: '/', 'Set-Cookie': guard.cookieFor(request) });
  response.end();
}

async function login(guard: Guard, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_LOGIN_BYTES) {
      response.setHeader('Connection', 'close');
      send(response, 413, 'text/plain; charset=utf-8', 'That is too long for a token.\n');
      return;
    }
    chunks.push(chunk);
  }
  const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
  enter(guard, request, response, form.get('token') ?? '');
}

function askForToken(response: ServerResponse, words: string): void {
  response.setHeader('WWW-Authenticate', 'Bearer');
  const form = html`<form method="post" action="/login" class="login">
    <label
      >Token <input name="token" type="password" autocomplete="current-password" required autofocus
    /></label>
    <button type="submit">Open</button>
  </form>`;
  const body = message('This page needs a token', words, form);
  send(response, 401, 'text/html; charset=utf-8', page({ title: 'Token', store: '' }, body));
}

function fail(routes: Routes, response: ServerResponse, error: unknown): void {
  // What is under way is cut: half an export must not look like a whole one.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (error instanceof UsageError) {
    routes.show(response, 400, 'Not understood', message('Not understood', error.message.replace(/^--/, '')));
    return;
  }
  const words = error instanceof Error ? error.message : String(error);
  const code = error instanceof ImmuError ? `${error.code}: ` : '';
  routes.show(response, 500, 'Failed', message('The log could not be read', `${code}${words}`));
}
