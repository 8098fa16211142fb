// The gRPC side: every method of the schema is served, refused with immudb's status, or said to be out of scope.
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  MethodDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
  sendUnaryData,
  ServerUnaryCall,
} from '@grpc/grpc-js';
import { loadSchema, serviceDefinition } from '../wire-schema.js';
import type { ServiceName } from '../wire-schema.js';
import { sessionIdOf } from './core.js';
import type { Call, Handler, LedgerCore } from './core.js';
import { MessageEncoder } from './encoder.js';
import { LedgerRefusal, refusalMetadata, refuse } from './errors.js';
import { databaseService } from './service-databases.js';
import { kvService } from './service-kv.js';
import { proofService } from './service-proofs.js';
import { openSession, sessionService } from './service-session.js';
import { userService } from './service-users.js';
import type { ResolvedLedgerOptions } from './options.js';

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

/** Stands between the calls and the truth. */
export interface Intermediary {
  before(call: Call): object | undefined;
  after(call: Call, answer: object): object;
  /** Identity to put on the next answer. */
  serverId(): string;
}

export interface ServedLedger extends LedgerCore {
  readonly intermediary: Intermediary;
}

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
  const definition: Record<string, MethodDefinition<object, object>> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [method, loaded] of Object.entries(serviceDefinition(name))) {
    const { path, requestStream, responseStream } = loaded;
    definition[method] = { ...loaded, responseSerialize: encoder.serializerOf(answerType(loaded, scope)) };
    const handler = handlers[method];
    implementation[method] =
      requestStream || responseStream || !handler
        ? outOfScope(method, ledger)
        : unary(method, handler, ledger, path !== '/immudb.schema.ImmuService/OpenSession');
  }
  server.addService(definition, implementation);
}

/** Full name of the message type that a method answers with. */
function answerType(method: object, scope: string): string {
  const { name } = (method as { responseType: { type: { name: string } } }).responseType.type;
  return name === 'Empty' ? 'google.protobuf.Empty' : `${scope}.${name}`;
}

function unary(
  method: string,
  handler: Handler,
  ledger: ServedLedger,
  needsLiveSession: boolean,
): UntypedHandleCall {
  return (wire: ServerUnaryCall<object, object>, respond: sendUnaryData<object>): void => {
    try {
      const call: Call = { method, request: wire.request, metadata: wire.metadata };
      if (needsLiveSession) touchSession(ledger, call, () => wire.sendMetadata(identity(ledger)));
      else wire.sendMetadata(identity(ledger));
      const { intermediary } = ledger;
      respond(null, intermediary.after(call, intermediary.before(call) ?? handler(ledger, call)));
    } catch (error) {
      respond(statusOf(error));
    }
  };
}

/** A session id that is sent must be one of ours, whatever the call; calling keeps it alive. */
function touchSession(ledger: ServedLedger, call: Call, sendIdentity: () => void): void {
  const id = sessionIdOf(call);
  if (id === '') throw refuse.emptySessionId();
  sendIdentity();
  if (id === undefined) return;
  const session = ledger.sessions.find(id);
  if (!session) throw refuse.sessionNotFound();
  session.lastActivityMs = Date.now();
}

function identity(ledger: ServedLedger): Metadata {
  const metadata = new Metadata();
  metadata.set('immudb-uuid', ledger.intermediary.serverId());
  return metadata;
}

function outOfScope(method: string, ledger: ServedLedger): UntypedHandleCall {
  const refusal = statusOf(refuse.outOfScope(method));
  return ((wire: ServerUnaryCall<object, object>, respond?: sendUnaryData<object>): void => {
    wire.sendMetadata(identity(ledger));
    if (respond) respond(refusal);
    else wire.emit('error', refusal);
  }) as UntypedHandleCall;
}

export interface WireStatus {
  readonly name: string;
  readonly message: string;
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** gRPC status of whatever was thrown. What is no refusal is a defect of the ledger, and says so. */
export function statusOf(error: unknown): WireStatus {
  if (error instanceof LedgerRefusal) {
    const metadata = refusalMetadata(error);
    const { name, message, code } = error;
    return { name, message, code, details: message, ...(metadata ? { metadata } : {}) };
  }
  const message = `defect in the embedded ledger: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  return { name: 'Error', message, code: status.INTERNAL, details: message };
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
