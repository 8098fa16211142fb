// The audit page on a port of its own, and plain HTTP to it: any Host header can be sent, nothing is followed.
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { onTestFinished } from 'vitest';
import { AuditServer } from '#dist/cli/page/server.js';
import type { AuditServerOptions } from '#dist/cli/page/server.js';
import { SqliteRootStore } from '#dist/index.js';
import { openForReading } from '#dist/audit.js';
import type { ReadStore } from '#dist/audit.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface Served {
  readonly url: string;
  readonly ask: (
    path: string,
    options?: { method?: string; headers?: OutgoingHttpHeaders; body?: string },
  ) => Promise<Answer>;
  /** The answer as it begins; destroyed when the test ends. */
  readonly stream: (path: string, headers?: OutgoingHttpHeaders) => Promise<IncomingMessage>;
}

/** Closed when the test ends. */
export async function serve(
  path: string,
  options: Partial<AuditServerOptions> = {},
): Promise<Served & { readonly store: SqliteRootStore }> {
  const store = await SqliteRootStore.open(path, { create: 'never' });
  return { ...(await served(store, options)), store };
}

/** A store that is only looked at. */
export async function serveDamaged(path: string): Promise<Served> {
  return served(await openForReading(path));
}

async function served(
  store: SqliteRootStore | ReadStore,
  options: Partial<AuditServerOptions> = {},
): Promise<Served> {
  const server = await AuditServer.start(store, {
    host: '127.0.0.1',
    port: 0,
    token: null,
    names: [],
    ...options,
  });
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
    await store.close();
  });
  const { port } = new URL(server.url);
  const begin = async (
    to: string,
    {
      method = 'GET',
      headers = {},
      body = '',
    }: { method?: string; headers?: OutgoingHttpHeaders; body?: string },
  ) => {
    const outgoing = request({ host: '127.0.0.1', port, path: to, method, headers, agent: false });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return incoming.setEncoding('utf8');
  };
  return {
    url: server.url,
    ask: async (to, asked = {}) => {
      const incoming = await begin(to, asked);
      let text = '';
      for await (const chunk of incoming) text += chunk as string;
      return { status: incoming.statusCode ?? 0, headers: incoming.headers, text };
    },
    stream: async (to, headers = {}) => {
      const incoming = await begin(to, { headers });
      onTestFinished(() => void incoming.destroy());
      return incoming;
    },
  };
}
