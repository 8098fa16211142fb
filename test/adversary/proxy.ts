// A gRPC server that stands between a client and any immudb: passes requests and answers on as bytes, and lets a test
// see, hold, change or replace them.
import { Client, Metadata, Server, ServerCredentials, credentials } from '@grpc/grpc-js';
import type {
  MethodDefinition,
  ServerReadableStream,
  ServerWritableStream,
  UntypedServiceImplementation,
  sendUnaryData,
  ServerUnaryCall,
} from '@grpc/grpc-js';
import { serviceDefinition } from '#dist/wire/schema.js';
import { asStatus, cut, joined } from './proxy-streams.js';

/** Changes nothing. */
export const passOn: Interceptor = ({ forward }) => forward();

/** One call on its way through. What is streamed to the server is no part of `request`: it goes on as it comes. */
export interface Passing {
  readonly method: string;
  readonly request: Buffer;
  /** Asks the real server, at most once; later calls get the same answer. */
  readonly forward: (request?: Buffer) => Promise<Buffer>;
}

/** Gives the answer that the client gets; what it throws (a ServiceError) is the status the client gets. */
export type Interceptor = (passing: Passing) => Promise<Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;
/** No two methods of these have one name. */
const SERVICES = ['immudb.schema.ImmuService', 'immudb.model.DocumentService'] as const;
const IDENTITY_HEADER = 'immudb-uuid';

export class Proxy {
  readonly address: string;
  intercept: Interceptor = passOn;
  /** Changes what is streamed to the server, message by message. */
  changeUp: (message: Buffer) => Buffer = asIs;
  /** Streams are handed to `intercept` as the bytes that are in their chunks. */
  rawStreams = false;
  /** Gives what the client gets of a transaction that is exported, and of rows, message by message. */
  streamed: (message: Buffer) => Buffer = asIs;
  /** Replaces the identity that answers carry. */
  identity: string | undefined;
  /** The server's own, as its last answer had it. */
  upstreamIdentity: string | undefined;
  readonly #server: Server;
  readonly #upstream: Client;

  private constructor(server: Server, port: number, upstream: Client) {
    this.#server = server;
    this.address = `127.0.0.1:${port}`;
    this.#upstream = upstream;
  }

  static async start(target: string): Promise<Proxy> {
    const limits = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
    const server = new Server(limits);
    const upstream = new Client(target, credentials.createInsecure(), limits);
    const raw: Record<string, MethodDefinition<Buffer, Buffer>> = {};
    const handlers: UntypedServiceImplementation = {};
    const started: { proxy?: Proxy } = {};
    const definitions = SERVICES.flatMap((service) => Object.entries(serviceDefinition(service)));
    for (const [name, method] of definitions) {
      if (method.requestStream && method.responseStream) continue;
      raw[name] = {
        ...method,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      };
      if (method.requestStream)
        handlers[name] = (call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
          void started.proxy?.handleUp(name, method.path, call, done);
        };
      else if (method.responseStream)
        handlers[name] = (call: ServerWritableStream<Buffer, Buffer>) => {
          if (name === 'exportTx' || name.endsWith('SQLQuery')) started.proxy?.pass(method.path, call);
          else void started.proxy?.handleDown(name, method.path, call);
        };
      else
        handlers[name] = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
          void started.proxy?.handle(name, method.path, call, done);
        };
    }
    server.addService(raw, handlers);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    started.proxy = new Proxy(server, port, upstream);
    return started.proxy;
  }

  async handle(
    method: string,
    path: string,
    call: ServerUnaryCall<Buffer, Buffer>,
    done: sendUnaryData<Buffer>,
  ): Promise<void> {
    let identity: string | undefined;
    let asked: Promise<Buffer> | undefined;
    const forward = (request = call.request) =>
      (asked ??= new Promise<Buffer>((resolve, reject) => {
        const upstream = this.#upstream.makeUnaryRequest(
          path,
          asIs,
          asIs,
          request,
          onward(call.metadata),
          { deadline: Date.now() + 30_000 },
          (error, answer) => {
            if (error) reject(error);
            else resolve(answer ?? Buffer.alloc(0));
          },
        );
        upstream.on('metadata', (metadata: Metadata) => (identity = this.#identityIn(metadata)));
      }));
    try {
      const answer = await this.intercept({ method, request: call.request, forward });
      this.#identify(call, this.identity ?? identity);
      done(null, answer);
    } catch (error) {
      this.#identify(call, this.identity ?? identity);
      done(asStatus(error));
    }
  }

  /** A stream to the server goes on as it comes, what is no message too; a test sees its answer. */
  async handleUp(
    method: string,
    path: string,
    call: ServerReadableStream<Buffer, Buffer>,
    done: sendUnaryData<Buffer>,
  ): Promise<void> {
    const answered = new Promise<Buffer>((resolve, reject) => {
      const headers = onward(call.metadata);
      const upstream = this.#upstream.makeClientStreamRequest(path, asIs, asIs, headers, (error, answer) => {
        if (error) reject(error);
        else resolve(answer ?? Buffer.alloc(0));
      });
      upstream.on('metadata', (metadata: Metadata) => {
        this.#identify(call, this.identity ?? this.#identityIn(metadata));
      });
      call.on('data', (chunk: Buffer) => {
        if (upstream.write(this.changeUp(chunk))) return;
        call.pause();
        upstream.once('drain', () => call.resume());
      });
      call.on('end', () => upstream.end());
      call.on('cancelled', () => upstream.cancel());
    });
    try {
      done(null, await this.intercept({ method, request: Buffer.alloc(0), forward: () => answered }));
    } catch (error) {
      done(asStatus(error));
    }
  }

  /** An answer in chunks, on as it comes. */
  pass(path: string, call: ServerWritableStream<Buffer, Buffer>): void {
    const headers = onward(call.metadata);
    const upstream = this.#upstream.makeServerStreamRequest(path, asIs, asIs, call.request, headers);
    upstream.on('metadata', (metadata: Metadata) => {
      this.#identify(call, this.identity ?? this.#identityIn(metadata));
    });
    upstream.on('data', (message: Buffer) => call.write(this.streamed(message)));
    upstream.on('error', (error: unknown) => call.emit('error', asStatus(error)));
    upstream.on('end', () => call.end());
    call.on('cancelled', () => upstream.cancel());
  }

  /** A stream of answers, held until it is whole. */
  async handleDown(method: string, path: string, call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
    let identity: string | undefined;
    let asked: Promise<Buffer> | undefined;
    const forward = (request = call.request) =>
      (asked ??= new Promise<Buffer>((resolve, reject) => {
        const upstream = this.#upstream.makeServerStreamRequest(
          path,
          asIs,
          asIs,
          request,
          onward(call.metadata),
        );
        const chunks: Buffer[] = [];
        upstream.on('metadata', (metadata: Metadata) => (identity = this.#identityIn(metadata)));
        upstream.on('data', (chunk: Buffer) => chunks.push(chunk));
        upstream.on('error', reject);
        upstream.on('end', () => resolve(joined(this.#codec(method), chunks)));
        call.on('cancelled', () => upstream.cancel());
      }));
    try {
      const answer = await this.intercept({ method, request: call.request, forward });
      this.#identify(call, this.identity ?? identity);
      for (const chunk of cut(this.#codec(method), answer)) call.write(chunk);
      call.end();
    } catch (error) {
      this.#identify(call, this.identity ?? identity);
      call.emit('error', asStatus(error));
    }
  }

  #codec(method: string): string {
    return this.rawStreams ? 'as they are' : method;
  }

  #identityIn(metadata: Metadata): string | undefined {
    const identity = metadata.get(IDENTITY_HEADER)[0]?.toString();
    this.upstreamIdentity = identity ?? this.upstreamIdentity;
    return identity;
  }

  #identify(
    call: { readonly cancelled: boolean; sendMetadata(metadata: Metadata): void },
    identity: string | undefined,
  ): void {
    if (identity === undefined || call.cancelled) return;
    const metadata = new Metadata();
    metadata.set(IDENTITY_HEADER, identity);
    call.sendMetadata(metadata);
  }

  /** Ends every connection of its clients, as a restart would; what is under way is broken off. */
  async dropConnections(): Promise<void> {
    this.#server.drain(this.address, 0);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }

  close(): Promise<void> {
    this.#upstream.close();
    this.#server.forceShutdown();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Headers of the client that concern immudb, and nothing of the transport. */
function onward(metadata: Metadata): Metadata {
  const kept = new Metadata();
  for (const name of ['sessionid', 'authorization', 'transactionid']) {
    const value = metadata.get(name)[0];
    if (value !== undefined) kept.set(name, value);
  }
  return kept;
}

/** Holds the first answer to a method; what comes behind it passes. */
export function holdFirst(proxy: Proxy, method: string): { arrived: Promise<void>; release: () => void } {
  let arrive = () => {};
  let release = () => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  proxy.intercept = async (call) => {
    const answer = await call.forward();
    if (call.method !== method) return answer;
    proxy.intercept = passOn;
    arrive();
    await released;
    return answer;
  };
  return { arrived, release };
}
