// Channel and session as a client has them, with what was sent noted; and a server that does as it is told.
import { setAllContent } from '#dist/client/calls/kv/contents.js';
import type { Pairs } from '#dist/client/calls/kv/contents.js';
import { writeContent } from '#dist/client/calls/kv/grouped-write.js';
import type { Write } from '#dist/client/calls/kv/kv.js';
import type { Rpc } from '#dist/client/net/rpc.js';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net';
import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { Channel } from '#dist/client/net/channel.js';
import type { ChannelCall } from '#dist/client/net/channel.js';
import { resolveOptions } from '#dist/client/options/options.js';
import { databaseName, resolveCredentials } from '#dist/client/options/credentials.js';
import type { ImmuClientOptions } from '#dist/client/options/options.js';
import type { Credentials } from '#dist/client/options/credentials.js';
import type { CallOptions } from '#dist/client/input/call-options.js';
import { GroupedCalls } from '#dist/client/room/grouped-calls.js';
import { Deadline } from '#dist/client/flow/deadline.js';
import type { Entry } from '#dist/client/calls/kv/entries.js';
import { Admission } from '#dist/client/flow/admission.js';
import { bytesOf, getEntry, toKeys } from '#dist/client/calls/kv/kv.js';
import { Session } from '#dist/client/net/session.js';
import type { LoginKind } from '#dist/client/net/session.js';
import { ImmuError } from '#dist/errors.js';
import type { ImmuErrorCode } from '#dist/errors.js';
import { readSetRequest } from '#dist/verify/wire/requests.js';
import type { SentEntry } from '#dist/verify/wire/requests.js';
import type { Methods } from '#dist/wire/messages.js';
import type { UnaryMethod } from '#dist/wire/methods.js';
import { serviceDefinition } from '#dist/wire/schema.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';

/** Notes the name of every RPC that is sent. */
export class NotingChannel extends Channel {
  readonly sent: string[] = [];

  override unary<M extends UnaryMethod>(
    method: M,
    request: Methods[M]['request'],
    call: ChannelCall,
  ): Promise<Methods[M]['answer']> {
    this.sent.push(method);
    return super.unary(method, request, call);
  }

  override raw<M extends UnaryMethod>(
    method: M,
    request: Methods[M]['request'] | Uint8Array,
    call: ChannelCall,
  ): Promise<Uint8Array> {
    this.sent.push(method);
    return super.raw(method, request, call);
  }
}

export interface Connected extends AsyncDisposable {
  readonly channel: NotingChannel;
  readonly session: Session;
  readonly identities: string[];
  /** Another session over the same channel. */
  also(kind: LoginKind, credentials?: Credentials): Session;
}

export type ConnectOptions = Omit<ImmuClientOptions, 'credentials' | 'address'> & {
  readonly kind?: LoginKind;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
};

export function connect(address: string, options: ConnectOptions = {}): Connected {
  const { kind = 'session', user = 'immudb', password = 'immudb', database = 'defaultdb', ...rest } = options;
  const resolved = resolveOptions({ address, ...rest });
  const identities: string[] = [];
  const channel = new NotingChannel(resolved, (server) => identities.push(server));
  const sessions: Session[] = [];
  const also = (wanted: LoginKind, credentials?: Credentials) => {
    const login = credentials ? { credentials: resolveCredentials(credentials) } : {};
    const { timeoutMs, keepAliveMs, maxWritesInFlight, retry } = resolved;
    const on = databaseName(credentials?.database ?? 'defaultdb');
    const session = new Session({
      channel,
      kind: wanted,
      ...login,
      database: on,
      timeoutMs,
      keepAliveMs,
      maxWritesInFlight,
      retry,
    });
    sessions.push(session);
    return session;
  };
  const session = kind === 'anonymous' ? also(kind) : also(kind, { user, password, database });
  return {
    channel,
    session,
    identities,
    also,
    async [Symbol.asyncDispose]() {
      channel.end();
      await Promise.all(sessions.map((one) => one.close()));
      channel.close();
    },
  };
}

/** The latest version of a key, asked for on its own. */
export function get(session: Session, key: string, options: CallOptions = {}): Promise<Entry | null> {
  return getEntry(session, Buffer.from(key), {}, options);
}

/** Many keys, as a client asks for them. */
export async function getAll(
  session: Session,
  keys: Parameters<typeof toKeys>[0],
): Promise<(Entry | null)[]> {
  const { database } = session;
  const { maxQueuedCalls, maxQueuedBytes, overload, timeoutMs } = resolveOptions();
  const admission = new Admission({ maxQueuedCalls, maxQueuedBytes, overload });
  const calls = new GroupedCalls({
    rpc: session,
    database,
    verifier: new InlineVerifier(),
    admission,
  });
  const [asked, deadline] = [toKeys(keys), new Deadline({}, timeoutMs)];
  void admission.enter(bytesOf(asked), deadline);
  return calls.getAll(asked, deadline);
}

/** The ImmuError that a promise rejects with; anything else fails the test. */
export async function failure(work: Promise<unknown>): Promise<ImmuError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ImmuError)) throw error;
  return error;
}

export async function codeOf(work: Promise<unknown>): Promise<ImmuErrorCode> {
  return (await failure(work)).code;
}

type Call = ServerUnaryCall<Record<string, unknown>, object>;
export type Handler = (call: Call, answer: sendUnaryData<object>) => void;

/** A gRPC server with the handlers that a test gives; other methods are unimplemented. */
export class PuppetServer implements AsyncDisposable {
  readonly #server = new Server();
  address = '';
  identity = 'puppet00000000000000';

  static async start(handlers: Record<string, Handler>, port = 0): Promise<PuppetServer> {
    const puppet = new PuppetServer();
    const service = serviceDefinition('immudb.schema.ImmuService');
    const withIdentity = Object.entries(handlers).map(([name, handler]): [string, Handler] => [
      name,
      (call, answer) => {
        const metadata = new Metadata();
        metadata.set('immudb-uuid', puppet.identity);
        call.sendMetadata(metadata);
        handler(call, answer);
      },
    ]);
    // A Buffer is an answer that goes out as it is.
    const raw = Object.entries(service).map(([name, method]) => {
      const { responseSerialize } = method;
      const serialize = (answer: object) => (Buffer.isBuffer(answer) ? answer : responseSerialize(answer));
      return [name, { ...method, responseSerialize: serialize }];
    });
    puppet.#server.addService(Object.fromEntries(raw) as never, Object.fromEntries(withIdentity));
    const bound = await new Promise<number>((resolve, reject) => {
      puppet.#server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, taken) =>
        error ? reject(error) : resolve(taken),
      );
    });
    puppet.address = `127.0.0.1:${bound}`;
    return puppet;
  }

  /** Ends at once, calls under way too. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
    return Promise.resolve();
  }
}

/** Takes TCP connections and says nothing, or one thing. */
export class SilentServer implements AsyncDisposable {
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();

  private constructor(server: TcpServer, words: string) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      if (words) socket.write(words);
    });
  }

  static async start(words = ''): Promise<SilentServer> {
    const server = createServer().listen(0, '127.0.0.1');
    const silent = new SilentServer(server, words);
    await once(server, 'listening');
    return silent;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** An address where nothing listens. */
export async function deadAddress(): Promise<string> {
  const server = await SilentServer.start();
  const { address } = server;
  await server[Symbol.asyncDispose]();
  return address;
}

/** Sets entries in one transaction, as `setAll` does on its own. */
export function setEntries(
  rpc: Rpc,
  entries: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[],
  options: CallOptions,
): Promise<Write> {
  const pairs = entries.map(({ key, value }) => [key, value] as const);
  return writeContent(rpc, setAllContent(pairs, {}), options);
}

/** What `setAll` takes these pairs for. */
export function toEntries(pairs: Pairs): readonly SentEntry[] {
  const { entries, batch } = setAllContent(pairs, {});
  return batch ? readSetRequest(batch.request()) : entries;
}
