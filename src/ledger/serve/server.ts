// The gRPC side: every method of the schema is served, refused with immudb's status, or said to be out of scope.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { UntypedHandleCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadSchema, methodDefinition, serviceDefinition } from '../../wire/schema.js';
import type { ServiceName, WireMethod } from '../../wire/schema.js';
import { UNREADABLE, clientStream, outOfScope, serverStream, unary } from './calls.js';
import type { ServedLedger } from './calls.js';
import type { Handler } from './core.js';
import { MessageEncoder } from '../wire/encoder.js';
import { databaseService } from '../services/databases.js';
import { kvService } from '../services/kv.js';
import { proofService } from '../services/proofs.js';
import { openSession, sessionService } from '../services/session.js';
import { clientStreams, serverStreams } from '../services/streams.js';
import { userService } from '../services/users.js';
import type { ResolvedLedgerOptions } from '../options.js';

const immuService: Record<string, Handler> = {
  ...kvService,
  ...proofService,
  ...sessionService,
  ...databaseService,
  ...userService,
};

/** The newer session calls, with text where the older ones have bytes. */
const authorizationService: Record<string, Handler> = {
  OpenSession: (core, call) => {
    const { username = '', password = '', database = '' } = call.request as Record<string, string>;
    return openSession(core, {
      username: Buffer.from(username),
      password: Buffer.from(password),
      databaseName: database,
    });
  },
  KeepAlive: sessionService['KeepAlive'] as Handler,
  CloseSession: sessionService['CloseSession'] as Handler,
};

export function createServer(ledger: ServedLedger, options: ResolvedLedgerOptions): Server {
  const server = new Server({
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_send_message_length': -1,
  });
  addService(server, 'immudb.schema.ImmuService', immuService, ledger);
  addService(server, 'immudb.model.AuthorizationService', authorizationService, ledger);
  addService(server, 'immudb.model.DocumentService', {}, ledger);
  return server;
}

function addService(
  server: Server,
  name: ServiceName,
  handlers: Readonly<Record<string, Handler>>,
  ledger: ServedLedger,
): void {
  const scope = name.slice(0, name.lastIndexOf('.'));
  const encoder = new MessageEncoder(loadSchema());
  const definition: Record<string, WireMethod> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const method of Object.keys(serviceDefinition(name))) {
    const loaded: WireMethod = methodDefinition(name, method);
    definition[method] = {
      ...loaded,
      ...(loaded.requestStream && { requestDeserialize: leniently(loaded) }),
      responseSerialize: encoder.serializerOf(answerType(loaded, scope)),
    };
    implementation[method] = implemented(method, handlers, ledger, loaded) ?? outOfScope(method, ledger);
  }
  server.addService(definition, implementation);
}

function implemented(
  method: string,
  handlers: Readonly<Record<string, Handler>>,
  ledger: ServedLedger,
  { path, requestStream, responseStream }: WireMethod,
): UntypedHandleCall | undefined {
  const writer = requestStream && !responseStream ? clientStreams[method] : undefined;
  if (writer) return clientStream(method, writer, ledger);
  const reader = responseStream && !requestStream ? serverStreams[method] : undefined;
  if (reader) return serverStream(method, reader, ledger);
  const handler = requestStream || responseStream ? undefined : handlers[method];
  return handler && unary(method, handler, ledger, path === '/immudb.schema.ImmuService/OpenSession');
}

/** What is no message goes to the handler, which says so in immudb's words rather than in those of grpc-js. */
function leniently({ requestDeserialize }: WireMethod): WireMethod['requestDeserialize'] {
  return (bytes) => {
    try {
      return requestDeserialize(bytes);
    } catch {
      return UNREADABLE;
    }
  };
}

/** Full name of the message type that a method answers with. */
function answerType(method: object, scope: string): string {
  const { name } = (method as { responseType: { type: { name: string } } }).responseType.type;
  return name === 'Empty' ? 'google.protobuf.Empty' : `${scope}.${name}`;
}

/** Binds to the address; resolves with the port. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
}
